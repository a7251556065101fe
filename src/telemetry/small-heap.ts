// V8's settings for a small heap.

import { setFlagsFromString } from 'node:v8';

/**
 * Lets the heap grow by half of what is used in it between two collections, instead of up to four times. Not a flag of the command line:
 * there it invalidates the compiled code of Node's own modules, and each start compiles them again (25 ms). Call this after the imports, for
 * the same reason.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--heap-growing-percent=50');
}
