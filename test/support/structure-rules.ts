// The rules of the structure test for the import graph: each returns its violations.

import { folderOf, type Graph, grouped, roomOf } from '../../scripts/source-graph.ts';

/** A path from a file back to itself, if there is one. */
export function findCycle(graph: ReadonlyMap<string, Iterable<string>>): string[] | undefined {
  const finished = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): string[] | undefined => {
    if (finished.has(file)) return undefined;
    const at = path.indexOf(file);
    if (at >= 0) return [...path.slice(at), file];
    path.push(file);
    for (const next of graph.get(file) ?? []) {
      const cycle = visit(next);
      if (cycle !== undefined) return cycle;
    }
    path.pop();
    finished.add(file);
    return undefined;
  };
  for (const file of graph.keys()) {
    const cycle = visit(file);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

/**
 * The folders of a room are layered: no two import each other, directly or indirectly. The files of the room itself are the top layer, and
 * in wire/ the bottom layer.
 */
export function ladderViolations(graph: Graph): string[] {
  const inRooms = new Map(
    [...graph].map(([file, targets]) => [file, new Set([...targets].filter((to) => roomOf(to) === roomOf(file)))]),
  );
  const folders = grouped(inRooms, folderOf);
  const wrong: string[] = [];
  for (const [folder, targets] of folders) {
    const room = `src/${roomOf(`${folder}/`)}`;
    if (folder !== room && room !== 'src/wire' && targets.has(room)) wrong.push(`${folder} imports files of ${room}`);
    if (folder === 'src/wire') for (const target of targets) wrong.push(`files of src/wire import ${target}`);
  }
  const cycle = findCycle(folders);
  return cycle === undefined ? wrong : [...wrong, cycle.join(' → ')];
}

/** operator/kube/ is a client of any Kubernetes API: it does not know PromMigration. */
export function kubeViolations(graph: Graph): string[] {
  const mayImport = (target: string) => /^src\/(operator\/kube|telemetry)\//.test(target);
  return importsFrom(graph, 'src/operator/kube')
    .filter(([, to]) => !mayImport(to))
    .map(sentence);
}

/** operator/judge/ only decides: it uses only the types of client objects, and gets the current time as an argument. */
export function judgeViolations(graph: Graph, valueImportsOf: (file: string) => readonly string[]): string[] {
  const mayImport = (target: string) =>
    target === 'src/operator/kube/kube-objects.ts' ||
    target === 'src/execute/worker-messages.ts' ||
    /^src\/(operator\/judge|api|migration|telemetry|remote\/meaning)\//.test(target);
  const clocks = /(^|\/)clock\.ts$|^node:(timers|perf_hooks)\b/;
  const files = [...graph.keys()].filter((file) => folderOf(file) === 'src/operator/judge');
  return [
    ...importsFrom(graph, 'src/operator/judge')
      .filter(([, to]) => !mayImport(to))
      .map(sentence),
    ...files.flatMap((file) =>
      valueImportsOf(file)
        .filter((specifier) => clocks.test(specifier))
        .map((specifier) => `${file} imports the values of ${specifier}`),
    ),
  ];
}

function importsFrom(graph: Graph, folder: string): [from: string, to: string][] {
  return [...graph].flatMap(([from, targets]) =>
    folderOf(from) === folder ? [...targets].map((to): [string, string] => [from, to]) : [],
  );
}

function sentence([from, to]: readonly [string, string]): string {
  return `${from} imports ${to}`;
}
