// Writes the files of a release: the package, the chart, the manifests, the schema, the bill of materials, the licences and the checksums.
// The same commit and the same SOURCE_DATE_EPOCH make the same bytes.

import { createHash } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { findServer } from '../test/support/install.ts';
import { run } from '../test/support/child-output.ts';
import { buildProgram, LICENCES_FILE } from './build-program.ts';
import { krewManifest } from './krew-manifest.ts';
import type { Licence } from './licences.ts';
import { readPublication } from './publication.ts';
import { manifestsOf, TEMPLATE_ARGS } from './release-manifests.ts';
import { type Sbom, shippedSbom } from './release-sbom.ts';

const root = resolve(import.meta.dirname, '..');
const SBOM_ARGS = ['sbom', '--sbom-format=cyclonedx', '--sbom-type=application', '--package-lock-only'];
const CHART = join(root, 'charts/prom-migrator');

export interface ReleaseOptions {
  readonly version: string;
  readonly epochSeconds: number;
  /** Created if it does not exist. The files of an earlier release in it are removed; with any others it is refused. */
  readonly output: string;
}

/** @returns the packages whose code is in the bundle */
export async function writeReleaseFiles(options: ReleaseOptions): Promise<Licence[]> {
  const { version, epochSeconds, output } = options;
  if (existsSync(output) && readdirSync(output).length > 0 && !existsSync(join(output, 'SHA256SUMS'))) {
    throw new Error(`${output} has other files than those of a release: give --output an empty directory`);
  }
  rmSync(output, { recursive: true, force: true });
  mkdirSync(output, { recursive: true });
  const scratch = mkdtempSync(join(tmpdir(), 'prom-migrator-release-'));
  try {
    const packages = await writePackage(options, scratch);
    const archive = join(output, `prom-migrator-${version}.tgz`);
    writeFileSync(join(output, 'pmig.yaml'), krewManifest({ ...readPublication(), version }, sha256(archive)));
    await writeChart(options, scratch);
    copyFileSync(join(root, 'schema/prommigration-v1alpha1.json'), join(output, 'prommigration-v1alpha1.json'));
    // Of the lock file: the same on every machine with this npm.
    const all = JSON.parse(await run('npm', SBOM_ARGS, { cwd: root })) as Sbom;
    const sbom = shippedSbom(all, packages, epochSeconds);
    writeFileSync(join(output, `prom-migrator-${version}.cdx.json`), `${JSON.stringify(sbom, undefined, 2)}\n`);
    writeFileSync(join(output, 'SHA256SUMS'), checksums(output));
    return packages;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** The npm package, with a program that was built for it: dist/ is not touched. */
async function writePackage({ output }: ReleaseOptions, scratch: string): Promise<Licence[]> {
  const stage = join(scratch, 'package');
  const built = mkdtempSync(join(root, '.release-'));
  try {
    const packages = await buildProgram(built);
    const { files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { files: string[] };
    const own = files.filter((name) => name !== 'dist' && !name.startsWith('!'));
    for (const name of ['package.json', ...own]) cpSync(join(root, name), join(stage, name), { recursive: true });
    cpSync(built, join(stage, 'dist'), { recursive: true });
    copyFileSync(join(built, LICENCES_FILE), join(output, LICENCES_FILE));
    await run('npm', ['pack', '--ignore-scripts', '--pack-destination', output], { cwd: stage });
    return packages;
  } finally {
    rmSync(built, { recursive: true, force: true });
  }
}

/** The chart, and what it renders. The archive has the times of the files. */
async function writeChart({ version, epochSeconds, output }: ReleaseOptions, scratch: string): Promise<void> {
  const helm = (await findServer('helm', '4')).path;
  const env = { PATH: process.env['PATH'], HOME: scratch };
  const stage = join(scratch, 'chart');
  cpSync(CHART, stage, { recursive: true });
  for (const file of readdirSync(stage, { recursive: true, encoding: 'utf8' }))
    utimesSync(join(stage, file), epochSeconds, epochSeconds);
  await run(helm, ['package', stage, '--destination', scratch], { env });
  // npm's archive has the other name.
  renameSync(join(scratch, `prom-migrator-${version}.tgz`), join(output, `prom-migrator-chart-${version}.tgz`));
  const { install, crd } = manifestsOf(await run(helm, [...TEMPLATE_ARGS, stage], { env }), version);
  writeFileSync(join(output, 'install.yaml'), install);
  writeFileSync(join(output, 'crd.yaml'), crd);
}

/** As `sha256sum --check` reads it. */
function checksums(directory: string): string {
  const names = readdirSync(directory).sort();
  return names.map((name) => `${sha256(join(directory, name))}  ${name}\n`).join('');
}

function sha256(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}
