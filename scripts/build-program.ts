// Bundles src/ into a directory, with the licences of what is in it.

import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { bundle, bundledFiles, PROGRAM } from './bundle.ts';
import { type Licence, licenceOf, licencesText, packagesOf } from './licences.ts';
import { packProgram } from './packs.ts';

const root = resolve(import.meta.dirname, '..');

export const LICENCES_FILE = 'THIRD-PARTY-LICENCES.txt';

/**
 * @param directory directly below the project: the maps have paths relative to it
 * @returns the packages in the bundle
 * @throws Error if it cannot be built, or a package has no licence
 */
export async function buildProgram(directory: string): Promise<Licence[]> {
  const bundled = await bundle(PROGRAM, directory);
  const packages = packagesOf(bundledFiles(bundled)).map((name) => licenceOf(join(root, name)));
  writeFileSync(join(directory, LICENCES_FILE), licencesText(packages));
  await packProgram(bundled, root, directory);
  return packages;
}
