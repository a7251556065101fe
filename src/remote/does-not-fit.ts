// The error for a response that does not fit into memory. It records what had arrived, which decides where the query is split.

import type { SeriesCursor } from '../wire/responses/read-response.ts';
import type { Side } from './meaning/side.ts';
import { WireError } from '../wire/errors.ts';
import { canonicalLabels, metricName } from '../wire/labels.ts';

const MAX_SEEN_NAMES = 1000;

/** A response, or its decoded content, does not fit into the memory budget even if nothing else is held. */
export class DoesNotFit extends Error {
  override readonly name = 'DoesNotFit';
  /** Metric names that had arrived: candidates for the cut when a window is split by name. */
  seenNames: readonly string[] = [];
  /**
   * Most of the received bytes were labels, or blocks that are sent whole. A shorter window has as many of them, so only fewer names help.
   */
  labelsDominate = false;
  /** Whose response it is. */
  side: Side = 'source';
}

/** Records in the error what has arrived of the response that does not fit. It decides how the window is split. */
export function noteArrived(error: DoesNotFit, cursor: SeriesCursor, bytes: number): void {
  const { names, labelBytes } = seenNames(cursor);
  error.labelsDominate = labelBytes > bytes / 2;
  // Names come in order, and the first of them fit: a cut near their end is better.
  error.seenNames = names.slice(error.labelsDominate ? Math.floor(names.length * 0.6) : 0);
}

/** The metric names from the cursor's place on, in order, up to a maximum, and the size of all labels. */
export function seenNames(cursor: SeriesCursor): { readonly names: string[]; readonly labelBytes: number } {
  const names = new Set<string>();
  let labelBytes = 0;
  while (cursor.next()) {
    labelBytes += cursor.labels.length;
    const name = names.size < MAX_SEEN_NAMES ? nameOf(cursor.labels) : '';
    if (name !== '') names.add(name);
  }
  return { names: [...names], labelBytes };
}

/** The metric name, or an empty string. Bytes that cannot be read are detected and reported when they are decoded. */
export function nameOf(labels: Uint8Array): string {
  try {
    return metricName(canonicalLabels(labels));
  } catch (error) {
    if (error instanceof WireError) return '';
    throw error;
  }
}
