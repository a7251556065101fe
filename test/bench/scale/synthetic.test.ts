import assert from 'node:assert/strict';
import { BLOCK_MS, SyntheticData } from '../../../bench/scale/synthetic.ts';
import { startSource } from '../../../bench/scale/source.ts';
import { SampleHash, labelWords } from '../../../bench/scale/sample-hash.ts';
import { hashLabels } from '../../../src/wire/label-hash.ts';
import { encodeLabels } from '../../../src/wire/labels.ts';
import { FrameCollector } from '../../../src/wire/responses/frames.ts';
import { ChunkedCursor } from '../../../src/wire/responses/read-response.ts';
import { encodeReadRequest } from '../../support/remote-read.ts';
import { request } from '../../support/http.ts';
import { decodeMessage } from '../../wire/support/oracle.ts';
import { read } from '../../wire/support/read-responses.ts';

const OPTIONS = { seed: 7, series: 12, intervalMs: 15_000 };
const FROM_MS = Math.floor(Date.UTC(2025, 3, 1) / BLOCK_MS) * BLOCK_MS;
const ONE_BLOCK = { fromMs: FROM_MS, toMs: FROM_MS + BLOCK_MS };

type Entries = ReturnType<typeof read>;

function entriesOf(stream: Uint8Array, fromMs?: number, toMs?: number): Entries {
  const collector = new FrameCollector({ maxFrameBytes: 1 << 24 });
  collector.push(new Uint8Array(stream));
  collector.end();
  return read(new ChunkedCursor(collector.segments), fromMs, toMs);
}

function hashOf(entries: Entries): SampleHash {
  const hash = new SampleHash();
  for (const { labels, samples } of entries) {
    const words = labelWords(hashLabels(encodeLabels(labels)));
    for (const { timeMs, bits } of samples) hash.add(words, timeMs, Number(bits & 0xffff_ffffn), Number(bits >> 32n));
  }
  return hash;
}

function expectedHash(data: SyntheticData, range: { fromMs: number; toMs: number }): SampleHash {
  const hash = new SampleHash();
  data.hash(range, hash);
  return hash;
}

describe('the synthetic data of the case scale', () => {
  const data = new SyntheticData(OPTIONS);

  it('has the samples in its chunks that it computes without them', () => {
    const range = { fromMs: FROM_MS, toMs: FROM_MS + 3 * BLOCK_MS };
    const decoded = hashOf(entriesOf(data.stream(range)));
    const computed = expectedHash(data, range);
    assert.equal(decoded.samples, 3 * data.samplesPerBlock);
    assert.equal(decoded.samples, computed.samples);
    assert.equal(decoded.digest(), computed.digest());
  });

  it('has the same values on every machine', () => {
    const entries = entriesOf(new SyntheticData({ seed: 1, series: 3, intervalMs: 3_600_000 }).stream(ONE_BLOCK));
    assert.deepEqual(
      entries.map(({ labels, samples }) => ({
        labels: labels.map((label) => label.join('=')).join(' '),
        samples: samples.map(({ timeMs, bits }) => `${timeMs - FROM_MS} ${bits.toString(16)}`),
      })),
      [
        {
          labels: '__name__=bench_scale_0 instance=host-0:9100 job=node',
          samples: ['1967241 411c0cf000f67acb', '5567241 411c0dbc00f67acb'],
        },
        {
          labels: '__name__=bench_scale_1 instance=host-0:9100 job=node',
          samples: ['1842203 404993ee498b32c8', '5442203 404d90cdcd3b32c8'],
        },
        {
          labels: '__name__=bench_scale_2 instance=host-0:9100 job=node',
          samples: ['2839256 40e20b8000edf52b', '6439256 40e20b8000edf52b'],
        },
      ],
    );
  });

  it('has the same bytes for the same seed, and others for another', () => {
    assert.deepEqual(data.stream(ONE_BLOCK), new SyntheticData(OPTIONS).stream(ONE_BLOCK));
    const other = new SyntheticData({ ...OPTIONS, seed: 8 });
    assert.notEqual(expectedHash(other, ONE_BLOCK).digest(), expectedHash(data, ONE_BLOCK).digest());
  });

  it('has other values in each block', () => {
    const next = { fromMs: ONE_BLOCK.toMs, toMs: ONE_BLOCK.toMs + BLOCK_MS };
    const [first, second] = [ONE_BLOCK, next].map((range) => entriesOf(data.stream(range)));
    for (const [number, { samples }] of first!.entries()) {
      const later = second![number]!.samples;
      assert.ok(
        samples.every(({ timeMs, bits }, i) => later[i]!.timeMs === timeMs + BLOCK_MS && later[i]!.bits !== bits),
      );
    }
  });

  it('cuts chunks as Prometheus does: at most 120 samples, none across a border of two hours', () => {
    const stream = data.stream({ fromMs: FROM_MS - 15_000, toMs: FROM_MS + BLOCK_MS });
    let chunks = 0;
    for (const payload of payloadsOf(stream)) {
      const { chunkedSeries } = decodeMessage('ChunkedReadResponse', payload) as unknown as {
        chunkedSeries: { chunks: { minTimeMs: unknown; maxTimeMs: unknown; data: Uint8Array }[] }[];
      };
      assert.equal(chunkedSeries.length, 1);
      for (const { minTimeMs, maxTimeMs, data: bytes } of chunkedSeries[0]!.chunks) {
        assert.ok(Buffer.from(bytes).readUInt16BE() <= 120);
        assert.equal(Math.floor(Number(minTimeMs) / BLOCK_MS), Math.floor(Number(maxTimeMs) / BLOCK_MS));
        chunks++;
      }
    }
    // The four chunks of the block, and the last one of the block before.
    assert.equal(chunks, 12 * 5);
  });

  it('has all samples of a range that begins and ends inside chunks', () => {
    const range = { fromMs: FROM_MS + 1_234_567, toMs: FROM_MS + BLOCK_MS + 765_432 };
    const decoded = hashOf(entriesOf(data.stream(range), range.fromMs, range.toMs));
    assert.equal(decoded.digest(), expectedHash(data, range).digest());
    assert.ok(decoded.samples > 0);
  });

  it('refuses times whose varints have another length', () => {
    assert.throws(() => data.stream({ fromMs: Date.UTC(2004, 0, 1), toMs: FROM_MS }), RangeError);
    assert.throws(() => data.stream({ fromMs: FROM_MS, toMs: Date.UTC(2040, 0, 1) }), RangeError);
  });

  it('refuses an interval that does not divide a block', () => {
    assert.throws(() => new SyntheticData({ ...OPTIONS, intervalMs: 7_000 }), /divide/);
  });
});

describe('the source of the case scale', () => {
  it('streams the samples of the requested range', async () => {
    await using source = await startSource({ ...OPTIONS, delayMs: 0 });
    const body = encodeReadRequest({ startMs: FROM_MS, lastMs: FROM_MS + BLOCK_MS - 1, streamed: true });
    const reply = await request(`${source.url}/api/v1/read`, { method: 'POST', body });
    assert.equal(
      reply.headers['content-type'],
      'application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse',
    );
    assert.deepEqual(reply.body, new SyntheticData(OPTIONS).stream(ONE_BLOCK));
  });

  it('has no plain samples', async () => {
    await using source = await startSource({ ...OPTIONS, delayMs: 0 });
    const body = encodeReadRequest({ startMs: FROM_MS, lastMs: FROM_MS + BLOCK_MS - 1, streamed: false });
    assert.equal((await request(`${source.url}/api/v1/read`, { method: 'POST', body })).status, 400);
  });
});

/** By the format's definition: a varint, four bytes of checksum, the payload. */
function* payloadsOf(stream: Buffer): Generator<Uint8Array> {
  for (let at = 0; at < stream.length; ) {
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = stream[at++]!;
      length |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    at += 4;
    yield stream.subarray(at, at + length);
    at += length;
  }
}
