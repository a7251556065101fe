// The kernel's WebAssembly. The build replaces this module with one that has the same export and contains the bytes. In a checkout
// scripts/bootstrap.mjs has compiled them, which every npm script starts with.

import { readFileSync } from 'node:fs';

const FILE = new URL('../../../node_modules/.cache/prom-migrator/kernel.wasm', import.meta.url);

/** @throws Error if the checkout has no compiled kernel */
export function readKernel(): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(readFileSync(FILE));
  } catch (error) {
    throw new Error('this checkout has no compiled kernel: start it with `npm start`, or run `npm run types` first', {
      cause: error,
    });
  }
}
