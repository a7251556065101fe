// The npm package: built, packed, installed into an empty directory, and run there against real servers.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { run } from '../support/child-output.ts';
import { generateDataset } from '../support/dataset.ts';
import { pushSamples } from '../support/load.ts';
import { dumpPrometheus } from '../support/readers.ts';
import { compareSeries } from '../support/series-comparison.ts';
import { countSamples } from '../support/series-set.ts';
import { startPrometheus } from '../support/servers.ts';
import { manifestOf } from './support/migration.ts';
import type { RunResult } from '../../src/cli/result.ts';

const ROOT = resolve(import.meta.dirname, '../..');

interface Packed {
  filename: string;
  version: string;
  files: { path: string }[];
}

/** The Node that npm runs on may be older than the one of the tests: the oldest that the package supports, where that is installed. */
const MACHINE_NODE = process.env['npm_node_execpath'] ?? process.execPath;

describe('the packed package', () => {
  let directory: string;
  let installed: string;
  let packed: Packed;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'prom-migrator-package-'));
    // `prepack` builds the package, and its output precedes the JSON.
    const output = await run('npm', ['pack', '--json', '--pack-destination', directory], { cwd: ROOT });
    const response = JSON.parse(output.slice(output.search(/^[[{]$/m))) as Packed[] | Record<string, Packed>;
    packed = Object.values(response)[0] as Packed;
    installed = join(directory, 'elsewhere');
    await mkdir(installed);
    const tarball = join(directory, packed.filename);
    await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', tarball], { cwd: installed });
  });

  after(() => rm(directory, { recursive: true, force: true }));

  it('contains the program, its schema and its documentation, and neither sources nor tests', () => {
    const paths = packed.files.map(({ path }) => path);
    for (const path of [
      'bin/prom-migrator.mjs',
      'dist/main.js',
      'dist/program.js',
      'dist/worker-thread.js',
      'dist/THIRD-PARTY-LICENCES.txt',
      'crds/prommigrations.prom-migrator.io.yaml',
      'docs/errors.md',
      'LICENSE',
      'README.md',
      'CHANGELOG.md',
    ]) {
      assert.ok(paths.includes(path), path);
    }
    // V8's code is for one Node only, and not the same in two builds.
    assert.deepEqual(
      paths.filter((path) => /\.cache$|^(?:src|test|scripts|bench|storm|node_modules)\//.test(path)),
      [],
    );
  });

  it('prints its version and its help from an empty directory', async () => {
    const npx = (...args: string[]) => run('npx', ['--no-install', 'prom-migrator', ...args], { cwd: installed });
    assert.equal(await npx('--version'), `${packed.version}\n`);
    assert.match(await npx('run', '--help'), /prom-migrator run -f FILE/);
    const installedPackages = await readdir(join(installed, 'node_modules'));
    assert.deepEqual(
      installedPackages.filter((name) => !name.startsWith('.')),
      ['prom-migrator'],
      'nothing but itself',
    );
  });

  it('takes little room', async () => {
    const sizes = await Promise.all(
      packed.files.map(({ path }) => stat(join(installed, 'node_modules/prom-migrator', path))),
    );
    const megabytes = sizes.reduce((sum, { size }) => sum + size, 0) / 1e6;
    assert.ok(megabytes > 1 && megabytes < 12, `${megabytes} MB`);
  });

  it('migrates and compares from there, on the Node of npm', async () => {
    const startMs = Date.UTC(2025, 4, 1);
    const endMs = startMs + 3_600_000;
    await using source = await startPrometheus({ version: '3.5', receiver: true });
    await using destination = await startPrometheus({ version: '3.5', receiver: true });
    const set = generateDataset({ series: 11, startMs, endMs });
    await pushSamples(`${source.url}/api/v1/write`, set);
    const manifest = manifestOf({
      source: { url: `${source.url}/api/v1/read` },
      destination: {
        url: `${destination.url}/api/v1/write`,
        progress: { protocol: 'RemoteRead', url: `${destination.url}/api/v1/read` },
      },
      timeRange: { start: new Date(startMs).toISOString(), end: new Date(endMs).toISOString() },
    });
    await writeFile(join(installed, 'migration.yaml'), JSON.stringify(manifest));
    const start = (command: string) => {
      const launcher = 'node_modules/.bin/prom-migrator';
      return run(MACHINE_NODE, [launcher, command, '-f', 'migration.yaml', '--output', 'json'], { cwd: installed });
    };
    const result = JSON.parse(await start('run')) as RunResult;
    assert.equal(result.phase, 'Succeeded');
    assert.equal(result.samplesWritten, countSamples(set));
    assert.equal(JSON.parse(await start('verify')).phase, 'Succeeded');
    const { differences, first } = compareSeries(set, await dumpPrometheus(destination), {
      values: 'bits',
      ignore: (labels) => labels.get('__name__') === 'prom_migrator_progress',
    });
    assert.equal(differences, 0, first ?? '');
  });
});
