// Whether the source includes the end of a time range. Most stores do, M3 does not, so each request covers one extra millisecond. At the
// border of a block that millisecond is expensive: Prometheus also looks up every series in the next block, for nothing, which increases
// its work for a read of two hours by 40 %. Once a source has proved that it includes the end, requests omit that millisecond there.

import { decodeLabels } from '../../wire/labels.ts';
import type { SeriesCursor } from '../../wire/responses/read-response.ts';
import { SampleColumns } from '../../wire/sample-columns.ts';
import { WireError } from '../../wire/errors.ts';
import type { Matcher } from '../plan/migration-plan.ts';
import { BLOCK_MS } from './window-size.ts';

/** A range of one millisecond that returns a sample if the source includes ends, and none if it does not. */
export interface EndProbe {
  readonly matchers: readonly Matcher[];
  readonly timeMs: number;
}

/** Servers limit the size of a request, so longer matchers are not worth the risk. */
const MAX_LABEL_BYTES = 8192;
/** A series may decode to a gigabyte. A series of ordinary size follows in a later response. */
const MAX_DECODED_BYTES = 1_048_576;

export class RangeEnd {
  /**
   * - `unknown`: no sample seen that could prove it
   * - `probe`: a probe can be sent
   * - `included`: the source has proved that it includes the end
   * - `open`: not proved; no further probe is sent
   */
  #state: 'unknown' | 'probe' | 'included' | 'open';
  #probe: EndProbe | undefined;

  /** @param state what is known about the source */
  constructor(state: 'unknown' | 'included' = 'unknown') {
    this.#state = state;
  }

  /** Takes the first series of a response for the probe. Leaves the cursor at its beginning. */
  note(cursor: SeriesCursor): void {
    if (this.#state !== 'unknown') return;
    this.#probe = probeOf(cursor);
    if (this.#probe !== undefined) this.#state = 'probe';
  }

  /** The probe to send before a window that ends at `toMs` and is not the last one; undefined if no probe is needed. */
  probeBefore(toMs: number): EndProbe | undefined {
    return this.#state === 'probe' && isBorder(toMs) ? this.#probe : undefined;
  }

  /** @param response undefined when the probe failed */
  probed(probe: EndProbe, response: SeriesCursor | undefined): void {
    this.#state = response !== undefined && holdsSample(response, probe.timeMs) ? 'included' : 'open';
    this.#probe = undefined;
  }

  /** The last millisecond to request for a window that ends at `toMs` (exclusive). */
  lastMs(toMs: number): number {
    return this.#state === 'included' && isBorder(toMs) ? toMs - 1 : toMs;
  }
}

function isBorder(timeMs: number): boolean {
  return timeMs % BLOCK_MS === 0;
}

/** The first sample of the first series. In a stream this is the first sample of a chunk, which half-open ranges exclude. */
function probeOf(cursor: SeriesCursor): EndProbe | undefined {
  try {
    if (!cursor.next() || !isSmall(cursor)) return undefined;
    const timeMs = firstTimeMs(cursor, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
    if (timeMs === undefined) return undefined;
    const matchers = decodeLabels(cursor.labels).map(([name, value]) => ({ kind: '=' as const, name, value }));
    return { matchers, timeMs };
  } catch (error) {
    // The same error occurs again, and is reported, when the window is decoded.
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
