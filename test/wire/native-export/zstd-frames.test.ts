import assert from 'node:assert/strict';
import { zstdDecompressSync } from 'node:zlib';
import { decompressesFrames } from '../../../src/wire/native-export/zstd-frames.ts';

describe('zstd frames', () => {
  it('are decompressed in one call by the Node of the image, and not by one without zstd or with the first frame only', () => {
    assert.equal(decompressesFrames(), true);
    assert.equal(
      decompressesFrames(() => zstdDecompressSync(Buffer.from('28b52ffd200109000061', 'hex'))),
      false,
    );
    const missing = () => {
      throw new TypeError('zstdDecompressSync is not a function');
    };
    assert.equal(decompressesFrames(missing), false);
  });
});
