// Both sides are read by remote_read, and their responses are compared in parts: up to the labels at which the source's response was cut.

import assert from 'node:assert/strict';
import { type FakeSource, startSource } from '../support/fake-source.ts';
import { epochMs, hourMs, minuteMs, planFor } from '../support/plan.ts';
import type { ReadQuery, Series } from '../support/remote-messages.ts';
import { verifyRun } from '../support/verify-run.ts';

const endMs = epochMs + 2 * hourMs;
const stepMs = 30_000;
const perSeries = (2 * hourMs) / stepMs;
const count = 640;
const memoryBytes = 4 * 1024 * 1024;

/** In the order in which Prometheus would send them; their values fill the memory of a side several times. */
const series: readonly Series[] = Array.from({ length: count }, (_, i) => ({
  labels: [
    ['__name__', `metric_${String(Math.floor(i / 10)).padStart(3, '0')}`],
    ['instance', `host-${i % 10}`],
  ],
  samples: Array.from({ length: perSeries }, (__, k) => ({
    timeMs: epochMs + k * stepMs,
    bits: (BigInt(i + 1) * 0x9e37_79b9_7f4a_7c15n * BigInt(k + 1)) & 0x7fef_ffff_ffff_ffffn,
  })),
}));

const isWindow = ({ startMs, endMs: lastMs, matchers }: ReadQuery) =>
  lastMs - startMs >= 30 * minuteMs && matchers.some(({ kind, name }) => kind === '!=' && name === '__name__');

async function compared(
  stored: readonly Series[],
  prepare: (source: FakeSource, destination: FakeSource) => void = () => undefined,
  sent = series,
) {
  await using source = await startSource(sent);
  await using destination = await startSource(stored);
  prepare(source, destination);
  const urls = { readUrl: destination.readUrl, writeUrl: 'http://127.0.0.1:9/write', queryUrl: 'http://127.0.0.1:9' };
  const plan = planFor(
    { source, destination: urls },
    { endMs, window: { maxMs: 2 * hourMs }, limits: { memoryBytes } },
  );
  const { error, verification, observer } = await verifyRun(plan);
  const windows = observer.all('range-compared').map(({ fromMs, toMs }) => (toMs - fromMs) / hourMs);
  const reads = [source, destination].map(({ queries }) => queries.filter(isWindow).length);
  return { error, verification, windows, reads };
}

const counts = ({
  equal,
  missing,
  extra,
  different,
  samplesCompared,
}: Awaited<ReturnType<typeof compared>>['verification']) => ({
  equal,
  missing,
  extra,
  different,
  samplesCompared,
});
const all = count * perSeries;

describe('a comparison of two streams in parts', () => {
  it('reads each window once, although it is larger than the memory', async () => {
    const { error, verification, windows, reads } = await compared(series);
    assert.equal(error, undefined, error?.message ?? '');
    assert.deepEqual(counts(verification), { equal: all, missing: 0, extra: 0, different: 0, samplesCompared: all });
    assert.deepEqual(windows, [2]);
    assert.deepEqual(reads, [1, 1]);
  });

  it('finds what is missing at the beginning, in the middle, at the end, and everywhere', async () => {
    for (const missing of [[0], [1, 300, 301], [count - 1], series.map((_, i) => i)]) {
      const lost = new Set(missing);
      const { verification } = await compared(series.filter((_, i) => !lost.has(i)));
      assert.equal(verification.missing, missing.length * perSeries, `${missing.length} series`);
      assert.equal(verification.equal, all - verification.missing);
    }
  });

  it('finds what only the destination has: before, between and behind the series of the source', async () => {
    const [first] = series;
    const extra = ['a', 'metric_007a', 'zz'].map((name) => ({
      labels: [['__name__', name]] as const,
      samples: first!.samples,
    }));
    const stored = [extra[0]!, ...series.slice(0, 80), extra[1]!, ...series.slice(80), extra[2]!];
    const { verification } = await compared(stored);
    assert.deepEqual(counts(verification), {
      equal: all,
      missing: 0,
      extra: 3 * perSeries,
      different: 0,
      samplesCompared: all,
    });
  });

  it('reads responses as a whole if the sides sort their series differently', async () => {
    for (const [sent, stored] of [
      [series, series.toReversed()],
      [series.toReversed(), series],
    ] as const) {
      const { error, verification, windows } = await compared(stored, undefined, sent);
      assert.equal(error, undefined, error?.message ?? '');
      assert.deepEqual(counts(verification), { equal: all, missing: 0, extra: 0, different: 0, samplesCompared: all });
      assert.ok(
        windows.every((hours) => hours < 2),
        `${windows.join(' ')} hours`,
      );
    }
  });

  it('reads responses as a whole if the destination sends SAMPLES', async () => {
    const { error, verification } = await compared(series, (_, destination) => {
      destination.samplesOnly = true;
    });
    assert.equal(error, undefined, error?.message ?? '');
    assert.deepEqual([verification.equal, verification.missing, verification.extra], [all, 0, 0]);
  });

  for (const side of ['source', 'destination'] as const) {
    it(`counts every sample once if the response of the ${side} breaks off`, async () => {
      const cut = new Set<number>();
      const { error, verification } = await compared(series, (source, destination) => {
        const broken = side === 'source' ? source : destination;
        broken.onQuery = (query) => {
          if (!isWindow(query) || cut.has(query.startMs)) return undefined;
          cut.add(query.startMs);
          const { length } = broken.response(query).body;
          return { cutAfterBytes: Math.floor(0.7 * length) };
        };
      });
      assert.equal(error, undefined, error?.message ?? '');
      assert.ok(cut.size >= 1);
      assert.deepEqual(counts(verification), { equal: all, missing: 0, extra: 0, different: 0, samplesCompared: all });
    });
  }
});
