// Whole runs over real HTTP that start where another ended: finished, stopped, failed or killed.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { FastClock } from './support/fake-clock.ts';
import { startDestination } from './support/fake-destination.ts';
import { regularSeries, startSource } from './support/fake-source.ts';
import {
  dayMs,
  epochMs,
  hourMs,
  minuteMs,
  planFor,
  RecordingObserver,
  type Run,
  run,
  unaccounted,
} from './support/plan.ts';
import { bitsOf, expected, type Series, staleBits } from './support/remote-messages.ts';

function assertSucceeded({ progress, error }: Run): void {
  assert.equal(error, undefined);
  assert.equal(progress.phase, 'Succeeded');
  assert.equal(progress.watermarkMs, progress.endMs);
  assert.equal(unaccounted(progress), 0);
}

const threeHours = regularSeries({ count: 5, fromMs: epochMs - hourMs, toMs: epochMs + 2 * hourMs, stepMs: 15_000 });
const theHour = expected(threeHours, epochMs, epochMs + hourMs);

describe('a resumed run', () => {
  it('starts at the mark of the same copy, and reads nothing when it is finished', async () => {
    for (const protocol of ['RemoteRead', 'PromQL'] as const) {
      await using source = await startSource(threeHours);
      await using destination = await startDestination();
      const first = planFor({ source, destination }, { protocol, endMs: epochMs + hourMs / 2 });
      assertSucceeded(await run(first));
      source.queries.length = 0;
      const again = await run(first);
      assert.equal(again.progress.phase, 'Succeeded');
      assert.deepEqual(source.queries, []);
      assert.equal(again.observer.all('already-finished').length, 1);

      const longer = await run(planFor({ source, destination }, { protocol }));
      assertSucceeded(longer);
      assert.equal(longer.progress.resumedFromMs, epochMs + hourMs / 2);
      assert.equal(longer.observer.all('resumed')[0]!.samplesBefore, 5 * 120);
      assert.ok(source.queries.every(({ startMs }) => startMs >= epochMs + hourMs / 2));
      assert.deepEqual(destination.contents(), theHour);
      assert.equal(destination.marks().at(-1)!.value, 5 * 240, 'samples of both runs');
    }
  });

  it('does not resume at the mark of another copy', async () => {
    await using source = await startSource(threeHours);
    await using destination = await startDestination();
    const endMs = epochMs + 20 * minuteMs;
    assertSucceeded(await run(planFor({ source, destination }, { endMs })));
    for (const other of [{ id: 'other' }, { migration: 'test/other' }, { progressLabels: { cluster: 'b' } }]) {
      const result = await run(planFor({ source, destination }, { endMs, ...other }));
      assertSucceeded(result);
      assert.equal(result.progress.resumedFromMs, undefined);
      assert.equal(result.progress.samplesAlreadyPresent, 5 * 80);
    }
    assert.deepEqual(destination.contents(), expected(threeHours, epochMs, endMs));
  });

  it('keeps the end that was frozen when the migration first started', async () => {
    await using source = await startSource(threeHours);
    await using destination = await startDestination();
    const plan = planFor({ source, destination }, { endMs: undefined, lagMs: 10 * minuteMs });
    const stop = new AbortController();
    const observer = new RecordingObserver();
    observer.onEvent = ({ type }) => type === 'window-finished' && stop.abort();
    const begunAtMs = epochMs + hourMs;
    const first = await run(plan, {
      clock: new FastClock({ nowMs: begunAtMs, speed: 1 }),
      stop: stop.signal,
      observer,
    });
    assert.equal(first.progress.phase, 'Interrupted');
    const { endMs } = first.progress;
    assert.ok(endMs >= begunAtMs - 10 * minuteMs && endMs < begunAtMs - 9 * minuteMs);
    const second = await run(plan, { clock: new FastClock({ nowMs: begunAtMs + 30 * minuteMs }) });
    assertSucceeded(second);
    assert.equal(second.progress.endMs, endMs);
    assert.deepEqual(destination.contents(), expected(threeHours, epochMs, endMs));
  });

  it('compares an uncertain window by series and timestamp, and writes only what is missing', async () => {
    for (const protocol of ['RemoteRead', 'PromQL'] as const) {
      await using source = await startSource(threeHours);
      await using destination = await startDestination({ kind: 'keeps-all' });
      // What a killed run left: complete series, half-written series, and one with a gap.
      const [whole, half, holed] = expected(threeHours, epochMs, epochMs + 5 * minuteMs) as [Series, Series, Series];
      destination.put([
        whole,
        { ...half, samples: half.samples.slice(0, 7) },
        { ...holed, samples: holed.samples.filter((_, i) => i % 3 === 0) },
      ]);
      const result = await run(planFor({ source, destination }, { protocol }));
      assertSucceeded(result);
      assert.equal(result.progress.samplesAlreadyPresent, 20 + 7 + 7);
      assert.deepEqual(destination.contents(), theHour);
    }
  });

  it('trusts the stale markers that a Prometheus without an export endpoint shows', async () => {
    const samples = [0, 1, 2].map((i) => ({ timeMs: epochMs + i * 1000, bits: i === 1 ? staleBits : bitsOf(i) }));
    const series: Series[] = [{ labels: [['__name__', 'goes']], samples }];
    await using source = await startSource(series);
    await using destination = await startDestination();
    destination.put(series);
    const result = await run(planFor({ source, destination }, { protocol: 'PromQL' }));
    assertSucceeded(result);
    assert.deepEqual(result.progress.samplesRejected, {});
    assert.equal(result.progress.samplesAlreadyPresent, 3);
  });

  it('finds by export the stale markers that PromQL does not show', async () => {
    const samples = [0, 1, 2].map((i) => ({ timeMs: epochMs + i * 1000, bits: i === 1 ? staleBits : bitsOf(i) }));
    const series: Series[] = [{ labels: [['__name__', 'goes']], samples }];
    await using source = await startSource(series);
    await using destination = await startDestination({ kind: 'keeps-all', exports: true });
    destination.put(series);
    assertSucceeded(await run(planFor({ source, destination }, { protocol: 'PromQL' })));
    assert.deepEqual(destination.contents(), expected(series, epochMs, epochMs + hourMs));
  });
});

describe('an interrupted migration', () => {
  it('finishes the window in flight on stop, marks it and starts no other', async () => {
    await using source = await startSource(threeHours);
    await using destination = await startDestination();
    const stop = new AbortController();
    destination.onWrite = async ({ isMark, series }) => {
      if (!isMark && series[0]!.samples[0]!.timeMs >= epochMs + 5 * minuteMs) {
        stop.abort();
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      return undefined;
    };
    const plan = planFor({ source, destination }, { window: { maxMs: 5 * minuteMs } });
    const { progress, error } = await run(plan, { stop: stop.signal });
    assert.equal(error, undefined);
    assert.equal(progress.phase, 'Interrupted');
    assert.equal(unaccounted(progress), 0);
    assert.equal(progress.watermarkMs, epochMs + 10 * minuteMs);
    assert.equal(destination.marks().at(-1)!.timeMs, epochMs + 10 * minuteMs - 1);
    assert.deepEqual(destination.contents(), expected(threeHours, epochMs, epochMs + 10 * minuteMs));
  });

  it('exits immediately on a stop before the first window', async () => {
    await using source = await startSource(threeHours);
    await using destination = await startDestination();
    const stop = new AbortController();
    destination.onRead = () => {
      stop.abort();
      return undefined;
    };
    const { progress } = await run(planFor({ source, destination }), {
      stop: stop.signal,
      clock: new FastClock({ nowMs: epochMs + dayMs, speed: 1 }),
    });
    assert.equal(progress.phase, 'Interrupted');
    assert.deepEqual(source.queries, []);
  });

  for (const [protocol, exports] of [
    ['RemoteRead', false],
    ['PromQL', false],
    ['PromQL', true],
  ] as const) {
    for (const ordering of ['InOrder', 'Any'] as const) {
      it(`has every sample exactly once after repeated kills: ${ordering}, ${protocol}${exports ? ' with export' : ''}`, async () => {
        // Gaps that are crossed in strides, so that a window in flight may start more than a day before the one that is written.
        const series = [0, 37, 74, 111].flatMap((hours) => {
          const fromMs = epochMs + hours * hourMs;
          return regularSeries({ name: `burst_${hours}`, count: 4, fromMs, toMs: fromMs + hourMs, stepMs: minuteMs });
        });
        const endMs = epochMs + 112 * hourMs;
        const due = expected(series, epochMs, endMs);
        await fc.assert(
          fc.asyncProperty(
            fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 6 }),
            async (abortAfter) => {
              await using source = await startSource(series);
              await using destination = await startDestination({ kind: 'keeps-all', exports });
              const plan = planFor(
                { source, destination },
                {
                  protocol,
                  endMs,
                  destination: { ordering },
                  window: { maxMs: ordering === 'Any' ? 6 * hourMs : hourMs / 2 },
                  limits: { inFlightWrites: 3, samplesPerWrite: 60 },
                },
              );
              let countdown = 0;
              let abort = new AbortController();
              destination.onStored = async () => {
                if (--countdown <= 0) abort.abort();
                await new Promise((resolve) => setImmediate(resolve));
              };
              for (const requests of abortAfter) {
                countdown = requests;
                abort = new AbortController();
                const { progress } = await run(plan, { abort: abort.signal });
                await destination.settled();
                assert.equal(progress.phase, abort.signal.aborted ? 'Interrupted' : 'Succeeded');
              }
              countdown = Number.POSITIVE_INFINITY;
              abort = new AbortController();
              const last = await run(plan);
              assert.equal(last.error, undefined);
              assert.equal(last.progress.phase, 'Succeeded');
              assert.deepEqual(destination.contents(), due);
            },
          ),
          { numRuns: 4, examples: [[[0, 25]], [[28]]] },
        );
      });
    }
  }
});
