import assert from 'node:assert/strict';
import { Recorder } from '../../../src/cli/report/recorder.ts';
import type { MigrationEvent } from '../../../src/migration/report/observer.ts';
import { someProgress, startMs } from '../fake-engine.ts';
import { FakeClock } from '../fake-io.ts';
import { someVerification } from './some-report.ts';

// What a server can choose, whatever the types say.
const any = <T>(text: string) => text as T;

const retry = (code: string, message = 'returned 503'): MigrationEvent => ({
  type: 'retry',
  side: 'source',
  code: any(code),
  message,
  attempt: 1,
  delayMs: 500,
});

describe('the recorder of a report', () => {
  it('counts retries by side and code, with the time that they took', async () => {
    const clock = new FakeClock();
    const recorder = new Recorder(clock);
    recorder.event(retry('server-error'));
    await clock.advance(60_000);
    recorder.event(retry('server-error', 'returned 500'));
    recorder.event({ type: 'retry', side: 'destination', code: 'server-error', message: 'm', attempt: 1, delayMs: 1 });
    const { retries } = recorder.record();
    assert.deepEqual(
      retries.map(({ side, code, retries: count, delayMs, firstMessage }) => [
        side,
        code,
        count,
        delayMs,
        firstMessage,
      ]),
      [
        ['source', 'server-error', 2, 1000, 'returned 503'],
        ['destination', 'server-error', 1, 1, 'm'],
      ],
    );
    assert.equal((retries[0]?.lastMs ?? 0) - (retries[0]?.firstMs ?? 0), 60_000);
  });

  it('shows no secret of a URL in a message', () => {
    const recorder = new Recorder(new FakeClock());
    const text = 'see http://me:hunter2@host/x?p=hunter3';
    recorder.event(retry('x', text));
    recorder.event({ type: 'warning', code: any('x'), message: text });
    recorder.event({ type: 'window-split', fromMs: 0, toMs: 1, reason: text, by: 'time' });
    recorder.event({
      type: 'rejected',
      reason: 'other',
      samples: 1,
      response: text,
      example: { labels: text, timeMs: 0 },
    });
    assert.doesNotMatch(JSON.stringify(recorder.record()), /hunter/);
  });

  it('stays small in a run of a year with a million different texts', async () => {
    const clock = new FakeClock();
    const recorder = new Recorder(clock);
    const progress = someProgress();
    for (let n = 0; n < 20_000; n++) {
      const text = `${n}${'x'.repeat(50)}`;
      recorder.event(retry(text, 'm'.repeat(100_000)));
      recorder.event({ type: 'warning', code: any(text), message: 'm'.repeat(100_000) });
      recorder.event({
        type: 'request',
        side: 'source',
        status: any(text),
        seconds: 1,
        sentBytes: 1,
        receivedBytes: 1,
      });
      recorder.event({ type: 'window-split', fromMs: n, toMs: n + 1, reason: 'r'.repeat(100_000), by: 'name' });
      recorder.event({ type: 'rejected', reason: any(text), samples: 1, response: 'a'.repeat(100_000) });
      recorder.event({
        type: 'window-finished',
        fromMs: n,
        toMs: n + 1,
        samplesRead: n % 2,
        samplesWritten: 0,
        seconds: 1,
      });
      progress.samplesWritten += 10;
      recorder.progress(progress);
    }
    await clock.advance(365 * 86_400_000);
    recorder.progress(progress);
    const record = recorder.record();
    assert.ok(JSON.stringify(record).length < 500_000, `${JSON.stringify(record).length} characters`);
    const sum = (
      list: readonly { retries?: number; requests?: number; count?: number }[],
      field: 'retries' | 'requests' | 'count',
    ) => list.reduce((total, entry) => total + (entry[field] ?? 0), 0);
    assert.equal(sum(record.retries, 'retries'), 20_000, 'every retry is counted');
    assert.equal(sum(record.requests, 'requests'), 20_000, 'every request is counted');
    assert.equal(sum(record.warnings, 'count'), 20_000, 'every warning is counted');
    assert.equal(record.splits.byName, 20_000);
    assert.ok(record.timeline.intervals.length <= 480);
    assert.ok(record.timeline.intervalMs * 480 > record.timeline.elapsedMs);
  });

  it('keeps the totals of each interval when intervals become longer', async () => {
    const clock = new FakeClock();
    const recorder = new Recorder(clock);
    const progress = someProgress();
    for (let second = 0; second < 100; second++) {
      progress.samplesWritten += 7;
      progress.windowMs = second === 50 ? 9_000 : 1_000;
      recorder.progress(progress);
      if (second % 10 === 0) recorder.event(retry('x'));
      await clock.advance(1_000);
    }
    const { intervals, intervalMs } = recorder.record().timeline;
    assert.equal(intervals.at(-1)?.samplesWritten, 700);
    assert.equal(
      intervals.reduce((sum, { retries }) => sum + retries, 0),
      10,
    );
    assert.equal(intervals[Math.floor(50_000 / intervalMs)]?.windowMs, 9_000);
    intervals.slice(1).forEach((interval, index) => {
      assert.ok(interval.samplesWritten >= (intervals[index]?.samplesWritten ?? 0), 'totals never decrease');
    });
  });

  it('keeps the length of the window while nothing is reported', async () => {
    const clock = new FakeClock();
    const recorder = new Recorder(clock);
    recorder.progress(someProgress({ windowMs: 5_000 }));
    await clock.advance(10_000);
    recorder.progress(someProgress({ windowMs: 1_000 }));
    const { intervals } = recorder.record().timeline;
    assert.deepEqual([intervals[0]?.windowMs, intervals[50]?.windowMs], [5_000, 5_000]);
    recorder.event(retry('x'));
    await clock.advance(1_000);
    recorder.event(retry('x'));
    assert.equal(recorder.record().timeline.intervals.at(-1)?.windowMs, 1_000);
  });

  it('records how the range was divided, and how many stretches ran at once', () => {
    const recorder = new Recorder(new FakeClock());
    assert.equal(recorder.record().division, undefined);
    const remaining = [{ startMs, endMs: startMs + 1_000 }];
    recorder.event({ type: 'divided', stretches: 3, finished: 1, lengthMs: 500, remaining });
    for (const count of [1, 3, 2]) {
      const running = Array.from({ length: count }, () => ({ startMs, endMs: startMs + 1, completedRatio: 0 }));
      recorder.progress(someProgress({ stretches: { total: 4, finished: 1, running, failed: [] } }));
    }
    assert.deepEqual(recorder.record().division, {
      lengthMs: 500,
      mostRunning: 3,
      remaining: [{ fromMs: startMs, toMs: startMs + 1_000 }],
    });
  });

  it('keeps a bounded number of ranges that remain, with the first start and the last end', () => {
    const recorder = new Recorder(new FakeClock());
    const remaining = Array.from({ length: 4_000 }, (_, index) => ({ startMs: index * 10, endMs: index * 10 + 5 }));
    recorder.event({ type: 'divided', stretches: 4_000, finished: 0, lengthMs: 5, remaining });
    const kept = recorder.record().division?.remaining ?? [];
    assert.ok(kept.length <= 480 && kept.length > 200, `${kept.length}`);
    assert.deepEqual([kept[0]?.fromMs, kept.at(-1)?.toMs], [0, 39_995]);
  });

  it('records what a verification has compared', () => {
    const recorder = new Recorder(new FakeClock());
    recorder.progress(someProgress({ verification: someVerification({ samplesCompared: 12 }) }));
    assert.equal(recorder.record().timeline.intervals.at(-1)?.samplesCompared, 12);
  });

  it('knows that an earlier run had finished', () => {
    const recorder = new Recorder(new FakeClock());
    recorder.event({ type: 'already-finished', throughMs: startMs });
    assert.equal(recorder.record().isAlreadyFinished, true);
  });
});
