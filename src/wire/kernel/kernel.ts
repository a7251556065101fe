// The kernel of this thread: one WebAssembly module (kernel/) with a linear memory of fixed size. It does the work of a block or of a series
// in one call. Every use has a path in JavaScript beside it, which is its oracle in the tests, takes what the kernel leaves, and finds out
// what is wrong with bytes that the kernel does not accept.

import { WireError } from '../errors.ts';
import { readKernel } from './compiled-kernel.ts';

interface KernelExports {
  readonly memory: WebAssembly.Memory;
  updateCrc(state: number, from: number, to: number): number;
  verifyFrames(from: number, to: number, maxFrameBytes: number): number;
}

/** The addresses and sizes of kernel/layout.ts. */
const LAYOUT_NAMES = ['INPUT', 'INPUT_BYTES', 'RESULT'] as const;
type Layout = Record<(typeof LAYOUT_NAMES)[number], number>;

const MAX_FRAME_BYTES = 2 ** 31 - 1;

export class Kernel {
  /** The memory, all of it. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly layout: Layout;
  readonly #exports: KernelExports;
  readonly #results: Int32Array;

  constructor(module: WebAssembly.Module) {
    const { exports } = new WebAssembly.Instance(module, { env: { abort } });
    this.#exports = exports as unknown as KernelExports;
    const addresses = exports as Record<string, WebAssembly.Global>;
    this.layout = Object.fromEntries(LAYOUT_NAMES.map((name) => [name, addresses[name]?.value])) as Layout;
    const memory = this.#exports.memory.buffer;
    this.bytes = new Uint8Array(memory);
    this.#results = new Int32Array(memory, this.layout.RESULT, 16);
  }

  /** The CRC-32C of `bytes[start, end)` as an unsigned 32-bit number. */
  crc32c(bytes: Uint8Array, start: number, end: number): number {
    const { INPUT, INPUT_BYTES } = this.layout;
    let crc = -1;
    for (let at = start; at < end; at += INPUT_BYTES) {
      const pieceEnd = Math.min(end, at + INPUT_BYTES);
      this.bytes.set(bytes.subarray(at, pieceEnd), INPUT);
      crc = this.#exports.updateCrc(crc, INPUT, INPUT + pieceEnd - at);
    }
    return ~crc >>> 0;
  }

  /**
   * Finds the whole frames with a correct checksum at the beginning of `bytes[start, end)`.
   * @returns where they end. A frame begins there that is incomplete, longer than the limit, wrong, or too long for the kernel
   */
  verifyFrames(
    bytes: Uint8Array,
    start: number,
    maxFrameBytes: number,
  ): { readonly end: number; readonly frames: number } {
    const { INPUT, INPUT_BYTES } = this.layout;
    const most = Math.min(maxFrameBytes, MAX_FRAME_BYTES);
    let at = start;
    let frames = 0;
    while (at < bytes.length) {
      const pieceEnd = Math.min(bytes.length, at + INPUT_BYTES);
      this.bytes.set(bytes.subarray(at, pieceEnd), INPUT);
      at += this.#run(() => this.#exports.verifyFrames(INPUT, INPUT + pieceEnd - at, most)) - INPUT;
      const found = this.#results[0] as number;
      frames += found;
      // The rest of the piece is copied again, with what follows it.
      if (found === 0 || pieceEnd === bytes.length) break;
    }
    return { end: at, frames };
  }

  /** A trap would be a defect of the kernel. It must not look like one of this program's own errors, nor end it. */
  #run<T>(call: () => T): T {
    try {
      return call();
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError)) throw error;
      throw new WireError('corrupt', `the kernel cannot decode these bytes: ${error.message}`, { cause: error });
    }
  }
}

function abort(): never {
  throw new WebAssembly.RuntimeError('abort');
}

export function openKernel(): Kernel {
  return new Kernel(new WebAssembly.Module(readKernel()));
}

/**
 * Every call is synchronous, so one kernel serves all of this thread. Null with `PROM_MIGRATOR_CODEC=js`: the JavaScript path does all of the
 * work.
 */
export const KERNEL: Kernel | null = process.env['PROM_MIGRATOR_CODEC'] === 'js' ? null : openKernel();
