// The compiled kernel of the checkout, and its compiler.

import assert from 'node:assert/strict';
import { compileKernel } from '../../../scripts/compile-kernel.ts';
import { readKernel } from '../../../src/wire/kernel/compiled-kernel.ts';
import { openKernel } from '../../../src/wire/kernel/kernel.ts';

describe('the compiled kernel', () => {
  it('is what the sources compile to, byte for byte', async function () {
    this.timeout(120_000);
    assert.deepEqual(Buffer.from(await compileKernel()), Buffer.from(readKernel()));
  });

  it('has a memory of less than six MiB', () => {
    assert.equal(openKernel().bytes.length, 88 * 65_536);
  });
});
