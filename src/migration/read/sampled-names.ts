// Which metric names take most of a response: a sample of them.

import { nameOf } from '../../remote/does-not-fit.ts';
import type { SeriesCursor } from '../../wire/responses/read-response.ts';

/** Enough to cut a response into dozens of parts. A name that takes less than one in this many may be missing. */
const NAMES = 256;
/** In a SAMPLES response, and in memory. */
const SAMPLE_BYTES = 16;

/**
 * The metric names at equal distances in the response, so that each name is there as often as corresponds to its size. The series may have any order.
 * @param size what all the series have together
 */
export function sampledNames(
  cursors: readonly SeriesCursor[],
  size: { readonly labelBytes: number; readonly sampleBound: number },
): string[] {
  const distance = (size.labelBytes + SAMPLE_BYTES * size.sampleBound) / NAMES;
  const names: string[] = [];
  let [position, next] = [0, distance / 2];
  for (const cursor of cursors) {
    cursor.rewind();
    while (distance > 0 && cursor.next()) {
      position += cursor.labels.length + SAMPLE_BYTES * cursor.sampleBound;
      if (position < next) continue;
      const name = nameOf(cursor.labels);
      for (; next <= position; next += distance) names.push(name);
    }
    cursor.rewind();
  }
  return names;
}
