// `npm run build`: bundles src/ into dist/ from scratch, with the licences of what is in it. bin/prom-migrator.mjs runs the result.

import { rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { bundle, bundledFiles, PROGRAM } from './bundle.ts';
import { licenceOf, licencesText, packagesOf } from './licences.ts';

const root = resolve(import.meta.dirname, '..');
const dist = join(root, 'dist');

rmSync(dist, { recursive: true, force: true });
try {
  const packages = packagesOf(bundledFiles(await bundle(PROGRAM, dist)));
  const licences = packages.map((directory) => licenceOf(join(root, directory)));
  writeFileSync(join(dist, 'THIRD-PARTY-LICENCES.txt'), licencesText(licences));
} catch (error) {
  // An incomplete dist/ would start and fail later.
  rmSync(dist, { recursive: true, force: true });
  process.stderr.write(`the build failed: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
