// `prom-migrator init`, and a migration from flags instead of a manifest. The servers are in test/migration/ends and test/real.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadManifests } from '../../src/api/manifest.ts';
import { runCommandLine } from '../../src/cli/command-line.ts';
import { Secret } from '../../src/telemetry/secret.ts';
import { VERSION } from '../../src/telemetry/version.ts';
import { fakeEngine, finished } from './fake-engine.ts';
import { fakeIo } from './fake-io.ts';

const noEngine = () => Promise.reject(new Error('the engine must not be needed'));

async function run(...argv: string[]) {
  const io = fakeIo();
  const exitCode = await runCommandLine(argv, io, noEngine);
  return { exitCode, stdout: io.stdout.text, stderr: io.stderr.text };
}

const OFFLINE = ['init', '--offline', '--start', '1704067200', '--source', 'http://old-prometheus:9090'];

const GOLDEN = `# yaml-language-server: $schema=https://raw.githubusercontent.com/prom-migrator/prom-migrator/vVERSION/schema/prommigration-v1alpha1.json
# Written by prom-migrator init. Look at what was guessed, then check it against both servers, and run it:
#   prom-migrator plan -f FILE
#   prom-migrator run -f FILE
# The name (old-prometheus-9090-to-vminsert-8480) is part of the marks by which a run resumes: changing it begins again from the start.
apiVersion: prom-migrator.io/v1alpha1
kind: PromMigration
metadata:
  name: old-prometheus-9090-to-vminsert-8480
spec:
  # guessed: Prometheus
  source:
    # guessed: the path was added
    url: http://old-prometheus:9090/api/v1/read
  # guessed: VictoriaMetrics
  destination:
    # guessed: the path was added
    # guessed: a cluster, tenant 0
    url: http://vminsert:8480/insert/0/prometheus/api/v1/write
    # guessed: it accepts samples of any age, in any order
    ordering: Any
    progress:
      protocol: PromQL
      # guessed: the address of vmselect
      url: http://vmselect:8481/select/0/prometheus
  selectors:
    - '{job="a b"}'
    - up
  timeRange:
    start: 2024-01-01T00:00:00Z
    end: 2024-01-02T00:00:00.500Z
`;

describe('init', () => {
  it('writes a manifest with comments, which is valid', async () => {
    const end = ['--selector', '{job="a b"}', '--selector', 'up', '--end', '2024-01-02T01:00:00.500+01:00'];
    const { exitCode, stdout, stderr } = await run(...OFFLINE, '--destination', 'http://vminsert:8480', ...end);
    assert.equal(exitCode, 0, stderr);
    assert.equal(stdout, GOLDEN.replace('VERSION', VERSION));
    assert.match(stderr, /^guessed: spec\.destination\.progress\.url: the address of vmselect$/m);
    const loaded = loadManifests([{ name: 'x', text: new Secret(stdout) }], undefined);
    assert.ok(!('problems' in loaded), JSON.stringify(loaded));
  });

  it('names the schema of this repository', () => {
    const { repository } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    assert.ok(repository.url.endsWith('github.com/prom-migrator/prom-migrator.git'));
    assert.ok(GOLDEN.includes('githubusercontent.com/prom-migrator/prom-migrator/v'));
  });

  it('writes a file once, or with --force', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'prom-migrator-init-'));
    try {
      const file = join(directory, 'migration.yaml');
      const args = [...OFFLINE, '--destination', 'http://prometheus', '-o', file];
      writeFileSync(file, 'mine');
      const refused = await run(...args);
      assert.equal(refused.exitCode, 1);
      assert.match(refused.stderr, /exists: choose another file, or use --force/);
      assert.equal(readFileSync(file, 'utf8'), 'mine');
      const forced = await run(...args, '--force');
      assert.deepEqual([forced.exitCode, forced.stdout], [0, '']);
      assert.match(readFileSync(file, 'utf8'), /^kind: PromMigration$/m);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('fails if an end does not respond, and says how to write it nevertheless', async () => {
    const io = { ...fakeIo(), clock: (await import('../../src/telemetry/clock.ts')).SYSTEM_CLOCK };
    // Port 9 of the loopback is the discard service, which nobody runs.
    const argv = ['init', '--source', 'http://127.0.0.1:9', '--destination', 'http://127.0.0.1:9', '--start', '0'];
    assert.equal(await runCommandLine(argv, io, noEngine), 1);
    assert.match(io.stderr.text, /source refuses connections.*--offline/);
    assert.equal(io.stdout.text, '');
  });
});

describe('a migration from flags', () => {
  const ends = ['--source', 'http://a:1', '--destination', 'http://b:2'];
  const bad: [argv: string[], message: RegExp][] = [
    [
      ['run', '-f', 'x', ...ends],
      /--source cannot be used with -f: the manifest has it as spec\.source\.url; leave one of them out/,
    ],
    [
      ['verify', '-f', 'x', '--start', '1'],
      /--start cannot be used with -f: the manifest has it as spec\.timeRange\.start/,
    ],
    [['run', '--source', 'http://a:1', '--start', '1'], /--destination URL is missing/],
    [['plan', '--destination', 'http://a:1', '--start', '1'], /--source URL is missing/],
    [['run', ...ends], /--start TIME is missing/],
    [
      ['run', ...ends, '--start', '1704067200000'],
      /--start takes Unix seconds, and "1704067200000" looks like milliseconds/,
    ],
    [['run', ...ends, '--start', 'yesterday'], /--start takes an RFC 3339 time .* or Unix seconds.*"yesterday"/],
    [['run', ...ends, '--start', '2024-01-01T00:00:00.0001Z'], /with at most milliseconds/],
    [
      ['run', ...ends, '--start', '1', '--secrets-dir', 'x'],
      /--secrets-dir needs a manifest: use -f instead of --source/,
    ],
    [['run', ...ends, '--start', '1', '--stretches', 'x', '--stretch-index', '0'], /--stretches needs a manifest/],
    [['run', ...ends, '--start', '9', '--end', '5'], /--end: spec\.timeRange\.end: .*must be later than start/],
    [
      ['run', ...ends, '--start', '9', '--name', 'Mine'],
      /--name: metadata\.name: "Mine": must be at most 253 lower case/,
    ],
    [
      ['run', ...ends, '--start', '9', '--selector', 'up{'],
      /--selector: spec\.selectors\[0\]: "up\{": must be a PromQL series selector/,
    ],
    [
      ['run', ...ends, '--start', '9', '--progress', 'b:2'],
      /--progress: spec\.destination\.progress\.url: "b:2": must be/,
    ],
    [
      ['run', '--source', 'http://me:hunter2@a', '--destination', 'http://b', '--start', '9'],
      /--source: .*must not contain a user or a password: everyone.*prom-migrator init/,
    ],
    [
      ['run', '--source', 'HTTP://a', '--destination', 'http://b', '--start', '9'],
      /--source: .*must be an absolute http:\/\/, https:\/\/, grpc:\/\/ or grpcs:\/\/ URL/,
    ],
    [['init'], /--source URL and --destination URL are missing/],
    [['init', ...ends, '--force'], /--force needs --output/],
    [['init', ...ends, '--offline'], /the source does not show how old its samples are: set --start TIME/],
  ];
  for (const [argv, message] of bad)
    it(`is refused before any request: ${argv.join(' ')}`, async () => {
      const io = fakeIo();
      const engine = fakeEngine(() => finished());
      assert.equal(await runCommandLine(argv, io, () => Promise.resolve(engine)), 2);
      assert.match(io.stderr.text, message);
      assert.ok(!io.stderr.text.includes('hunter2'));
      assert.equal(engine.prepared, undefined);
    });
});
