// `npm run build`: bundles src/ into dist/ from scratch, with the licences of what is in it. bin/prom-migrator.mjs runs the result.

import { rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { bundle, bundledFiles, PROGRAM } from './bundle.ts';
import { compileCode } from './compile-code.ts';
import { licenceOf, licencesText, packagesOf } from './licences.ts';
import { packProgram } from './packs.ts';

const root = resolve(import.meta.dirname, '..');
const dist = join(root, 'dist');

rmSync(dist, { recursive: true, force: true });
try {
  const bundled = await bundle(PROGRAM, dist);
  const packages = packagesOf(bundledFiles(bundled));
  const licences = packages.map((directory) => licenceOf(join(root, directory)));
  writeFileSync(join(dist, 'THIRD-PARTY-LICENCES.txt'), licencesText(licences));
  await packProgram(bundled, root, dist);
  await compileCode(dist);
} catch (error) {
  // An incomplete dist/ would start and fail later.
  rmSync(dist, { recursive: true, force: true });
  process.stderr.write(`the build failed: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
