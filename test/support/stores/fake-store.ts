// A store of the tests on the loopback: remote_write, remote_read and a query API over memory, which behaves as the real store was observed
// to. The differences between stores are a `Behaviour` in separate files; this file contains the server, its request log, and its faults on
// demand.

import type { AddressInfo } from 'node:net';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Matcher } from '../../../src/migration/plan/migration-plan.ts';
import { PROGRESS_METRIC } from '../../../src/migration/progress/progress-mark.ts';
import { keyOf, labelOf, type ReadQuery, type Series } from '../../migration/support/remote-messages.ts';
import type { Contents } from './contents.ts';
import { type Fault, respond, type StoreResponse } from './faults.ts';
import type { LabeledSamples } from './messages.ts';
import { json } from './responses.ts';
import { BadQuery, evaluate, numberOf, parseInstantQuery, type RangeEnds, rangeOf } from './promql.ts';
import { kindOf, describeRequest, seriesList, exportSeries } from './store-requests.ts';

/** How one tenant of a store handles requests. */
export interface TenantStore {
  readonly contents: Contents;
  write(series: readonly LabeledSamples[], request: { bytes: number; headers: IncomingHttpHeaders }): StoreResponse;
  /** A remote_read query; undefined: not supported. */
  read?(query: ReadQuery, headers: IncomingHttpHeaders): StoreResponse;
  /** The data of the query API and the export in [fromMs, toMs], both inclusive; a response rejects the query. */
  select?(matchers: readonly Matcher[], fromMs: number, toMs: number): readonly LabeledSamples[] | StoreResponse;
  /** The result of /api/v1/series, whether the samples are visible or not; undefined: not supported. */
  index?(matchers: readonly Matcher[], fromMs: number, toMs: number): readonly LabeledSamples[];
  /** VictoriaMetrics' /internal/force_flush. */
  flush?(): void;
}

export interface Behaviour {
  readonly name: string;
  /** `query` is the base of the query API. */
  readonly paths: { readonly write: string; readonly read?: string; readonly query?: string; readonly export?: string };
  readonly rangeEnds: RangeEnds;
  /** Responses of its status APIs, by path and query string. */
  readonly pages?: Readonly<Record<string, string>>;
  /** Added to every response. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The tenant of a request, or its rejection; without this there is one tenant. */
  tenantOf?(kind: RequestKind, headers: IncomingHttpHeaders): string | StoreResponse;
  open(tenant: string, now: () => number): TenantStore;
}

export type RequestKind = 'write' | 'read' | 'query' | 'export' | 'series' | 'flush' | 'unknown';

export interface StoreRequest {
  readonly kind: RequestKind;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: number;
  /** Only for writes. */
  readonly series: readonly LabeledSamples[];
  /** Only for writes: floats and histograms. */
  readonly samples: number;
  /** Only for writes: whether it is the progress series or its probe. */
  readonly isMark: boolean;
  /** Only for remote_read. */
  readonly query: ReadQuery | undefined;
  /** Only for the query API. */
  readonly promql: string | undefined;
  /** undefined until it is sent. */
  status: number | undefined;
}

export interface FakeStoreOptions {
  /** The store's clock; the machine's by default. */
  readonly now?: () => number;
}

const onlyTenant = '';

export async function startFakeStore(behaviour: Behaviour, options: FakeStoreOptions = {}): Promise<FakeStore> {
  const store = new FakeStore(behaviour, options.now ?? Date.now);
  await store.listen();
  return store;
}

export class FakeStore implements AsyncDisposable {
  /** Every request in the order of arrival. */
  readonly requests: StoreRequest[] = [];
  /** Internal failures of the store; a passing test leaves none. */
  readonly failures: unknown[] = [];
  /** Called with each request before it is carried out. */
  onRequest: (request: StoreRequest) => Fault | undefined | Promise<Fault | undefined> = () => undefined;
  /** Called after a request was carried out, before its response is sent. */
  onCarriedOut: (request: StoreRequest) => void | Promise<void> = () => undefined;
  readonly #behaviour: Behaviour;
  readonly #now: () => number;
  readonly #tenants = new Map<string, TenantStore>();
  readonly #server = createServer((request, response) => void this.#serve(request, response));
  #busy = 0;
  #idle: () => void = () => {};

  constructor(behaviour: Behaviour, now: () => number) {
    this.#behaviour = behaviour;
    this.#now = now;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }
  get writeUrl(): string {
    return `${this.url}${this.#behaviour.paths.write}`;
  }
  get readUrl(): string {
    return `${this.url}${this.#behaviour.paths.read ?? '/no-remote-read'}`;
  }
  get queryUrl(): string {
    return `${this.url}${this.#behaviour.paths.query ?? '/no-query-api'}`;
  }

  listen(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Resolves once no request is being handled: those of an aborted client have arrived. */
  async settled(): Promise<void> {
    while (this.#busy > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
  }

  /** Stores samples directly. */
  put(series: readonly Series[], tenant: string = onlyTenant): void {
    const { contents } = this.tenant(tenant);
    for (const { labels, samples, histograms = [] } of series) {
      for (const sample of samples) contents.insert(labels, sample);
      for (const { timeMs, message } of histograms) contents.insert(labels, { timeMs, bits: 0n, histogram: message });
    }
  }

  /** Everything except marks and probes, as stored, whether visible or not. */
  series(tenant: string = onlyTenant): Series[] {
    return [...this.tenant(tenant).contents.all()]
      .filter(({ labels }) => labelOf(labels, '__name__') !== PROGRESS_METRIC)
      .map(({ labels, samples }) => ({
        labels,
        samples: samples
          .filter(({ histogram }) => histogram === undefined)
          .map(({ timeMs, bits }) => ({ timeMs, bits })),
        histograms: samples.flatMap(({ timeMs, histogram }) =>
          histogram === undefined ? [] : [{ timeMs, message: histogram }],
        ),
      }))
      .sort((a, b) => (keyOf(a.labels) < keyOf(b.labels) ? -1 : 1));
  }

  /** The number of stored samples without marks: floats, histograms, and duplicates of a series and timestamp. */
  counts(tenant: string = onlyTenant): {
    readonly floats: number;
    readonly histograms: number;
    readonly twice: number;
  } {
    const counts = { floats: 0, histograms: 0, twice: 0 };
    for (const { samples, histograms = [] } of this.series(tenant)) {
      const times = [...samples, ...histograms].map(({ timeMs }) => timeMs);
      counts.floats += samples.length;
      counts.histograms += histograms.length;
      counts.twice += times.length - new Set(times).size;
    }
    return counts;
  }

  /** The marks in time order, with their labels. */
  marks(
    tenant: string = onlyTenant,
  ): { readonly labels: Record<string, string>; readonly timeMs: number; readonly value: number }[] {
    return [...this.tenant(tenant).contents.all()]
      .filter(({ labels }) => labelOf(labels, '__name__') === PROGRESS_METRIC && labelOf(labels, 'probe') === '')
      .flatMap(({ labels, samples }) =>
        samples.map(({ timeMs, bits }) => ({ labels: Object.fromEntries(labels), timeMs, value: numberOf(bits) })),
      )
      .sort((a, b) => a.timeMs - b.timeMs);
  }

  /** The requests of a kind; for writes, without marks and probes. */
  requestsOf(kind: RequestKind): StoreRequest[] {
    return this.requests.filter((request) => request.kind === kind && !request.isMark);
  }

  tenant(name: string): TenantStore {
    let tenant = this.#tenants.get(name);
    if (tenant === undefined) {
      tenant = this.#behaviour.open(name, this.#now);
      this.#tenants.set(name, tenant);
    }
    return tenant;
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#busy++;
    try {
      const pieces: Buffer[] = [];
      for await (const piece of incoming) pieces.push(piece as Buffer);
      const body = Buffer.concat(pieces);
      const url = new URL(incoming.url ?? '/', this.url);
      const page = this.#behaviour.pages?.[`${url.pathname}${url.search}`];
      if (incoming.method === 'GET' && page !== undefined) {
        response.writeHead(200, this.#behaviour.headers).end(page);
        return;
      }
      if (incoming.method === 'GET' && kindOf(this.#behaviour, url.pathname) === 'write') {
        response.writeHead(405).end('Method Not Allowed');
        return;
      }
      const parameters = new URLSearchParams(incoming.method === 'POST' ? body.toString() : url.search);
      const request = describeRequest(kindOf(this.#behaviour, url.pathname), url.pathname, incoming.headers, {
        body,
        parameters,
      });
      this.requests.push(request);
      const fault = await this.onRequest(request);
      request.status = await respond(response, fault, async () => {
        const { headers, ...proper } = this.#carryOut(request, parameters);
        await this.onCarriedOut(request);
        return { ...proper, headers: { ...this.#behaviour.headers, ...headers } };
      });
    } catch (error) {
      // A request that the client aborted is not a failure of the store.
      if (!incoming.errored) this.failures.push(error);
      response.destroy();
    } finally {
      this.#busy--;
      if (this.#busy === 0) this.#idle();
    }
  }

  #carryOut(request: StoreRequest, parameters: URLSearchParams): StoreResponse {
    const { kind, headers } = request;
    const tenantName = this.#behaviour.tenantOf?.(kind, headers) ?? onlyTenant;
    if (typeof tenantName !== 'string') return tenantName;
    const tenant = this.tenant(tenantName);
    if (kind === 'write') return tenant.write(request.series, request);
    if (kind === 'read' && request.query !== undefined && tenant.read !== undefined)
      return tenant.read(request.query, headers);
    if (kind === 'query' && tenant.select !== undefined) return this.#query(tenant, request.promql ?? '', parameters);
    if (kind === 'export' && tenant.select !== undefined) return exportSeries(tenant, parameters);
    if (kind === 'series' && tenant.index !== undefined) return seriesList(tenant.index.bind(tenant), parameters);
    if (kind === 'flush' && tenant.flush !== undefined) {
      tenant.flush();
      return { status: 200 };
    }
    if (this.#behaviour.name === 'Prometheus' && request.path === '/api/v1/status/walreplay')
      return json(200, { status: 'success', data: { min: 0, max: 0, current: 0 } });
    return { status: 404, body: '404 page not found\n' };
  }

  #query(tenant: TenantStore, promql: string, parameters: URLSearchParams): StoreResponse {
    const timeMs = Math.round(Number(parameters.get('time') ?? this.#now() / 1000) * 1000);
    try {
      const query = parseInstantQuery(promql);
      const { fromMs, toMs } = rangeOf(query, timeMs, this.#behaviour.rangeEnds);
      const found = tenant.select!(query.matchers, fromMs, toMs);
      return 'status' in found ? found : json(200, { status: 'success', data: evaluate(query, found, timeMs) });
    } catch (error) {
      if (!(error instanceof BadQuery)) throw error;
      return json(400, { status: 'error', errorType: 'bad_data', error: error.message });
    }
  }
}
