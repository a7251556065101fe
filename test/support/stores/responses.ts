// The formats of the responses of the query API, the export and remote_read.

import type { StoreResponse } from './faults.ts';
import type { LabeledSamples } from './messages.ts';
import { numberOf } from './promql.ts';

export function json(status: number, content: object): StoreResponse {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(content) };
}

const streamType = 'application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse';

export function streamResponse(body: Uint8Array): StoreResponse {
  return { status: 200, headers: { 'content-type': streamType }, body };
}

export function samplesResponse(body: Uint8Array): StoreResponse {
  return {
    status: 200,
    headers: { 'content-type': 'application/x-protobuf', 'content-encoding': 'snappy' },
    body,
  };
}

/** JSON lines of VictoriaMetrics' /api/v1/export: NaN, including stale markers, is null. */
export function exportResponse(series: readonly LabeledSamples[]): StoreResponse {
  const lines = series.map(({ labels, samples }) => {
    const values = samples.map(({ bits }) => numberOf(bits));
    const timestamps = samples.map(({ timeMs }) => timeMs);
    return `${JSON.stringify({ metric: Object.fromEntries(labels), values, timestamps })}\n`;
  });
  return { status: 200, headers: { 'content-type': 'application/stream+json' }, body: lines.join('') };
}
