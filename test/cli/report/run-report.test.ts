// `run --report`, with an engine that moves nothing.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommandLine } from '../../../src/cli/command-line.ts';
import type { RunEngine } from '../../../src/cli/job.ts';
import type { MigrationContext } from '../../../src/migration/migration-context.ts';
import { migrate } from '../../../src/migration/migrate.ts';
import type { MigrationResult } from '../../../src/migration/report/observer.ts';
import { compilePlan } from '../../../src/migration/plan/plan.ts';
import { loadManifests } from '../../../src/api/manifest.ts';
import { endMs, fakeEngine, finished, someProgress, startMs } from '../fake-engine.ts';
import { fakeIo } from '../fake-io.ts';
import { someVerification } from './some-report.ts';

const MANIFEST = JSON.stringify({
  apiVersion: 'prom-migrator.io/v1alpha1',
  kind: 'PromMigration',
  metadata: { name: 'demo' },
  spec: {
    source: { url: 'http://127.0.0.1:1/api/v1/read?token=canary-query' },
    destination: { url: 'http://127.0.0.1:1/api/v1/write', progress: { protocol: 'None' } },
    timeRange: { start: new Date(startMs).toISOString(), end: new Date(endMs).toISOString() },
  },
});

/** Compiles manifests like the real one; `migrate` is the test's. */
function engineOf(run: (context: MigrationContext) => MigrationResult | Promise<MigrationResult>): RunEngine {
  return {
    prepare(files, secretsDir) {
      const loaded = loadManifests(files, secretsDir);
      return 'problems' in loaded ? loaded : compilePlan(loaded.migration, loaded.secrets);
    },
    migrate: async (_plan, context) => run(context),
    verify: async (_plan, context) => run(context),
    preflight: async () => assert.fail('run does not plan'),
  };
}

describe('run --report', () => {
  let directory: string;
  let file: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'run-report-'));
    file = join(directory, 'report.html');
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const runWith = async (engine: RunEngine, manifest = MANIFEST) => {
    const io = fakeIo({ stdin: manifest });
    const exitCode = await runCommandLine(['run', '-f', '-', '--report', file], io, () => Promise.resolve(engine));
    return { io, exitCode };
  };

  it('writes the page at the end, with what was observed and the hash of the manifest', async () => {
    const { io, exitCode } = await runWith(
      engineOf(({ observer }) => {
        observer.event({ type: 'warning', code: 'start-timestamps', message: 'a warning' });
        observer.event({
          type: 'window-finished',
          fromMs: startMs,
          toMs: endMs,
          samplesRead: 7,
          samplesWritten: 7,
          seconds: 1,
        });
        return finished({ samplesRead: 7, samplesWritten: 7 });
      }),
    );
    assert.equal(exitCode, 0, io.stderr.text);
    const page = readFileSync(file, 'utf8');
    assert.match(page, /default\/demo/);
    assert.match(page, /every one of the 7 samples/);
    assert.match(page, /a warning/);
    assert.ok(page.includes(createHash('sha256').update(MANIFEST).digest('hex')));
    assert.match(page, /http:\/\/127\.0\.0\.1:1\/api\/v1\/read\?token=\*\*\*/);
    assert.ok(!page.includes('canary'));
    assert.match(io.stderr.text, /report written file=\S*report\.html/);
    assert.deepEqual(readdirSync(directory), ['report.html']);
  });

  it('writes a report of verify too', async () => {
    const io = fakeIo({ stdin: MANIFEST });
    const engine = engineOf(() => finished({ work: 'Verify', verification: someVerification({ missing: 2 }) }));
    const exitCode = await runCommandLine(['verify', '-f', '-', '--report', file], io, () => Promise.resolve(engine));
    assert.equal(exitCode, 4, io.stderr.text);
    const page = readFileSync(file, 'utf8');
    assert.match(page, /<title>Verification report: default\/demo/);
    assert.match(page, /found 2 differences/);
    assert.doesNotMatch(page, /<h2>Coverage/);
  });

  it('hashes the bytes of a file, its byte order mark included', async () => {
    const manifest = join(directory, 'migration.yaml');
    writeFileSync(manifest, `\ufeff${MANIFEST}`);
    const io = fakeIo();
    const engine = engineOf(() => finished());
    await runCommandLine(['run', '-f', manifest, '--report', file], io, () => Promise.resolve(engine));
    assert.ok(readFileSync(file, 'utf8').includes(createHash('sha256').update(readFileSync(manifest)).digest('hex')));
  });

  it('has no hash of a file with a Secret', async () => {
    const secret = JSON.stringify({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 's' },
      stringData: { a: 'b' },
    });
    const manifest = `${MANIFEST}\n---\n${secret}`;
    await runWith(
      engineOf(() => finished()),
      manifest,
    );
    const page = readFileSync(file, 'utf8');
    assert.match(page, /not computed, because the file contains a Secret/);
    assert.ok(!page.includes(createHash('sha256').update(manifest).digest('hex')));
  });

  it('is written too when the run fails or is interrupted, and does not change the exit code', async () => {
    const failed = await runWith(
      engineOf(() => ({
        progress: someProgress({ phase: 'Failed' }),
        error: { code: 'unauthorized', message: 'returned 401', side: 'source' },
      })),
    );
    assert.equal(failed.exitCode, 1);
    assert.match(readFileSync(file, 'utf8'), /The copy failed before its first window/);

    const interrupted = await runWith(engineOf(() => ({ progress: someProgress({ phase: 'Interrupted' }) })));
    assert.equal(interrupted.exitCode, 1);
    assert.match(readFileSync(file, 'utf8'), /The copy was interrupted before its first window/);
  });

  it('shows the failure of the real engine, whose sides cannot be reached', async () => {
    const io = fakeIo({ stdin: MANIFEST });
    const engine = { ...engineOf(() => finished()), migrate };
    const { SYSTEM_CLOCK: clock } = await import('../../../src/telemetry/clock.ts');
    const argv = ['run', '-f', '-', '--report', file, '--startup-deadline', '1ms'];
    assert.equal(await runCommandLine(argv, { ...io, clock }, () => Promise.resolve(engine)), 1);
    assert.match(readFileSync(file, 'utf8'), /<code><bdi>unreachable<\/bdi><\/code>/);
  });

  it('is a usage error before anything happens if the file cannot be written', async () => {
    let loaded = false;
    const load = () => {
      loaded = true;
      return Promise.resolve(fakeEngine(() => finished()));
    };
    mkdirSync(file);
    for (const [name, problem] of [
      [join(directory, 'none', 'report.html'), /--report ".*report\.html": its directory does not exist/],
      [file, /--report ".*report\.html": it is a directory/],
      ['-', /--report "-": it needs a file/],
    ] as const) {
      const io = fakeIo({ stdin: MANIFEST });
      assert.equal(await runCommandLine(['run', '-f', '-', `--report=${name}`], io, load), 2);
      assert.match(io.stderr.text, problem);
      assert.match(io.stderr.text, /See prom-migrator run --help/);
      assert.equal(io.stdout.text, '');
    }
    assert.equal(loaded, false);
  });

  it('makes a success a failure if it cannot be written at the end, and keeps the result', async () => {
    const { io, exitCode } = await runWith(
      engineOf(() => {
        mkdirSync(file);
        return finished();
      }),
    );
    assert.equal(exitCode, 1);
    assert.match(io.stderr.text, /error the report could not be written/);
    assert.match(io.stdout.text, /phase +Succeeded/);
  });

  it('is not written for a manifest with problems', async () => {
    const { exitCode } = await runWith(
      engineOf(() => finished()),
      'kind: [',
    );
    assert.equal(exitCode, 2);
    assert.equal(existsSync(file), false);
  });
});
