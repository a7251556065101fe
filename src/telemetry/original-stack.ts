// Stack traces of the bundled program with the files and lines of its source. Node's own --enable-source-maps would read all maps at startup.

import { readFileSync } from 'node:fs';
import { SourceMap, type SourceMapPayload } from 'node:module';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const PLACE = /(file:\/\/[^\s()]+\.js):(\d+):(\d+)/g;

/** The stack with every place that a source map (`<file>.map`) knows replaced by the original one. Never throws. */
export function originalStack(stack: string): string {
  const maps = new Map<string, SourceMap | undefined>();
  return stack.replaceAll(PLACE, (place, url: string, line: string, column: string) => {
    if (!maps.has(url)) maps.set(url, readMap(url));
    const origin = maps.get(url)?.findOrigin(Number(line), Number(column));
    if (origin === undefined || !('fileName' in origin)) return place;
    return `${shortName(origin.fileName, url)}:${origin.lineNumber}:${origin.columnNumber}`;
  });
}

function readMap(url: string): SourceMap | undefined {
  try {
    return new SourceMap(JSON.parse(readFileSync(fileURLToPath(`${url}.map`), 'utf8')) as SourceMapPayload);
  } catch {
    // A checkout has no maps, and an incomplete installation must not hide the error.
    return undefined;
  }
}

/** Relative to the package: `src/main.ts`. */
function shortName(source: string, url: string): string {
  const directory = fileURLToPath(new URL('..', url));
  return source.startsWith('file:')
    ? relative(directory, fileURLToPath(source))
    : relative(directory, fileURLToPath(new URL(source, url)));
}
