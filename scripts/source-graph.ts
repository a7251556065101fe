// The files of src/ and their imports, as a graph of files and as a graph of folders.

import { globSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, resolve, sep } from 'node:path';

/** From a name to its imports, without itself. */
export type Graph = ReadonlyMap<string, ReadonlySet<string>>;

const ROOT = resolve(import.meta.dirname, '..');

/** The specifiers of all static, re-exporting and dynamic imports, including types. */
export function importsOf(text: string): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  const statement =
    /^\s*(?:import|export)\s+(?:[^'"`;]*?\s+from\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/gm;
  return [...code.matchAll(statement)].map((match) => match[1] ?? match[2] ?? '');
}

/** The imports that exist at run time: without `import type` and `export type`. */
export function valueImportsOf(text: string): string[] {
  return importsOf(text.replace(/^\s*(?:import|export)\s+type\s[^'"`;]*?\sfrom\s+['"][^'"]+['"];?/gm, ''));
}

/** The imports between the files of src/, such as `src/wire/labels.ts` to `src/wire/proto-reader.ts`. */
export function sourceGraph(): Graph {
  const files = globSync('src/**/*.ts', { cwd: ROOT })
    .map((path) => path.split(sep).join('/'))
    .sort();
  return new Map(
    files.map((file) => {
      const targets = importsOf(readFileSync(join(ROOT, file), 'utf8'))
        .filter((specifier) => specifier.startsWith('.'))
        .map((specifier) => posix.normalize(posix.join(posix.dirname(file), specifier)));
      return [file, new Set(targets.filter((target) => target !== file))];
    }),
  );
}

/** The same graph with files replaced by groups, such as their folders. Imports inside one group are omitted. */
export function grouped(graph: Graph, groupOf: (file: string) => string): Graph {
  const groups = new Map<string, Set<string>>();
  for (const [file, targets] of graph) {
    const from = groupOf(file);
    const reached = groups.get(from) ?? new Set();
    groups.set(from, reached);
    for (const target of targets) {
      if (groupOf(target) !== from) reached.add(groupOf(target));
    }
  }
  return groups;
}

/** Without the edges implied by a longer path: a → c is removed when a → b → c exists. Only for acyclic graphs. */
export function withoutImpliedEdges(graph: Graph): Graph {
  const reaches = (from: string, to: string): boolean =>
    [...(graph.get(from) ?? [])].some((next) => next === to || reaches(next, to));
  return new Map(
    [...graph].map(([from, targets]) => [
      from,
      new Set([...targets].filter((to) => ![...targets].some((via) => via !== to && reaches(via, to)))),
    ]),
  );
}

/** `src/wire/chunks/chunk.ts` is in the folder `src/wire/chunks`. */
export const folderOf = (file: string): string => dirname(file);

/** `src/wire/chunks/chunk.ts` is in the room `wire`, `src/main.ts` in `main`. */
export function roomOf(file: string): string {
  const [, room = '', rest] = relative('.', file).split(sep);
  return rest === undefined ? room.replace(/\.ts$/, '') : room;
}
