// The files of a release: the same bytes twice, and complete. Needs helm.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { licenceProblems } from '../../scripts/release-checks.ts';
import { writeReleaseFiles } from '../../scripts/release-files.ts';
import { readPublication } from '../../scripts/publication.ts';
import type { Licence } from '../../scripts/licences.ts';
import { run } from '../support/child-output.ts';

const EPOCH = 1_790_000_000;

describe('the files of a release', function () {
  this.timeout(900_000);
  const { version } = readPublication();
  let directory: string;
  let packages: Licence[];
  const first = () => join(directory, 'first');

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'prom-migrator-release-test-'));
    packages = await writeReleaseFiles({ version, epochSeconds: EPOCH, output: first() });
  });
  after(() => rm(directory, { recursive: true, force: true }));

  it('are complete, and have checksums', async () => {
    const names = (await readdir(first())).sort();
    assert.deepEqual(names, [
      'SHA256SUMS',
      'THIRD-PARTY-LICENCES.txt',
      'crd.yaml',
      'install.yaml',
      'pmig.yaml',
      `prom-migrator-${version}.cdx.json`,
      `prom-migrator-${version}.tgz`,
      `prom-migrator-chart-${version}.tgz`,
      'prommigration-v1alpha1.json',
    ]);
    const sums = (await readFile(join(first(), 'SHA256SUMS'), 'utf8')).trim().split('\n');
    assert.equal(sums.length, names.length - 1);
    for (const line of sums) {
      const [sum, name = ''] = line.split('  ');
      const bytes = await readFile(join(first(), name));
      assert.equal(createHash('sha256').update(bytes).digest('hex'), sum, name);
    }
  });

  it('install kubectl pmig with krew from the npm package', async () => {
    const { spec } = parse(await readFile(join(first(), 'pmig.yaml'), 'utf8'));
    const [{ uri, sha256, files, bin }] = spec.platforms;
    const archive = join(first(), uri.split('/').at(-1));
    assert.equal(
      createHash('sha256')
        .update(await readFile(archive))
        .digest('hex'),
      sha256,
    );
    assert.deepEqual(files, [{ from: 'package/*', to: '.' }]);
    const listed = (await run('tar', ['-tvzf', archive])).split('\n');
    assert.match(listed.find((line) => line.endsWith(` package/${bin}`)) ?? '', /^-rwxr-xr-x/);
    assert.ok(listed.some((line) => line.endsWith(' package/LICENSE')));
  });

  it('are the same bytes when they are made again', async () => {
    const second = join(directory, 'second');
    await writeReleaseFiles({ version, epochSeconds: EPOCH, output: second });
    assert.equal(
      await readFile(join(second, 'SHA256SUMS'), 'utf8'),
      await readFile(join(first(), 'SHA256SUMS'), 'utf8'),
    );
  });

  it('say nothing about where they were made', async () => {
    const unpacked = join(directory, 'unpacked');
    await run('mkdir', [unpacked]);
    await run('tar', ['-xzf', join(first(), `prom-migrator-${version}.tgz`), '-C', unpacked]);
    for (const place of [first(), unpacked])
      for (const file of await readdir(place, { recursive: true, withFileTypes: true })) {
        if (!file.isFile()) continue;
        const text = await readFile(join(file.parentPath, file.name), 'latin1');
        assert.ok(!text.includes(process.cwd()), `${file.name} has the path of the checkout`);
      }
  });

  it('list every package whose code is in the program, with its licence', async () => {
    const sbom = JSON.parse(await readFile(join(first(), `prom-migrator-${version}.cdx.json`), 'utf8'));
    const listed = sbom.components.map(({ name, version: found }: Licence) => `${name}@${found}`);
    assert.deepEqual(listed.sort(), packages.map((one) => `${one.name}@${one.version}`).sort());
    assert.ok(listed.some((name: string) => name.startsWith('undici@')));
    assert.equal(sbom.metadata.timestamp, new Date(EPOCH * 1000).toISOString());
    assert.equal(sbom.metadata.component.name, 'prom-migrator');
    assert.deepEqual(licenceProblems(packages), []);
    const licences = await readFile(join(first(), 'THIRD-PARTY-LICENCES.txt'), 'utf8');
    for (const one of packages) assert.ok(licences.includes(`\n${one.name} ${one.version} (`), one.name);
  });
});
