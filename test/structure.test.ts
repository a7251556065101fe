// Keeps the rooms of src/ apart: who may import whom, no cycles, files that fit in one reading, no dependency without a use and a reason.

import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const MAX_LINES = 300;

const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  telemetry: [],
  wire: ['telemetry'],
  remote: ['wire', 'telemetry'],
  api: ['telemetry'],
  migration: ['wire', 'remote', 'api', 'telemetry'],
  operator: ['migration', 'remote', 'api', 'telemetry'],
  cli: ['operator', 'migration', 'remote', 'wire', 'api', 'telemetry'],
  main: ['cli', 'operator', 'migration', 'api', 'telemetry'],
};

/** The specifiers of all static, re-exporting and dynamic imports, types included. */
function importsOf(text: string): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  const statement =
    /^\s*(?:import|export)\s+(?:[^'"`;]*?\s+from\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/gm;
  return [...code.matchAll(statement)].map((match) => match[1] ?? match[2] ?? '');
}

function sources(...patterns: string[]): string[] {
  return globSync(patterns, { cwd: root })
    .map((path) => path.split(sep).join('/'))
    .sort();
}

/** `src/wire/chunk.ts` is in `wire`, `src/main.ts` in `main`. */
function roomOf(path: string): string {
  const parts = path.split('/');
  return parts.length === 2 ? (parts[1] ?? '').replace(/\.ts$/, '') : (parts[1] ?? '');
}

/** A way from a file back to itself, if there is one. */
function findCycle(graph: ReadonlyMap<string, readonly string[]>): string[] | undefined {
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

describe('the reader of imports', () => {
  it('sees every kind of them, and none in a comment', () => {
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
  });
});

describe('the finder of cycles', () => {
  it('finds one, and none where two ways lead to one place', () => {
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

  it('has sources to look at', () => assert.ok(files.length > 20));

  it('knows every room', () => {
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

  it('imports files that exist, by their .ts name, inside of src/', () => {
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

  it(`has no file of more than ${MAX_LINES} lines`, () => {
    const long = sources('{src,test,scripts,bench,storm}/**/*.{ts,mjs}', 'bin/*.mjs')
      .map((file) => [file, readFileSync(join(root, file), 'utf8').split('\n').length - 1] as const)
      .filter(([, lines]) => lines > MAX_LINES);
    assert.deepEqual(long, []);
  });

  it('writes constants in SCREAMING_SNAKE_CASE, and functions as functions are written', () => {
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

  it('has names in kebab-case, and none that could hold anything', () => {
    const names = sources('{src,test,scripts,bench,storm}/**/*.ts').map((file) => file.split('/').at(-1) ?? '');
    assert.deepEqual(
      names.filter((name) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.(test|real))?(\.d)?\.ts$/.test(name)),
      [],
    );
    assert.deepEqual(
      names.filter((name) => /^(utils?|helpers?|common|misc|index)\b/.test(name)),
      [],
    );
  });

  it('uses every dependency in src/, and says why it has it in docs/dependencies.md', () => {
    const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    const used = new Set(
      [...imports.values()].flat().map((specifier) =>
        specifier
          .split('/')
          .slice(0, specifier.startsWith('@') ? 2 : 1)
          .join('/'),
      ),
    );
    const documented = readFileSync(join(root, 'docs/dependencies.md'), 'utf8');
    for (const name of Object.keys(dependencies)) {
      assert.ok(used.has(name), `nothing in src/ imports ${name}`);
      assert.ok(documented.includes(name), `docs/dependencies.md has no reason for ${name}`);
    }
    for (const specifier of used) {
      if (specifier.startsWith('.') || specifier.startsWith('node:')) continue;
      assert.ok(specifier in dependencies, `${specifier} is imported, but it is no dependency`);
    }
  });
});
