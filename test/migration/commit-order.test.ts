import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { DeliveryWindow, OutgoingRequest } from '../../src/migration/write/attempt.ts';
import { type LaneDelivery, Lanes } from '../../src/migration/write/lanes.ts';
import { type CommitRank, FLOAT_RANK, histogramCommitRank } from '../../src/wire/requests/commit-rank.ts';
import { encodeLabels } from '../../src/wire/labels.ts';
import { SampleColumns } from '../../src/wire/sample-columns.ts';
import { decodeMessage, encodeMessage } from '../wire/support/oracle.ts';

type Kind = 'float' | 'integer' | 'custom' | 'float-histogram' | 'stale' | 'stale-float';
const kinds: readonly Kind[] = ['float', 'integer', 'custom', 'float-histogram', 'stale', 'stale-float'];

function histogram(kind: Kind, timeMs: number): Uint8Array {
  const float = kind === 'float-histogram' || kind === 'stale-float';
  const count = kind.startsWith('stale') ? 0 : 7;
  const bytes = encodeMessage('Histogram', {
    ...(float ? { countFloat: count } : { countInt: count }),
    sum: 1.5,
    schema: kind === 'custom' ? -53 : 0,
    timestamp: timeMs,
  });
  if (kind.startsWith('stale')) bytes.set([0x02, 0, 0, 0, 0, 0, 0xf0, 0x7f], bytes.indexOf(0x19) + 1);
  return bytes;
}

const ranks = new Map(
  kinds.map((kind) => [kind, kind === 'float' ? FLOAT_RANK : histogramCommitRank(histogram(kind, 0))]),
);

/** The samples of one series, one per millisecond from `fromMs`. */
function columnsOf(series: readonly Kind[], fromMs: number): SampleColumns {
  const columns = new SampleColumns();
  series.forEach((kind, i) => {
    if (kind === 'float') columns.addFloat(fromMs + i, i, 0x3ff00000);
    else columns.addHistogram(fromMs + i, histogram(kind, fromMs + i));
  });
  return columns;
}

interface Sent {
  series: number;
  timeMs: number;
}

interface WriteRequest {
  timeseries: { labels: { value: string }[]; samples: { timestamp: number }[]; histograms: { timestamp: number }[] }[];
}

/** The contents of each request, in the order of delivery. Each series is added this many times, a second apart. */
async function deliver(
  series: readonly (readonly Kind[])[],
  { maxBatchSamples = 1000, lanes: laneCount = 1, times = 1 },
): Promise<Sent[][]> {
  const requests: Sent[][] = [];
  const delivery = {
    limits: { maxBytes: 1_000_000, maxSamples: maxBatchSamples },
    conclude: () => Promise.resolve(),
    async deliver(outgoing: OutgoingRequest) {
      const copy = outgoing.body().slice();
      const { timeseries } = decodeMessage('WriteRequest', outgoing.request()) as unknown as WriteRequest;
      const sent = timeseries.map(({ labels, samples, histograms }) =>
        [...samples, ...histograms].map(({ timestamp }) => ({ series: Number(labels[0]?.value), timeMs: timestamp })),
      );
      requests.push(sent.flat());
      await new Promise((resolve) => setImmediate(resolve));
      assert.deepEqual(outgoing.body(), copy, 'a request does not change while it is on its way');
    },
  };
  const never = new AbortController().signal;
  const window = {} as DeliveryWindow;
  const lanes = new Lanes(laneCount, {
    delivery: delivery as unknown as LaneDelivery,
    signal: never,
    onFailure: (error) => assert.fail(String(error)),
  });
  for (let time = 0; time < times; time++) {
    for (const [index, samples] of series.entries()) {
      const labels = encodeLabels([['__name__', String(index)]]);
      await lanes.add(index, labels, columnsOf(samples, time * 1000), window);
    }
  }
  await (await lanes.flush(window)).acknowledged;
  return requests;
}

function assertRanksDoNotFall(request: readonly Sent[], series: readonly (readonly Kind[])[]): void {
  const reached = new Map<number, number>();
  for (const { series: index, timeMs } of request) {
    const { first, last } = ranks.get(series[index]?.[timeMs % 1000] ?? 'float') as CommitRank;
    assert.ok(first >= (reached.get(index) ?? 0), `the ranks of series ${index} fall within a request`);
    reached.set(index, last);
  }
}

describe('lanes to a Prometheus, which commits the samples of a request by type', () => {
  it('put samples that would be committed before earlier ones into the next request', async () => {
    const requests = await deliver([['float-histogram', 'float-histogram', 'stale-float', 'float-histogram']], {});
    const times = requests.map((request) => request.map(({ timeMs }) => timeMs));
    assert.deepEqual(times, [
      [0, 1],
      [2, 3],
    ]);
  });

  it('keep samples that are committed in time order in one request', async () => {
    assert.equal((await deliver([['float', 'integer', 'stale', 'custom', 'float-histogram']], {})).length, 1);
    assert.equal((await deliver([['float', 'float', 'integer', 'integer', 'custom']], {})).length, 1);
  });

  it('need one additional request in total for the series that end, not one each', async () => {
    const series = Array.from({ length: 50 }, (): Kind[] => ['custom', 'custom', 'stale']);
    assert.equal((await deliver(series, {})).length, 2);
  });

  it('deliver every sample once, each series in time order, and each request in type order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.constantFrom(...kinds), { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 6 }),
        fc.record({
          maxBatchSamples: fc.integer({ min: 1, max: 20 }),
          lanes: fc.integer({ min: 1, max: 3 }),
          times: fc.integer({ min: 1, max: 3 }),
        }),
        async (series, limits) => {
          const requests = await deliver(series, limits);
          for (const [index, samples] of series.entries()) {
            const expected = Array.from({ length: limits.times }, (_, time) => samples.map((_, i) => time * 1000 + i));
            const sent = requests.flat().filter((sample) => sample.series === index);
            assert.deepEqual(
              sent.map(({ timeMs }) => timeMs),
              expected.flat(),
            );
          }
          for (const request of requests) assertRanksDoNotFall(request, series);
        },
      ),
      { numRuns: 300 },
    );
  });
});
