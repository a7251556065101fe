// The index of a destination's response, by the labels that its series were written with.

import { canonicalLabels, type LabelBytes } from '../../wire/labels.ts';
import type { SeriesCursor } from '../../wire/responses/read-response.ts';
import type { Appearance } from '../progress/destination-view.ts';
import type { SourcePart } from '../read/window-part.ts';
import type { LabelBorders } from './label-borders.ts';
import { LikelySeries } from './likely-series.ts';
import { SeriesIndex } from './series-index.ts';

interface IndexOptions {
  readonly appearance: Pick<Appearance, 'writtenLabels'>;
  /** Between which each series has to be. */
  readonly borders?: LabelBorders | undefined;
  /** The source's part for the same slice. Its cursors are moved. */
  readonly source?: Pick<SourcePart, 'cursors' | 'outline'> | undefined;
  /** Reserves memory before it is used. */
  readonly grow: (bytes: number) => Promise<void>;
}

/** @throws WireError; Indivisible; what `grow` throws */
export async function indexOf(
  cursors: readonly SeriesCursor[],
  { appearance, borders, source, grow }: IndexOptions,
): Promise<SeriesIndex> {
  const writtenLabels = (shown: Uint8Array) => appearance.writtenLabels(canonicalLabels(shown));
  const isWrittenAs = (shown: LabelBytes) => appearance.writtenLabels(shown) === shown;
  const check = borders === undefined ? undefined : (labels: LabelBytes) => borders.check(labels);
  if (source !== undefined) await grow(LikelySeries.bytesFor(source));
  const index = new SeriesIndex(cursors, {
    writtenLabels,
    ...(check !== undefined && { check }),
    ...(source !== undefined && { likely: new LikelySeries(source, isWrittenAs) }),
  });
  await index.build(grow);
  index.dropSeriesOfEarlierResponses();
  return index;
}
