// The kernel's encoder of samples writes the bytes of the JavaScript path, and stays inside its memory.

import assert from 'node:assert/strict';
import { openKernel } from '../../../src/wire/kernel/kernel.ts';
import { encodeLabels } from '../../../src/wire/labels.ts';
import { EarlierSeries, RING_BYTES } from '../../../src/wire/requests/earlier-series.ts';
import { WriteBatch } from '../../../src/wire/requests/write-batch.ts';
import { SampleColumns } from '../../../src/wire/sample-columns.ts';
import { SnappyWriter } from '../../../src/wire/snappy/snappy-writer.ts';
import { randomNumbers } from '../../support/dataset.ts';
import { MemoryWatch } from '../support/kernel-memory.ts';

const kernel = openKernel();

const labelsOf = (index: number) =>
  encodeLabels([
    ['__name__', `metric_${index >> 4}`],
    ['instance', `host-${index}`],
  ]);

type Random = () => number;

/** How the values of a series change. */
const VALUES: readonly ((random: Random, i: number) => readonly [low: number, high: number])[] = [
  () => [0, 0x3ff0_0000],
  (random) => [0, 0x4059_0000 + Math.floor(random() * 3) * 0x1000],
  (random) => [random() * 2 ** 32, 0x3fe0_0000 + random() * 2 ** 16],
  (random) => [random() * 2 ** 32, random() * 2 ** 32],
  (random) => (random() < 0.3 ? [2, 0x7ff0_0000] : [1 << Math.floor(random() * 32), 0]),
  (_, i) => [i << 24, 0x4090_0000 + (i >> 3)],
];

/** Series that were scraped together, with gaps, and some that were not. */
function fill(columns: SampleColumns, random: Random, startMs: number): void {
  columns.clear();
  const samples = 1 + Math.floor(random() ** 3 * 700);
  const changeOf = VALUES[Math.floor(random() * VALUES.length)]!;
  const isAlone = random() < 0.2;
  const stepMs = isAlone ? 1 + Math.floor(random() * 2 ** (random() * 30)) : 15_000;
  let timeMs = isAlone ? startMs + Math.floor(random() * 1e9) : startMs;
  for (let i = 0; i < samples; i++) {
    const [low, high] = changeOf(random, i);
    columns.addFloat(timeMs, low >>> 0, high >>> 0);
    timeMs += stepMs + (random() < 0.02 ? Math.floor(random() * 1000) : 0);
  }
}

describe('Kernel.encodeFloats', () => {
  it('writes the same request as JavaScript, for series of every kind', () => {
    const random = randomNumbers(3);
    using borrowed = kernel.borrowColumns()!;
    const { columns } = borrowed;
    const batches = [new WriteBatch(64, kernel), new WriteBatch(64, null)] as const;
    let series = 0;
    let bytes = 0;
    for (let request = 0; request < 150; request++) {
      const startMs = Math.floor(2 ** 35 + random() * 2 ** 41);
      for (let index = 0; index < 40; index++) {
        fill(columns, random, startMs);
        const from = random() < 0.1 ? Math.floor(random() * columns.floats) : 0;
        for (const batch of batches) batch.appendFloats(labelsOf(index), columns, from, columns.floats);
        series++;
      }
      const [mine, other] = batches.map((batch) => Buffer.from(batch.body())) as [Buffer, Buffer];
      if (mine.compare(other) !== 0) assert.deepEqual(mine, other, `request ${request}`);
      bytes += mine.length;
      for (const batch of batches) batch.clear();
    }
    assert.ok(series === 6000 && bytes > 2_000_000, `${bytes} bytes`);
  });

  it('leaves long series and columns of other memory to JavaScript, with the same result', () => {
    using borrowed = kernel.borrowColumns()!;
    const { columns } = borrowed;
    const plain = new SampleColumns();
    const batches = [new WriteBatch(64, kernel), new WriteBatch(64, null)] as const;
    for (const samples of [10, 6890, 6900, 20_000, 10]) {
      columns.clear();
      plain.clear();
      for (let i = 0; i < samples; i++)
        for (const to of [columns, plain]) to.addFloat(1.7e12 + 15_000 * i, i, 0x4080_0000);
      for (const batch of batches) batch.appendFloats(labelsOf(1), columns, 0, samples);
      for (const batch of batches) batch.appendFloats(labelsOf(2), plain, 0, samples);
    }
    assert.deepEqual(...(batches.map((batch) => Buffer.from(batch.body())) as [Buffer, Buffer]));
  });

  it('fills more requests at once than it has memory for', () => {
    using borrowed = kernel.borrowColumns()!;
    const { columns } = borrowed;
    fill(columns, randomNumbers(5), 1.7e12);
    const open = () => Array.from({ length: 40 }, () => new WriteBatch(64, kernel));
    for (let round = 0; round < 3; round++) {
      const batches = open();
      for (let index = 0; index < 5; index++)
        for (const batch of batches) batch.appendFloats(labelsOf(index), columns, 0, columns.floats);
      const bodies = batches.map((batch) => Buffer.from(batch.body()).toString('hex'));
      assert.equal(new Set(bodies).size, 1);
    }
    const rings = Array.from({ length: kernel.layout.RING_SLOTS }, () => kernel.borrowRing());
    assert.ok(rings.every((ring) => ring !== undefined));
    assert.equal(kernel.borrowRing(), undefined);
    for (const ring of rings) ring?.[Symbol.dispose]();
  });

  it('changes nothing outside of its regions, whatever the columns and the ring hold', () => {
    const { OUTPUT, OUTPUT_BYTES, RINGS, RING_BYTES: ringBytes } = kernel.layout;
    assert.ok(ringBytes >= RING_BYTES);
    const random = randomNumbers(7);
    using borrowed = kernel.borrowColumns()!;
    const { columns } = borrowed;
    const ring = RINGS + 5 * ringBytes;
    const words = new Uint32Array(kernel.bytes.buffer, ring, RING_BYTES / 4);
    const earlier = new EarlierSeries(kernel.bytes.buffer, ring);
    // The bytes after an element are overwritten by the next one.
    const regions = [
      { start: OUTPUT, end: OUTPUT + OUTPUT_BYTES },
      { start: ring, end: ring + RING_BYTES },
    ];
    const samples = columns.floatTimesMs.length;
    for (let round = 0; round < 40; round++) {
      for (let i = 0; i < samples; i++) columns.floatTimesMs[i] = hostileTime(random);
      for (let i = 0; i < 2 * samples; i++) columns.floatBits[i] = random() < 0.5 ? 0 : random() * 2 ** 32;
      const watch = new MemoryWatch(kernel, regions);
      for (let call = 0; call < 250; call++) {
        for (let n = 0; n < 300; n++) words[Math.floor(random() * words.length)] = random() * 2 ** 32;
        // A time that the ring often has, so that most calls find an earlier series.
        const from = columns.floatTimesMs.indexOf(1.7e12, Math.floor(random() * (samples - 8000)));
        const to = from + Math.floor(random() * 7000);
        const block = new SnappyWriter(16);
        block.contentBytes = Math.floor(random() * 2 ** 22);
        const before = block.at;
        if (kernel.encodeFloats(earlier, columns, from, to, block)) assert.ok(block.at - before <= OUTPUT_BYTES);
        watch.check();
      }
      watch.checkAll();
    }
  });
});

function hostileTime(random: Random): number {
  const kind = random();
  if (kind < 0.5) return 1.7e12 + Math.floor(random() * 1e6);
  if (kind < 0.6) return 1.7e12;
  return [Number.NaN, -1, Number.POSITIVE_INFINITY, 2 ** 60, -(2 ** 63), 0.5][Math.floor(random() * 6)]!;
}
