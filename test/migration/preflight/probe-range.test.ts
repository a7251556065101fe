// Windows that are too large, take too long or are refused, and the number of distinct series over several windows.

import assert from 'node:assert/strict';
import { type ProbeOptions, probeRange } from '../../../src/migration/preflight/probe-range.ts';
import { SeriesSketch } from '../../../src/migration/preflight/series-sketch.ts';
import { DoesNotFit } from '../../../src/remote/does-not-fit.ts';
import { RemoteError } from '../../../src/remote/meaning/remote-error.ts';
import { epochMs } from '../support/plan.ts';
import { DAY_MS, HOUR_MS, ShapedSource } from './shaped-source.ts';

const SERIES = [{ phaseMs: 7, intervalMs: 1000 }];
const RANGE = { startMs: epochMs, endMs: epochMs + 10 * DAY_MS };

function optionsOf(source: ShapedSource, changes: Partial<ProbeOptions> = {}): ProbeOptions {
  const { clock, read } = source;
  return { ...RANGE, clock, read, random: () => 0.3, signal: new AbortController().signal, ...changes };
}

function refusal(kind: 'refused' | 'too-large'): RemoteError {
  return new RemoteError({
    class: kind,
    code: kind === 'refused' ? 'forbidden' : 'series-limit',
    side: 'source',
    what: kind,
  });
}

describe('the probed windows', () => {
  it('do not overlap, and are those of the range', async () => {
    const source = new ShapedSource(SERIES, 1_000_000);
    const { windows } = await probeRange(optionsOf(source));
    assert.ok(windows.length >= 18);
    for (const [index, window] of windows.entries()) {
      assert.ok(window.fromMs >= RANGE.startMs && window.toMs <= RANGE.endMs && window.fromMs < window.toMs);
      assert.ok(window.fromMs >= (windows[index - 1]?.toMs ?? 0));
    }
  });

  it('are at most as long as the caller says', async () => {
    const source = new ShapedSource(SERIES, 1_000_000);
    const { windows } = await probeRange(optionsOf(source, { longestMs: HOUR_MS }));
    assert.ok(windows.every(({ fromMs, toMs }) => toMs - fromMs <= HOUR_MS));
  });

  for (const rangeMs of [1, 1000, 59_999, 61_000]) {
    it(`fit into a range of ${rangeMs} ms`, async () => {
      const source = new ShapedSource(SERIES, 1_000_000);
      const { windows } = await probeRange(optionsOf(source, { endMs: epochMs + rangeMs }));
      assert.ok(windows.length > 0);
      assert.ok(windows.every(({ fromMs, toMs }) => fromMs >= epochMs && toMs <= epochMs + rangeMs));
    });
  }

  for (const [name, error] of [
    ['memory', new DoesNotFit('needs more')],
    ['a limit of the source', refusal('too-large')],
  ] as const) {
    it(`become shorter at ${name}`, async () => {
      const source = new ShapedSource(SERIES, 1_000_000);
      const read: ProbeOptions['read'] = async (fromMs, toMs) => {
        if (toMs - fromMs > 2 * HOUR_MS) throw error;
        return await source.read(fromMs, toMs);
      };
      const { windows, tooLarge } = await probeRange(optionsOf(source, { read }));
      assert.ok(windows.length >= 4, `${windows.length}`);
      assert.deepEqual(tooLarge, []);
    });

    it(`are left out if the shortest exceeds ${name}`, async () => {
      const source = new ShapedSource(SERIES, 1_000_000);
      let reads = 0;
      const read: ProbeOptions['read'] = async () => {
        reads++;
        throw error;
      };
      const { windows, tooLarge } = await probeRange(optionsOf(source, { read }));
      assert.deepEqual(windows, []);
      assert.ok(tooLarge.length > 0 && tooLarge[0]?.reason.includes(error.message));
      assert.ok(reads <= 24);
    });
  }

  it('end with a refusal', async () => {
    const source = new ShapedSource(SERIES, 1_000_000);
    await assert.rejects(
      probeRange(optionsOf(source, { read: () => Promise.reject(refusal('refused')) })),
      /source refused/,
    );
  });

  it('end with the signal', async () => {
    const source = new ShapedSource(SERIES, 1_000_000);
    const abort = new AbortController();
    const read: ProbeOptions['read'] = async (fromMs, toMs) => {
      if (source.reads.length === 3) {
        abort.abort(new Error('over'));
        throw refusal('too-large');
      }
      return await source.read(fromMs, toMs);
    };
    await assert.rejects(probeRange(optionsOf(source, { read, signal: abort.signal })), /over/);
  });
});

describe('the number of distinct series', () => {
  it('is exact as long as all of them are kept', () => {
    const sketch = new SeriesSketch(100);
    for (const window of [0, 1, 2]) for (let series = window * 10; series < 50; series++) sketch.add(series, window);
    sketch.add(49, 2);
    assert.deepEqual(sketch.counts(), { seen: 50, once: 10, twice: 10, isExact: true });
  });

  it('is near the truth when only some are kept', () => {
    const sketch = new SeriesSketch(4096);
    for (const window of [0, 1])
      for (let series = window * 50_000; series < 150_000; series++) sketch.add(series * 7919, window);
    const { seen, once, twice, isExact } = sketch.counts();
    assert.equal(isExact, false);
    for (const [value, truth] of [
      [seen, 150_000],
      [once, 50_000],
      [twice, 100_000],
    ] as const)
      assert.ok(Math.abs(value / truth - 1) < 0.1, `${value} of ${truth}`);
  });
});
