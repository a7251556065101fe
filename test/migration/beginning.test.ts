// Where a run starts when the destination at first shows less than it has stored.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { BeganElsewhere, firstWriteGate, isFinished, Preparation } from '../../src/migration/beginning.ts';
import type { Connections } from '../../src/migration/connections.ts';
import { PROGRESS_METRIC } from '../../src/migration/progress/progress-mark.ts';
import { type FakeDestination, startDestination } from './support/fake-destination.ts';
import { regularSeries, startSource } from './support/fake-source.ts';
import type { Clock } from '../../src/telemetry/clock.ts';
import { FakeView } from './support/fake-view.ts';
import { emptyProgress, epochMs, hourMs, minuteMs, planFor, RecordingObserver, run } from './support/plan.ts';
import { expected, labelOf } from './support/remote-messages.ts';

const series = regularSeries({ count: 4, fromMs: epochMs, toMs: epochMs + 2 * hourMs, stepMs: minuteMs });
const wholeMs = epochMs + 2 * hourMs;

/** Hides the marks until they have been queried this many times. */
function hideMarks(destination: FakeDestination, looks: number): void {
  let reads = 0;
  destination.onRead = () => {
    reads++;
    return undefined;
  };
  destination.shows = (labels) => labelOf(labels, '__name__') !== PROGRESS_METRIC || reads > looks;
}

describe('a run that finds its mark only after the destination has settled', () => {
  for (const protocol of ['RemoteRead', 'PromQL'] as const) {
    it(`starts at the mark and writes nothing before it: ${protocol}`, async () => {
      await using source = await startSource(series);
      await using destination = await startDestination({ kind: 'keeps-all' });
      await run(planFor({ source, destination }, { protocol }));
      hideMarks(destination, 1);
      const { progress, error, observer } = await run(planFor({ source, destination }, { protocol, endMs: wholeMs }));
      assert.equal(error, undefined);
      assert.equal(progress.phase, 'Succeeded');
      assert.equal(progress.resumedFromMs, epochMs + hourMs);
      assert.equal(observer.all('started').length, 1, 'it says once where it begins');
      assert.equal(observer.all('resumed').length, 1);
      assert.equal(progress.samplesWritten, 4 * 60);
      assert.deepEqual(destination.contents(), expected(series, epochMs, wholeMs));
    });
  }

  it('is finished when that is the last mark', async () => {
    await using source = await startSource(series);
    await using destination = await startDestination({ kind: 'keeps-all' });
    const plan = planFor({ source, destination });
    await run(plan);
    hideMarks(destination, 1);
    const { progress, observer } = await run(plan);
    assert.equal(progress.phase, 'Succeeded');
    assert.equal(progress.samplesWritten, 0);
    assert.equal(observer.all('already-finished').length, 1);
    assert.equal(observer.all('started').length, 0);
    assert.notEqual(progress.earlier, 'unknown');
  });
});

describe('the destination', () => {
  it('settles while the first window is read', async () => {
    await using source = await startSource(series);
    await using destination = await startDestination({ kind: 'keeps-all' });
    let lookedAgain = false;
    source.onQuery = async () => {
      source.onQuery = () => undefined;
      const before = destination.reads;
      // The clock of the run is a thousand times faster.
      for (let i = 0; i < 100 && !lookedAgain; i++) {
        await sleep(10);
        lookedAgain = destination.reads > before;
      }
      return undefined;
    };
    const { error } = await run(planFor({ source, destination }));
    assert.ok(lookedAgain);
    assert.equal(error, undefined);
    assert.deepEqual(destination.contents(), expected(series, epochMs, epochMs + hourMs));
  });

  for (const [waitMs, looks] of [
    [25_000, 1],
    [35_000, 2],
  ] as const) {
    it(`is looked at ${looks === 1 ? 'once' : 'again'} if the first window arrives ${waitMs / 1000} s later`, async () => {
      await using source = await startSource(series);
      await using destination = await startDestination({ kind: 'keeps-all' });
      let seen = 0;
      const view = new FakeView([]);
      view.settled = async ({ look }) => {
        seen++;
        return look();
      };
      const clock = new ManualClock();
      const plan = planFor({ source, destination });
      const connections = { view } as unknown as Connections;
      const [progress, observer] = [emptyProgress(), new RecordingObserver()];
      const { signal } = new AbortController();
      const preparation = new Preparation({ plan, connections, progress, observer, clock, known: undefined, signal });
      await preparation.firstLook();
      await preparation.settle().beginning;
      clock.nowMs += waitMs;
      await Promise.all([preparation.settled(), preparation.settled()]);
      assert.equal(seen, looks);
    });
  }
});

/** Moves only when told to. */
class ManualClock implements Clock {
  nowMs = 0;

  now(): number {
    return epochMs + this.nowMs;
  }

  monotonicMs(): number {
    return this.nowMs;
  }

  sleep(): Promise<void> {
    return Promise.resolve();
  }
}

describe('the gate before the first write', () => {
  const beginning = { mark: undefined, fromMs: 1000, endMs: 2000, uncertainUntilMs: 1000 };
  const preparing = (settled: () => Promise<typeof beginning>) => ({ settled }) as unknown as Preparation;

  it('opens once, for all waiters', async () => {
    let opened = 0;
    const gate = firstWriteGate(
      preparing(() => Promise.resolve({ ...beginning })),
      beginning,
      () => void opened++,
    );
    await Promise.all([gate(), gate()]);
    await gate();
    assert.equal(opened, 1);
  });

  for (const change of [{ fromMs: 1500 }, { endMs: 3000 }, { uncertainUntilMs: 1800 }]) {
    it(`stays closed when the destination shows another start: ${JSON.stringify(change)}`, async () => {
      const later = { ...beginning, ...change };
      const gate = firstWriteGate(
        preparing(() => Promise.resolve(later)),
        beginning,
        () => assert.fail('opened'),
      );
      await assert.rejects(gate(), (error) => error instanceof BeganElsewhere && error.beginning === later);
    });
  }

  it('passes on the error when the destination cannot be read', async () => {
    const problem = new Error('unreachable');
    const gate = firstWriteGate(
      preparing(() => Promise.reject(problem)),
      beginning,
      () => assert.fail('opened'),
    );
    await assert.rejects(gate(), problem);
  });

  it('is not used when there is nothing left to do', () => {
    assert.equal(isFinished({ ...beginning, fromMs: 2000 }), true);
    assert.equal(isFinished(beginning), false);
  });
});
