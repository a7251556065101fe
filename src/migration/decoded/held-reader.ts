// Reads a store through VictoriaMetrics' native export, and keeps what arrives as it is.

import { DoesNotFit } from '../../remote/does-not-fit.ts';
import { BATCH_LIMITS, exportedBlocks } from '../../remote/native-export.ts';
import type { QueryClient, QueryOptions } from '../../remote/query-client.ts';
import { HeldBlocks } from './held-blocks.ts';
import { HeldSeries, type HeldSeriesOptions, samplesWithin } from './held-series.ts';
import type { NativeRange } from './native-reader.ts';
import type { Keeping } from './series-taker.ts';

const OWN_BYTES = BATCH_LIMITS.ownBytes + 2 * HeldSeries.ownBytes;

/**
 * Of what a part of a response may take: more would need as much memory again for the next response. Fewer names at a time cost the store
 * nothing.
 */
const HELD_SHARE = 0.8;

/** Blocks that do not fit into memory. Fewer names help, and less time does not: each block would be sent again. */
export class HeldDoesNotFit extends DoesNotFit {
  override readonly labelsDominate = true;
  /** Of the blocks that had arrived. */
  readonly samplesDecoded: number;
  /** An estimate. */
  readonly samplesInRange: number;

  constructor({ message }: DoesNotFit, held: HeldBlocks, range: NativeRange) {
    super(message);
    this.seenNames = held.metricNames();
    const blocks = [...held.entries()].flatMap((series) => series.blocks);
    this.samplesDecoded = blocks.reduce((sum, { samples }) => sum + samples, 0);
    this.samplesInRange = blocks.reduce((sum, block) => sum + samplesWithin(block, range), 0);
  }
}

/**
 * One attempt at reading a range completely.
 * @throws RemoteError, WireError, HeldDoesNotFit; the signal's reason
 */
export async function readHeld(
  client: QueryClient,
  range: NativeRange,
  keeping: Pick<Keeping, 'grow' | 'shrink'> & Pick<HeldSeriesOptions, 'longestMs' | 'onDamage'>,
  options: QueryOptions,
): Promise<HeldSeries> {
  const { grow, shrink, longestMs, onDamage } = keeping;
  const { matches, fromMs, toMs, untilMs } = range;
  const maxHeldBytes = Math.floor(options.maxBytes * HELD_SHARE);
  const held = new HeldBlocks(grow);
  await grow(OWN_BYTES);
  const query = { matches, fromMs, toMs: untilMs - 1 };
  try {
    for await (const blocks of exportedBlocks(client, query, { ...options, ...BATCH_LIMITS }))
      for (const block of blocks) {
        await held.add(block);
        if (held.bytes > maxHeldBytes) throw new DoesNotFit(`needs more than ${maxHeldBytes} bytes for its blocks`);
      }
    const { signal } = options;
    const series = await HeldSeries.of(held, { range: { fromMs, toMs }, longestMs, grow, signal, onDamage });
    shrink(OWN_BYTES - HeldSeries.ownBytes + held.bytes - held.blockBytes);
    return series;
  } catch (error) {
    const thrown = error instanceof DoesNotFit ? new HeldDoesNotFit(error, held, range) : error;
    held.free();
    throw thrown;
  }
}
