// Makes the program of the bundle's files: what a command loads together becomes one script, with a function for each module, which
// src/loader/ runs. Unlike an ES module, a script can be loaded with the code that V8 has made of it before (scripts/compile-code.ts).

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build, transform } from 'esbuild';
import { FIRST_PACK } from '../src/loader/program-files.ts';
import { BUNDLE_OPTIONS, type Bundled, OUTPUT_OPTIONS, PROGRAM, REQUIRE } from './bundle.ts';

/** Packs by the sources with which their files are loaded. A file is in the first pack that needs it; all others are packs of one file. */
const PACKS: Readonly<Record<string, readonly string[]>> = {
  [FIRST_PACK]: [
    'src/main.ts',
    'src/cli/program.ts',
    'src/cli/run-command.ts',
    'src/cli/engine.ts',
    'node_modules/got/dist/source/index.js',
  ],
  'verification.js': ['src/cli/verify-command.ts', 'src/execute/run-verification.ts', 'src/migration/verify-copy.ts'],
  'transport.js': ['src/remote/http/bulk-transport.ts', 'src/wire/messages.ts'],
};

type Outputs = Bundled['metafile']['outputs'];

/** The files of the output that are loaded with those of the sources, with what they import statically. */
export function loadedWith(outputs: Outputs, sources: readonly string[]): string[] {
  const found = new Set<string>();
  const add = (file: string) => {
    if (found.has(file)) return;
    found.add(file);
    for (const { path, kind, external } of outputs[file]?.imports ?? [])
      if (kind === 'import-statement' && external !== true) add(path);
  };
  for (const source of sources) {
    const entry = Object.entries(outputs).find(([, { entryPoint }]) => entryPoint === source);
    if (entry === undefined) throw new Error(`${source} has no file of its own`);
    add(entry[0]);
  }
  return [...found];
}

/** Which pack each file of the output is in. */
function packsOfFiles(outputs: Outputs): Map<string, string> {
  const packs = new Map<string, string>();
  for (const [pack, sources] of Object.entries(PACKS))
    for (const file of loadedWith(outputs, sources)) if (!packs.has(file)) packs.set(file, pack);
  for (const file of Object.keys(outputs).sort())
    if (file.endsWith('.js') && !packs.has(file)) packs.set(file, `module-${basename(file)}`);
  return packs;
}

interface Packed {
  readonly code: string;
  readonly map: unknown;
}

/** A module of the bundle as a function, with a map to the source. */
async function functionOf(path: string): Promise<Packed> {
  const text = readFileSync(path, 'utf8');
  if (!text.startsWith(`${REQUIRE}\n`)) throw new Error(`${path} does not begin with its banner`);
  // An empty line keeps the map right.
  const inline = Buffer.from(readFileSync(`${path}.map`)).toString('base64');
  const input = `${text.slice(REQUIRE.length)}\n//# sourceMappingURL=data:application/json;base64,${inline}`;
  const { code, map } = await transform(input, {
    ...OUTPUT_OPTIONS,
    // In the map where the bundle has no line of a source: not where it was built.
    sourcefile: basename(path),
    format: 'cjs',
    supported: { 'dynamic-import': false },
    define: { 'import.meta.url': 'packUrl' },
  });
  return { code, map: JSON.parse(map) };
}

const lineCount = (text: string) => text.split('\n').length - 1;

async function packText(name: string, files: readonly string[], elsewhere: Readonly<Record<string, string>>) {
  let text = '({\n';
  const sections: { offset: { line: number; column: number }; map: unknown }[] = [];
  for (const [file, pack] of Object.entries(elsewhere)) text += `${JSON.stringify(file)}:${JSON.stringify(pack)},\n`;
  for (const file of files) {
    const { code, map } = await functionOf(file);
    text += `${JSON.stringify(basename(file))}(module,exports,require,packUrl){\n`;
    sections.push({ offset: { line: lineCount(text), column: 0 }, map });
    text += `${code.trimEnd()}\n},\n`;
  }
  // Read as Latin-1.
  if (/[^\p{ASCII}]/u.test(text)) throw new Error(`${name} has characters that are not ASCII`);
  return { text: `${text}})\n`, map: JSON.stringify({ version: 3, sections }) };
}

/** Replaces the bundle's files by packs, and each entry by one that loads it from there. */
export async function packProgram({ metafile: { outputs } }: Bundled, root: string, directory: string): Promise<void> {
  const packs = packsOfFiles(outputs);
  const inPack = Map.groupBy([...packs.keys()].sort(), (file) => packs.get(file) ?? '');
  const elsewhere = Object.fromEntries(
    [...packs].filter(([, pack]) => pack !== FIRST_PACK).map(([file, pack]) => [basename(file), pack]),
  );
  for (const [pack, files] of inPack) {
    const paths = files.map((file) => join(root, file));
    const { text, map } = await packText(pack, paths, pack === FIRST_PACK ? elsewhere : {});
    writeFileSync(join(directory, pack), text);
    writeFileSync(join(directory, `${pack}.map`), map);
  }
  for (const file of Object.keys(outputs)) rmSync(join(root, file));
  for (const entry of Object.keys(PROGRAM)) await writeEntry(entry, root, directory);
}

/** Where Node and its threads begin. */
async function writeEntry(entry: string, root: string, directory: string): Promise<void> {
  await build({
    ...BUNDLE_OPTIONS,
    stdin: {
      contents: `import { addMissingBuiltins } from './src/loader/older-node.ts';
import { ProgramFiles } from './src/loader/program-files.ts';
addMissingBuiltins();
new ProgramFiles(import.meta.url).require('./${entry}.js');`,
      resolveDir: root,
      sourcefile: `${entry}.ts`,
    },
    splitting: false,
    sourcemap: false,
    outfile: join(directory, `${entry}.js`),
  });
}
