import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommandLine } from '../../src/cli/command-line.ts';
import type { RunEngine } from '../../src/cli/job.ts';
import type { MigrationResult } from '../../src/migration/report/observer.ts';
import { NO_COUNTS } from '../../src/migration/report/counts.ts';
import { endMs, fakeEngine, finished, someProgress, startMs } from './fake-engine.ts';
import { type FakeIo, fakeIo } from './fake-io.ts';

function run(io: FakeIo, engine: RunEngine, ...flags: string[]): Promise<number> {
  return runCommandLine(['run', '-f', '-', ...flags], io, () => Promise.resolve(engine));
}

describe('prom-migrator run', () => {
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'run-command-'));
  });
  after(() => rmSync(directory, { recursive: true }));

  describe('its result on stdout', () => {
    const result = (): MigrationResult => ({
      progress: someProgress({
        phase: 'Failed',
        resumedFromMs: startMs + 1,
        earlier: {
          ...NO_COUNTS,
          samplesRead: 1_000_000,
          samplesWritten: 999_990,
          samplesRejected: { too_old: 10 },
          series: 50,
          windows: 5,
        },
        watermarkMs: startMs + 3_600_000,
        reachedMs: startMs + 3 * 3_600_000,
        samplesRead: 1_234_567,
        samplesWritten: 1_234_000,
        samplesFiltered: 500,
        samplesAlreadyPresent: 60,
        samplesConflicting: 4,
        samplesRejected: { too_old: 2, out_of_order: 1 },
        samplesReadPlain: 900,
        samplesAlteredAtMost: 12,
        series: 42,
        windows: 7,
        bytesRead: 5_000_000,
        bytesWritten: 4_000_000,
        retries: 3,
      }),
      error: {
        code: 'unauthorized',
        message: 'the response was 401',
        hint: 'set spec.destination.basicAuth',
        side: 'destination',
      },
    });

    it('is one JSON object with every field with --output json', async () => {
      const io = fakeIo();
      const engine = fakeEngine(async () => {
        await io.clock.advance(12_500);
        return result();
      });
      assert.equal(await run(io, engine, '--output', 'json'), 1);
      assert.equal(io.stdout.lines.length, 1);
      assert.deepEqual(JSON.parse(io.stdout.text), {
        migration: 'default/demo',
        phase: 'Failed',
        resumedFrom: '2026-01-01T00:00:00.001Z',
        through: '2026-01-01T01:00:00.000Z',
        completedRatio: 0.125,
        stretches: null,
        samplesRead: 1_234_567,
        samplesWritten: 1_234_000,
        samplesFiltered: 500,
        samplesAlreadyPresent: 60,
        samplesConflicting: 4,
        samplesRejected: { too_old: 2, out_of_order: 1 },
        samplesReadPlain: 900,
        samplesAlteredAtMost: 12,
        series: 42,
        windows: 7,
        bytesRead: 5_000_000,
        bytesWritten: 4_000_000,
        retries: 3,
        total: {
          samplesRead: 2_234_567,
          samplesWritten: 2_233_990,
          samplesFiltered: 500,
          samplesAlreadyPresent: 60,
          samplesConflicting: 4,
          samplesRejected: { too_old: 12, out_of_order: 1 },
          samplesReadPlain: 900,
          samplesAlteredAtMost: 12,
          series: 50,
          windows: 12,
          bytesRead: 5_000_000,
          bytesWritten: 4_000_000,
          retries: 3,
        },
        durationSeconds: 12.5,
        error: {
          code: 'unauthorized',
          message: 'the response was 401 (set spec.destination.basicAuth)',
          side: 'destination',
        },
      });
    });

    it('omits the error when there was none, and has null for unknown times', async () => {
      const io = fakeIo();
      await run(
        io,
        fakeEngine(() => ({ progress: someProgress({ phase: 'Interrupted', endMs: startMs }) })),
        '-o',
        'json',
      );
      const printed = JSON.parse(io.stdout.text);
      assert.equal('error' in printed, false);
      assert.equal(printed.total, null, 'no mark was looked for');
      assert.equal(printed.resumedFrom, null);
      assert.equal(printed.through, null);
      assert.equal(printed.completedRatio, null);
    });

    it('counts the stretches if the range was divided', async () => {
      const stretches = { total: 256, finished: 12, running: [{ startMs, endMs, completedRatio: 0.5 }], failed: [] };
      const engine = fakeEngine(() => finished({ stretches }));
      const [json, text] = [fakeIo(), fakeIo()];
      await run(json, engine, '-o', 'json');
      assert.deepEqual(JSON.parse(json.stdout.text).stretches, { total: 256, finished: 12 });
      await run(text, engine);
      assert.ok(text.stdout.lines.includes('stretches        12 of 256 finished'), text.stdout.text);
    });

    it('is a short aligned summary by default', async () => {
      const io = fakeIo();
      await run(
        io,
        fakeEngine(async () => {
          await io.clock.advance(12_500);
          return result();
        }),
      );
      assert.deepEqual(io.stdout.lines, [
        'migration                  default/demo',
        'phase                      Failed',
        'error                      unauthorized: the response was 401 (set spec.destination.basicAuth)',
        'resumed from               2026-01-01T00:00:00.001Z',
        'through                    2026-01-01T01:00:00.000Z',
        'samples read               1,234,567',
        'samples written            1,234,000',
        '  filtered                 500',
        '  already present          60',
        '  conflicting              4',
        '  rejected                 3',
        '    too_old                2',
        '    out_of_order           1',
        'samples read plain         900',
        '  altered, at most         12',
        'samples read, all runs     2,234,567',
        'samples written, all runs  2,233,990',
        '  rejected, all runs       13',
        'series                     42',
        'windows                    7',
        'bytes read                 4.8 MiB',
        'bytes written              3.8 MiB',
        'retries                    3',
        'duration                   13s (98.7k/s)',
      ]);
      assert.match(
        io.stderr.text,
        / error migration failed: the response was 401 code=unauthorized side=destination hint="set /,
      );
    });

    it('reports the rejected samples as an upper bound when some of them may have been stored', async () => {
      const rejected = { samplesRejected: { out_of_order: 5 }, samplesRejectedUnproven: 2 };
      const text = fakeIo();
      await run(
        text,
        fakeEngine(() => finished(rejected)),
      );
      assert.match(text.stdout.text, /^ {2}rejected, at most {5,}5$/m);
      assert.match(text.stdout.text, /^ {4}of these, possibly stored {2,}2$/m);
      assert.match(text.stderr.text, / warn +samples are missing .*ofThesePossiblyThere=2/);
      const json = fakeIo();
      await run(
        json,
        fakeEngine(() => finished(rejected)),
        '--output',
        'json',
      );
      assert.equal(JSON.parse(json.stdout.text).samplesRejectedUnproven, 2);
    });

    it('contains neither control characters from a server nor passwords from URLs', async () => {
      const io = fakeIo();
      const error = {
        code: 'internal' as const,
        message: 'http://me:pw@host/write?p=pw said \u001b[2J\nphase Succeeded',
      };
      await run(
        io,
        fakeEngine(() => ({ progress: someProgress({ phase: 'Failed' }), error })),
      );
      const all = io.stdout.text + io.stderr.text;
      assert.ok(!all.includes('\u001b'));
      assert.ok(!all.includes('pw'));
      assert.equal(io.stdout.lines.filter((line) => line.startsWith('phase')).length, 1);
    });
  });
});
