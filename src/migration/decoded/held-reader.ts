// Reads a store through VictoriaMetrics' native export, and keeps what arrives as it is.

import { DoesNotFit } from '../../remote/does-not-fit.ts';
import { BATCH_LIMITS, exportedBlocks } from '../../remote/native-export.ts';
import type { QueryClient, QueryOptions } from '../../remote/query-client.ts';
import { HeldBlocks } from './held-blocks.ts';
import { HeldSeries, type HeldSeriesOptions } from './held-series.ts';
import type { NativeRange } from './native-reader.ts';
import type { Keeping } from './series-taker.ts';

const OWN_BYTES = BATCH_LIMITS.ownBytes + 2 * HeldSeries.ownBytes;

/**
 * One attempt at reading a range completely.
 * @throws RemoteError, WireError, DoesNotFit; the signal's reason
 */
export async function readHeld(
  client: QueryClient,
  range: NativeRange,
  keeping: Pick<Keeping, 'grow' | 'shrink'> & Pick<HeldSeriesOptions, 'longestMs' | 'onDamage'>,
  options: QueryOptions,
): Promise<HeldSeries> {
  const { grow, shrink, longestMs, onDamage } = keeping;
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
    if (error instanceof DoesNotFit) note(error, held, range);
    throw error;
  }
}

/** Records what had arrived. If most of it is outside of the range, less time would not need less memory. */
function note(error: DoesNotFit, held: HeldBlocks, { fromMs, toMs }: NativeRange): void {
  error.seenNames = held.metricNames();
  let bytes = 0;
  let bytesInRange = 0;
  for (const { blocks } of held.entries()) {
    for (const { start, end, firstMs, lastMs } of blocks) {
      const insideMs = Math.min(lastMs, toMs) - Math.max(firstMs, fromMs);
      bytes += end - start;
      bytesInRange += lastMs === firstMs ? end - start : (end - start) * Math.max(0, insideMs / (lastMs - firstMs));
    }
  }
  error.labelsDominate = bytesInRange < bytes / 2;
}
