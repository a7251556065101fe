// Reads a store through VictoriaMetrics' native export, and keeps what arrives as it is.

import { DoesNotFit } from '../../remote/does-not-fit.ts';
import { BATCH_LIMITS, exportedBlocks } from '../../remote/native-export.ts';
import type { QueryClient, QueryOptions } from '../../remote/query-client.ts';
import { HeldBlocks } from './held-blocks.ts';
import { HeldSeries, type HeldSeriesOptions, samplesWithin } from './held-series.ts';
import type { NativeRange } from './native-reader.ts';
import type { Keeping } from './series-taker.ts';

const OWN_BYTES = BATCH_LIMITS.ownBytes + 2 * HeldSeries.ownBytes;

/** A response that does not fit into memory. */
export interface HeldTooLarge {
  readonly error: DoesNotFit;
  /** Estimates, of the blocks that had arrived. */
  readonly samplesDecoded: number;
  readonly samplesInLongest: number;
}

/**
 * One attempt at reading a range completely.
 * @param onTooLarge called before DoesNotFit is thrown
 * @throws RemoteError, WireError, DoesNotFit; the signal's reason
 */
export async function readHeld(
  client: QueryClient,
  range: NativeRange,
  keeping: Pick<Keeping, 'grow' | 'shrink'> &
    Pick<HeldSeriesOptions, 'longestMs' | 'onDamage'> & { readonly onTooLarge: (found: HeldTooLarge) => void },
  options: QueryOptions,
): Promise<HeldSeries> {
  const { grow, shrink, longestMs, onDamage, onTooLarge } = keeping;
  const { matches, fromMs, toMs, untilMs } = range;
  const held = new HeldBlocks(grow);
  await grow(OWN_BYTES);
  const query = { matches, fromMs, toMs: untilMs - 1 };
  try {
    for await (const blocks of exportedBlocks(client, query, { ...options, ...BATCH_LIMITS }))
      for (const block of blocks) await held.add(block);
    const { signal } = options;
    const series = await HeldSeries.of(held, { range: { fromMs, toMs }, longestMs, grow, signal, onDamage });
    shrink(OWN_BYTES - HeldSeries.ownBytes + held.bytes - held.blockBytes);
    return series;
  } catch (error) {
    if (error instanceof DoesNotFit) onTooLarge({ error, ...noted(error, held, { range, longestMs }) });
    throw error;
  }
}

/** Records what had arrived. If most of it is outside of the range, less time would not need less memory. */
function noted(
  error: DoesNotFit,
  held: HeldBlocks,
  { range: { fromMs, toMs }, longestMs }: { readonly range: NativeRange; readonly longestMs: number },
): Omit<HeldTooLarge, 'error'> {
  error.seenNames = held.metricNames();
  const found = { samplesDecoded: 0, samplesInLongest: 0 };
  let samplesInRange = 0;
  for (const { blocks } of held.entries()) {
    for (const block of blocks) {
      found.samplesDecoded += block.samples;
      found.samplesInLongest += samplesWithin(block, { fromMs, toMs: fromMs + longestMs });
      samplesInRange += samplesWithin(block, { fromMs, toMs });
    }
  }
  error.labelsDominate = samplesInRange < found.samplesDecoded / 2;
  return found;
}
