// After a copy with `rejectedSamples: Skip`: what the destination rejected then is missing, and is expected to be.

import assert from 'node:assert/strict';
import { startDestination } from '../support/fake-destination.ts';
import { regularSeries, startSource } from '../support/fake-source.ts';
import { assertSucceeded, epochMs, hourMs, minuteMs, planFor, run } from '../support/plan.ts';
import { bitsOf } from '../support/remote-messages.ts';
import { runInStretches } from '../support/stretches.ts';
import { verifyRun } from '../support/verify-run.ts';

const series = regularSeries({ count: 4, fromMs: epochMs, toMs: epochMs + hourMs, stepMs: 15_000 });
const all = 4 * 240;

describe('a verification after a copy that skipped rejected samples', () => {
  // More of them than a result lists.
  const isRejected = (instance: string | undefined, timeMs: number) =>
    instance === series[1]!.labels.find(([name]) => name === 'instance')?.[1] && timeMs < epochMs + 5 * minuteMs;

  async function copied() {
    const source = await startSource(series);
    const destination = await startDestination();
    destination.problemOf = (labels, { timeMs }) =>
      isRejected(labels.find(([name]) => name === 'instance')?.[1], timeMs)
        ? { status: 400, text: 'out of bounds' }
        : undefined;
    const plan = planFor({ source, destination }, { rejectedSamples: 'Skip' });
    const { progress } = await run(plan);
    assert.deepEqual(progress.samplesRejected, { too_old: 20 });
    return { source, destination, plan };
  }

  it('counts them as expected, lists them as expected, and not among the first differences', async () => {
    const { source, destination, plan } = await copied();
    await using _source = source;
    await using _destination = destination;
    const extra = { labels: series[3]!.labels, samples: [{ timeMs: epochMs + 50 * minuteMs + 1, bits: bitsOf(1) }] };
    destination.put([{ ...extra, histograms: [] }]);
    const { error, verification, differences } = await verifyRun(plan);
    assert.equal(error, undefined);
    const { samplesCompared, equal, missing, expected, first } = verification;
    assert.deepEqual(
      { samplesCompared, equal, missing, expected },
      { samplesCompared: all, equal: all - 20, missing: 0, expected: { rejected: 20 } },
    );
    const listed = differences.map(({ kind, expected: reason }) => `${kind} ${reason ?? ''}`.trim());
    assert.deepEqual(listed.sort(), ['extra', ...Array<string>(20).fill('missing rejected')]);
    assert.deepEqual(
      first.map(({ kind }) => kind),
      ['extra'],
      'although more samples were missing before it than are listed',
    );
  });

  it('counts and lists all that is missing as missing if it is more than was rejected', async () => {
    const { source, destination, plan } = await copied();
    await using _source = source;
    await using _destination = destination;
    destination.shows = (labels) => !labels.some(([, value]) => value === series[0]!.labels[1]![1]);
    const { error, verification, differences } = await verifyRun(plan);
    assert.equal(error?.code, 'differences-found');
    assert.deepEqual([verification.missing, verification.expected], [240 + 20, {}]);
    assert.equal(verification.first.length, 10);
    assert.ok(differences.every(({ kind, expected }) => kind === 'missing' && expected === undefined));
    assert.equal(differences.length, 240 + 20);
  });

  it('counts those of all stretches, if the copy was divided', async () => {
    const endMs = epochMs + 8 * hourMs;
    const long = regularSeries({ count: 2, fromMs: epochMs, toMs: endMs, stepMs: 5 * minuteMs });
    await using source = await startSource(long);
    await using destination = await startDestination({ kind: 'keeps-all' });
    const rejected = new Set([1, 2, 12, 30].map((steps) => epochMs + steps * 5 * minuteMs));
    destination.problemOf = (_, { timeMs }) =>
      rejected.has(timeMs) ? { status: 400, text: 'out of bounds' } : undefined;
    const plan = planFor(
      { source, destination },
      {
        endMs,
        rejectedSamples: 'Skip',
        destination: { ordering: 'Any' },
        limits: { memoryBytes: 128 * 1024 * 1024 },
        execution: { mode: 'InProcess', parallelism: 2, stretchMs: 2 * hourMs, order: 'OldestFirst' },
      },
    );
    assertSucceeded(await runInStretches(plan));
    const { error, verification } = await verifyRun(plan);
    assert.equal(error, undefined);
    assert.deepEqual([verification.missing, verification.expected], [0, { rejected: 8 }]);
  });
});
