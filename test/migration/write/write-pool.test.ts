import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { DeliveryWindow, OutgoingRequest } from '../../../src/migration/write/attempt.ts';
import { WritePool } from '../../../src/migration/write/write-pool.ts';
import { encodeLabels } from '../../../src/wire/labels.ts';
import { hashLabels } from '../../../src/wire/label-hash.ts';
import { SampleColumns } from '../../../src/wire/sample-columns.ts';
import { decodeWriteRequest, keyOf, type Series } from '../support/remote-messages.ts';

const never = new AbortController().signal;
const window = {} as DeliveryWindow;
const clock = { monotonicMs: () => performance.now() };
const fail = (error: unknown) => assert.fail(String(error));
const MEMORY_BYTES = 16 * 1024 * 1024;

/** Takes a different time for each request, so that later ones arrive first. */
class FakeDelivery {
  readonly limits: { maxSamples: number; maxBytes: number };
  /** In the order of arrival. */
  readonly arrived: Series[][] = [];
  readonly #turns: () => number;
  inFlight = 0;
  mostInFlight = 0;
  /** Requests that contain native histograms of a series, by series. */
  readonly #ordered = new Set<string>();
  concluded = 0;

  constructor(maxSamples: number, turns: () => number = () => 1) {
    this.limits = { maxSamples, maxBytes: 1_000_000 };
    this.#turns = turns;
  }

  conclude(): Promise<void> {
    this.concluded++;
    return Promise.resolve();
  }

  async deliver(outgoing: OutgoingRequest): Promise<void> {
    const series = decodeWriteRequest(outgoing.body());
    const copy = outgoing.body().slice();
    const withHistograms = new Set(
      series.filter(({ histograms = [] }) => histograms.length > 0).map(({ labels }) => keyOf(labels)),
    );
    for (const key of withHistograms) {
      assert.ok(!this.#ordered.has(key), 'the histograms of a series are in one request at a time');
      this.#ordered.add(key);
    }
    this.mostInFlight = Math.max(this.mostInFlight, ++this.inFlight);
    for (let turn = this.#turns(); turn > 0; turn--) await new Promise<void>((resolve) => setImmediate(resolve));
    this.inFlight--;
    assert.deepEqual(outgoing.body(), copy, 'a request does not change while it is on its way');
    for (const key of withHistograms) this.#ordered.delete(key);
    this.arrived.push(series);
  }
}

function poolOf(delivery: FakeDelivery, { most = 8, memoryBytes = MEMORY_BYTES } = {}): WritePool {
  return new WritePool({ delivery, signal: never, onFailure: fail, most, memoryBytes, clock });
}

function histogram(timeMs: number): Uint8Array {
  const bytes = [0x08, 3, 0x78];
  let rest = timeMs;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Uint8Array.from([...bytes, rest]);
}

const windowsArbitrary = fc.array(
  fc.array(
    fc.record(
      {
        name: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
        kinds: fc.array(fc.boolean(), { minLength: 1, maxLength: 30 }),
      },
      { noNullPrototype: true },
    ),
    { maxLength: 12 },
  ),
  { minLength: 1, maxLength: 4 },
);

describe('the pool of writes', () => {
  it('delivers every sample once, and the histograms of a series in order', async () => {
    await fc.assert(
      fc.asyncProperty(
        windowsArbitrary,
        fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 20 }),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 6 }),
        async (windows, delays, maxSamples, most) => {
          let turn = 0;
          const delivery = new FakeDelivery(maxSamples, () => delays[turn++ % delays.length] as number);
          const pool = poolOf(delivery, { most });
          const due = new Map<string, { times: number[]; histograms: number[] }>();
          const columns = new SampleColumns();
          let timeMs = 0;
          const barriers: Promise<void>[] = [];
          for (const adds of windows) {
            for (const { name, kinds } of adds) {
              const expected = due.get(name) ?? { times: [], histograms: [] };
              due.set(name, expected);
              columns.clear();
              for (const isFloat of kinds) {
                expected.times.push(++timeMs);
                if (isFloat) columns.addFloat(timeMs, timeMs, 0);
                else {
                  columns.addHistogram(timeMs, histogram(timeMs));
                  expected.histograms.push(timeMs);
                }
              }
              const labels = encodeLabels([['__name__', name]]);
              await pool.add(hashLabels(labels), labels, columns, window);
            }
            barriers.push((await pool.flush(window)).acknowledged);
          }
          await Promise.all(barriers);
          assert.equal(delivery.inFlight, 0, 'the barrier');
          assert.equal(delivery.concluded, windows.length);
          assert.ok(delivery.mostInFlight <= most, `${delivery.mostInFlight} in flight`);
          const of = (name: string) => delivery.arrived.flat().filter(({ labels }) => labels[0]?.[1] === name);
          for (const [name, { times, histograms }] of due) {
            const series = of(name);
            const all = series.flatMap((one) =>
              [...one.samples, ...(one.histograms ?? [])].map((sample) => sample.timeMs),
            );
            assert.deepEqual(
              all.toSorted((a, b) => a - b),
              times,
            );
            assert.deepEqual(
              series.flatMap((one) => (one.histograms ?? []).map((sample) => sample.timeMs)),
              histograms,
            );
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  it('sends series of floats while an earlier request takes long', async () => {
    let first = true;
    const delivery = new FakeDelivery(10, () => {
      const turns = first ? 200 : 1;
      first = false;
      return turns;
    });
    const pool = poolOf(delivery, { most: 4 });
    const columns = new SampleColumns();
    for (let i = 0; i < 10; i++) columns.addFloat(i + 1, i, 0);
    for (let i = 0; i < 40; i++) {
      const labels = encodeLabels([['__name__', `m${i}`]]);
      await pool.add(hashLabels(labels), labels, columns, window);
    }
    assert.ok(delivery.arrived.length >= 30, `${delivery.arrived.length} requests arrived`);
    await (await pool.flush(window)).acknowledged;
    assert.equal(delivery.arrived.at(-1)?.[0]?.labels[0]?.[1], 'm0');
    assert.equal(delivery.mostInFlight, 4);
  });

  it('does not divide a series between requests, unless one alone is too large: then its parts arrive in order', async () => {
    let turn = 0;
    const delivery = new FakeDelivery(25, () => [30, 1, 17, 2][turn++ % 4] as number);
    const pool = poolOf(delivery);
    const columns = new SampleColumns();
    for (let i = 0; i < 40; i++) {
      const labels = encodeLabels([['__name__', `m${i}`]]);
      columns.clear();
      for (let time = 1; time <= (i % 5 === 0 ? 60 : 10); time++) columns.addFloat(time, time, 0);
      await pool.add(hashLabels(labels), labels, columns, window);
    }
    await (await pool.flush(window)).acknowledged;
    const parts = Map.groupBy(delivery.arrived.flat(), ({ labels }) => keyOf(labels));
    assert.equal(parts.size, 40);
    for (const series of parts.values()) {
      const times = series.flatMap(({ samples }) => samples.map(({ timeMs }) => timeMs));
      assert.deepEqual(
        times,
        Array.from(times, (_, i) => i + 1),
      );
      if (times.length === 10) assert.equal(series.length, 1);
    }
    assert.ok(delivery.mostInFlight > 2);
  });

  it('keeps within its memory, except for a single request', async () => {
    const delivery = new FakeDelivery(20_000, () => 20);
    const pool = poolOf(delivery, { memoryBytes: 1 });
    const columns = new SampleColumns();
    for (let i = 0; i < 20_000; i++) columns.addFloat(i + 1, i * 7919, i);
    for (let i = 0; i < 6; i++) {
      const labels = encodeLabels([['__name__', `m${i}`]]);
      await pool.add(hashLabels(labels), labels, columns, window);
    }
    await (await pool.flush(window)).acknowledged;
    assert.equal(delivery.mostInFlight, 1);
    assert.equal(delivery.arrived.length, 6);
  });

  it('reports a failure immediately and throws it at the barrier and at the next request', async () => {
    const error = new Error('refused');
    const told: unknown[] = [];
    const delivery = {
      limits: { maxSamples: 1, maxBytes: 1000 },
      deliver: () => Promise.reject(error),
      conclude: () => assert.fail('nothing has arrived'),
    };
    const onFailure = (one: unknown) => told.push(one);
    const pool = new WritePool({ delivery, signal: never, onFailure, most: 1, memoryBytes: MEMORY_BYTES, clock });
    const columns = new SampleColumns();
    columns.addFloat(1, 1, 0);
    const labels = encodeLabels([['__name__', 'm']]);
    await pool.add(0, labels, columns, window);
    const { acknowledged } = await pool.flush(window);
    await assert.rejects(acknowledged, (caught) => caught === error);
    assert.deepEqual(told, [error]);
    await pool.add(0, labels, columns, window);
    await assert.rejects(pool.flush(window), (caught) => caught === error);
  });
});
