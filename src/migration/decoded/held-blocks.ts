// Blocks of series that may have more blocks later in the same response. They are kept as they arrived, in the most compact form there is.

import type { ExportedBlock } from '../../remote/native-export.ts';
import { hashLabels, labelKey } from '../../wire/label-hash.ts';
import { metricName } from '../../wire/labels.ts';
import type { BlockPlace } from '../../wire/native-export/block-batch.ts';
import { type BlockExtent, extentOf } from '../../wire/native-export/block.ts';
import { MetricNames } from '../../wire/native-export/metric-name.ts';
import type { Grow } from './stored-series.ts';

export interface HeldBlock extends BlockPlace, BlockExtent {}

/** A series with its blocks, in the order of their first samples. */
export interface HeldBlocksOfSeries {
  /** As the server writes it. */
  readonly metricName: Uint8Array;
  readonly blocks: readonly HeldBlock[];
}

/** What is decoded or counted together. */
const BLOCKS_PER_GROUP = 512;
const MAX_SEEN_NAMES = 1000;
const BYTES_PER_SERIES = 200;
const BYTES_PER_BLOCK = 120;
const MAX_SLAB_BYTES = 256 * 1024;
const FIRST_SLAB_BYTES = 4 * 1024;

export class HeldBlocks {
  readonly #grow: Grow;
  /** By the name of the series, as the server writes it. */
  readonly #series = new Map<string, HeldBlock[]>();
  readonly #hashes = new Set<number>();
  #slab = new Uint8Array(0);
  #used = 0;
  #bytes = 0;
  #blockBytes = 0;
  #blocks = 0;
  /** Reserved, and not used yet. */
  #spare = 0;

  constructor(grow: Grow) {
    this.#grow = grow;
  }

  /** What was reserved. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What of it the blocks need, without the names of the series. */
  get blockBytes(): number {
    return this.#blockBytes;
  }

  get blocks(): number {
    return this.#blocks;
  }

  get series(): number {
    return this.#series.size;
  }

  has(metricName: Uint8Array): boolean {
    if (this.#series.size === 0) return false;
    // Most are not held, and a key costs more than a hash.
    return this.#hashes.has(shortHash(metricName)) && this.#series.has(labelKey(metricName));
  }

  /** @throws WireError if the block has no time; what `grow` throws */
  async add({ metricName, bytes, start, end }: ExportedBlock): Promise<void> {
    const key = labelKey(metricName);
    const length = end - start;
    const blocks = this.#series.get(key);
    if (this.#used + length > this.#slab.length) await this.#addSlab(length);
    this.#blockBytes += BYTES_PER_BLOCK;
    await this.#account(BYTES_PER_BLOCK + (blocks === undefined ? BYTES_PER_SERIES + key.length : 0));
    this.#slab.set(bytes.subarray(start, end), this.#used);
    const { firstMs, lastMs, samples } = extentOf(bytes, start, end);
    const block = { bytes: this.#slab, start: this.#used, end: this.#used + length, firstMs, lastMs, samples };
    this.#used += length;
    this.#blocks++;
    if (blocks === undefined) {
      this.#series.set(key, [block]);
      this.#hashes.add(shortHash(metricName));
    } else blocks.push(block);
  }

  *entries(): Generator<HeldBlocksOfSeries, undefined> {
    for (const [key, blocks] of this.#series) {
      if (blocks.length > 1) blocks.sort((a, b) => a.firstMs - b.firstMs);
      yield { metricName: Buffer.from(key, 'latin1'), blocks };
    }
  }

  /** The same in groups of about BLOCKS_PER_GROUP blocks. */
  *groups(): Generator<HeldBlocksOfSeries[], undefined> {
    let group: HeldBlocksOfSeries[] = [];
    let blocks = 0;
    for (const series of this.entries()) {
      group.push(series);
      blocks += series.blocks.length;
      if (blocks < BLOCKS_PER_GROUP) continue;
      yield group;
      group = [];
      blocks = 0;
    }
    if (group.length > 0) yield group;
  }

  /** Some of them, in the order of their code points: to divide a range by them. */
  metricNames(): string[] {
    const labels = new MetricNames();
    const names = new Set<string>();
    for (const { metricName: series } of this.entries()) {
      if (names.size === MAX_SEEN_NAMES) break;
      names.add(metricName(labels.labelsOf(series)));
    }
    return [...names].sort(compareText);
  }

  /** Frees the memory of all blocks, because JSON that is read instead needs it. The blocks cannot be used after that. */
  free(): void {
    const slabs = new Set([
      this.#slab,
      ...[...this.#series.values()].flatMap((blocks) => blocks.map(({ bytes }) => bytes)),
    ]);
    for (const { buffer } of slabs) if (buffer instanceof ArrayBuffer && !buffer.detached) buffer.transfer(0);
    this.#series.clear();
  }

  async #addSlab(needed: number): Promise<void> {
    const size = Math.max(needed, Math.min(MAX_SLAB_BYTES, Math.max(FIRST_SLAB_BYTES, 2 * this.#slab.length)));
    await this.#reserve(size);
    this.#blockBytes += size;
    this.#slab = new Uint8Array(size);
    this.#used = 0;
  }

  async #account(bytes: number): Promise<void> {
    if (this.#spare < bytes) {
      await this.#reserve(FIRST_SLAB_BYTES + bytes);
      this.#spare += FIRST_SLAB_BYTES + bytes;
    }
    this.#spare -= bytes;
  }

  async #reserve(bytes: number): Promise<void> {
    await this.#grow(bytes);
    this.#bytes += bytes;
  }
}

/** In the order of their code points. */
function compareText(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** Small enough for a set of numbers without an object for each. */
function shortHash(metricName: Uint8Array): number {
  return hashLabels(metricName) % 2 ** 30;
}
