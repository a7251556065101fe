// The rules for src/: allowed imports between rooms, no cycles, short files, and a documented reason for every dependency.

import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { importsOf, roomOf, sourceGraph, valueImportsOf } from '../scripts/source-graph.ts';
import { findCycle, judgeViolations, kubeViolations, ladderViolations } from './support/structure-rules.ts';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const MAX_LINES = 300;

const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  telemetry: [],
  loader: [],
  wire: ['telemetry'],
  remote: ['wire', 'telemetry'],
  api: ['telemetry'],
  migration: ['wire', 'remote', 'api', 'telemetry'],
  execute: ['migration', 'telemetry'],
  operator: ['execute', 'migration', 'remote', 'api', 'telemetry'],
  kubectl: ['operator', 'migration', 'remote', 'api', 'telemetry'],
  cli: ['kubectl', 'operator', 'execute', 'migration', 'remote', 'wire', 'api', 'telemetry'],
  main: ['cli', 'operator', 'migration', 'api', 'telemetry'],
};

function sources(...patterns: string[]): string[] {
  return globSync(patterns, { cwd: root })
    .map((path) => path.split(sep).join('/'))
    .sort();
}

describe('the import parser', () => {
  it('finds every kind of import, and ignores comments', () => {
    const text = [
      "import a from 'a';",
      "import type { B } from './b.ts';",
      'import {',
      '  c,',
      '  type D,',
      "} from '../c.ts';",
      "import './e.ts';",
      "export { f } from './f.ts';",
      "export * from './g.ts';",
      "const h = await import('./h.ts');",
      "type I = import('./i.ts').I;",
      "// import no from 'no';",
      "/* import no from 'no'; */",
      "const text = 'from';",
    ].join('\n');
    assert.deepEqual(importsOf(text), ['a', './b.ts', '../c.ts', './e.ts', './f.ts', './g.ts', './h.ts', './i.ts']);
    assert.deepEqual(valueImportsOf(text), ['a', '../c.ts', './e.ts', './f.ts', './g.ts', './h.ts', './i.ts']);
  });
});

describe('the cycle finder', () => {
  it('finds a cycle, and none where two paths lead to one node', () => {
    assert.deepEqual(
      findCycle(
        new Map([
          ['a', ['b']],
          ['b', ['c']],
          ['c', ['b']],
        ]),
      ),
      ['b', 'c', 'b'],
    );
    assert.equal(
      findCycle(
        new Map([
          ['a', ['b', 'c']],
          ['b', ['d']],
          ['c', ['d']],
          ['d', []],
        ]),
      ),
      undefined,
    );
  });
});

describe('the rules between the folders of a room', () => {
  const graphOf = (imports: Record<string, string[]>) =>
    new Map(Object.entries(imports).map(([file, targets]) => [file, new Set(targets)]));

  it('find folders that import each other, also through a third', () => {
    const imports = {
      'src/r/a/1.ts': ['src/r/b/1.ts'],
      'src/r/b/2.ts': ['src/r/c/1.ts'],
      'src/r/c/2.ts': ['src/r/a/2.ts'],
    };
    assert.deepEqual(ladderViolations(graphOf(imports)), ['src/r/a → src/r/b → src/r/c → src/r/a']);
    assert.deepEqual(ladderViolations(graphOf({ ...imports, 'src/r/c/2.ts': ['src/s/a/2.ts'] })), []);
  });

  it('find a folder that imports a file of its room directly, and the reverse in wire/', () => {
    assert.deepEqual(ladderViolations(graphOf({ 'src/r/a/1.ts': ['src/r/1.ts'] })), ['src/r/a imports files of src/r']);
    assert.deepEqual(ladderViolations(graphOf({ 'src/r/1.ts': ['src/r/a/1.ts'] })), []);
    assert.deepEqual(ladderViolations(graphOf({ 'src/wire/1.ts': ['src/wire/a/1.ts'] })), [
      'files of src/wire import src/wire/a',
    ]);
    assert.deepEqual(ladderViolations(graphOf({ 'src/wire/a/1.ts': ['src/wire/1.ts'] })), []);
  });

  it('find forbidden imports in operator/kube/', () => {
    const file = 'src/operator/kube/a.ts';
    const targets = ['src/api/a.ts', 'src/migration/a.ts', 'src/operator/judge/a.ts', 'src/operator/a.ts'];
    const allowed = ['src/operator/kube/b.ts', 'src/telemetry/clock.ts'];
    assert.deepEqual(
      kubeViolations(graphOf({ [file]: [...targets, ...allowed], 'src/operator/a.ts': targets })),
      targets.map((target) => `${file} imports ${target}`),
    );
  });

  it('find clients and clocks in operator/judge/', () => {
    const file = 'src/operator/judge/a.ts';
    const wrong = ['src/operator/kube/kube-client.ts', 'src/remote/query-client.ts', 'src/execute/worker-pool.ts'];
    const allowed = [
      'src/operator/kube/kube-objects.ts',
      'src/execute/worker-messages.ts',
      'src/remote/meaning/side.ts',
      'src/telemetry/clock.ts',
    ];
    const graph = graphOf({ [file]: [...wrong, ...allowed] });
    assert.deepEqual(
      judgeViolations(graph, () => []),
      wrong.map((target) => `${file} imports ${target}`),
    );
    assert.deepEqual(
      judgeViolations(graphOf({ [file]: allowed }), () => ['../../telemetry/clock.ts', 'node:timers']),
      [`${file} imports the values of ../../telemetry/clock.ts`, `${file} imports the values of node:timers`],
    );
  });
});

describe('the structure of the project', () => {
  const files = sources('src/**/*.ts');
  const imports = new Map(files.map((file) => [file, importsOf(readFileSync(join(root, file), 'utf8'))]));
  const relativeImports = new Map(
    [...imports].map(([file, specifiers]) => [
      file,
      specifiers
        .filter((specifier) => specifier.startsWith('.'))
        .map((specifier) =>
          relative(root, resolve(root, dirname(file), specifier))
            .split(sep)
            .join('/'),
        ),
    ]),
  );

  it('has sources to check', () => assert.ok(files.length > 20));

  it('has only known rooms', () => {
    for (const file of files) assert.ok(roomOf(file) in MAY_IMPORT, `${file} is in no room of the design`);
  });

  it('imports in one direction', () => {
    const wrong: string[] = [];
    for (const [file, targets] of relativeImports) {
      for (const target of targets) {
        const [from, to] = [roomOf(file), roomOf(target)];
        if (from !== to && !MAY_IMPORT[from]?.includes(to))
          wrong.push(`${file} imports ${target}: ${from} may not import ${to}`);
      }
    }
    assert.deepEqual(wrong, []);
  });

  it('imports existing files, by their .ts name, inside src/', () => {
    const wrong: string[] = [];
    for (const [file, targets] of relativeImports) {
      for (const target of targets) {
        if (!target.startsWith('src/') || !target.endsWith('.ts') || !existsSync(join(root, target)))
          wrong.push(`${file}: ${target}`);
      }
    }
    assert.deepEqual(wrong, []);
  });

  it('has no cycle', () => assert.equal(findCycle(relativeImports)?.join(' → '), undefined));

  it('has layered folders in each room', () => assert.deepEqual(ladderViolations(sourceGraph()), []));

  it('has no PromMigration in operator/kube/', () => assert.deepEqual(kubeViolations(sourceGraph()), []));

  it('has neither a client nor a clock in operator/judge/', () => {
    const valueImports = (file: string) => valueImportsOf(readFileSync(join(root, file), 'utf8'));
    assert.deepEqual(judgeViolations(sourceGraph(), valueImports), []);
    for (const folder of ['src/operator/kube/', 'src/operator/judge/'])
      assert.ok(
        files.some((file) => file.startsWith(folder)),
        folder,
      );
  });

  it(`has no file of more than ${MAX_LINES} lines`, () => {
    const long = sources('{src,kernel,test,scripts,bench,storm,verify-faults}/**/*.{ts,mjs}', 'bin/*.mjs')
      .map((file) => [file, readFileSync(join(root, file), 'utf8').split('\n').length - 1] as const)
      .filter(([, lines]) => lines > MAX_LINES);
    assert.deepEqual(long, []);
  });

  it('writes constants in SCREAMING_SNAKE_CASE, and functions in camelCase', () => {
    const wrong: string[] = [];
    for (const file of files) {
      const text = readFileSync(join(root, file), 'utf8');
      for (const [, name = '', value = ''] of text.matchAll(/^(?:export )?const (\w+)(?:: [^=\n]+)? =\s*(.*)$/gm)) {
        const isFunction = /^(?:async )?(?:\(|<|function\b)|^winston\.format\(/.test(value);
        if (!isFunction && !/^[A-Z][A-Z0-9_]*$/.test(name)) wrong.push(`${file}: ${name}`);
      }
    }
    assert.deepEqual(wrong, []);
  });

  it('has kebab-case names, and no catch-all names', () => {
    const names = sources('{src,test,scripts,bench,storm,verify-faults}/**/*.ts').map(
      (file) => file.split('/').at(-1) ?? '',
    );
    assert.deepEqual(
      names.filter((name) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.(test|real))?(\.d)?\.ts$/.test(name)),
      [],
    );
    assert.deepEqual(
      names.filter((name) => /^(utils?|helpers?|common|misc|index)\b/.test(name)),
      [],
    );
  });

  it('justifies every package that src/ imports in docs/dependencies.md, and imports every package justified there', () => {
    const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      devDependencies: Record<string, string>;
    };
    const used = new Set(
      [...imports.values()].flat().map((specifier) =>
        specifier
          .split('/')
          .slice(0, specifier.startsWith('@') ? 2 : 1)
          .join('/'),
      ),
    );
    const [, documented = ''] =
      /^## At run time$(.*?)^## /ms.exec(readFileSync(join(root, 'docs/dependencies.md'), 'utf8')) ?? [];
    const rows = [...documented.matchAll(/^\| (\[.*?) \|/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/\[([^\]]+)\]/g)].map(([, name = '']) => name),
    );
    assert.deepEqual(rows.sort(), [...used].filter((name) => !/^(?:\.|node:)/.test(name)).sort());
    for (const name of rows) assert.ok(name in devDependencies, `${name} is not pinned in package.json`);
  });

  it('has no dependency to install with the package, which is bundled', () => {
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    assert.equal(manifest.dependencies, undefined);
  });
});
