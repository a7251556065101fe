// `npm run build`: bundles src/ into dist/ from scratch, with the code that V8 makes of it. bin/prom-migrator.mjs runs the result.

import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { buildProgram } from './build-program.ts';
import { compileCode } from './compile-code.ts';

const dist = join(resolve(import.meta.dirname, '..'), 'dist');

rmSync(dist, { recursive: true, force: true });
try {
  await buildProgram(dist);
  await compileCode(dist);
} catch (error) {
  // An incomplete dist/ would start and fail later.
  rmSync(dist, { recursive: true, force: true });
  process.stderr.write(`the build failed: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
