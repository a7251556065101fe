// The licences of the packages in a bundle, as one text. They require that copies of the code come with it.

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Licence {
  readonly name: string;
  readonly version: string;
  /** As package.json names it. */
  readonly licence: string;
  readonly text: string;
}

/** The directories of the packages that the files belong to: `node_modules/a`, also below other packages. */
export function packagesOf(files: Iterable<string>): string[] {
  const found = new Set<string>();
  for (const file of files) {
    const [, directory] = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file) ?? [];
    if (directory !== undefined) found.add(directory);
  }
  return [...found].sort();
}

/** @throws Error for a package without a licence text */
export function licenceOf(directory: string): Licence {
  const manifest = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as {
    name: string;
    version: string;
    license?: string;
  };
  const { name, version, license = '' } = manifest;
  const files = globSync('{licen[cs]e,LICEN[CS]E,Licen[cs]e,COPYING,NOTICE}{,.*,-*}', { cwd: directory }).sort();
  const texts = files.map((file) => readFileSync(join(directory, file), 'utf8').trim());
  const text = texts.join('\n\n');
  if (license === '' || text === '') throw new Error(`${name} is bundled and has no licence text`);
  return { name, version, licence: license, text };
}

/** The content of THIRD-PARTY-LICENCES.txt. */
export function licencesText(licences: readonly Licence[]): string {
  const rule = '-'.repeat(80);
  const parts = licences.map(
    ({ name, version, licence, text }) => `${rule}\n${name} ${version} (${licence})\n\n${text}\n`,
  );
  const head = 'prom-migrator contains the following packages. Its own licence is in LICENSE.\n';
  return [head, ...parts].join('\n');
}
