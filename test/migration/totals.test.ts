// The counts of all runs, recomputed only from the destination: a run may end at any point without saving them, and the next run still
// knows them.
import assert from 'node:assert/strict';
import { type Counts, countsOfAllRuns } from '../../src/migration/report/counts.ts';
import { startDestination } from './support/fake-destination.ts';
import { regularSeries, startSource } from './support/fake-source.ts';
import { epochMs, hourMs, minuteMs, planFor, type Run, run, type Sides, unaccounted } from './support/plan.ts';
import { labelOf, type Series } from './support/remote-messages.ts';

const endMs = epochMs + 3 * hourMs;
const perSeries = 180;
const series: Series[] = [
  ...regularSeries({ name: 'kept', count: 4, fromMs: epochMs, toMs: endMs, stepMs: minuteMs }),
  ...regularSeries({ name: 'refused', count: 1, fromMs: epochMs, toMs: endMs, stepMs: minuteMs }),
  ...regularSeries({ name: 'dropped', count: 2, fromMs: epochMs, toMs: endMs, stepMs: minuteMs }),
  ...regularSeries({ name: 'twin', count: 2, fromMs: epochMs, toMs: endMs, stepMs: minuteMs }),
];
const due = { read: 9 * perSeries, filtered: 2 * perSeries, conflicting: perSeries, rejected: 3 };

/** Samples with every outcome: written, filtered, conflicting, rejected. */
function planOfAllFates(sides: Sides, changes: Parameters<typeof planFor>[1] = {}) {
  const rule = { separator: ';', modulus: 0, targetLabel: '', replacement: '' };
  return planFor(sides, {
    endMs,
    rejectedSamples: 'Skip',
    limits: { inFlightWrites: 3, samplesPerWrite: 60 },
    relabelings: [
      { ...rule, action: 'drop', sourceLabels: ['__name__'], regex: 'dropped' },
      {
        ...rule,
        action: 'replace',
        sourceLabels: ['__name__', 'instance'],
        regex: 'twin;.*',
        targetLabel: 'instance',
        replacement: 'one',
      },
    ],
    ...changes,
  });
}

async function startRefusingDestination(changes: Parameters<typeof startDestination>[0]) {
  const destination = await startDestination(changes);
  // One sample an hour.
  destination.problemOf = (labels, { timeMs }) =>
    labelOf(labels, '__name__') === 'refused' && timeMs % hourMs === 7 * minuteMs
      ? { status: 400, text: 'label value too long' }
      : undefined;
  return destination;
}

function totalOf({ progress, error }: Run): Counts {
  assert.equal(error, undefined);
  assert.equal(progress.phase, 'Succeeded');
  const total = countsOfAllRuns(progress);
  assert.ok(total !== undefined, 'known');
  return total;
}

function assertDue(total: Counts): void {
  assert.equal(unaccounted(total), 0);
  assert.equal(total.samplesRead, due.read, 'each sample of the source counts once');
  assert.equal(total.samplesFiltered, due.filtered);
  assert.equal(total.samplesConflicting, due.conflicting);
  const rejected = Object.values(total.samplesRejected).reduce((sum, samples) => sum + samples, 0);
  assert.equal(rejected, due.rejected);
}

describe('the counts of all runs', () => {
  for (const protocol of ['RemoteRead', 'PromQL'] as const) {
    for (const ordering of ['InOrder', 'Any'] as const) {
      it(`add up wherever a run is killed: ${ordering}, ${protocol}`, async () => {
        await using source = await startSource(series);
        await using whole = await startRefusingDestination({ kind: 'keeps-all', exports: true });
        let requests = 0;
        whole.onStored = () => void requests++;
        assertDue(
          totalOf(await run(planOfAllFates({ source, destination: whole }, { protocol, destination: { ordering } }))),
        );
        assert.ok(requests > 12, `${requests} requests`);

        for (let killedAt = 1; killedAt <= requests; killedAt += 5) {
          await using destination = await startRefusingDestination({ kind: 'keeps-all', exports: true });
          const plan = planOfAllFates({ source, destination }, { protocol, destination: { ordering } });
          const abort = new AbortController();
          let stored = 0;
          destination.onStored = async () => {
            if (++stored === killedAt) abort.abort();
            await new Promise((resolve) => setImmediate(resolve));
          };
          await run(plan, { abort: abort.signal });
          await destination.settled();
          const total = totalOf(await run(plan));
          assertDue(total);
          assert.equal(total.samplesWritten + total.samplesAlreadyPresent, destination.marks().at(-1)!.value);

          // What a lost status or result would have reported.
          const again = await run(plan);
          assert.equal(again.observer.all('already-finished').length, 1);
          assert.deepEqual({ ...totalOf(again), retries: 0 }, { ...total, retries: 0 });
        }
      });
    }
  }

  it('are unknown after a mark without counts, and stay unknown', async () => {
    await using source = await startSource(series);
    await using destination = await startRefusingDestination({});
    const before = planOfAllFates({ source, destination }, { endMs: epochMs + hourMs });
    totalOf(await run(before));
    destination.forgetCounts();
    assert.equal((await run(before)).progress.earlier, 'unknown');
    const later = await run(planOfAllFates({ source, destination }));
    assert.equal(later.progress.phase, 'Succeeded');
    assert.equal(later.progress.earlier, 'unknown');
    assert.equal(unaccounted(later.progress), 0, 'those of this run are right');
    assert.equal(
      destination.marks().at(-1)!.value,
      6 * perSeries - due.rejected,
      'the mark counts what is there, as ever',
    );
    assert.deepEqual(destination.counts(), {}, 'a sum of which a part is missing is not written');
  });

  it('are awaited when they become visible after the mark', async () => {
    await using source = await startSource(series);
    await using destination = await startRefusingDestination({});
    const plan = planOfAllFates({ source, destination }, { protocol: 'PromQL' });
    const total = totalOf(await run(plan));
    let looks = 0;
    destination.shows = (labels) => labelOf(labels, 'count') !== 'filtered' || looks > 3;
    destination.onRead = () => {
      looks++;
      return undefined;
    };
    const again = await run(plan);
    assert.equal(again.observer.all('already-finished').length, 1);
    assert.deepEqual(totalOf(again), { ...total, retries: 0 });
  });

  it('are only those of this run without marks: the totals are unknown', async () => {
    await using source = await startSource(series);
    await using destination = await startRefusingDestination({ kind: 'keeps-all' });
    const { progress } = await run(planOfAllFates({ source, destination }, { protocol: 'None' }));
    assert.equal(progress.earlier, 'unknown');
    assert.equal(countsOfAllRuns(progress), undefined);
  });

  it('are known from the start when there is no mark', async () => {
    await using source = await startSource(series);
    await using destination = await startRefusingDestination({});
    const { progress } = await run(planOfAllFates({ source, destination }));
    assert.deepEqual(progress.resumedFromMs, undefined);
    assertDue(countsOfAllRuns(progress)!);
  });

  it('are stored with the newest mark, in few series with one timestamp', async () => {
    await using source = await startSource(series);
    await using destination = await startRefusingDestination({});
    const { progress } = await run(planOfAllFates({ source, destination }, { progressLabels: { cluster: 'eu' } }));
    const { bytes_read, bytes_written, ...counts } = destination.counts();
    assert.deepEqual(counts, {
      read: due.read,
      written: 6 * perSeries - due.rejected,
      filtered: due.filtered,
      conflicting: due.conflicting,
      rejected_invalid_labels: due.rejected,
      series: 8,
      windows: progress.windows,
      covered_ms: 3 * hourMs,
    });
    assert.equal(bytes_read, progress.bytesRead);
    assert.equal(bytes_written, progress.bytesWritten);
  });

  for (const [what, status, text] of [
    ['rejects', 400, 'per-metric series limit of 1 exceeded'],
    ['finds too many for one request', 413, 'too many series'],
  ] as const) {
    it(`are omitted when the destination ${what} their series: the mark alone is enough to resume`, async () => {
      await using source = await startSource(series);
      await using destination = await startRefusingDestination({});
      destination.onWrite = (request) => {
        return request.isMark && request.series.length > 1 ? { status, text } : undefined;
      };
      const plan = planOfAllFates({ source, destination });
      const { progress, error } = await run(plan);
      assert.equal(error, undefined);
      assert.equal(progress.phase, 'Succeeded');
      assert.equal(destination.marks().at(-1)?.timeMs, endMs - 1);
      assert.deepEqual(destination.counts(), {});
      const again = await run(plan);
      assert.equal(again.observer.all('already-finished').length, 1);
      assert.equal(again.progress.earlier, 'unknown');
    });
  }
});
