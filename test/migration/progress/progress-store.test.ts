import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Mark } from '../../../src/migration/progress/progress-mark.ts';
import { markLabels } from '../../../src/migration/progress/progress-mark.ts';
import { findMark, type MarkReader, PromqlMarks } from '../../../src/migration/progress/progress-store.ts';
import { Retrier } from '../../../src/migration/limits/retrier.ts';
import { QueryClient } from '../../../src/remote/query-client.ts';
import { FastClock } from '../support/fake-clock.ts';
import { startDestination } from '../support/fake-destination.ts';
import {
  dayMs,
  emptyProgress,
  endpoint,
  epochMs,
  hourMs,
  minuteMs,
  planFor,
  RecordingObserver,
} from '../support/plan.ts';
import { bitsOf } from '../support/remote-messages.ts';

const never = new AbortController().signal;

class FakeMarks implements MarkReader {
  readonly asked: [fromMs: number, toMs: number][] = [];
  readonly #times: readonly number[];

  constructor(times: readonly number[]) {
    this.#times = times;
  }

  latest(fromMs: number, toMs: number): Promise<Mark | undefined> {
    this.asked.push([fromMs, toMs]);
    const found = this.#times.filter((timeMs) => timeMs >= fromMs && timeMs < toMs);
    return Promise.resolve(
      found.length === 0 ? undefined : { throughMs: Math.max(...found), samples: 1, endMs: undefined },
    );
  }
}

describe('looking for the latest mark', () => {
  it('finds the latest within the range wherever it is, and nothing outside', async () => {
    const time = fc.integer({ min: -100, max: 100 }).map((hours) => hours * hourMs);
    await fc.assert(
      fc.asyncProperty(fc.array(time), time, time, async (times, fromMs, toMs) => {
        const mark = await findMark(new FakeMarks(times), fromMs, toMs, never);
        const within = times.filter((timeMs) => timeMs >= fromMs && timeMs < toMs);
        assert.equal(mark?.throughMs, within.length === 0 ? undefined : Math.max(...within));
      }),
    );
  });

  it('asks for stretches that join, few of them for many years', async () => {
    const marks = new FakeMarks([]);
    await findMark(marks, epochMs - 10 * 365 * dayMs, epochMs, never);
    let endMs = epochMs;
    for (const [fromMs, toMs] of marks.asked) {
      assert.equal(toMs, endMs);
      endMs = fromMs;
    }
    assert.equal(endMs, epochMs - 10 * 365 * dayMs);
    assert.ok(marks.asked.length < 20, `${marks.asked.length} questions`);
  });

  it('reads only the youngest hour when the mark is there', async () => {
    const marks = new FakeMarks([epochMs - minuteMs, epochMs - dayMs]);
    await findMark(marks, epochMs - 365 * dayMs, epochMs, never);
    assert.deepEqual(marks.asked, [[epochMs - hourMs, epochMs]]);
  });
});

describe('marks by PromQL', () => {
  it('are found among many thousands without reading them', async () => {
    await using destination = await startDestination();
    const plan = planFor({ source: { readUrl: '' }, destination }, { protocol: 'PromQL' });
    const samples = Array.from({ length: 9000 }, (_, i) => ({ timeMs: epochMs + i * minuteMs, bits: bitsOf(i) }));
    destination.put([
      { labels: Object.entries(markLabels(plan, undefined)), samples },
      {
        labels: Object.entries(markLabels({ ...plan, id: 'other' }, undefined)),
        samples: [{ timeMs: epochMs + 300 * dayMs, bits: 0n }],
      },
    ]);
    const clock = new FastClock({ nowMs: epochMs });
    const observer = new RecordingObserver();
    const progress = emptyProgress();
    const retrier = new Retrier({ clock, random: () => 0.5, observer, progress, startupDeadlineMs: 1000 });
    let bytes = 0;
    const client = new QueryClient(endpoint('progress', destination.queryUrl), {
      request: ({ receivedBytes }) => {
        bytes += receivedBytes;
      },
    });
    const reader = new PromqlMarks({
      plan,
      endpoint: endpoint('progress', destination.queryUrl),
      client,
      retrier,
      random: () => 0.5,
    });
    const mark = await findMark(reader, epochMs, epochMs + 365 * dayMs, never);
    client.close();
    assert.deepEqual(mark, { throughMs: epochMs + 8999 * minuteMs, samples: 8999, endMs: undefined });
    assert.ok(bytes < 40_000, `${bytes} bytes`);
    assert.deepEqual(destination.failures, []);
  });
});
