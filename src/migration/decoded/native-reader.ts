// Reads a store through VictoriaMetrics' native export. A series is offered to the taker as soon as its first block arrives: most have no other in
// the range. The blocks of the others are held until the response has ended, because only then the series is known to be complete.

import { DoesNotFit } from '../../remote/does-not-fit.ts';
import { BATCH_LIMITS, exportedBlocks, type ExportedBlock } from '../../remote/native-export.ts';
import type { QueryClient, QueryOptions } from '../../remote/query-client.ts';
import { KERNEL } from '../../wire/kernel/kernel.ts';
import { BlockDecoder } from '../../wire/native-export/block-batch.ts';
import { MetricNames } from '../../wire/native-export/metric-name.ts';
import { SampleColumns } from '../../wire/sample-columns.ts';
import { HeldBlocks } from './held-blocks.ts';
import type { NativeExperience } from './native-choice.ts';
import type { Keeping, SeriesTaker } from './series-taker.ts';
import { StoredSeries } from './stored-series.ts';

export interface NativeRange {
  readonly matches: readonly string[];
  /** Half open: [fromMs, toMs). */
  readonly fromMs: number;
  readonly toMs: number;
  /** The end of the requested range. */
  readonly untilMs: number;
}

export interface NativeKeeping extends Keeping {
  /** Offer no series before the end of the response. */
  readonly holdsAll: boolean;
}

export interface NativeResponse extends NativeExperience {
  readonly store: StoredSeries;
}

const GROUP_BYTES = 512 * 1024;
/** Two batches, and the content of their compressed arrays. */
const OWN_BYTES = BATCH_LIMITS.ownBytes + BlockDecoder.bytesFor(GROUP_BYTES);

/** Whether a native export can be read within `maxBytes`. */
export function fitsNative(maxBytes: number): boolean {
  return OWN_BYTES <= maxBytes;
}

/**
 * One attempt at reading a range completely.
 * @throws RemoteError, WireError, DoesNotFit, SeriesInPieces; the signal's reason
 */
export async function readNative(
  client: QueryClient,
  range: NativeRange,
  keeping: NativeKeeping,
  options: QueryOptions,
): Promise<NativeResponse> {
  const reading = new Reading(range, keeping);
  await keeping.grow(OWN_BYTES);
  const { matches, fromMs, untilMs } = range;
  const batches = exportedBlocks(client, { matches, fromMs, toMs: untilMs - 1 }, { ...options, ...BATCH_LIMITS });
  try {
    for await (const blocks of batches) await reading.add(blocks);
    await reading.end();
  } catch (error) {
    if (error instanceof DoesNotFit) error.seenNames = reading.seenNames();
    throw error;
  }
  keeping.shrink(OWN_BYTES);
  return reading;
}

class Reading implements NativeResponse {
  readonly store: StoredSeries;
  samplesDecoded = 0;
  samplesInRange = 0;
  series = 0;
  seriesInPieces = 0;
  readonly #range: NativeRange;
  readonly #keeping: NativeKeeping;
  readonly #decoder = new BlockDecoder(GROUP_BYTES);
  readonly #held: HeldBlocks;
  readonly #names = new MetricNames();
  /** Where no columns of the kernel are free. */
  readonly #columns = new SampleColumns();
  /** Reserved for columns. */
  #columnBytes = 0;

  constructor(range: NativeRange, keeping: NativeKeeping) {
    this.#range = range;
    this.#keeping = keeping;
    this.#held = new HeldBlocks(keeping.grow);
    this.store = keeping.store ?? new StoredSeries(keeping.grow);
  }

  async add(blocks: readonly ExportedBlock[]): Promise<void> {
    const { holdsAll, arriving } = this.#keeping;
    this.#decoder.begin(blocks);
    for (const [index, block] of blocks.entries()) {
      if (holdsAll || arriving === undefined || this.#held.has(block.metricName)) {
        await this.#held.add(block);
        continue;
      }
      const isTaken = this.#takeOnArrival(index, block, arriving);
      if (this.#lackingBytes(this.#columns) > 0) await this.#reserve(this.#columns);
      if (!isTaken) await this.#held.add(block);
    }
  }

  /** @returns false if the block has to be kept */
  #takeOnArrival(index: number, { metricName }: ExportedBlock, arriving: SeriesTaker): boolean {
    const borrowed = KERNEL?.blocks.borrowColumns();
    try {
      const columns = borrowed?.columns ?? this.#columns;
      columns.clear();
      this.#decode(index, columns);
      if (columns.floats === 0) return true;
      if (!arriving.take(this.#names.labelsOf(metricName), columns, true, this.#names.hash)) return false;
      this.series++;
      return true;
    } finally {
      borrowed?.[Symbol.dispose]();
    }
  }

  /** All series are complete. */
  async end(): Promise<void> {
    const { arriving, shrink } = this.#keeping;
    using borrowed = KERNEL?.blocks.borrowColumns();
    const columns = borrowed?.columns ?? this.#columns;
    for (const group of this.#held.groups()) {
      this.#decoder.begin(group.flatMap(({ blocks }) => blocks));
      let index = 0;
      for (const { metricName, blocks } of group) {
        columns.clear();
        for (const _ of blocks) {
          this.#decode(index++, columns);
          if (this.#lackingBytes(columns) > 0) await this.#reserve(columns);
        }
        if (columns.floats === 0) continue;
        this.series++;
        if (blocks.length > 1) this.seriesInPieces++;
        const labels = this.#names.labelsOf(metricName);
        if (arriving?.take(labels, columns, false, this.#names.hash) !== true) await this.store.add(labels, columns);
      }
    }
    shrink(this.#held.bytes + this.#columnBytes);
  }

  /** The metric names that have arrived. Most bytes of a block are samples. */
  seenNames(): string[] {
    return this.#held.metricNames();
  }

  #decode(index: number, columns: SampleColumns): void {
    const { floats } = columns;
    this.samplesDecoded += this.#decoder.decode(index, this.#range, columns);
    this.samplesInRange += columns.floats - floats;
  }

  /** A block adds at most 16,384 samples before their memory is reserved. */
  #lackingBytes({ grownBytes }: SampleColumns): number {
    return grownBytes - this.#columnBytes;
  }

  async #reserve(columns: SampleColumns): Promise<void> {
    const bytes = this.#lackingBytes(columns);
    await this.#keeping.grow(bytes);
    this.#columnBytes += bytes;
  }
}
