// With undetectable damage, the storm would report defects that the migration cannot detect.

import assert from 'node:assert/strict';
import snappy from 'snappyjs';
import { flipBit, truncate } from '../../../storm/proxy/damage.ts';
import { splitFrames } from '../../../storm/proxy/http-message.ts';
import { decodeMessage, encodeMessage, frame } from '../../wire/support/oracle.ts';

const PARTS = Array.from({ length: 200 }, (_, i) => i / 200);
const frames = [3, 200, 70_000].map((length) =>
  Buffer.from(frame(encodeMessage('TimeSeries', { labels: [{ name: 'a', value: 'x'.repeat(length) }] }))),
);
const stream = Buffer.concat(frames);
const plain = Buffer.from(
  snappy.compress(
    encodeMessage('ReadResponse', {
      results: [{ timeseries: [{ labels: [{ name: 'a', value: 'b' }], samples: [{ value: 1.5, timestamp: 99 }] }] }],
    }),
  ),
);
const lines = Buffer.from('{"values":[1,2]}\n{"values":[3]}\n');

describe('the frames of a streamed response', () => {
  it('are split whatever the size of their length prefix', () => {
    assert.deepEqual(splitFrames(stream), frames);
    assert.deepEqual(splitFrames(stream.subarray(0, -1)).at(-1)?.length, (frames.at(-1)?.length ?? 0) - 1);
    assert.deepEqual(splitFrames(Buffer.alloc(0)), []);
  });
});

describe('a truncated body', () => {
  it('of a stream never ends between two frames', () => {
    const borders = new Set([0, frames[0]?.length, (frames[0]?.length ?? 0) + (frames[1]?.length ?? 0), stream.length]);
    for (const part of PARTS) {
      const cut = truncate(stream, 'frames', part);
      assert.ok(cut !== undefined && !borders.has(cut.length), `part ${part}: ${cut?.length}`);
    }
  });

  it('of JSON lines never ends after a line', () => {
    const lengths = PARTS.map((part) => truncate(lines, 'json', part)?.length);
    assert.ok(lengths.some((length) => length !== undefined));
    for (const length of lengths) assert.ok(length !== lines.indexOf('\n') && length !== lines.indexOf('\n') + 1);
  });

  it('of a plain response cannot be decompressed', () => {
    for (const part of PARTS) {
      const cut = truncate(plain, 'snappy', part);
      if (cut !== undefined) assert.throws(() => decodeMessage('ReadResponse', new Uint8Array(snappy.uncompress(cut))));
    }
  });

  it('is not possible when it is too short or of an unknown format', () => {
    assert.equal(truncate(Buffer.from('x'), 'json', 0), undefined);
    assert.equal(truncate(lines, 'other', 0.5), undefined);
  });
});

describe('a flipped bit', () => {
  it('in a plain response makes it invalid, instead of changing a value', () => {
    for (const part of PARTS) {
      const flipped = flipBit(plain, 'snappy', part);
      if (flipped !== undefined)
        assert.throws(() => decodeMessage('ReadResponse', new Uint8Array(snappy.uncompress(flipped))));
    }
  });

  it('in JSON makes it invalid', () => {
    for (const part of PARTS) {
      const flipped = flipBit(Buffer.from('{"value":[1,"2"]}'), 'json', part);
      assert.ok(flipped !== undefined);
      assert.throws(() => JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(flipped)));
    }
  });

  it('is not possible in an empty body', () => assert.equal(flipBit(Buffer.alloc(0), 'frames', 0), undefined));
});
