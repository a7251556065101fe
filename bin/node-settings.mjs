// How Node runs the program with little memory: its flags, and the variables that glibc reads before the first line of JavaScript runs.
// The Dockerfile repeats them, because the image starts Node without the launcher's restart.

/**
 * What the memory of a run beside `limits.memory` consists of is kept small: short-lived objects may take 12 MiB instead of 48, and the heap
 * half as much again as what is used in it, instead of up to four times as much.
 */
export const nodeFlags = ['--max-semi-space-size=4', '--heap-growing-percent=50'];

/**
 * glibc keeps no memory apart for each thread, and gives large pieces back to the system as soon as they are free. By itself it raises the
 * bound for "large" to 32 MiB once pieces of such a size come and go.
 */
export const memoryVariables = { MALLOC_ARENA_MAX: '1', MALLOC_MMAP_THRESHOLD_: '131072' };
