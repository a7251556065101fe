// Whether the source includes the end of a time range. Most stores do, M3 does not, so a window is requested with a millisecond to spare.
// At the border of a block that millisecond is expensive: Prometheus looks up every series in the next block as well, for nothing, which
// makes a reading of two hours 40 % more work for it. A source that has shown that it includes the end is not asked for it there.

import { decodeLabels } from '../../wire/labels.ts';
import type { SeriesCursor } from '../../wire/responses/read-response.ts';
import { SampleColumns } from '../../wire/sample-columns.ts';
import { WireError } from '../../wire/errors.ts';
import type { Matcher } from '../plan/migration-plan.ts';
import { BLOCK_MS } from './window-size.ts';

/** A range of one millisecond, in which there is a sample if ends are included, and none if they are not. */
export interface EndProbe {
  readonly matchers: readonly Matcher[];
  readonly timeMs: number;
}

/** A request with more than this in its matchers is not worth its risk: servers limit the size of a request. */
const MAX_LABEL_BYTES = 8192;
/** A series may unpack to a gigabyte; one of ordinary size follows in a later response. */
const MAX_DECODED_BYTES = 1_048_576;

export class RangeEnd {
  /**
   * - `unknown`: no sample was seen that could show it
   * - `probe`: the source can be asked
   * - `included`: it has shown that it includes the end
   * - `open`: it has not shown it, and is not asked again
   */
  #state: 'unknown' | 'probe' | 'included' | 'open' = 'unknown';
  #probe: EndProbe | undefined;

  /** Takes the first series of a response for the probe. The cursor is left at its beginning. */
  note(cursor: SeriesCursor): void {
    if (this.#state !== 'unknown') return;
    this.#probe = probeOf(cursor);
    if (this.#probe !== undefined) this.#state = 'probe';
  }

  /** What to request before a window that ends at `toMs` and is not the last one; undefined when there is nothing to find out. */
  probeBefore(toMs: number): EndProbe | undefined {
    return this.#state === 'probe' && isBorder(toMs) ? this.#probe : undefined;
  }

  /** @param response undefined when the probe failed */
  probed(probe: EndProbe, response: SeriesCursor | undefined): void {
    this.#state = response !== undefined && holdsSample(response, probe.timeMs) ? 'included' : 'open';
    this.#probe = undefined;
  }

  /** The last millisecond to request for a window that ends at `toMs`, exclusive. */
  lastMs(toMs: number): number {
    return this.#state === 'included' && isBorder(toMs) ? toMs - 1 : toMs;
  }
}

function isBorder(timeMs: number): boolean {
  return timeMs % BLOCK_MS === 0;
}

/** The first sample that the response has of its first series: where streamed, the first of a chunk, which half-open ranges leave out. */
function probeOf(cursor: SeriesCursor): EndProbe | undefined {
  try {
    if (!cursor.next() || !isSmall(cursor)) return undefined;
    const timeMs = firstTimeMs(cursor, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
    if (timeMs === undefined) return undefined;
    const matchers = decodeLabels(cursor.labels).map(([name, value]) => ({ kind: '=' as const, name, value }));
    return { matchers, timeMs };
  } catch (error) {
    // What is wrong with it is found again, and reported, when the window is decoded.
    if (error instanceof WireError) return undefined;
    throw error;
  } finally {
    cursor.rewind();
  }
}

function holdsSample(cursor: SeriesCursor, timeMs: number): boolean {
  try {
    return cursor.next() && isSmall(cursor) && firstTimeMs(cursor, timeMs, timeMs + 1) !== undefined;
  } catch (error) {
    if (error instanceof WireError) return false;
    throw error;
  }
}

function isSmall({ labels, decodedBytes }: SeriesCursor): boolean {
  return labels.length <= MAX_LABEL_BYTES && decodedBytes <= MAX_DECODED_BYTES;
}

function firstTimeMs(cursor: SeriesCursor, fromMs: number, toMs: number): number | undefined {
  const columns = new SampleColumns();
  cursor.decode(fromMs, toMs, columns);
  return columns.floats > 0 ? columns.floatTimesMs[0] : columns.histogramTimesMs[0];
}
