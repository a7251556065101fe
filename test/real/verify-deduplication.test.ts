// A VictoriaMetrics that removes samples that are closer together than an interval: a copy is killed and resumed there, and verified.

import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';
import { loadedPrometheus } from '../../verify-faults/sides/prometheus.ts';
import { bitsOf, countSamples, labelText, SeriesBuilder, type SeriesSet } from '../support/series-set.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { startVictoriaMetrics } from '../support/servers.ts';
import { type MigrationSpec, runMigration, startMigration } from './support/migration.ts';
import { fromPrometheus, range, toVictoriaMetrics } from './support/pairs.ts';
import { runVerification } from './support/verification.ts';

const STEP_MS = 5_000;
const INTERVAL_MS = 15_000;
const startMs = Date.UTC(2025, 5, 1);
const endMs = startMs + 3_600_000;

/** Some series with a sample every 15 s, some with one every 5 s. */
function someSeries(): SeriesSet {
  const set: SeriesSet = new Map();
  for (let i = 0; i < 40; i++) {
    const builder = new SeriesBuilder([
      ['__name__', i % 2 === 0 ? 'sparse' : 'dense'],
      ['instance', `host-${i}`],
    ]);
    const stepMs = i % 2 === 0 ? INTERVAL_MS : STEP_MS;
    for (let timeMs = startMs; timeMs < endMs; timeMs += stepMs) builder.add(timeMs, bitsOf(i + (timeMs % 1000)));
    set.set(labelText(builder.labels), builder.finish());
  }
  return set;
}

describe('verify with -dedup.minScrapeInterval', () => {
  const set = someSeries();
  const total = countSamples(set);
  // Of the samples in (t, t + 15 s] the last one is kept. The first is alone in its interval.
  const isKept = (timeMs: number) => timeMs % INTERVAL_MS === 0 || timeMs === endMs - STEP_MS;
  const removed = [...set.values()].reduce(
    (sum, { timesMs }) => sum + timesMs.filter((time) => !isKept(time)).length,
    0,
  );

  let source: ServerProcess;
  before(async () => {
    source = await loadedPrometheus(set);
  });
  after(() => source[Symbol.asyncDispose]());

  for (const interval of ['1ms', '15s']) {
    it(`of ${interval}`, async () => {
      await using destination = await startVictoriaMetrics({ extraArgs: [`-dedup.minScrapeInterval=${interval}`] });
      const spec: MigrationSpec = {
        source: fromPrometheus(source),
        destination: toVictoriaMetrics(destination),
        timeRange: range(startMs, endMs),
        window: { max: '5m' },
        verification: { settle: '2s' },
      };
      const slow = { ...spec, limits: { samplesPerSecond: 4_000, samplesPerWrite: 1000 } };
      const migration = await startMigration(slow);
      await migration.saying(/ migration started /);
      await setTimeout(2_000);
      migration.child.kill('SIGKILL');
      await migration.ended;
      const { exitCode, stderr, result } = await runMigration(spec);
      assert.equal(exitCode, 0, stderr);
      assert.notEqual(result.resumedFrom, null);
      const before = (result.total?.samplesRead ?? 0) - result.samplesRead;
      assert.ok(before > 0 && before < total, `${before} were copied before`);
      assert.equal(result.total?.samplesRead, total);

      const run = await runVerification(spec);
      const { samplesCompared, missing, equal, extra, different, repeated } = run.result;
      assert.deepEqual(
        { samplesCompared, samples: missing + equal, extra, different, repeated },
        { samplesCompared: total, samples: total, extra: 0, different: 0, repeated: 0 },
        run.stderr,
      );
      // A window that ends inside of an interval shows a sample that is removed in a longer one.
      assert.ok(interval === '1ms' ? missing === 0 : missing > 0.9 * removed && missing <= removed, `${missing}`);
      assert.equal(run.differences.length, missing);
      assert.ok(run.differences.every(({ kind, timeMs }) => kind === 'missing' && !isKept(timeMs)));
      assert.equal(run.exitCode, missing === 0 ? 0 : 4);
      const warning =
        / warn {2}the destination runs with -dedup\.minScrapeInterval=15s.* code=destination-deduplicates/;
      assert.equal(warning.test(run.stderr), missing > 0, run.stderr);
    });
  }
});
