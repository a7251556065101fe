// A remote_read server on the loopback with a small data set in memory, as a stream of chunks or as SAMPLES, and with faults on demand.
// Like Mimir and Prometheus it returns whole chunks, not trimmed to the query.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  bitsOf,
  decodeReadRequest,
  encodeFrames,
  encodeSamples,
  type FloatSample,
  type ReadQuery,
  type Series,
  selects,
} from './remote-messages.ts';

/** The result of one query in a test; undefined: the normal response. */
export type Fault =
  | { readonly status: number; readonly text?: string; readonly headers?: Record<string, string> }
  /** A success status with these bytes. */
  | { readonly body: Uint8Array; readonly contentType: string }
  /** The connection is closed after this many bytes of the normal response. */
  | { readonly cutAfterBytes: number }
  /** No response at all. */
  | 'silence';

export class FakeSource implements AsyncDisposable {
  /** Every query in the order of arrival. */
  readonly queries: ReadQuery[] = [];
  series: readonly Series[];
  samplesPerChunk = 30;
  /** Responds in SAMPLES to every request, like Cortex, M3, InfluxDB and thanos-remote-read. */
  samplesOnly = false;
  /** A SAMPLES response is trimmed to the query, except by thanos-remote-read. */
  responsesUntrimmed = false;
  /** M3 excludes the end of a range. */
  endsAreExclusive = false;
  onQuery: (query: ReadQuery) => Fault | undefined | Promise<Fault | undefined> = () => undefined;
  readonly #server = createServer((request, response) => void this.#serve(request, response));
  readonly #chunks = new Map<Series, FloatSample[][]>();

  constructor(series: readonly Series[]) {
    this.series = series;
  }

  get readUrl(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/api/v1/read`;
  }

  listen(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  /** The normal response to a query. */
  response(asked: ReadQuery): { readonly body: Buffer; readonly contentType: string } {
    const query = this.endsAreExclusive ? { ...asked, endMs: asked.endMs - 1 } : asked;
    const found = this.series.filter(({ labels }) => selects(query.matchers, labels));
    const within = ({ timeMs }: { timeMs: number }) =>
      this.responsesUntrimmed || (timeMs >= query.startMs && timeMs <= query.endMs);
    if (!query.streamed || this.samplesOnly) {
      const trimmed = found
        .map(({ labels, samples, histograms = [] }) => ({
          labels,
          samples: samples.filter(within),
          histograms: histograms.filter(within),
        }))
        .filter(({ samples, histograms }) => this.responsesUntrimmed || samples.length + histograms.length > 0);
      return { body: encodeSamples(trimmed), contentType: 'application/x-protobuf' };
    }
    const chunked = found
      .map((series) => ({
        labels: series.labels,
        chunks: this.#chunksOf(series).filter(
          (chunk) => chunk[0]!.timeMs <= query.endMs && chunk.at(-1)!.timeMs >= query.startMs,
        ),
      }))
      .filter(({ chunks }) => chunks.length > 0);
    return {
      body: encodeFrames(chunked),
      contentType: 'application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse',
    };
  }

  /** The number of samples that match a query, for limits. */
  samplesIn(query: ReadQuery): number {
    let count = 0;
    for (const { labels, samples } of this.series) {
      if (!selects(query.matchers, labels)) continue;
      for (const { timeMs } of samples) if (timeMs >= query.startMs && timeMs <= query.endMs) count++;
    }
    return count;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #chunksOf(series: Series): FloatSample[][] {
    let chunks = this.#chunks.get(series);
    if (chunks === undefined) {
      chunks = [];
      const { samples } = series;
      for (let i = 0; i < samples.length; i += this.samplesPerChunk)
        chunks.push(samples.slice(i, i + this.samplesPerChunk));
      this.#chunks.set(series, chunks);
    }
    return chunks;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const query = decodeReadRequest(Buffer.concat(pieces));
    this.queries.push(query);
    const fault = await this.onQuery(query);
    if (fault === 'silence') return;
    if (fault !== undefined && 'status' in fault) {
      response.writeHead(fault.status, { 'content-type': 'text/plain', ...fault.headers }).end(fault.text ?? '');
      return;
    }
    const { body, contentType } = fault !== undefined && 'body' in fault ? fault : this.response(query);
    response.writeHead(200, { 'content-type': contentType });
    if (fault === undefined || 'body' in fault) {
      response.end(body);
      return;
    }
    response.write(body.subarray(0, fault.cutAfterBytes), () => response.destroy());
  }
}

export async function startSource(series: readonly Series[]): Promise<FakeSource> {
  const source = new FakeSource(series);
  await source.listen();
  return source;
}

/** `count` series of `name`, a sample every `stepMs` in [fromMs, toMs), values that identify series and time. */
export function regularSeries(options: {
  name?: string;
  count: number;
  fromMs: number;
  toMs: number;
  stepMs: number;
}): Series[] {
  const { name = 'metric', count, fromMs, toMs, stepMs } = options;
  return Array.from({ length: count }, (_, i) => ({
    labels: [
      ['__name__', name],
      ['instance', `host-${i}`],
    ] as const,
    samples: Array.from({ length: Math.ceil((toMs - fromMs) / stepMs) }, (_, k) => ({
      timeMs: fromMs + k * stepMs,
      bits: bitsOf(i * 1_000_000 + k),
    })),
  }));
}
