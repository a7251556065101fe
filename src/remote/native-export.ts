// Reads VictoriaMetrics' /api/v1/export/native: blocks of samples as they are stored, while they arrive. The blocks of a series may be far apart, in
// any order, and have samples outside the requested range. The server does not remove duplicates, also if it is configured to do so.

import { WireError } from '../wire/errors.ts';
import type { BlockPlace } from '../wire/native-export/block-batch.ts';
import { RecordCollector } from '../wire/native-export/record-collector.ts';
import type { QueryClient, QueryOptions } from './query-client.ts';

export interface ExportedBlock extends BlockPlace {
  /** The labels of its series, as VictoriaMetrics writes them. */
  readonly metricName: Uint8Array;
}

export interface NativeLimits {
  /** How many bytes to collect before they are decoded. */
  readonly batchBytes: number;
  readonly maxRecordBytes: number;
}

const BATCH_BYTES = 256 * 1024;
/** A block has at most 256 KiB, and labels are much shorter. */
const MAX_RECORD_BYTES = 512 * 1024;

/** `ownBytes`: a batch and a record that begins in it, and their compressed arrays once more. */
export const BATCH_LIMITS = {
  batchBytes: BATCH_BYTES,
  maxRecordBytes: MAX_RECORD_BYTES,
  ownBytes: 2 * (BATCH_BYTES + MAX_RECORD_BYTES),
} as const;

/**
 * The blocks that have samples in [fromMs, toMs], in batches. A batch is valid until the next one.
 * @throws RemoteError `export-not-offered` if the server has no such API, `response-too-large` for a block that does not fit; WireError if the bytes
 * are not such an export, or end in the middle
 */
export async function* exportedBlocks(
  client: QueryClient,
  { matches, fromMs, toMs }: { matches: readonly string[]; fromMs: number; toMs: number },
  { batchBytes, maxRecordBytes, ...options }: QueryOptions & NativeLimits,
): AsyncGenerator<readonly ExportedBlock[], undefined> {
  const response = await client.exportResponse(matches, { fromMs, toMs }, { ...options, isNative: true });
  const collector = new RecordCollector(batchBytes, maxRecordBytes);
  try {
    for await (const piece of response.body) {
      for (let at = 0; at < piece.length; at += batchBytes) {
        collector.push(piece.subarray(at, at + batchBytes));
        if (collector.waitingBytes >= batchBytes) yield takeAll(collector);
      }
      client.buffers.give(piece);
    }
    yield takeAll(collector);
    collector.end();
  } catch (error) {
    if (!(error instanceof WireError) || error.code !== 'too-large') throw error;
    throw client.tooLarge(response, 'exported a block', maxRecordBytes);
  }
}

function takeAll(collector: RecordCollector): ExportedBlock[] {
  const blocks: ExportedBlock[] = [];
  const { bytes } = collector;
  for (let record = collector.take(); record !== undefined; record = collector.take()) {
    const metricName = bytes.subarray(record.labelsStart, record.labelsEnd);
    blocks.push({ metricName, bytes, start: record.blockStart, end: record.blockEnd });
  }
  return blocks;
}
