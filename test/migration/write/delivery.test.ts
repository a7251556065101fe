// The delivery in whole runs over real HTTP: a destination that is busy, accepts only small requests, or rejects samples.
import assert from 'node:assert/strict';
import { FastClock } from '../support/fake-clock.ts';
import { type FakeDestination, startDestination } from '../support/fake-destination.ts';
import { regularSeries, startSource } from '../support/fake-source.ts';
import {
  assertSucceeded,
  dayMs,
  epochMs,
  hourMs,
  minuteMs,
  planFor,
  type Run,
  run,
  unaccounted,
} from '../support/plan.ts';
import { expected, type Series } from '../support/remote-messages.ts';

const endMs = epochMs + hourMs;
const series = regularSeries({ count: 4, fromMs: epochMs, toMs: endMs, stepMs: 15_000 });
const everything = expected(series, epochMs, endMs);
const samples = 4 * 240;

/** Everything is stored exactly once, and the fake server reported no failures. */
function assertComplete(destination: FakeDestination, result: Run): void {
  assertSucceeded(result);
  assert.deepEqual(destination.failures, []);
  assert.deepEqual(destination.contents(), everything);
  assert.equal(result.progress.samplesWritten, samples);
}

describe('a busy destination', () => {
  it('is retried after its Retry-After', async () => {
    for (const status of [429, 503]) {
      await using source = await startSource(series);
      await using destination = await startDestination();
      let refusals = 0;
      destination.onWrite = () => (++refusals <= 2 ? { status, headers: { 'retry-after': '7' } } : undefined);
      const result = await run(planFor({ source, destination }));
      assertComplete(destination, result);
      assert.equal(result.progress.retries, 2);
      const waits = result.observer.all('retry');
      assert.ok(waits.every(({ delayMs, side }) => delayMs >= 7000 && side === 'destination'));
    }
  });

  it('is retried after a few 500s', async () => {
    await using source = await startSource(series);
    await using destination = await startDestination();
    let requests = 0;
    destination.onWrite = () => (++requests % 3 === 0 ? { status: 500, text: 'later' } : undefined);
    assertComplete(destination, await run(planFor({ source, destination })));
  });

  it('loses nothing after hours of nothing but 500s', async () => {
    await using source = await startSource(series);
    await using destination = await startDestination();
    const clock = new FastClock({ nowMs: epochMs + dayMs, speed: 50_000 });
    const backAtMs = clock.now() + 6 * hourMs;
    destination.onWrite = () => (clock.now() < backAtMs ? { status: 500, text: 'down' } : undefined);
    const result = await run(planFor({ source, destination }), { clock });
    assertComplete(destination, result);
    assert.deepEqual(result.progress.samplesRejected, {});
  });

  it('gets nothing twice when its responses are lost', async () => {
    await using source = await startSource(series);
    await using destination = await startDestination({ kind: 'keeps-all' });
    let requests = 0;
    destination.onStored = ({ isMark }) => {
      if (!isMark && ++requests % 3 === 1) throw new Error('the connection is closed without an answer');
    };
    const result = await run(planFor({ source, destination }, { limits: { samplesPerWrite: 100 } }));
    assertSucceeded(result);
    assert.deepEqual(destination.contents(), everything);
  });
});

describe('a destination that accepts only small requests', () => {
  it('gets smaller requests, and everything', async () => {
    await using source = await startSource(series);
    await using destination = await startDestination();
    destination.onWrite = (request) => (request.samples > 20 ? { status: 413, text: 'request too large' } : undefined);
    const result = await run(planFor({ source, destination }));
    assertComplete(destination, result);
    assert.ok(destination.refused < 20, `${destination.refused} refused: it learns`);
  });

  it('and rejects even one sample of a series ends the migration with its own message', async () => {
    await using source = await startSource(series);
    await using destination = await startDestination();
    destination.onWrite = ({ series: sent }) =>
      sent.some(({ labels }) => labels.some(([, value]) => value === 'host-2'))
        ? { status: 413, text: 'too big for me' }
        : undefined;
    const { error } = await run(planFor({ source, destination }, { endMs: epochMs + minuteMs }));
    assert.equal(error?.code, 'samples-rejected');
    assert.match(error?.message ?? '', /too big for me/);
  });
});

describe('a destination that rejects samples', () => {
  const bad = new Map([
    [epochMs + 10 * minuteMs, { status: 400, text: 'out of order sample' }],
    [epochMs + 11 * minuteMs, { status: 422, text: 'label value too long' }],
  ]);
  const problemOf = (labels: Series['labels'], { timeMs }: { timeMs: number }) =>
    labels.some(([, value]) => value === 'host-1') ? bad.get(timeMs) : undefined;

  it('with Skip loses only the bad ones, each under its reason', async () => {
    await using source = await startSource(series);
    await using destination = await startDestination();
    destination.problemOf = problemOf;
    const result = await run(planFor({ source, destination }, { rejectedSamples: 'Skip' }));
    assertSucceeded(result);
    assert.deepEqual(result.progress.samplesRejected, { out_of_order: 1, invalid_labels: 1 });
    assert.equal(result.progress.samplesWritten, samples - 2);
    const due = everything.map((one) => ({
      ...one,
      samples: one.samples.filter((sample) => !problemOf(one.labels, sample)),
    }));
    assert.deepEqual(destination.contents(), due);
    const [first] = result.observer.all('rejected');
    assert.match(first!.example!.labels, /host-1/);
    assert.equal(first!.example!.timeMs, epochMs + 10 * minuteMs);
  });

  it('with Fail stops after that window, names reason and setting, and resumes there once the cause is fixed', async () => {
    await using source = await startSource(series);
    await using destination = await startDestination();
    destination.problemOf = problemOf;
    const plan = planFor({ source, destination }, { window: { maxMs: 5 * minuteMs } });
    const failed = await run(plan);
    assert.equal(failed.progress.phase, 'Failed');
    assert.equal(failed.error?.code, 'samples-rejected');
    assert.equal(failed.error?.side, 'destination');
    assert.match(failed.error?.message ?? '', /2 of the .*out of order/);
    assert.match(failed.error?.hint ?? '', /out_of_order_time_window/);
    assert.equal(failed.error?.hint?.match(/spec\.rejectedSamples/g)?.length, 1);
    assert.equal(unaccounted(failed.progress), 0);
    assert.equal(failed.progress.watermarkMs, epochMs + 10 * minuteMs);
    const newest = Math.max(...destination.contents().flatMap((one) => one.samples.map(({ timeMs }) => timeMs)));
    assert.ok(newest < epochMs + 15 * minuteMs, 'nothing behind the failed window');

    destination.kind = 'keeps-all';
    destination.problemOf = () => undefined;
    const mended = await run(plan);
    assertSucceeded(mended);
    assert.equal(mended.progress.resumedFromMs, epochMs + 10 * minuteMs);
    assert.deepEqual(destination.contents(), everything);
  });

  it('yields a bounded number of example samples', async () => {
    await using source = await startSource(series);
    await using destination = await startDestination();
    destination.problemOf = (labels) =>
      labels.some(([, value]) => value === 'host-1') ? { status: 400, text: 'invalid label value' } : undefined;
    const result = await run(planFor({ source, destination }, { rejectedSamples: 'Skip' }));
    assertSucceeded(result);
    assert.deepEqual(result.progress.samplesRejected, { invalid_labels: 240 });
    assert.ok(result.observer.all('rejected').length <= 10);
  });

  it('of windows that are too old entirely gets few requests', async () => {
    await using source = await startSource(regularSeries({ count: 20, fromMs: epochMs, toMs: endMs, stepMs: 15_000 }));
    await using destination = await startDestination({ oldestMs: epochMs + 35 * minuteMs });
    // Before version 2.50.
    destination.tooOld = { status: 500, text: 'too old sample' };
    const result = await run(
      planFor({ source, destination }, { rejectedSamples: 'Skip', window: { maxMs: 5 * minuteMs } }),
    );
    assertSucceeded(result);
    assert.deepEqual(result.progress.samplesRejected, { too_old: 20 * 35 * 4 });
    assert.equal(result.progress.samplesWritten, 20 * 25 * 4);
    assert.ok(destination.refused < 7 * 10, `${destination.refused} refused requests for 7 windows`);
    assert.ok(result.observer.warnings().includes('mark-refused'));
  });

  for (const inFlightWrites of [1, 3]) {
    it(`with a permanent 500 is detected, and other samples go through ${inFlightWrites} lanes`, async () => {
      await using source = await startSource(series);
      await using destination = await startDestination();
      const poison = (request: readonly Series[]) =>
        request.some(
          ({ labels, samples: own }) => labels[1]![1] === 'host-3' && own.some(({ timeMs }) => timeMs === epochMs),
        );
      destination.onWrite = (request) => (poison(request.series) ? { status: 500, text: 'panic' } : undefined);
      const plan = planFor(
        { source, destination },
        { rejectedSamples: 'Skip', limits: { inFlightWrites }, endMs: epochMs + 5 * minuteMs },
      );
      const result = await run(plan, { clock: new FastClock({ nowMs: epochMs + dayMs, speed: 20_000 }) });
      assertSucceeded(result);
      assert.deepEqual(result.progress.samplesRejected, { other: 1 });
      assert.equal(result.progress.samplesWritten, 4 * 20 - 1);
    });
  }

  for (const status of [401, 404]) {
    it(`with ${status} for everything ends the migration immediately`, async () => {
      await using source = await startSource(series);
      await using destination = await startDestination();
      destination.onWrite = () => ({ status, text: 'no' });
      const { error, progress } = await run(planFor({ source, destination }));
      assert.equal(error?.side, 'destination');
      assert.match(error?.hint ?? '', /spec\.destination/);
      assert.equal(progress.retries, 0);
    });
  }
});
