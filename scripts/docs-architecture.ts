// Writes the diagrams and the table of docs/architecture.md from the imports in src/: `node scripts/docs-architecture.ts`. A test fails if
// the page is out of date.

import { readFileSync, writeFileSync } from 'node:fs';
import { folderOf, type Graph, grouped, roomOf, sourceGraph, withoutImpliedEdges } from './source-graph.ts';

export const architecturePath = new URL('../docs/architecture.md', import.meta.url);

/** The generated parts of the page, by the name of their placeholder. */
function partsOf(graph: Graph): Record<string, string> {
  const parts: Record<string, string> = { rooms: roomsDiagram(graph), imports: importsTable(graph) };
  for (const room of roomsOf(graph)) {
    if (foldersOf(graph, room).length > 1) parts[`folders of ${room}`] = foldersDiagram(graph, room);
  }
  return parts;
}

/** The rooms from the outermost to the innermost: a room comes before those that it imports. */
export function roomsOf(graph: Graph): string[] {
  const imports = grouped(graph, roomOf);
  const ordered: string[] = [];
  const visit = (room: string) => {
    if (ordered.includes(room)) return;
    for (const next of [...(imports.get(room) ?? [])].sort()) visit(next);
    ordered.push(room);
  };
  for (const room of [...imports.keys()].sort()) visit(room);
  return ordered.reverse();
}

/** The folders of a room, starting with the room itself: `src/wire`, `src/wire/responses`, … */
export function foldersOf(graph: Graph, room: string): string[] {
  const files = [...graph.keys()].filter((file) => roomOf(file) === room);
  return [...new Set(files.map(folderOf))].sort();
}

function roomsDiagram(graph: Graph): string {
  const lines: string[] = [];
  for (const room of roomsOf(graph)) {
    const folders = foldersOf(graph, room).slice(1);
    if (folders.length === 0) {
      lines.push(`  ${room}["${room === 'main' ? 'main.ts' : `${room}/`}"]`);
      continue;
    }
    lines.push(`  subgraph ${room}["${room}/"]`);
    for (const folder of folders) lines.push(`    ${nodeOf(folder)}["${folderName(folder)}"]`);
    lines.push('  end');
  }
  return mermaid([...lines, ...edges(withoutImpliedEdges(grouped(graph, roomOf)), (room) => room)]);
}

function foldersDiagram(graph: Graph, room: string): string {
  const folders = foldersOf(graph, room);
  const inside = new Map(
    [...grouped(graph, folderOf)]
      .filter(([folder]) => folders.includes(folder))
      .map(([folder, targets]) => [folder, new Set([...targets].filter((target) => folders.includes(target)))]),
  );
  const nodes = folders.map((folder, index) => {
    const name = index === 0 ? `files of ${room}/ itself` : folderName(folder);
    return `  ${nodeOf(folder)}["${name}"]`;
  });
  return mermaid([...nodes, ...edges(inside, nodeOf)]);
}

function importsTable(graph: Graph): string {
  const imports = grouped(graph, roomOf);
  const rows = roomsOf(graph).map((room) => {
    const targets = [...(imports.get(room) ?? [])].sort().map((target) => `\`${target}\``);
    return `| \`${room}\` | ${targets.join(', ')} |`;
  });
  return ['| room | imports |', '|---|---|', ...rows].join('\n');
}

const nodeOf = (folder: string): string => folder.replace(/^src\//, '').replaceAll(/[^a-z0-9]/g, '_');
const folderName = (folder: string): string => `${folder.split('/').at(-1)}/`;

/** One line per arrow; two folders that import each other share an arrow with two heads. */
function edges(graph: Graph, idOf: (name: string) => string): string[] {
  const lines: string[] = [];
  for (const from of [...graph.keys()].sort()) {
    for (const to of [...(graph.get(from) ?? [])].sort()) {
      const mutual = graph.get(to)?.has(from) ?? false;
      if (mutual && to < from) continue;
      lines.push(`  ${idOf(from)} ${mutual ? '<-->' : '-->'} ${idOf(to)}`);
    }
  }
  return lines;
}

const mermaid = (lines: readonly string[]): string => ['```mermaid', 'flowchart TD', ...lines, '```'].join('\n');

/** The page with the content between each `<!-- NAME -->` and `<!-- end of NAME -->` regenerated. */
export function withArchitecture(page: string, graph: Graph): string {
  return Object.entries(partsOf(graph)).reduce((text, [name, made]) => {
    const [start, end] = [`<!-- ${name} -->\n`, `<!-- end of ${name} -->`];
    const from = text.indexOf(start);
    const to = text.indexOf(end);
    if (from < 0 || to < from) throw new Error(`docs/architecture.md has no place for the part ${name}`);
    return `${text.slice(0, from + start.length)}${made}\n${text.slice(to)}`;
  }, page);
}

if (import.meta.main) {
  writeFileSync(architecturePath, withArchitecture(readFileSync(architecturePath, 'utf8'), sourceGraph()));
}
