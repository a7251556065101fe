// A response that takes more memory than there is for it, and what had arrived of it: that decides where the query is split.

import type { SeriesCursor } from '../wire/responses/read-response.ts';
import { WireError } from '../wire/errors.ts';
import { canonicalLabels, metricName } from '../wire/labels.ts';

const MAX_SEEN_NAMES = 1000;

/** A response, or what was decoded from it, does not fit into the memory budget even when nothing else is held. */
export class DoesNotFit extends Error {
  override readonly name = 'DoesNotFit';
  /** Metric names of what had arrived: where to cut when a window is split by name. */
  seenNames: readonly string[] = [];
  /** Most of what had arrived was labels: a shorter window has as many series, so only fewer names will do. */
  labelsDominate = false;
}

/** Notes in the error what has arrived of the response that does not fit: it decides how the window is split. */
export function noteArrived(error: DoesNotFit, cursor: SeriesCursor, bytes: number): void {
  const names = new Set<string>();
  let labelBytes = 0;
  while (cursor.next()) {
    labelBytes += cursor.labels.length;
    const name = names.size < MAX_SEEN_NAMES ? nameOf(cursor.labels) : '';
    if (name !== '') names.add(name);
  }
  error.labelsDominate = labelBytes > bytes / 2;
  // Names come in order, and the first of them fit: the cut is better near their end.
  error.seenNames = [...names].slice(error.labelsDominate ? Math.floor(names.size * 0.6) : 0);
}

/** What can't be read is found out, and said, when it is decoded. */
function nameOf(labels: Uint8Array): string {
  try {
    return metricName(canonicalLabels(labels));
  } catch (error) {
    if (error instanceof WireError) return '';
    throw error;
  }
}
