// Makes some lines of a file longer, in place and with little memory: from the last line to the first, so that nothing is overwritten that was
// not read yet.

import { readSync, writeSync } from 'node:fs';

export interface Rewriting {
  /** Opened for reading and for writing. */
  readonly from: number;
  readonly to: number;
  /** Of the lines that are there. Each ends with a line feed. */
  readonly bytes: number;
  /** By how many bytes all lines grow. */
  readonly growth: number;
  /** Returns the line as it should be; it never becomes shorter. Both without the line feed. */
  readonly change: (line: string) => string;
}

const BLOCK_BYTES = 64 * 1024;
const LINE_FEED = 0x0a;

/** @throws an Error of node:fs */
export function rewriteLines({ from, to, bytes, growth, change }: Rewriting): void {
  let end = bytes + growth;
  /** The end of a line whose start is in an earlier block. */
  let rest: Buffer = Buffer.alloc(0);
  for (let at = bytes; at > 0; ) {
    const start = Math.max(0, at - BLOCK_BYTES);
    const block = Buffer.concat([readAll(from, start, at - start), rest]);
    const cut = start === 0 ? 0 : block.indexOf(LINE_FEED) + 1;
    at = start;
    rest = block.subarray(0, cut);
    // The only line feed ends the line: its start is in an earlier block.
    if (cut === block.length) continue;
    const lines = block.toString('utf8', cut, block.length - 1).split('\n');
    const changed = Buffer.from(`${lines.map(change).join('\n')}\n`);
    end -= changed.length;
    writeAll(to, changed, end);
  }
}

function readAll(file: number, position: number, bytes: number): Buffer {
  const block = Buffer.alloc(bytes);
  for (let at = 0; at < bytes; ) {
    const read = readSync(file, block, at, bytes - at, position + at);
    if (read === 0) throw new Error('the file has become shorter');
    at += read;
  }
  return block;
}

function writeAll(file: number, bytes: Buffer, position: number): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at, bytes.length - at, position + at);
}
