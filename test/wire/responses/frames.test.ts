import assert from 'node:assert/strict';
import fc from 'fast-check';
import { FrameCursor } from '../../../src/wire/responses/frame-cursor.ts';
import { FrameCollector } from '../../../src/wire/responses/frames.ts';
import { CODECS } from '../support/codecs.ts';
import { frame } from '../support/oracle.ts';

const MAX = 1 << 20;
const corrupt = { name: 'WireError', code: 'corrupt' };
const truncated = { name: 'WireError', code: 'truncated' };
const tooLarge = { name: 'WireError', code: 'too-large' };

const payloads = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 });

function streamOf(contents: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(contents.map(frame)));
}

/** `bytes` split at these positions. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const sorted = [0, ...places.map((place) => place % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
  return sorted.slice(1).map((end, index) => bytes.subarray(sorted[index], end));
}

for (const { codec, kernel } of CODECS) {
  function collect(pushes: Iterable<Uint8Array>, maxFrameBytes = MAX): FrameCollector {
    const collector = new FrameCollector({ maxFrameBytes }, kernel);
    const spoilt: (() => void)[] = [];
    try {
      for (const bytes of pushes) {
        const before = Uint8Array.from(bytes);
        const keeps = collector.push(bytes);
        if (collector.wantedBytes > 0) collector.provide(new Uint8Array(collector.wantedBytes + 3).fill(0xdd));
        if (keeps) continue;
        // The collector must not use bytes that it does not keep.
        bytes.fill(0xdd);
        spoilt.push(() => bytes.set(before));
      }
      collector.end();
      return collector;
    } finally {
      for (const restore of spoilt) restore();
    }
  }

  function payloadsOf(collector: FrameCollector): Buffer[] {
    const found: Buffer[] = [];
    const cursor = new FrameCursor(collector.segments);
    while (cursor.next()) found.push(Buffer.from(cursor.segment.subarray(cursor.start, cursor.end)));
    assert.equal(cursor.next(), false);
    return found;
  }

  function errorOf(pushes: Iterable<Uint8Array>, maxFrameBytes = MAX): Error & { code: string } {
    try {
      collect(pushes, maxFrameBytes);
    } catch (error) {
      assert.ok(error instanceof Error && error.name === 'WireError' && 'code' in error, String(error));
      return error as Error & { code: string };
    }
    return assert.fail('no error was thrown');
  }

  describe(`FrameCollector (${codec})`, () => {
    it('returns the same frames however the stream is split into pushes', () => {
      fc.assert(
        fc.property(payloads, fc.array(fc.nat(5000), { maxLength: 12 }), (contents, places) => {
          const stream = streamOf(contents);
          const collector = collect(cut(stream, places));
          assert.deepEqual(
            payloadsOf(collector),
            contents.map((content) => Buffer.from(content)),
          );
          assert.equal(collector.bytes, stream.length);
          assert.deepEqual(Buffer.concat(collector.segments), Buffer.from(stream));
        }),
      );
    });

    it('accepts a stream byte by byte', () => {
      const contents = [new Uint8Array(200).fill(7), new Uint8Array(0), new Uint8Array(20_000).fill(9)];
      const bytes = [...streamOf(contents)].map((byte) => Uint8Array.of(byte));
      assert.deepEqual(
        payloadsOf(collect(bytes)),
        contents.map((content) => Buffer.from(content)),
      );
    });

    it('keeps whole frames as views of the pushed memory and copies only the frame between two pushes', () => {
      const stream = streamOf([new Uint8Array(100), new Uint8Array(100), new Uint8Array(100), new Uint8Array(100)]);
      const [first, second] = [stream.slice(0, 250), stream.slice(250)];
      const { segments } = collect([first, second]);
      assert.deepEqual(
        segments.map((segment) => segment.length),
        [210, 105, 105],
      );
      assert.equal(segments[0]?.buffer, first.buffer);
      assert.equal(segments[2]?.buffer, second.buffer);
      assert.notEqual(segments[1]?.buffer, first.buffer);
      assert.notEqual(segments[1]?.buffer, second.buffer);
    });

    it('counts the bytes that it buffers for an incomplete frame', () => {
      const collector = new FrameCollector({ maxFrameBytes: MAX }, kernel);
      collector.push(streamOf([new Uint8Array(100)]).subarray(0, 60));
      assert.equal(collector.bytes, 60);
      assert.deepEqual(collector.segments, []);
    });

    it('returns nothing for an empty body', () => {
      const collector = collect([]);
      assert.equal(collector.bytes + collector.segments.length, 0);
    });

    it('detects every truncation that is not between two frames', () => {
      const contents = [Uint8Array.of(10, 3, 1, 2, 3), new Uint8Array(200), Uint8Array.of(0)];
      const stream = streamOf(contents);
      const boundaries = new Set([0, 10, 10 + 206, stream.length]);
      for (let end = 0; end <= stream.length; end++) {
        for (const places of [[], [end >> 1], [end - 1]]) {
          const pushes = cut(
            stream.subarray(0, end),
            places.map((place) => Math.max(place, 0)),
          );
          if (boundaries.has(end)) collect(pushes);
          else assert.throws(() => collect(pushes), truncated, `${end} bytes`);
        }
      }
    });

    it('detects every flipped bit', () => {
      const stream = streamOf([Uint8Array.of(10, 3, 1, 2, 3), Uint8Array.of(8, 1)]);
      for (let at = 0; at < stream.length; at++) {
        for (let bit = 0; bit < 8; bit++) {
          const flipped = stream.slice();
          flipped[at]! ^= 1 << bit;
          assert.throws(() => collect([flipped]), { name: 'WireError' }, `byte ${at} bit ${bit}`);
        }
      }
    });

    it('reports the frame with the wrong checksum, and returns the frames before it', () => {
      const stream = streamOf([Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)]);
      stream[11]! ^= 0x80;
      const collector = new FrameCollector({ maxFrameBytes: MAX }, kernel);
      assert.throws(() => collector.push(stream), { code: 'corrupt', message: /frame 2/ });
      assert.deepEqual(payloadsOf(collector), [Buffer.of(1)]);
    });

    it('accepts a frame of exactly the limit and rejects a larger one', () => {
      assert.deepEqual(payloadsOf(collect([frame(new Uint8Array(1000))], 1000)), [Buffer.alloc(1000)]);
      const over = frame(new Uint8Array(1001));
      assert.throws(() => collect([over], 1000), { code: 'too-large', message: /1001.*1000/ });
      assert.throws(() => collect(cut(over, [1]), 1000), tooLarge);
    });

    it('rejects hostile lengths immediately without allocating memory for them', () => {
      const uvarint = (...bytes: number[]) => Uint8Array.from([...bytes, 0, 0, 0, 0, 0]);
      const huge = uvarint(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10);
      const endless = new Uint8Array(1_000_000).fill(0x80);
      const before = process.memoryUsage().arrayBuffers;
      assert.throws(() => collect([huge]), { code: 'too-large', message: /1152921504606847000/ });
      assert.throws(() => collect([...huge].map((byte) => Uint8Array.of(byte))), tooLarge);
      assert.throws(() => collect([new Uint8Array(20).fill(0xff)]), corrupt);
      assert.ok(process.memoryUsage().arrayBuffers - before < 1_000_000);
      assert.throws(() => collect([endless]), corrupt);
      assert.throws(() => collect([endless.subarray(0, 5), endless.subarray(5)]), corrupt);
    });

    it('walks pushes and frames that are longer than the memory of the kernel, and names the frame that is wrong', () => {
      const contents = [300_000, 10, 100_000, 70_000, 120_000, 0, 500_000, 9].map((length) =>
        new Uint8Array(length).fill(7),
      );
      const stream = streamOf(contents);
      assert.deepEqual(
        payloadsOf(collect([stream])).map(({ length }) => length),
        contents.map(({ length }) => length),
      );
      const wrong = Uint8Array.from(stream);
      wrong[600_000] = 8;
      assert.match(errorOf([wrong]).message, /^frame 7 has the checksum/);
    });

    it('requests memory for a frame that extends beyond a push, and allocates none itself', () => {
      // 49 MiB as uvarint, followed by only a few bytes.
      const head = Uint8Array.of(0x80, 0x80, 0xc0, 0x18, 1, 2, 3, 4);
      const before = process.memoryUsage().arrayBuffers;
      const collector = new FrameCollector({ maxFrameBytes: 50 << 20 });
      assert.equal(collector.push(head), false);
      assert.equal(collector.wantedBytes, (49 << 20) + 8);
      assert.equal(collector.bytes, 8);
      assert.ok(process.memoryUsage().arrayBuffers - before < 1_000_000);
      collector.provide(new Uint8Array(collector.wantedBytes));
      for (let count = 0; count < 100; count++) assert.equal(collector.push(new Uint8Array(1000)), false);
      assert.equal(collector.wantedBytes, 0);
      assert.equal(collector.bytes, 100_008);
      assert.throws(() => collector.end(), truncated);
    });

    it('assembles a frame from several pushes in the given memory, and reports whether it keeps a push', () => {
      const stream = streamOf([new Uint8Array(100_000), new Uint8Array(10)]);
      const memory = new Uint8Array(200_000);
      const collector = new FrameCollector({ maxFrameBytes: MAX }, kernel);
      assert.equal(collector.push(stream.subarray(0, 1000)), false);
      assert.equal(collector.wantedBytes, 100_007);
      collector.provide(memory);
      assert.equal(collector.push(stream.subarray(1000, 50_000)), false);
      assert.equal(collector.push(stream.subarray(50_000)), true);
      collector.end();
      assert.equal(collector.segments[0]?.buffer, memory.buffer);
      assert.equal(collector.segments[0]?.length, 100_007);
      assert.equal(collector.allocatedBytes, 0);
    });

    it('counts the memory for a frame that starts in one push and ends in the next', () => {
      const stream = streamOf([new Uint8Array(300)]);
      const collector = collect([stream.subarray(0, 1), stream.subarray(1)]);
      assert.equal(collector.allocatedBytes, stream.length);
      assert.equal(payloadsOf(collector).length, 1);
    });
  });

  describe(`an error text after the frames (${codec})`, () => {
    const whole = [Uint8Array.of(10, 3, 1, 2, 3), new Uint8Array(200)];
    const texts = [
      'exceeded sample limit (50000000)\n',
      'context canceled',
      'error while chunking series {job="é"}: out of order chunk, previous chunk min 1700000000000\r\n',
      'x: '.repeat(300),
      `cannot read block: ${'y'.repeat(5000)}`,
    ];

    for (const text of texts) {
      it(`becomes the message, however it is split: ${JSON.stringify(text.slice(0, 20))} of ${text.length}`, () => {
        const stream = new Uint8Array(Buffer.concat([streamOf(whole), Buffer.from(text)]));
        const expected = Buffer.from(text).subarray(0, 1024).toString().replaceAll(/\s+/g, ' ').trim();
        fc.assert(
          fc.property(fc.array(fc.nat(7000), { maxLength: 10 }), (places) => {
            const error = errorOf(cut(stream, places));
            assert.equal(error.code, 'server-error-text');
            assert.equal(error.message, expected);
          }),
        );
        assert.equal(errorOf([...stream].map((byte) => Uint8Array.of(byte))).message, expected);
      });
    }

    it('is found when it is the whole body, and when its first byte as a length exceeds the limit', () => {
      const text = Buffer.from('upstream request timeout');
      assert.equal(errorOf([text]).message, 'upstream request timeout');
      const error = errorOf([text], 50);
      assert.equal(error.code, 'server-error-text');
      assert.equal((error.cause as { code: string }).code, 'too-large');
    });

    it('is not read beyond 1 KiB: push throws immediately', () => {
      const collector = new FrameCollector({ maxFrameBytes: MAX }, kernel);
      assert.throws(() => collector.push(Buffer.from('a long error text '.repeat(100))), { code: 'server-error-text' });
    });

    it('is not recognized in bytes that are not text', () => {
      const noise = Buffer.concat([Buffer.from('exceeded sample limit'), Buffer.of(0, 1, 2), Buffer.alloc(200, 0x41)]);
      assert.equal(errorOf([noise]).code, 'corrupt');
      const late = Buffer.concat([Buffer.alloc(300, 0x41), Buffer.of(0)]);
      assert.equal(errorOf([late.subarray(0, 290), late.subarray(290)]).code, 'corrupt');
      assert.equal(errorOf([Buffer.from('upstream \x1b[31mrequest')]).code, 'truncated');
      // Too short to distinguish from the head of a frame.
      assert.equal(errorOf([Buffer.from('EOF\n')]).code, 'truncated');
    });

    it('is shown without control characters', () => {
      const error = errorOf([Buffer.from('bad\u202e thing\u0085\u200b happened\r\n\tin block')]);
      assert.equal(error.message, 'bad thing happened in block');
    });
  });
}
