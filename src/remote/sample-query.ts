// Reads samples with their values through a query API: from VictoriaMetrics' export, and from the result of a range selector anywhere else. Both
// are read series by series while they arrive.

import { encodeLabels, type LabelBytes } from '../wire/labels.ts';
import { SampleColumns } from '../wire/sample-columns.ts';
import { parseExportedSamples } from './export-line.ts';
import { ExportedLabels } from './exported-labels.ts';
import type { HistogramKinds } from './histogram-kinds.ts';
import { bytesOfLines } from './json-text.ts';
import { PartMemory, type PieceMemory } from './part-memory.ts';
import type { QueryClient, QueryOptions } from './query-client.ts';
import { parseQueryResponse } from './query-response.ts';
import { parseRangeSamples } from './range-samples.ts';
import { ElementTooLarge, ResultElements } from './result-elements.ts';

/** A line of an export arrives in pieces, which are put together, and its samples take twice the memory of their text while columns grow. */
const MEMORY_PER_LINE_BYTE = 4;

export interface SampleOptions extends QueryOptions {
  /** Where the memory for one series at a time is reserved. */
  readonly memory?: PieceMemory;
}

/** Valid until the next one: the columns are reused. */
export interface QueriedSeries {
  readonly labels: LabelBytes;
  readonly columns: SampleColumns;
}

/**
 * Every series with its samples in [fromMs, toMs], from VictoriaMetrics' /api/v1/export, as a query would see them: with stale markers, and
 * de-duplicated if the server is configured to do so. A series may come in several pieces.
 * @throws RemoteError `export-not-offered` if the server has no such API
 */
export async function* exportedSamples(
  client: QueryClient,
  { matches, fromMs, toMs }: { matches: readonly string[]; fromMs: number; toMs: number },
  { memory, ...options }: SampleOptions,
): AsyncGenerator<QueriedSeries, undefined> {
  const response = await client.exportResponse(matches, { fromMs, toMs }, options);
  const columns = new SampleColumns();
  const exported = new ExportedLabels();
  const lineMemory = new PartMemory(memory);
  let lineBytes = 0;
  const admit = (part: Uint8Array): Promise<void> | undefined => {
    lineBytes += part.length;
    if (MEMORY_PER_LINE_BYTE * lineBytes > options.maxBytes)
      throw client.tooLarge(response, 'exported a line', options.maxBytes);
    return lineMemory.reserve(MEMORY_PER_LINE_BYTE * lineBytes);
  };
  try {
    for await (const line of bytesOfLines(response.body, client.buffers, admit)) {
      lineBytes = 0;
      if (line.length === 0) continue;
      columns.clear();
      const parsed = parseExportedSamples(line, columns);
      if ('problem' in parsed) throw client.unusable(response, parsed.problem);
      const labels = exported.of(parsed.metric);
      if (labels === undefined) throw client.unusable(response, 'a line without metric');
      yield { labels, columns };
    }
  } finally {
    lineMemory.release();
  }
}

/**
 * The series of a range selector at `timeMs` with their samples. A series may be yielded before the response turns out to be damaged. Throws RemoteError like `QueryClient.query`.
 */
export async function* rangeSamples(
  client: QueryClient,
  { promql, timeMs, kinds }: { promql: string; timeMs: number; kinds?: HistogramKinds },
  { memory, ...options }: SampleOptions,
): AsyncGenerator<QueriedSeries, undefined> {
  const response = await client.instantResponse(promql, timeMs, options);
  const elements = new ResultElements(options.maxBytes);
  const columns = new SampleColumns();
  const elementMemory = new PartMemory(memory);
  try {
    for await (const piece of response.body) {
      try {
        const found = elements.push(piece);
        await elementMemory.reserve(elements.bytes);
        for (const element of found) {
          columns.clear();
          const parsed = parseRangeSamples(element, columns, kinds);
          if ('problem' in parsed) throw client.unusable(response, parsed.problem);
          yield { labels: encodeLabels(Object.entries(parsed.metric)), columns };
        }
      } finally {
        client.buffers.give(piece);
      }
    }
  } catch (error) {
    if (error instanceof ElementTooLarge) throw client.tooLarge(response, 'sent a series', options.maxBytes);
    if (error instanceof SyntaxError) throw client.unusable(response, error.message);
    throw error;
  } finally {
    elementMemory.release();
  }
  const parsed = parseQueryResponse(elements.end());
  if ('problem' in parsed) throw client.unusable(response, parsed.problem);
  if (parsed.missing !== undefined) throw client.partial(response, parsed.missing);
}
