import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { DeliveryWindow, OutgoingRequest } from '../../../src/migration/write/attempt.ts';
import { Lanes } from '../../../src/migration/write/lanes.ts';
import { encodeLabels } from '../../../src/wire/labels.ts';
import { hashLabels } from '../../../src/wire/label-hash.ts';
import { SampleColumns } from '../../../src/wire/sample-columns.ts';
import { decodeWriteRequest, keyOf, type Series } from '../support/remote-messages.ts';

const never = new AbortController().signal;
const window = {} as DeliveryWindow;
const fail = (error: unknown) => assert.fail(String(error));

/** Records the requests, takes some time for each, and checks that a lane has one request in flight. */
class FakeDelivery {
  readonly limits: { maxSamples: number; maxBytes: number };
  readonly requests: Series[][] = [];
  inFlight = 0;
  mostInFlight = 0;
  readonly #seriesInFlight = new Set<string>();

  constructor(maxBatchSamples: number) {
    this.limits = { maxSamples: maxBatchSamples, maxBytes: 100_000 };
  }

  conclude(): Promise<void> {
    return Promise.resolve();
  }

  async deliver(outgoing: OutgoingRequest): Promise<void> {
    const series = decodeWriteRequest(outgoing.body());
    const keys = new Set(series.map(({ labels }) => keyOf(labels)));
    for (const key of keys) {
      assert.ok(!this.#seriesInFlight.has(key), 'a series is in one request at a time');
      this.#seriesInFlight.add(key);
    }
    this.requests.push(series);
    this.mostInFlight = Math.max(this.mostInFlight, ++this.inFlight);
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.inFlight--;
    for (const key of keys) this.#seriesInFlight.delete(key);
  }
}

function histogram(timeMs: number): Uint8Array {
  const bytes = [0x08, 3, 0x78];
  let rest = timeMs;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Uint8Array.from([...bytes, rest]);
}

const seriesArbitrary = fc.array(
  fc.record(
    { name: fc.constantFrom('a', 'b', 'c', 'd', 'e'), kinds: fc.array(fc.boolean(), { maxLength: 30 }) },
    { noNullPrototype: true },
  ),
  { maxLength: 12 },
);

describe('the lanes', () => {
  it('send a series with large labels, or a large histogram, by itself, and continue when it has arrived', async () => {
    const delivery = new FakeDelivery(1000);
    const lanes = new Lanes(4, { delivery, signal: never, onFailure: fail });
    const columns = new SampleColumns();
    const add = async (name: string, value: string, histogramBytes = 0) => {
      const labels = encodeLabels([
        ['__name__', name],
        ['v', value],
      ]);
      columns.clear();
      if (histogramBytes === 0) columns.addFloat(1, 1, 0);
      else
        columns.addHistogram(1, Uint8Array.from([...histogram(1), 0x62, 0xf0, 0xa2, 0x04, ...new Uint8Array(70_000)]));
      await lanes.add(hashLabels(labels), labels, columns, window);
    };
    const large = 'x'.repeat(100_000);
    for (let i = 0; i < 20; i++) {
      await add(`small${i}`, 'v');
      await add(`large${i}`, large);
      assert.equal(delivery.inFlight, 0, 'it is waited for');
    }
    await add('histogram', 'v', 70_000);
    assert.equal(delivery.inFlight, 0);
    await (await lanes.flush(window)).acknowledged;
    const sent = delivery.requests.flat().map(({ labels }) => labels.find(([name]) => name === '__name__')?.[1]);
    assert.deepEqual(sent.toSorted(), [
      'histogram',
      ...Array.from({ length: 20 }, (_, i) => `large${i}`).toSorted(),
      ...Array.from({ length: 20 }, (_, i) => `small${i}`).toSorted(),
    ]);
    const largeInOne = delivery.requests.map(
      (series) => series.filter(({ labels }) => labels[1]?.[1] === large).length,
    );
    assert.ok(Math.max(...largeInOne) === 1);
  });

  it('split runs of histograms by their bytes too', async () => {
    const delivery = new FakeDelivery(1000);
    const lanes = new Lanes(1, { delivery, signal: never, onFailure: fail });
    const labels = encodeLabels([['__name__', 'h']]);
    const columns = new SampleColumns();
    for (let timeMs = 1; timeMs <= 64; timeMs++)
      columns.addHistogram(
        timeMs,
        Uint8Array.from([...histogram(timeMs), 0x62, 0xa0, 0x9c, 0x01, ...new Uint8Array(20_000)]),
      );
    await lanes.add(1, labels, columns, window);
    await (await lanes.flush(window)).acknowledged;
    assert.ok(delivery.requests.length > 5, `${delivery.requests.length} requests`);
    assert.equal(delivery.requests.flat().flatMap(({ histograms = [] }) => histograms).length, 64);
  });

  it('deliver every sample once, each series in time order, with one request per lane in flight', async () => {
    await fc.assert(
      fc.asyncProperty(
        seriesArbitrary,
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 12 }),
        async (adds, count, most) => {
          const delivery = new FakeDelivery(most);
          const lanes = new Lanes(count, { delivery, signal: never, onFailure: fail });
          const due = new Map<string, number[]>();
          const columns = new SampleColumns();
          for (const { name, kinds } of adds) {
            const times = due.get(name) ?? [];
            due.set(name, times);
            columns.clear();
            for (const isFloat of kinds) {
              const timeMs = (times.at(-1) ?? 0) + 1;
              times.push(timeMs);
              if (isFloat) columns.addFloat(timeMs, timeMs, 0);
              else columns.addHistogram(timeMs, histogram(timeMs));
            }
            const labels = encodeLabels([['__name__', name]]);
            await lanes.add(hashLabels(labels), labels, columns, window);
          }
          await (await lanes.flush(window)).acknowledged;
          assert.equal(delivery.inFlight, 0, 'the barrier');
          assert.ok(delivery.mostInFlight <= count);
          const sent = new Map<string, number[]>();
          for (const request of delivery.requests) {
            let samples = 0;
            const within = new Map<string, number[]>();
            const withHistogram = new Set<string>();
            for (const { labels, samples: floats, histograms = [] } of request) {
              const name = labels[0]![1];
              assert.ok(
                floats.length === 0 || !withHistogram.has(name),
                'Prometheus commits the floats of a request first',
              );
              if (histograms.length > 0) withHistogram.add(name);
              samples += floats.length + histograms.length;
              const times = [...floats, ...histograms].map(({ timeMs }) => timeMs);
              within.set(name, [...(within.get(name) ?? []), ...times]);
            }
            assert.ok(samples <= most, `${samples} samples in a request`);
            for (const [name, times] of within) sent.set(name, [...(sent.get(name) ?? []), ...times]);
          }
          for (const [name, times] of due) assert.deepEqual(sent.get(name) ?? [], times);
        },
      ),
    );
  });

  it('work in parallel', async () => {
    const delivery = new FakeDelivery(5);
    const lanes = new Lanes(4, { delivery, signal: never, onFailure: fail });
    const columns = new SampleColumns();
    for (let i = 0; i < 20; i++) columns.addFloat(i, i, 0);
    for (let i = 0; i < 40; i++) {
      const labels = encodeLabels([['__name__', `m${i}`]]);
      await lanes.add(hashLabels(labels), labels, columns, window);
    }
    await (await lanes.flush(window)).acknowledged;
    assert.equal(delivery.mostInFlight, 4);
  });

  it('report a failure immediately and throw it at the barrier', async () => {
    const error = new Error('refused');
    const told: unknown[] = [];
    const delivery = {
      limits: { maxSamples: 1, maxBytes: 1000 },
      deliver: () => Promise.reject(error),
      conclude: () => Promise.resolve(),
    };
    const lanes = new Lanes(1, { delivery, signal: never, onFailure: (one) => told.push(one) });
    const columns = new SampleColumns();
    columns.addFloat(1, 1, 0);
    const labels = encodeLabels([['__name__', 'm']]);
    await lanes.add(0, labels, columns, window);
    const { acknowledged } = await lanes.flush(window);
    await assert.rejects(acknowledged, (caught) => caught === error);
    assert.deepEqual(told, [error]);
  });
});
