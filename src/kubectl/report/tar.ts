// A tar archive (POSIX ustar) of a few text files in one folder. Pure.

import { Buffer } from 'node:buffer';

const BLOCK = 512;

export interface ArchivedFile {
  /** At most 100 bytes. */
  readonly path: string;
  readonly text: string;
}

/** @param folder at most 155 bytes */
export function tarOf(files: readonly ArchivedFile[], folder: string, timeMs: number): Buffer {
  const parts = files.flatMap(({ path, text }) => {
    const content = Buffer.from(text);
    const padding = Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK);
    return [header({ path, folder, bytes: content.length, timeMs }), content, padding];
  });
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}

interface Entry {
  readonly path: string;
  readonly folder: string;
  readonly bytes: number;
  readonly timeMs: number;
}

function header({ path, folder, bytes, timeMs }: Entry): Buffer {
  if (Buffer.byteLength(path) > 100 || Buffer.byteLength(folder) > 155)
    throw new RangeError(`the path ${path} is too long for an archive`);
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, length: number) =>
    block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1');
  block.write(path, 0);
  octal(0o600, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(bytes, 124, 12);
  octal(Math.floor(timeMs / 1000), 136, 12);
  // The checksum is made of a header in which it is blank.
  block.write(' '.repeat(8), 148, 'latin1');
  block.write('0', 156, 'latin1');
  block.write('ustar\u000000', 257, 'latin1');
  // Joined with the path by a slash.
  block.write(folder, 345);
  octal(
    block.reduce((sum, byte) => sum + byte, 0),
    148,
    7,
  );
  return block;
}
