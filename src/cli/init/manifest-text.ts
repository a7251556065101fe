// A drafted manifest as YAML with comments, for `init`. Pure.

import { Document, isMap, isScalar, type Pair, type YAMLMap } from 'yaml';

/** A comment on the field at a path under `spec`. */
export interface FieldComment {
  readonly path: readonly string[];
  readonly text: string;
}

const LONGEST_LINE = 118;

/** @param header the first lines, without # */
export function manifestText(
  manifest: Readonly<Record<string, unknown>>,
  comments: readonly FieldComment[],
  header: readonly string[],
): string {
  const document = new Document(manifest, { aliasDuplicateObjects: false });
  document.commentBefore = header.map((line) => ` ${line}`).join('\n');
  for (const { path, text } of comments) addBefore(document, ['spec', ...path], text);
  // Without it, yaml puts an empty line between the comment and the document: the first line is then not at the document for an editor.
  return document.toString({ lineWidth: 0 }).replace(/^((?:#.*\n)+)\n/, '$1');
}

function addBefore(document: Document, path: readonly string[], text: string): void {
  const pair = pairAt(document, path);
  if (pair === undefined || !isScalar(pair.key)) return;
  const indent = 2 * (path.length - 1);
  const lines = wrapped(text, LONGEST_LINE - indent).map((line) => ` ${line}`);
  pair.key.commentBefore = [pair.key.commentBefore, ...lines].filter((line) => line != null).join('\n');
}

/** Of the field, or of the innermost field around it that is there. */
function pairAt(document: Document, path: readonly string[]): Pair | undefined {
  let map: unknown = document.contents;
  let found: Pair | undefined;
  for (const name of path) {
    const pair: Pair | undefined = isMap(map) ? pairOf(map, name) : undefined;
    if (pair === undefined) return found;
    found = pair;
    map = pair.value;
  }
  return found;
}

function pairOf(map: YAMLMap, name: string): Pair | undefined {
  return map.items.find(({ key }) => isScalar(key) && key.value === name);
}

function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
