import assert from 'node:assert/strict';
import fc from 'fast-check';
import { BufferPool } from '../../src/migration/limits/buffer-pool.ts';
import { MemoryBudget } from '../../src/migration/limits/memory-budget.ts';
import { Reservation } from '../../src/migration/limits/reservation.ts';
import { DoesNotFit } from '../../src/remote/does-not-fit.ts';
import type { ReadResponse } from '../../src/remote/read-client.ts';
import { type ResponsePart, SeriesStream } from '../../src/remote/series-stream.ts';
import { decodeLabels, encodeLabels } from '../../src/wire/labels.ts';
import { encodeXorChunk } from '../wire/support/chunk-encoder.ts';
import { encodeMessage, frame } from '../wire/support/oracle.ts';
import { labelsOf, read } from '../wire/support/read-responses.ts';

const { signal } = new AbortController();

/** A series that is sent in this many frames, with one chunk each. */
interface SentSeries {
  readonly frames: number;
  readonly samples: number;
}

function framesOf(series: readonly SentSeries[], name = (i: number) => `series_${String(i).padStart(4, '0')}`): Buffer {
  return Buffer.concat(
    series.flatMap(({ frames, samples }, i) =>
      Array.from({ length: frames }, (_, k) => {
        const list = Array.from({ length: samples }, (_, s) => ({ timeMs: k * 1000 + s, bits: BigInt(i * 7919 + s) }));
        const chunk = {
          minTimeMs: list[0]!.timeMs,
          maxTimeMs: list.at(-1)!.timeMs,
          type: 1,
          data: encodeXorChunk(list),
        };
        return frame(
          encodeMessage('ChunkedReadResponse', { chunkedSeries: [{ labels: labelsOf(name(i)), chunks: [chunk] }] }),
        );
      }),
    ),
  );
}

/** A response whose body arrives in blocks of these sizes, one after the other. */
function responseOf(body: Uint8Array, blockBytes: readonly number[], failure?: Error) {
  const state = { yielded: 0, closed: false };
  async function* blocks(): AsyncGenerator<Uint8Array> {
    try {
      for (let at = 0, i = 0; at < body.length; i++) {
        const end = at + blockBytes[i % blockBytes.length]!;
        yield new Uint8Array(body.subarray(at, end));
        state.yielded++;
        at = end;
      }
      if (failure !== undefined) throw failure;
    } finally {
      state.closed = true;
    }
  }
  const response: ReadResponse = { kind: 'stream', status: 200, contentLength: undefined, body: blocks() };
  return { state, stream: new SeriesStream(response, 1 << 20) };
}

function memoryOf(totalBytes: number) {
  const used = { bytes: 0, most: 0 };
  const budget = new MemoryBudget(totalBytes, (bytes) => {
    used.bytes = bytes;
    used.most = Math.max(used.most, bytes);
  });
  // Overwritten, so that a use after return is detected.
  return { used, budget, reservation: new Reservation(budget, new BufferPool((memory) => memory.fill(0xdd))) };
}

/** Reads all parts. Each is read only when the next one has arrived, and then given back. */
async function partsOf(stream: SeriesStream, first: Reservation, partBytes: number) {
  const parts: ReturnType<typeof read>[] = [];
  let memory = first;
  let before: { part: ResponsePart; memory: Reservation } | undefined;
  const finish = () => {
    if (before === undefined) return;
    parts.push(read(before.part.cursor));
    before.memory.release();
  };
  for (;;) {
    const part = await stream.next(memory, { partBytes, signal });
    finish();
    before = { part, memory };
    if (part.isLast) break;
    memory = memory.split(part.carried, 0);
  }
  finish();
  return parts;
}

describe('the parts of two streamed responses that are cut at the same labels', () => {
  const names = fc.uniqueArray(fc.integer({ min: 0, max: 200 }), { minLength: 1, maxLength: 80 });
  const sorted = names.map((numbers) =>
    numbers.toSorted((a, b) => a - b).map((n) => `series_${String(n).padStart(4, '0')}`),
  );
  const framesFor = (list: readonly string[]) =>
    framesOf(
      list.map(() => ({ frames: 2, samples: 20 })),
      (i) => list[i]!,
    );

  const RUNS = 200;
  it('have the same series, whatever else is on either side', async () => {
    let cuts = 0;
    await fc.assert(
      fc.asyncProperty(sorted, sorted, fc.integer({ min: 1, max: 4000 }), async (mine, theirs, partBytes) => {
        const one = memoryOf(1 << 24);
        const other = memoryOf(1 << 24);
        const { stream } = responseOf(framesFor(mine), [700]);
        const follower = responseOf(framesFor(theirs), [900]).stream;
        let [memory, followerMemory] = [one.reservation, other.reservation];
        let from: string | undefined;
        let isOver = false;
        const seen: string[] = [];
        for (let isLast = false; !isLast; ) {
          const part = await stream.next(memory, { partBytes, signal });
          isLast = part.isLast;
          const next = isLast ? undefined : memory.split(part.carried, 0);
          const until = part.nextLabels === undefined ? undefined : decodeLabels(part.nextLabels)[0]![1];
          assert.equal(until === undefined, isLast);
          if (!isOver) {
            const followed = await follower.nextUntil(part.nextLabels, followerMemory, signal);
            isOver = followed.isLast;
            const rest = isOver ? undefined : followerMemory.split(followed.carried, 0);
            const found = read(followed.cursor).map(({ labels }) => labels[0]![1]);
            assert.ok(
              found.every((name) => (from === undefined || name >= from) && (until === undefined || name < until)),
            );
            seen.push(...new Set(found));
            followerMemory.release();
            if (rest !== undefined) followerMemory = rest;
          }
          memory.release();
          if (next !== undefined) memory = next;
          from = until;
          cuts++;
        }
        assert.ok(isOver);
        assert.deepEqual(seen, theirs);
        assert.deepEqual([one.used.bytes, other.used.bytes], [0, 0]);
      }),
      { numRuns: RUNS },
    );
    assert.ok(cuts > 1.3 * RUNS, `${cuts} parts`);
  });
});

describe('the parts of a streamed response', () => {
  const sent = fc.array(
    fc.record({ frames: fc.integer({ min: 1, max: 4 }), samples: fc.integer({ min: 1, max: 60 }) }),
    {
      minLength: 1,
      maxLength: 80,
    },
  );
  const blockSizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 40, max: 3000 })), {
    minLength: 1,
    maxLength: 5,
  });

  it('are together what is read at once, and no series is in two of them', async () => {
    let cuts = 0;
    await fc.assert(
      fc.asyncProperty(sent, blockSizes, fc.integer({ min: 1, max: 4000 }), async (series, sizes, partBytes) => {
        const body = framesOf(series);
        const { used, reservation } = memoryOf(1 << 24);
        const parts = await partsOf(responseOf(body, sizes).stream, reservation, partBytes);
        const whole = memoryOf(1 << 24);
        const [all] = await partsOf(responseOf(body, sizes).stream, whole.reservation, Number.POSITIVE_INFINITY);
        assert.deepEqual(parts.flat(), all);
        const namesOf = (part: (typeof parts)[number]) => [
          ...new Set(part.map(({ labels }) => JSON.stringify(labels))),
        ];
        assert.equal(parts.flatMap(namesOf).length, series.length);
        assert.equal(used.bytes, 0);
        cuts += parts.length - 1;
      }),
    );
    assert.ok(cuts > 100, `${cuts} cuts`);
  });

  it('take about as much memory as was wanted, however long the response is', async () => {
    const body = framesOf(Array.from({ length: 4000 }, () => ({ frames: 1, samples: 60 })));
    const { used, reservation } = memoryOf(1 << 24);
    const parts = await partsOf(responseOf(body, [16 * 1024]).stream, reservation, 100_000);
    assert.ok(body.length > 1_000_000, `${body.length} bytes`);
    assert.ok(parts.length > 10);
    // One that is used, and one that is read.
    assert.ok(used.most < 2 * (100_000 + 2 * 16 * 1024), `${used.most} bytes`);
  });

  it('take nothing from the socket until the next one is wanted', async () => {
    const body = framesOf(Array.from({ length: 1000 }, () => ({ frames: 1, samples: 60 })));
    const { state, stream } = responseOf(body, [1000]);
    const { reservation } = memoryOf(1 << 24);
    await stream.next(reservation, { partBytes: 10_000, signal });
    const { yielded } = state;
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(state.yielded, yielded);
    assert.ok(yielded < 15, `${yielded} blocks`);
    await stream.close();
    assert.ok(state.closed);
  });

  it('end only where the labels change: a series larger than a part stays whole', async () => {
    const series = [
      { frames: 3, samples: 60 },
      { frames: 200, samples: 60 },
      { frames: 1, samples: 60 },
    ];
    const { reservation } = memoryOf(1 << 24);
    const parts = await partsOf(responseOf(framesOf(series), [3000]).stream, reservation, 2000);
    assert.deepEqual(
      parts.map((part) => part.length),
      [3, 200, 1],
    );
  });

  it('fail when a single series does not fit into memory, with its name', async () => {
    const { stream, state } = responseOf(framesOf([{ frames: 1000, samples: 60 }]), [3000]);
    const { reservation } = memoryOf(100_000);
    const error = await stream.next(reservation, { partBytes: 2000, signal }).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof DoesNotFit);
    assert.deepEqual(error.seenNames, ['series_0000']);
    assert.ok(state.closed, 'the request is ended');
  });

  it('fail with the same names when they are read up to a label', async () => {
    const { stream } = responseOf(framesOf([{ frames: 1000, samples: 60 }]), [3000]);
    const until = encodeLabels([['__name__', 'zz']]);
    const error = await stream
      .nextUntil(until, memoryOf(100_000).reservation, signal)
      .catch((thrown: unknown) => thrown);
    assert.ok(error instanceof DoesNotFit);
    assert.deepEqual(error.seenNames, ['series_0000']);
  });

  it('are not cut in frames that cannot be parsed, which the decoding reports', async () => {
    const bad = Buffer.concat(Array.from({ length: 300 }, () => frame(Uint8Array.of(0x0a, 0x7f, 1, 2))));
    const { reservation } = memoryOf(1 << 24);
    const part = await responseOf(bad, [500]).stream.next(reservation, { partBytes: 1000, signal });
    assert.ok(part.isLast);
    assert.throws(() => part.cursor.next(), { name: 'WireError' });
  });

  it('before a failure are complete, and the part that fails is not returned', async () => {
    const body = framesOf(Array.from({ length: 200 }, () => ({ frames: 1, samples: 60 })));
    const { stream } = responseOf(body.subarray(0, body.length - 50), [1000], new Error('reset'));
    const { reservation } = memoryOf(1 << 24);
    const first = await stream.next(reservation, { partBytes: 5000, signal });
    assert.equal(first.isLast, false);
    const next = reservation.split(first.carried, 0);
    await assert.rejects(stream.next(next, { partBytes: 1 << 20, signal }), /reset/);
    const expected = read(
      (await responseOf(body, [1000]).stream.next(memoryOf(1 << 24).reservation, { partBytes: 1 << 30, signal }))
        .cursor,
    );
    const found = read(first.cursor);
    assert.deepEqual(found, expected.slice(0, found.length));
  });
});
