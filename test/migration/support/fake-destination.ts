// A remote_write server on the loopback that keeps what it receives, either as strictly as Prometheus (in order, a whole request rolled
// back at its first bad sample) or as leniently as VictoriaMetrics (everything, including duplicates), and returns it by remote_read,
// PromQL and export.

import type { AddressInfo } from 'node:net';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Matcher } from '../../../src/migration/plan/migration-plan.ts';
import { PROGRESS_METRIC } from '../../../src/migration/progress/progress-mark.ts';
import {
  decodeReadRequest,
  decodeWriteRequest,
  encodeFrames,
  encodeSamples,
  type FloatSample,
  keyOf,
  labelOf,
  type Series,
  selects,
  staleBits,
} from './remote-messages.ts';
import { countOf, maxOf, valuesOf, exportLine, floatOf, matrixOf } from './query-results.ts';
import { parseSelector } from './selector-text.ts';
import type { Rejection, Reply, WriteRequest } from './destination-requests.ts';

interface Stored {
  readonly labels: Series['labels'];
  readonly samples: (FloatSample & { readonly histogram?: Uint8Array })[];
}

export class FakeDestination implements AsyncDisposable {
  /** 'strict': Prometheus; 'keeps-all': VictoriaMetrics without deduplication. */
  kind: 'strict' | 'keeps-all' = 'strict';
  /** Whether `/api/v1/export` exists, like only in VictoriaMetrics. */
  exports = false;
  /** Like Prometheus: older samples are rejected, with the message and the status of the version. */
  oldestMs = Number.NEGATIVE_INFINITY;
  tooOld: Rejection = { status: 400, text: 'out of bounds' };
  /** The error of a single sample, if any, for which the whole request is rejected. */
  problemOf: (labels: Series['labels'], sample: FloatSample) => Rejection | undefined = () => undefined;
  /** Called with each request before it is stored; a returned reply replaces storing. */
  onWrite: (request: WriteRequest) => Reply | undefined | Promise<Reply | undefined> = () => undefined;
  /** Called when a request is stored, before it is acknowledged. */
  onStored: (request: WriteRequest) => void | Promise<void> = () => undefined;
  /** Called with each request that reads something back. */
  onRead: (path: string) => Reply | undefined = () => undefined;
  /** Which series are visible: VictoriaMetrics shows a new one some seconds after it was written. */
  shows: (labels: Series['labels']) => boolean = () => true;
  /** How long a stored sample stays hidden. */
  hiddenForMs = 0;
  now: () => number = () => 0;

  /** Every request acknowledged with 2xx, and the number of the others. */
  readonly accepted: WriteRequest[] = [];
  refused = 0;
  /** Requests without a response yet, except marks. */
  unacknowledged = 0;
  reads = 0;
  /** Internal failures of this server; a passing test leaves none. */
  readonly failures: unknown[] = [];
  readonly #stored = new Map<string, Stored>();
  readonly #visible = new Map<FloatSample, number>();
  #busy = 0;
  #idle: () => void = () => {};
  readonly #server = createServer((request, response) => void this.#serve(request, response));

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }
  get writeUrl(): string {
    return `${this.url}/api/v1/write`;
  }
  get readUrl(): string {
    return `${this.url}/api/v1/read`;
  }
  get queryUrl(): string {
    return this.url;
  }

  listen(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Resolves once no request is being handled: those of a killed client have arrived. */
  async settled(): Promise<void> {
    while (this.#busy > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
  }

  /** Everything except the progress series, by series, in time order. */
  contents(): Series[] {
    return [...this.#stored.values()]
      .filter(({ labels }) => labelOf(labels, '__name__') !== PROGRESS_METRIC)
      .map(({ labels, samples }) => ({
        labels: [...labels].sort(([a], [b]) => (a < b ? -1 : 1)),
        samples: samples.filter(({ histogram }) => histogram === undefined).sort((a, b) => a.timeMs - b.timeMs),
        histograms: samples.flatMap(({ timeMs, histogram }) =>
          histogram === undefined ? [] : [{ timeMs, message: histogram }],
        ),
      }))
      .sort((a, b) => (keyOf(a.labels) < keyOf(b.labels) ? -1 : 1));
  }

  /** The marks in time order, with their labels; without the counts beside them. */
  marks(): { readonly labels: Record<string, string>; readonly timeMs: number; readonly value: number }[] {
    return this.#progressSamples().filter(({ labels }) => labels['count'] === undefined);
  }

  /** The counts beside the newest mark, by their label `count`. */
  counts(): Record<string, number> {
    const newestMs = this.marks().at(-1)?.timeMs;
    const beside = this.#progressSamples().filter(({ timeMs }) => timeMs === newestMs);
    return Object.fromEntries(
      beside.flatMap(({ labels, value }) => (labels['count'] === undefined ? [] : [[labels['count'], value]])),
    );
  }

  /** Removes the counts and keeps the marks, like those written by an older version. */
  forgetCounts(): void {
    for (const [key, { labels }] of this.#stored) if (labelOf(labels, 'count') !== '') this.#stored.delete(key);
  }

  #progressSamples(): { readonly labels: Record<string, string>; readonly timeMs: number; readonly value: number }[] {
    return [...this.#stored.values()]
      .filter(({ labels }) => labelOf(labels, '__name__') === PROGRESS_METRIC && labelOf(labels, 'probe') === '')
      .flatMap(({ labels, samples }) =>
        samples.map(({ timeMs, bits }) => ({ labels: Object.fromEntries(labels), timeMs, value: floatOf(bits) })),
      )
      .sort((a, b) => a.timeMs - b.timeMs);
  }

  /** Stores samples directly. */
  put(series: readonly Series[]): void {
    for (const { labels, samples } of series) this.#seriesOf(labels).samples.push(...samples);
  }

  /** Stores a request like this kind of server. */
  store(request: readonly Series[]): Rejection | undefined {
    const additions: [Stored, Stored['samples'][number]][] = [];
    for (const { labels, samples, histograms = [] } of request) {
      const stored = this.#seriesOf(labels);
      const all = [...samples, ...histograms.map(({ timeMs, message }) => ({ timeMs, bits: 0n, histogram: message }))];
      for (const sample of all) {
        const problem = this.problemOf(labels, sample) ?? this.#strictProblem(stored, sample, additions);
        if (problem === 'there already') continue;
        if (problem !== undefined) return problem;
        additions.push([stored, sample]);
      }
    }
    for (const [{ samples }, sample] of additions) {
      samples.push(sample);
      if (this.hiddenForMs > 0) this.#visible.set(sample, this.now() + this.hiddenForMs);
    }
    return undefined;
  }

  #seriesOf(labels: Series['labels']): Stored {
    const key = keyOf(labels);
    let stored = this.#stored.get(key);
    if (stored === undefined) {
      stored = { labels, samples: [] };
      this.#stored.set(key, stored);
    }
    return stored;
  }

  #strictProblem(
    stored: Stored,
    sample: Stored['samples'][number],
    additions: readonly (readonly [Stored, FloatSample])[],
  ): Rejection | 'there already' | undefined {
    if (this.kind === 'keeps-all') return undefined;
    if (sample.timeMs < this.oldestMs) return this.tooOld;
    const newest = additions.findLast(([other]) => other === stored)?.[1] ?? stored.samples.at(-1);
    if (newest === undefined || sample.timeMs > newest.timeMs) return undefined;
    if (sample.timeMs < newest.timeMs) return { status: 400, text: 'out of order sample' };
    if (sample.bits === newest.bits) return 'there already';
    return { status: 400, text: 'duplicate sample for timestamp' };
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#busy++;
    try {
      const pieces: Buffer[] = [];
      for await (const piece of request) pieces.push(piece as Buffer);
      const body = Buffer.concat(pieces);
      const url = new URL(request.url ?? '/', this.url);
      if (url.pathname === '/api/v1/write') await this.#serveWrite(body, response);
      else this.#serveRead(url, body, response);
    } catch (error) {
      this.failures.push(error);
      response.destroy();
    } finally {
      this.#busy--;
      if (this.#busy === 0) this.#idle();
    }
  }

  async #serveWrite(body: Buffer, response: ServerResponse): Promise<void> {
    const series = decodeWriteRequest(body);
    const samples = series.reduce((sum, one) => sum + one.samples.length + (one.histograms?.length ?? 0), 0);
    const isMark = series.some(({ labels }) => labelOf(labels, '__name__') === PROGRESS_METRIC);
    const request = { series, samples, bytes: body.length, isMark };
    if (!isMark) this.unacknowledged++;
    try {
      const reply = (await this.onWrite(request)) ?? this.store(series);
      if (reply === undefined || reply.status < 300) {
        await this.onStored(request);
        this.accepted.push(request);
      } else {
        this.refused++;
      }
      const headers = reply !== undefined && 'headers' in reply ? reply.headers : undefined;
      response.writeHead(reply?.status ?? 204, headers).end(reply?.text ?? '');
    } finally {
      if (!isMark) this.unacknowledged--;
    }
  }

  #serveRead(url: URL, body: Buffer, response: ServerResponse): void {
    this.reads++;
    const fault = this.onRead(url.pathname);
    if (fault !== undefined) {
      response.writeHead(fault.status, fault.headers).end(fault.text ?? '');
      return;
    }
    const parameters = new URLSearchParams(
      body.length > 0 && url.pathname !== '/api/v1/read' ? body.toString() : url.search,
    );
    if (url.pathname === '/api/v1/read') {
      const query = decodeReadRequest(body);
      const found = this.#select(query.matchers, query.startMs, query.endMs);
      if (query.streamed) {
        response.writeHead(200, {
          'content-type': 'application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse',
        });
        response.end(encodeFrames(found.map(({ labels, samples }) => ({ labels, chunks: [samples] }))));
      } else {
        response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end(encodeSamples(found));
      }
    } else if (url.pathname === '/api/v1/query') {
      const data = this.#query(parameters.get('query') ?? '', Math.round(Number(parameters.get('time')) * 1000));
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ status: 'success', data }));
    } else if (url.pathname === '/api/v1/export' && this.exports) {
      const fromMs = Math.round(Number(parameters.get('start')) * 1000);
      const toMs = Math.round(Number(parameters.get('end')) * 1000);
      const lines = this.#select(parseSelector(parameters.get('match[]') ?? ''), fromMs, toMs).map(exportLine);
      response.writeHead(200, { 'content-type': 'application/stream+json' }).end(`${lines.join('\n')}\n`);
    } else {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('404 page not found');
    }
  }

  #select(matchers: readonly Matcher[], fromMs: number, toMs: number): Series[] {
    const shown = (sample: FloatSample) =>
      sample.timeMs >= fromMs &&
      sample.timeMs <= toMs &&
      this.now() >= (this.#visible.get(sample) ?? Number.NEGATIVE_INFINITY);
    return [...this.#stored.values()]
      .filter(({ labels }) => selects(matchers, labels) && this.shows(labels))
      .map(({ labels, samples }) => ({ labels, samples: samples.filter(shown).sort((a, b) => a.timeMs - b.timeMs) }))
      .filter(({ samples }) => samples.length > 0);
  }

  /** `{…}[Nms]`, and `count_over_time` and `max_over_time` of it, left-open like Prometheus 3, without stale markers like every version. */
  #query(promql: string, timeMs: number): unknown {
    const parts = /^(?:(count|max)_over_time\()?(\{.*\})\[(\d+)ms\]\)?$/s.exec(promql);
    if (parts === null) throw new Error(`a query that this server does not know: ${promql}`);
    const series = this.#select(parseSelector(parts[2]!), timeMs - Number(parts[3]) + 1, timeMs)
      .map(({ labels, samples }) => ({ labels, samples: samples.filter(({ bits }) => bits !== staleBits) }))
      .filter(({ samples }) => samples.length > 0);
    if (parts[1] === undefined) return matrixOf(series);
    return valuesOf(series, timeMs, parts[1] === 'count' ? countOf : maxOf);
  }
}

export async function startDestination(
  changes: Partial<Pick<FakeDestination, 'kind' | 'exports' | 'oldestMs'>> = {},
): Promise<FakeDestination> {
  const destination = new FakeDestination();
  Object.assign(destination, changes);
  await destination.listen();
  return destination;
}
