// Bundles src/ with everything that it imports, so that a start reads a few files instead of a thousand, and an installed package has no
// dependencies. What a command does not need stays in files that it does not load: dynamic imports are the borders.

import { resolve } from 'node:path';
import { type BuildOptions, type BuildResult, build } from 'esbuild';
import { PLUGINS } from './bundle-plugins.ts';

const root = resolve(import.meta.dirname, '..');

/** For packages that are CommonJS: what is not in the bundle is a module of Node or an optional package. */
export const REQUIRE =
  'const require = (id) => { const found = process.getBuiltinModule(id); if (found) return found; ' +
  "throw Object.assign(new Error(id + ' is not in the bundle'), { code: 'MODULE_NOT_FOUND' }); };";

/** The program, and the thread that it starts for each migration in Kubernetes. */
export const PROGRAM = { main: 'src/main.ts', 'worker-thread': 'src/execute/worker-thread.ts' };

export type Bundled = BuildResult<{ metafile: true }>;

/** How the program's code is written, whatever its form. */
export const OUTPUT_OPTIONS = {
  // The oldest Node that runs the package (bin/prom-migrator.mjs).
  target: 'node20.16',
  // Names stay: they are in stack traces.
  minifySyntax: true,
  minifyWhitespace: true,
  lineLimit: 200,
  sourcemap: 'external',
  sourcesContent: false,
} satisfies BuildOptions;

/** What all files of the program have in common. */
export const BUNDLE_OPTIONS = {
  ...OUTPUT_OPTIONS,
  absWorkingDir: root,
  bundle: true,
  splitting: true,
  chunkNames: '[name]-[hash]',
  format: 'esm',
  platform: 'node',
  legalComments: 'none',
  logLevel: 'warning',
  plugins: [...PLUGINS],
} satisfies BuildOptions;

/** Writes one file for each entry (name → source), with the code that they share in further files beside them. */
export function bundle(entries: Readonly<Record<string, string>>, directory: string): Promise<Bundled> {
  return build({
    ...BUNDLE_OPTIONS,
    entryPoints: { ...entries },
    outdir: directory,
    banner: { js: REQUIRE },
    metafile: true,
  });
}

/** The files whose code is in the bundle, relative to the project. */
export function bundledFiles({ metafile }: Bundled): Set<string> {
  const inputs = Object.values(metafile.outputs).flatMap((output) => Object.entries(output.inputs));
  const used = inputs.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([file]) => file);
  // Those with a namespace are made by a plugin.
  return new Set(used.filter((file) => !/^[a-z-]+:/.test(file)));
}
