import assert from 'node:assert/strict';
import fc from 'fast-check';
import { labelKey } from '../../../src/wire/label-hash.ts';
import { SampleColumns } from '../../../src/wire/sample-columns.ts';
import { WriteBatch } from '../../../src/wire/requests/write-batch.ts';
import {
  bisectWriteRequest,
  summarizeWriteRequest,
  withoutSamples,
  writeRequestSeries,
} from '../../../src/wire/requests/write-request.ts';
import { notableBits } from '../support/float-bits.ts';
import { decodeMessage, encodeMessage } from '../support/oracle.ts';
import {
  columnsOf,
  floatBatch,
  histogramMessages,
  labelSets,
  samples,
  timeSeriesOf,
  up,
} from '../support/write-requests.ts';

/** Every (labels, time, kind) of a request, in order. */
function contentOf(bytes: Uint8Array): string[] {
  return timeSeriesOf(bytes).flatMap(({ labels, samples: floats, histograms }) => [
    ...floats.map(({ timestamp, value }) => `${JSON.stringify(labels)} ${timestamp} ${value}`),
    ...histograms.map((histogram) => `${JSON.stringify(labels)} ${JSON.stringify(histogram)}`),
  ]);
}

const requests = fc
  .array(fc.tuple(labelSets, fc.option(samples, { nil: [] }), fc.option(histogramMessages, { nil: [] })), {
    maxLength: 6,
  })
  .map((series) => {
    const batch = new WriteBatch(100);
    for (const [labels, floats, histograms] of series) {
      const columns = columnsOf(floats);
      for (const { timestamp, message } of histograms) columns.addHistogram(timestamp, message);
      batch.appendFloats(labels, columns, 0, columns.floats);
      batch.appendHistograms(labels, columns, 0, histograms.length);
    }
    return batch;
  });

describe('bisectWriteRequest', () => {
  it('keeps every sample exactly once, in order, down to single samples', () => {
    fc.assert(
      fc.property(requests, (batch) => {
        const leaves: string[] = [];
        const descend = (bytes: Uint8Array): void => {
          const halves = bisectWriteRequest(bytes);
          if (halves === undefined) {
            const content = contentOf(bytes);
            assert.ok(content.length <= 1);
            leaves.push(...content);
            return;
          }
          for (const half of halves) {
            assert.ok(summarizeWriteRequest(half).samples < summarizeWriteRequest(bytes).samples);
            descend(half);
          }
        };
        descend(batch.request());
        assert.deepEqual(leaves, contentOf(batch.request()));
        assert.equal(leaves.length, batch.samples);
      }),
    );
  });

  it('bisects by series first, then by samples', () => {
    const batch = new WriteBatch(0);
    const columns = columnsOf([1, 2, 3, 4].map((timeMs) => ({ timeMs, bits: 1n })));
    for (let count = 0; count < 4; count++) batch.appendFloats(up, columns, 0, 4);
    const halves = bisectWriteRequest(batch.request());
    assert.deepEqual(
      halves?.map((half) => timeSeriesOf(half).length),
      [2, 2],
    );
    const one = new WriteBatch(0);
    one.appendFloats(up, columns, 0, 4);
    assert.deepEqual(
      bisectWriteRequest(one.request())?.map((half) => [...writeRequestSeries(half)].map(({ timesMs }) => timesMs)),
      [[[1, 2]], [[3, 4]]],
    );
  });

  it('keeps the bits of values when it splits a series', () => {
    const list = notableBits.map((bits, index) => ({ timeMs: 1_700_000_000_000 + index, bits }));
    const middle = list.length >>> 1;
    assert.deepEqual(
      bisectWriteRequest(floatBatch(up, list).request())?.map((half) => Buffer.from(half)),
      [list.slice(0, middle), list.slice(middle)].map((half) => Buffer.from(floatBatch(up, half).request())),
    );
  });

  it('returns no halves for a single sample, a single histogram, or nothing', () => {
    const batch = new WriteBatch(0);
    assert.equal(bisectWriteRequest(batch.request()), undefined);
    batch.appendSample(up, 1, 1);
    assert.equal(bisectWriteRequest(batch.request()), undefined);
    batch.clear();
    const columns = new SampleColumns();
    columns.addHistogram(1, encodeMessage('Histogram', { timestamp: 1 }));
    batch.appendHistograms(up, columns, 0, 1);
    assert.equal(bisectWriteRequest(batch.request()), undefined);
  });

  it('rejects bytes that are not a message', () => {
    assert.throws(() => bisectWriteRequest(Uint8Array.of(0x0a, 5, 1)), { name: 'WireError', code: 'truncated' });
  });
});

describe('summarizeWriteRequest and writeRequestSeries', () => {
  it('return what the batch contains', () => {
    fc.assert(
      fc.property(requests, (batch) => {
        const oracle = timeSeriesOf(batch.request());
        const found = [...writeRequestSeries(batch.request())];
        assert.deepEqual(
          found.map(({ timesMs }) => timesMs),
          oracle.map((series) => [...series.samples, ...series.histograms].map(({ timestamp }) => timestamp)),
        );
        assert.deepEqual(
          found.map(({ labels }) => decodeMessage('TimeSeries', labels)['labels']),
          oracle.map(({ labels }) => labels),
        );
        const summary = summarizeWriteRequest(batch.request());
        assert.equal(summary.samples, batch.samples);
        assert.equal(summary.firstTimeMs, found[0]?.timesMs[0] ?? Number.NaN);
        assert.deepEqual(Buffer.from(summary.firstLabels), Buffer.from(found[0]?.labels ?? []));
      }),
    );
  });

  it('return labels that outlive the batch', () => {
    const batch = floatBatch(up, [{ timeMs: 7, bits: 1n }]);
    const summary = summarizeWriteRequest(batch.request());
    batch.request().fill(0);
    assert.deepEqual(Buffer.from(summary.firstLabels), Buffer.from(up));
  });

  it('reject bytes that are not a message', () => {
    const bytes = floatBatch(up, [{ timeMs: 7, bits: 1n }]).request();
    const cut = bytes.subarray(0, bytes.length - 1);
    assert.throws(() => summarizeWriteRequest(cut), { name: 'WireError', code: 'truncated' });
    assert.throws(() => [...writeRequestSeries(cut)], { name: 'WireError', code: 'truncated' });
  });
});

describe('withoutSamples', () => {
  it('removes the given times of a series, and nothing else', () => {
    fc.assert(
      fc.property(requests, fc.infiniteStream(fc.boolean()), (batch, coins) => {
        const bytes = batch.request();
        const before = [...writeRequestSeries(bytes)].map(
          ({ labels, timesMs }) => [labelKey(labels), timesMs] as const,
        );
        const chosen = new Map<string, Set<number>>();
        for (const [key, timesMs] of before) {
          const times = chosen.get(key) ?? new Set();
          chosen.set(key, times);
          for (const timeMs of timesMs) if (coins.next().value) times.add(timeMs);
        }
        const left = withoutSamples(bytes, (labels) => chosen.get(labelKey(labels)));
        assert.deepEqual(
          [...writeRequestSeries(left)].map(({ labels, timesMs }) => [labelKey(labels), timesMs]),
          before
            .map(([key, timesMs]) => [key, timesMs.filter((timeMs) => !chosen.get(key)?.has(timeMs))] as const)
            .filter(([, timesMs]) => timesMs.length > 0),
        );
      }),
    );
  });

  it('returns the same bytes when there is nothing to remove', () => {
    const bytes = floatBatch(up, [{ timeMs: 7, bits: 1n }]).request();
    assert.equal(
      withoutSamples(bytes, () => [8]),
      bytes,
    );
    assert.equal(
      withoutSamples(bytes, () => undefined),
      bytes,
    );
  });

  it('preserves the bits of the remaining samples', () => {
    const list = [
      { timeMs: 7, bits: 0x7ff0000000000002n },
      { timeMs: 8, bits: 1n },
    ];
    const left = withoutSamples(floatBatch(up, list).request(), () => [8]);
    assert.deepEqual(Buffer.from(left), Buffer.from(floatBatch(up, list.slice(0, 1)).request()));
  });

  it('rejects bytes that are not a message', () => {
    assert.throws(() => withoutSamples(Uint8Array.of(0x0a, 5, 1), () => undefined), { name: 'WireError' });
  });
});
