// How Node runs the program with little memory: its flags, and the variables that glibc reads before the first line of JavaScript runs.
// The Dockerfile repeats them, because the image starts Node without the launcher's restart.

/** Short-lived objects take 12 MiB instead of 48. The other heap setting is made by the program itself (src/telemetry/small-heap.ts). */
export const nodeFlags = ['--max-semi-space-size=4'];

/**
 * glibc keeps no memory apart for each thread, and gives large pieces back to the system as soon as they are free. By itself it raises the
 * bound for "large" to 32 MiB once pieces of such a size come and go.
 */
export const memoryVariables = { MALLOC_ARENA_MAX: '1', MALLOC_MMAP_THRESHOLD_: '131072' };
