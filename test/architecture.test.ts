// docs/architecture.md matches src/: its diagrams show the imports, every folder is described, every named file exists.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { architecturePath, foldersOf, roomsOf, withArchitecture } from '../scripts/docs-architecture.ts';
import { type Graph, grouped, importsOf, roomOf, sourceGraph, withoutImpliedEdges } from '../scripts/source-graph.ts';

const page = readFileSync(architecturePath, 'utf8');
const graph = sourceGraph();

const graphOf = (edges: Readonly<Record<string, readonly string[]>>): Graph =>
  new Map(Object.entries(edges).map(([from, to]) => [from, new Set(to)]));

const asObject = (edges: Graph) => Object.fromEntries([...edges].map(([from, to]) => [from, [...to]]));

describe('docs/architecture.md', () => {
  it('has the current diagrams of the imports in src/ (npm run docs writes them)', () => {
    assert.equal(page, withArchitecture(page, graph));
  });

  it('is out of date as soon as a room imports another one', () => {
    const changed = new Map(graph).set('src/wire/errors.ts', new Set(['src/api/time.ts']));
    const made = withArchitecture(page, changed);
    assert.notEqual(made, page);
    assert.match(made, /^ {2}wire --> api$/m);
    assert.match(made, /^\| `wire` \| `api` \|$/m);
  });

  it('is out of date as soon as a folder imports another one', () => {
    const changed = new Map(graph).set('src/wire/snappy/snappy.ts', new Set(['src/wire/chunks/chunk.ts']));
    assert.match(withArchitecture(page, changed), /^ {2}wire_snappy --> wire_chunks$/m);
  });

  it('fails to generate for a room without a description', () => {
    const changed = new Map(graph)
      .set('src/other/a.ts', new Set<string>())
      .set('src/other/inner/b.ts', new Set<string>());
    assert.throws(() => withArchitecture(page, changed), /no place for the part folders of other/);
  });

  it('describes every room and folder, and no others', () => {
    const described = [...page.matchAll(/^#{3,4} `(.+?)\/?`\n\n(?!#|<!--|\|)\S/gm)].map(([, folder]) => folder);
    const rooms = roomsOf(graph).flatMap((room) => (room === 'main' ? ['src/main.ts'] : foldersOf(graph, room)));
    assert.deepEqual(described.toSorted(), rooms.toSorted());
  });

  it('names only files that exist', () => {
    const named = [...page.matchAll(/`(src\/[^`]+)`/g)].map(([, path = '']) => path);
    assert.ok(named.length > 20);
    assert.deepEqual(
      named.filter((path) => !existsSync(new URL(`../${path}`, import.meta.url))),
      [],
    );
  });
});

describe('the import graph', () => {
  it('includes every kind of import, and ignores comments', () => {
    const text = [
      "import type { A } from './a.ts';",
      'import {',
      '  b,',
      "} from '../b.ts';",
      "export * from './c.ts';",
      "const d = await import('./d.ts');",
      "// import no from 'no';",
    ].join('\n');
    assert.deepEqual(importsOf(text), ['./a.ts', '../b.ts', './c.ts', './d.ts']);
  });

  it('treats src/main.ts as a room', () => {
    assert.equal(roomOf('src/main.ts'), 'main');
    assert.equal(roomOf('src/wire/chunks/chunk.ts'), 'wire');
    assert.ok(graph.get('src/main.ts')?.has('src/cli/program.ts'));
  });

  it('groups files, and omits imports inside a group', () => {
    const files = graphOf({ 'src/a/x.ts': ['src/a/y.ts', 'src/b/z.ts'], 'src/a/y.ts': [], 'src/b/z.ts': [] });
    assert.deepEqual(asObject(grouped(files, roomOf)), { a: ['b'], b: [] });
  });

  it('omits exactly the edges implied by longer paths', () => {
    const edges = graphOf({ a: ['b', 'c', 'd'], b: ['c'], c: [], d: [] });
    assert.deepEqual(asObject(withoutImpliedEdges(edges)), { a: ['b', 'd'], b: ['c'], c: [], d: [] });
  });
});
