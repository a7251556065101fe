import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Series, SeriesBook } from '../../../src/operator/kube/event-series.ts';

const MINUTE_MS = 60_000;
const at = (monotonicMs: number) => ({ wallMs: 0, monotonicMs });

/** Counts events as the recorder does, and returns the note and the count of the series, or `new`. */
function bookkeeper() {
  const book = new SeriesBook<Series & { note: string }>();
  return {
    record(topic: string, note: string, nowMs: number): string {
      const found = book.count(topic, note, at(nowMs));
      if (found === undefined) book.add(topic, note, { note, count: 1, last: at(nowMs) });
      return found === undefined ? 'new' : `${found.note} ${found.count}`;
    },
  };
}

describe('the series of an event', () => {
  it('is that of the same note, for half an hour after the last repeat', () => {
    const { record } = bookkeeper();
    const halfAnHourMs = 30 * MINUTE_MS;
    assert.equal(record('topic', 'a', 0), 'new');
    assert.equal(record('topic', 'a', halfAnHourMs - 1), 'a 2');
    assert.equal(record('topic', 'a', 2 * halfAnHourMs - 2), 'a 3');
    assert.equal(record('topic', 'a', 3 * halfAnHourMs - 2), 'new');
    assert.equal(record('another', 'a', 3 * halfAnHourMs), 'new');
  });

  it('is the latest of its topic when there are more than five notes, and one more each minute', () => {
    const { record } = bookkeeper();
    for (const note of 'abcde') assert.equal(record('topic', note, 0), 'new');
    assert.equal(record('topic', 'f', 0), 'e 2');
    assert.equal(record('another', 'f', 0), 'new');
    assert.equal(record('topic', 'g', MINUTE_MS - 1), 'e 3');
    assert.equal(record('topic', 'g', MINUTE_MS), 'new');
    assert.equal(record('topic', 'h', MINUTE_MS), 'g 2');
    assert.equal(record('topic', 'a', MINUTE_MS), 'a 2', 'a repeat has no limit');
    const later = 61 * MINUTE_MS;
    for (const note of 'mnopq') assert.equal(record('topic', note, later), 'new');
    assert.equal(record('topic', 'r', later), 'q 2', 'a quiet hour saves no more than five');
  });

  it('is never more than five and the minutes since the start, whatever the notes', () => {
    const event = fc.tuple(fc.nat({ max: 100_000 }), fc.string({ maxLength: 2 }));
    fc.assert(
      fc.property(fc.array(event, { size: 'max', maxLength: 100 }), (events) => {
        const { record } = bookkeeper();
        let nowMs = 0;
        let series = 0;
        for (const [pauseMs, note] of events) {
          nowMs += pauseMs;
          if (record('topic', note, nowMs) === 'new') series++;
          assert.ok(series <= 5 + nowMs / MINUTE_MS, `${series} after ${nowMs} ms`);
        }
      }),
    );
  });

  it('is forgotten, the oldest first, when there are more than 5000', () => {
    const book = new SeriesBook<Series>();
    const first = { count: 1, last: at(0) };
    assert.deepEqual(book.add('topic 0', 'a', first), []);
    for (let i = 1; i < 5_000; i++) assert.deepEqual(book.add(`topic ${i}`, 'a', { count: 1, last: at(0) }), []);
    assert.deepEqual(book.add('topic 5000', 'a', { count: 1, last: at(0) }), [first]);
    assert.equal(book.count('topic 0', 'a', at(0)), undefined);
    assert.equal(book.count('topic 1', 'a', at(0))?.count, 2);
  });
});
