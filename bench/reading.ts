// The least that reading a range takes: requests for windows that end at the borders of the servers' blocks, one after the other over one connection
// for each side, whose responses are discarded. It does not depend on how any tool plans its windows.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeReadRequest } from '../test/support/remote-read.ts';
import type { Scenario } from './cases.ts';
import { runMeasured } from './process-usage.ts';
import { findBenchData } from './programs.ts';

const WINDOW_MS = 2 * 3_600_000;

interface TimeRange {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface PlannedRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Base64. */
  readonly body: string;
}

/** Windows of two hours. */
export function blockWindows({ startMs, endMs }: Pick<Scenario, 'startMs' | 'endMs'>): TimeRange[] {
  const windows: TimeRange[] = [];
  for (let fromMs = startMs; fromMs < endMs; ) {
    const toMs = Math.min(endMs, (Math.floor(fromMs / WINDOW_MS) + 1) * WINDOW_MS);
    windows.push({ fromMs, toMs });
    fromMs = toMs;
  }
  return windows;
}

export function remoteRead(url: string, { fromMs, toMs }: TimeRange, streamed: boolean): PlannedRequest {
  const request = encodeReadRequest({ startMs: fromMs, lastMs: toMs - 1, streamed });
  return {
    method: 'POST',
    url: `${url}/api/v1/read`,
    headers: {
      'Content-Type': 'application/x-protobuf',
      'Content-Encoding': 'snappy',
      'Accept-Encoding': 'snappy',
      'X-Prometheus-Remote-Read-Version': '0.1.0',
    },
    body: request.toString('base64'),
  };
}

/** Blocks of samples are exported whole, so one request for all of a range is the least. */
export function nativeExportOf(url: string, { startMs, endMs }: Pick<Scenario, 'startMs' | 'endMs'>): PlannedRequest {
  const range = { start: String(startMs / 1000), end: String((endMs - 1) / 1000) };
  const parameters = new URLSearchParams({ 'match[]': '{__name__=~".+"}', ...range });
  return { method: 'GET', url: `${url}/api/v1/export/native?${parameters}`, headers: {}, body: '' };
}

/** Sends the lists side by side. */
export async function discard(
  lists: readonly (readonly PlannedRequest[])[],
  scratch: string,
): Promise<{ wallMs: number; bytes: number }> {
  const file = join(scratch, 'reading.json');
  await writeFile(file, JSON.stringify(lists));
  const { stdout } = await runMeasured({ program: await findBenchData(), args: ['discard', file] });
  const { wallMs, lists: read } = JSON.parse(stdout) as { wallMs: number; lists: { bytes: number }[] };
  return { wallMs, bytes: read.reduce((sum, { bytes }) => sum + bytes, 0) };
}
