import assert from 'node:assert/strict';
import { Receiver } from '../../../bench/scale/receiver.ts';
import { SampleHash, labelWords } from '../../../bench/scale/sample-hash.ts';
import { middleHalfMs, type Received, startSink } from '../../../bench/scale/sink.ts';
import { PROGRESS_METRIC } from '../../../src/migration/progress/progress-mark.ts';
import { request } from '../../support/http.ts';
import { encodeReadRequest } from '../../support/remote-read.ts';
import { decodeSamples, encodeWrite, type LabeledSamples } from '../../support/stores/messages.ts';

const START_MS = Date.UTC(2025, 0, 1);

function series(name: string, values: readonly bigint[], startMs = START_MS): LabeledSamples {
  return {
    labels: [
      ['__name__', name],
      ['job', 'node'],
    ],
    samples: values.map((bits, i) => ({ timeMs: startMs + 15_000 * i, bits })),
  };
}

const WHOLE = [series('a', [1n, 2n, 0x7ff0_0000_0000_0002n]), series('b', [1n, 2n, 1n << 63n])];

function digestOf(...requests: readonly (readonly LabeledSamples[])[]): string {
  const receiver = new Receiver();
  for (const one of requests) receiver.write(encodeWrite(one));
  return receiver.hash.digest();
}

/** The first series without or with another list of samples. */
function withSamples(change: (samples: LabeledSamples['samples']) => LabeledSamples['samples']): LabeledSamples[] {
  const [first, ...others] = WHOLE;
  return [{ ...first!, samples: change(first!.samples) }, ...others];
}

describe('the hash of received samples', () => {
  it('does not depend on the order of samples, series and requests', () => {
    const [a, b] = WHOLE;
    const halves = (one: LabeledSamples) => [
      { ...one, samples: one.samples.slice(0, 1) },
      { ...one, samples: one.samples.slice(1) },
    ];
    assert.equal(digestOf([b!, a!]), digestOf(WHOLE));
    assert.equal(digestOf([b!], [a!]), digestOf(WHOLE));
    assert.equal(digestOf(...[...halves(a!), ...halves(b!)].reverse().map((one) => [one])), digestOf(WHOLE));
  });

  const changes: readonly [string, readonly LabeledSamples[]][] = [
    ['a missing sample', withSamples((samples) => samples.slice(1))],
    ['a doubled sample', withSamples((samples) => [samples[0]!, ...samples])],
    ['a sample that is there three times', withSamples((samples) => [samples[0]!, samples[0]!, ...samples])],
    [
      'another lowest bit of a value',
      withSamples(([one, ...others]) => [{ ...one!, bits: one!.bits ^ 1n }, ...others]),
    ],
    ['another sign', withSamples(([one, ...others]) => [{ ...one!, bits: one!.bits ^ (1n << 63n) }, ...others])],
    [
      'a time one millisecond later',
      withSamples(([one, ...others]) => [{ ...one!, timeMs: one!.timeMs + 1 }, ...others]),
    ],
    ['a time 2^32 ms later', withSamples(([...all]) => all.map((one) => ({ ...one, timeMs: one.timeMs + 2 ** 32 })))],
    [
      'two values that changed places',
      withSamples(([a, b, ...others]) => [{ ...a!, bits: b!.bits }, { ...b!, bits: a!.bits }, ...others]),
    ],
    [
      'two series that changed places',
      [series('b', [1n, 2n, 0x7ff0_0000_0000_0002n]), series('a', [1n, 2n, 1n << 63n])],
    ],
    [
      'another label',
      [
        {
          ...WHOLE[0]!,
          labels: [
            ['__name__', 'a'],
            ['job', 'Node'],
          ],
        },
        WHOLE[1]!,
      ],
    ],
  ];
  for (const [name, changed] of changes) {
    it(`shows ${name}`, () => assert.notEqual(digestOf(changed), digestOf(WHOLE)));
  }

  it('has no collision among a hundred thousand similar samples', () => {
    const digests = new Set<string>();
    for (let i = 0; i < 100_000; i++) {
      const hash = new SampleHash();
      hash.add(labelWords(i % 10), START_MS + 15_000 * Math.floor(i / 100), Math.floor(i / 10) % 10, 0);
      digests.add(hash.digest());
    }
    assert.equal(digests.size, 100_000);
  });

  it('refuses what it does not count', () => {
    const histogram = [
      { labels: WHOLE[0]!.labels, samples: [{ timeMs: START_MS, bits: 0n, histogram: Buffer.from([0x78, 1]) }] },
    ];
    assert.throws(() => new Receiver().write(encodeWrite(histogram)), /field 4/);
  });
});

describe('the sink of the case scale', () => {
  const mark: LabeledSamples = series(PROGRESS_METRIC, [1n, 2n]);

  it('returns the progress marks, and nothing else', async () => {
    await using sink = await startSink({ delayMs: 0 });
    const write = await request(`${sink.url}/api/v1/write`, { method: 'POST', body: encodeWrite([...WHOLE, mark]) });
    assert.equal(write.status, 204);
    const body = encodeReadRequest({ startMs: START_MS, lastMs: START_MS + 14_999, streamed: false });
    const read = await request(`${sink.url}/api/v1/read`, { method: 'POST', body });
    assert.deepEqual(decodeSamples(read.body), [{ ...mark, samples: mark.samples.slice(0, 1) }]);
    const received = JSON.parse((await request(`${sink.url}/hash`)).body.toString()) as Received;
    assert.deepEqual(received, {
      hash: digestOf(WHOLE),
      samples: 6,
      marks: 2,
      writes: 1,
      reads: 1,
      middleHalfMs: 0,
    });
  });

  it('measures the middle half of the samples, whatever the start and the end take', () => {
    const arrivals = [0, 5_000, 5_010, 5_020, 5_030, 5_040, 5_050, 5_060, 9_000].map((atMs, i) => ({
      atMs,
      samples: i * 10,
    }));
    assert.equal(middleHalfMs(arrivals), 40);
    assert.equal(middleHalfMs([]), 0);
  });

  it('refuses a request that it cannot decode', async () => {
    await using sink = await startSink({ delayMs: 0 });
    assert.equal((await request(`${sink.url}/api/v1/write`, { method: 'POST', body: 'no snappy' })).status, 400);
  });
});
