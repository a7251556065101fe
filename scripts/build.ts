// `npm run build`: compiles src/ to dist/ as JavaScript with declarations, from scratch, with the CRD compiled. bin/prom-migrator.mjs runs
// the result.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compiledCrdModule } from './compile-crd.ts';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const dist = join(root, 'dist');
const compiler = join(root, 'node_modules', 'typescript');
const { bin } = JSON.parse(readFileSync(join(compiler, 'package.json'), 'utf8')) as { bin: { tsc: string } };

rmSync(dist, { recursive: true, force: true });
const { status, error } = spawnSync(
  process.execPath,
  [join(compiler, bin.tsc), '-p', join(root, 'tsconfig.build.json')],
  {
    cwd: root,
    stdio: 'inherit',
  },
);
if (status !== 0 || !existsSync(join(dist, 'main.js'))) {
  // An incomplete dist/ would start and fail later.
  rmSync(dist, { recursive: true, force: true });
  process.stderr.write(`the build failed${error === undefined ? '' : `: ${error.message}`}\n`);
  process.exit(1);
}
writeFileSync(join(dist, 'api', 'compiled-crd.js'), compiledCrdModule());
