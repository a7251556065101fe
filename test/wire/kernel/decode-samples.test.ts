// The kernel decodes the samples of a SAMPLES response as JavaScript does, accepts none that it refuses, and stays inside its memory.

import assert from 'node:assert/strict';
import { WireError } from '../../../src/wire/errors.ts';
import { openKernel } from '../../../src/wire/kernel/kernel.ts';
import { decodeSamples } from '../../../src/wire/kernel/samples-response.ts';
import { SamplesCursor } from '../../../src/wire/responses/read-response.ts';
import { SampleColumns } from '../../../src/wire/sample-columns.ts';
import { randomNumbers } from '../../support/dataset.ts';
import { columnsContent } from '../support/chunk-vectors.ts';
import { guardedColumns, MemoryWatch } from '../support/kernel-memory.ts';
import { mutate } from '../support/mutated-chunks.ts';
import { concat, field } from '../support/read-responses.ts';

const ENTRIES = 1_000_000;
const START_MS = 1_700_000_000_000;
const kernel = openKernel();

/** As Go writes it: a value that is 0 is omitted. */
function sample(timeMs: number, value: number): Uint8Array {
  const bytes = Buffer.alloc(18);
  bytes[0] = 0x09;
  bytes.writeDoubleLE(value, 1);
  let at = value === 0 ? 0 : 9;
  bytes[at++] = 0x10;
  let rest = timeMs;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes[at++] = (rest % 0x80) | 0x80;
  bytes[at++] = rest;
  return field(2, bytes.subarray(0, at));
}

function samplesOf(random: () => number, count: number): Uint8Array {
  let timeMs = START_MS;
  const fields = Array.from({ length: count }, () => {
    timeMs += 15_000 + (random() < 0.05 ? Math.floor(random() * 30_000) - 30_000 : 0);
    return sample(timeMs, random() < 0.3 ? 0 : random() < 0.5 ? Math.floor(random() * 9) : random());
  });
  return concat(...fields);
}

/** Decodes an entry with these fields on the plain path. @returns false if it throws */
function plain(fields: Uint8Array, fromMs: number, toMs: number, columns: SampleColumns): boolean {
  columns.clear();
  const cursor = new SamplesCursor(field(1, field(1, fields)), null);
  try {
    assert.ok(cursor.next());
    cursor.decode(fromMs, toMs, columns);
    return true;
  } catch (error) {
    if (error instanceof WireError) return false;
    throw error;
  }
}

describe('decodeSamples', () => {
  it('decodes what a server sends, inside the window, and knows whether it ascends', () => {
    const random = randomNumbers(2);
    const wanted = new SampleColumns();
    using borrowed = kernel.borrowColumns()!;
    const { columns } = borrowed;
    let ascending = 0;
    for (let i = 0; i < 300; i++) {
      columns.clear();
      const fields = samplesOf(random, 1 + (i % 90));
      const [fromMs, toMs] = i % 2 === 0 ? [-Infinity, Infinity] : [START_MS + 150_000, START_MS + 450_000];
      assert.ok(decodeSamples(kernel, fields, 0, fields.length, fromMs, toMs, columns));
      assert.ok(plain(fields, fromMs, toMs, wanted));
      assert.deepEqual(columnsContent(columns), columnsContent(wanted));
      const { floats, floatTimesMs: times } = wanted;
      const ascends = !times.subarray(1, floats).some((timeMs, at) => timeMs <= times[at]!);
      assert.equal(columns.takeAscending(), ascends);
      if (ascends) ascending++;
    }
    assert.ok(ascending > 30 && ascending < 270, `${ascending}`);
  });

  it('appends to what the columns hold, and compares with the last time', () => {
    using borrowed = kernel.borrowColumns()!;
    const { columns } = borrowed;
    const [one, two] = [sample(START_MS, 1), sample(START_MS + 1, 2)];
    for (const [fields, ascends] of [
      [[one, two], true],
      [[two, one], false],
      [[one, one], false],
    ] as const) {
      columns.clear();
      for (const bytes of fields) assert.ok(decodeSamples(kernel, bytes, 0, bytes.length, 0, Infinity, columns));
      assert.deepEqual([columns.floats, columns.takeAscending()], [2, ascends]);
    }
  });

  it('leaves to JavaScript: other memory, too little room, other fields, and times of another length', () => {
    const { columns } = guardedColumns(kernel, 2);
    const two = concat(sample(START_MS, 1), sample(START_MS + 1, 2));
    assert.ok(decodeSamples(kernel, two, 0, two.length, 0, Infinity, columns));
    const one = sample(START_MS, 1);
    assert.equal(decodeSamples(kernel, one, 0, one.length, 0, Infinity, columns), false);
    columns.clear();
    for (const fields of [field(4, two), concat(one, field(3, one)), sample(2 ** 34, 1), sample(2 ** 42, 1)])
      assert.equal(decodeSamples(kernel, fields, 0, fields.length, 0, Infinity, columns), false);
    assert.equal(decodeSamples(kernel, one, 0, one.length, 0, Infinity, new SampleColumns()), false);
    assert.equal(columns.floats, 0);
  });

  it(`agrees with JavaScript about ${ENTRIES} mutated entries, and changes nothing outside of its regions`, function () {
    this.timeout(240_000);
    const random = randomNumbers(3);
    const originals = Array.from({ length: 60 }, (_, i) => samplesOf(random, 1 + (i % 12)));
    const { columns, regions } = guardedColumns(kernel, 10);
    const watch = new MemoryWatch(kernel, regions);
    const wanted = new SampleColumns();
    let accepted = 0;
    for (let i = 0; i < ENTRIES; i++) {
      const fields = mutate(originals[i % originals.length]!, random);
      const [fromMs, toMs] = i % 3 === 0 ? [-Infinity, Infinity] : [START_MS + 20_000, START_MS + 120_000];
      columns.clear();
      const isTaken = decodeSamples(kernel, fields, 0, fields.length, fromMs, toMs, columns);
      watch.check();
      assert.ok(isTaken || columns.floats === 0);
      if (!isTaken) continue;
      accepted++;
      const isGood = plain(fields, fromMs, toMs, wanted) && wanted.floats === columns.floats;
      const { floats } = wanted;
      const sameTimes =
        isGood && columns.floatTimesMs.subarray(0, floats).every((t, at) => t === wanted.floatTimesMs[at]);
      const sameBits = columns.floatBits.subarray(0, 2 * floats).every((half, at) => half === wanted.floatBits[at]);
      if (!sameTimes || !sameBits) assert.fail(`entry ${i}: ${Buffer.from(fields).toString('hex')}`);
    }
    watch.checkAll();
    assert.ok(accepted > ENTRIES / 20 && accepted < ENTRIES * 0.9, `${accepted} were accepted`);
  });
});
