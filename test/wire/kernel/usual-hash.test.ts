// The kernel recognizes the labels that need no check, and only those, and their hash is the one of JavaScript.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { WireError } from '../../../src/wire/errors.ts';
import { openKernel } from '../../../src/wire/kernel/kernel.ts';
import { hashAsciiLabels } from '../../../src/wire/label-hash.ts';
import { labelBytesProblem } from '../../../src/wire/label-problem.ts';
import { canonicalLabels, encodeLabels } from '../../../src/wire/labels.ts';
import { randomNumbers } from '../../support/dataset.ts';
import { mutate } from '../support/mutated-chunks.ts';

const kernel = openKernel();
const NAME = '\x0a\x08__name__\x12';

const anyText = fc.oneof(
  fc.constantFrom('a', 'aa', 'ab', 'job', 'le', '__name__', '__name_', 'Zone', '', 'é'),
  fc.string({ maxLength: 130 }),
);
const anyLabels = fc
  .tuple(anyText, fc.dictionary(anyText, anyText, { maxKeys: 12 }))
  .map(([name, pairs]) => encodeLabels([...Object.entries({ ...pairs, __name__: name })]));

/** What the checks of JavaScript say. */
function expectedHash(region: Uint8Array): number {
  try {
    const begins = Buffer.from(region.subarray(2, 2 + NAME.length)).toString('latin1') === NAME;
    if (!begins || region[0] !== 0x0a || region[1]! >= 0x80 || canonicalLabels(region) !== region) return -1;
    return Math.max(-1, hashAsciiLabels(region));
  } catch (error) {
    if (error instanceof WireError) return -1;
    throw error;
  }
}

/** Beside other bytes, which the kernel must not take for labels. */
function kernelHash(region: Uint8Array): number | undefined {
  const bytes = Buffer.concat([Buffer.of(1, 2, 3), region]);
  return kernel.measureSeries(bytes, 3, bytes.length, bytes.length)?.usualHash;
}

describe('the usual hash', () => {
  it('is the hash of labels that are canonical and ASCII and begin with a short name, and −1 for all others', () => {
    let usual = 0;
    fc.assert(
      fc.property(anyLabels, (region) => {
        const expected = expectedHash(region);
        assert.equal(kernelHash(region), expected);
        if (expected < 0) return;
        usual++;
        assert.equal(labelBytesProblem(region), undefined);
      }),
      { numRuns: 2000 },
    );
    assert.ok(usual > 200, `${usual}`);
  });

  it('is −1 for labels that are damaged in any way', () => {
    const random = randomNumbers(7);
    const pairs = [
      ['__name__', 'http_requests_total'],
      ['code', '200'],
      ['instance', 'a:9090'],
      ['job', 'api'],
    ] as const;
    let usual = 0;
    for (let i = 0; i < 100_000; i++) {
      const region = mutate(encodeLabels(pairs.slice(0, 1 + (i % pairs.length))), random);
      const expected = expectedHash(region);
      if (expected >= 0) usual++;
      if (kernelHash(region) !== expected) assert.fail(Buffer.from(region).toString('hex'));
    }
    assert.ok(usual > 1000 && usual < 99_000, `${usual}`);
  });
});
