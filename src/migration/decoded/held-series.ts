// A response whose samples stay in the blocks in which they arrived, and are decoded when they are needed: a hundredth of the memory that decoded
// samples take, so that a window can be as long as the blocks, and each of them is sent once.

import { setImmediate } from 'node:timers/promises';
import { WireError } from '../../wire/errors.ts';
import { BlockDecoder, type BlockPlace } from '../../wire/native-export/block-batch.ts';
import type { BlockExtent } from '../../wire/native-export/block.ts';
import { MetricNames } from '../../wire/native-export/metric-name.ts';
import type { SeriesCursor } from '../../wire/responses/read-response.ts';
import type { SampleColumns } from '../../wire/sample-columns.ts';
import { EntryCursor } from './entry-cursor.ts';
import type { HeldBlock, HeldBlocks, HeldBlocksOfSeries } from './held-blocks.ts';
import type { NativeExperience } from './native-choice.ts';
import type { Grow } from './stored-series.ts';

/** Half open: [fromMs, toMs). */
interface Range {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface HeldSeriesOptions {
  readonly range: Range;
  /** The longest that the range could be, if all of it fitted into memory. */
  readonly longestMs: number;
  readonly grow: Grow;
  readonly signal: AbortSignal;
  /** A block cannot be decoded. */
  readonly onDamage: (error: WireError) => void;
}

/** How many bytes of arrays are decompressed together. */
const GROUP_BYTES = 512 * 1024;
/** SampleColumns grow by doubling. */
const DECODED_BYTES_PER_FLOAT = 24;
/** Three numbers for each entry, and a reference for each block. */
const BYTES_PER_ENTRY = 12;
const BYTES_PER_PLACE = 8;
const FIRST_LABEL_BYTES = 16 * 1024;

export class HeldSeries extends EntryCursor implements SeriesCursor {
  /** What the response had. */
  readonly experience: Required<NativeExperience>;
  /** Memory that a shorter range would not need. An estimate: as if all samples of a block took the same. */
  readonly rangeBytes: number;
  readonly #range: Range;
  readonly #onDamage: HeldSeriesOptions['onDamage'];
  readonly #decoder = new BlockDecoder(GROUP_BYTES);
  readonly #places: readonly BlockPlace[];
  protected readonly labelBytes: Uint8Array;
  protected readonly labelEnds: Uint32Array;
  readonly #blockEnds: Uint32Array;
  readonly #samples: Uint32Array;
  protected readonly entries: number;

  /** The memory that each response needs, whatever it contains. */
  static readonly ownBytes = BlockDecoder.bytesFor(GROUP_BYTES);

  /**
   * @param held the response; its memory stays reserved
   * @throws WireError; what `grow` throws; the signal's reason
   */
  static async of(held: HeldBlocks, options: HeldSeriesOptions): Promise<HeldSeries> {
    const draft = new Draft(held, options);
    for (const group of held.groups()) {
      await draft.add(group);
      await setImmediate();
      options.signal.throwIfAborted();
    }
    return new HeldSeries(draft, held, options);
  }

  private constructor(draft: Draft, held: HeldBlocks, { range, onDamage }: HeldSeriesOptions) {
    super();
    this.#range = range;
    this.#onDamage = onDamage;
    this.#places = draft.places;
    this.labelBytes = draft.labelBytes;
    this.labelEnds = draft.labelEnds;
    this.#blockEnds = draft.blockEnds;
    this.#samples = draft.samples;
    this.entries = draft.entries;
    this.experience = draft.experience;
    const { samplesDecoded, samplesInRange } = draft.experience;
    this.rangeBytes = samplesDecoded === 0 ? 0 : held.blockBytes * (samplesInRange / samplesDecoded);
    this.#decoder.begin(this.#places);
  }

  get parts(): number {
    return (this.#blockEnds[this.entry] as number) - this.#firstBlock;
  }

  /** As many as there are. */
  get sampleBound(): number {
    return this.#samples[this.entry] as number;
  }

  get decodedBytes(): number {
    return this.sampleBound * DECODED_BYTES_PER_FLOAT;
  }

  /** Appends the samples that are in the range of the response too. */
  decode(fromMs: number, toMs: number, columns: SampleColumns): void {
    const range = { fromMs: Math.max(fromMs, this.#range.fromMs), toMs: Math.min(toMs, this.#range.toMs) };
    const end = this.#blockEnds[this.entry] as number;
    try {
      for (let block = this.#firstBlock; block < end; block++) this.#decoder.decode(block, range, columns);
    } catch (error) {
      if (error instanceof WireError) this.#onDamage(error);
      throw error;
    }
  }

  get #firstBlock(): number {
    return this.#blockEnds[this.entry - 1] ?? 0;
  }
}

/** Takes one group of series after the other, and counts their samples in the range. */
class Draft {
  readonly places: BlockPlace[] = [];
  readonly labelEnds: Uint32Array;
  readonly blockEnds: Uint32Array;
  readonly samples: Uint32Array;
  labelBytes = new Uint8Array(0);
  entries = 0;
  readonly experience = { samplesDecoded: 0, samplesInRange: 0, samplesInLongest: 0, series: 0, seriesInPieces: 0 };
  readonly #options: HeldSeriesOptions;
  readonly #names = new MetricNames();
  readonly #decoder = new BlockDecoder(GROUP_BYTES);
  #hasRoom = false;
  readonly #roomBytes: number;

  constructor(held: HeldBlocks, options: HeldSeriesOptions) {
    this.#options = options;
    this.labelEnds = new Uint32Array(held.series);
    this.blockEnds = new Uint32Array(held.series);
    this.samples = new Uint32Array(held.series);
    this.#roomBytes = held.series * BYTES_PER_ENTRY + held.blocks * BYTES_PER_PLACE;
  }

  async add(group: readonly HeldBlocksOfSeries[]): Promise<void> {
    if (!this.#hasRoom) await this.#options.grow(this.#roomBytes);
    this.#hasRoom = true;
    const cut = group.flatMap(({ blocks }) => blocks.filter((block) => this.#isCut(block)));
    this.#decoder.begin(cut);
    let cutIndex = 0;
    for (const { metricName, blocks } of group) {
      let samples = 0;
      for (const block of blocks) {
        samples += this.#isCut(block)
          ? this.#decoder.count(cutIndex++, this.#options.range)
          : this.#isInside(block)
            ? block.samples
            : 0;
        this.#note(block);
      }
      if (samples > 0) await this.#addEntry(metricName, blocks, samples);
    }
  }

  async #addEntry(metricName: Uint8Array, blocks: readonly HeldBlock[], samples: number): Promise<void> {
    const labels = this.#names.labelsOf(metricName);
    const labelsStart = this.labelEnds[this.entries - 1] ?? 0;
    const labelsEnd = labelsStart + labels.length;
    if (labelsEnd > this.labelBytes.length) await this.#addLabelRoom(labelsEnd);
    this.labelBytes.set(labels, labelsStart);
    for (const block of blocks) this.places.push(block);
    this.labelEnds[this.entries] = labelsEnd;
    this.blockEnds[this.entries] = this.places.length;
    this.samples[this.entries++] = samples;
    this.experience.samplesInRange += samples;
    this.experience.series++;
    if (blocks.length > 1) this.experience.seriesInPieces++;
  }

  async #addLabelRoom(needed: number): Promise<void> {
    const before = this.labelBytes.length;
    const room = Math.max(FIRST_LABEL_BYTES, needed, Math.ceil(before * 1.25));
    await this.#options.grow(room - before);
    this.labelBytes = new Uint8Array(this.labelBytes.buffer.transfer(room));
  }

  #note(block: HeldBlock): void {
    const { fromMs } = this.#options.range;
    this.experience.samplesDecoded += block.samples;
    this.experience.samplesInLongest += samplesWithin(block, { fromMs, toMs: fromMs + this.#options.longestMs });
  }

  /** Whether only a part of the block may be in the range. */
  #isCut({ firstMs, lastMs }: HeldBlock): boolean {
    const { fromMs, toMs } = this.#options.range;
    return firstMs < toMs && lastMs >= fromMs && (firstMs < fromMs || lastMs >= toMs);
  }

  #isInside({ firstMs, lastMs }: HeldBlock): boolean {
    const { fromMs, toMs } = this.#options.range;
    return firstMs >= fromMs && lastMs < toMs;
  }
}

/** An estimate of how many of the block's samples are in the range: as if they had equal distances. */
export function samplesWithin({ firstMs, lastMs, samples }: BlockExtent, { fromMs, toMs }: Range): number {
  if (firstMs >= fromMs && lastMs < toMs) return samples;
  const insideMs = Math.min(lastMs, toMs) - Math.max(firstMs, fromMs);
  return insideMs <= 0 ? 0 : samples * (insideMs / (lastMs - firstMs));
}
