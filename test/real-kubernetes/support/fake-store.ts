// A store in the test process, source and destination in one, with any number of tenants: for situations that a real store does not produce
// on demand (a thousand small migrations, a missing response, a required password) and for a count of every request. protobufjs and
// snappyjs decode the requests, without any of the project's own code.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import protobuf from 'protobufjs';
import snappy from 'snappyjs';

const { root } = protobuf.parse(
  `syntax = "proto3";
  message ReadRequest { repeated Query queries = 1; }
  message Query { int64 start_timestamp_ms = 1; int64 end_timestamp_ms = 2; repeated LabelMatcher matchers = 3; }
  message LabelMatcher { int32 type = 1; string name = 2; string value = 3; }
  message ReadResponse { repeated QueryResult results = 1; }
  message QueryResult { repeated TimeSeries timeseries = 1; }
  message WriteRequest { repeated TimeSeries timeseries = 1; }
  message TimeSeries { repeated Label labels = 1; repeated Sample samples = 2; }
  message Label { string name = 1; string value = 2; }
  message Sample { double value = 1; int64 timestamp = 2; }`,
  { keepCase: true },
);
const ReadRequest = root.lookupType('ReadRequest');
const ReadResponse = root.lookupType('ReadResponse');
const WriteRequest = root.lookupType('WriteRequest');

interface Matcher {
  type: number;
  name: string;
  value: string;
}

interface Query {
  start_timestamp_ms: number;
  end_timestamp_ms: number;
  matchers: Matcher[];
}

interface TimeSeries {
  labels: { name: string; value: string }[];
  samples: { value: number; timestamp: number }[];
}

/** `read` is that of the source, `back` the read-back of the destination. */
type RequestKind = 'read' | 'write' | 'back';

export interface StoreRequest {
  readonly tenant: string;
  readonly kind: RequestKind;
  readonly authorization: string | undefined;
  /** Path and query. */
  readonly url: string;
}

/** Replaces the normal response. */
export type Fault =
  | { readonly status: number; readonly body: string; readonly headers?: Readonly<Record<string, string>> }
  /** The normal response after this delay, even if the client has disconnected. */
  | { readonly delayMs: number }
  /** No response as long as the store runs. */
  | 'silence';

/** A write request that was carried out. */
export interface StoreWrite {
  readonly tenant: string;
  readonly atMs: number;
  readonly samples: number;
  readonly marks: number;
}

interface Stored {
  readonly labels: TimeSeries['labels'];
  readonly samples: Map<number, number>;
}

export interface FakeStoreOptions {
  /** Of each tenant as a source. Two by default. */
  series?: number;
  /** Between two samples of a series, aligned to the epoch. A minute by default. */
  stepMs?: number;
}

const MARK = 'prom_migrator_progress';

export async function startFakeStore(options: FakeStoreOptions = {}): Promise<FakeStore> {
  const store = new FakeStore(options);
  await store.listen();
  return store;
}

export class FakeStore implements AsyncDisposable {
  /** Called for each request of the tenant. */
  readonly faults = new Map<string, (request: StoreRequest) => Fault | undefined>();
  readonly requests: (StoreRequest & { readonly atMs: number })[] = [];
  readonly writes: StoreWrite[] = [];
  /** The number of duplicate samples received, by tenant. */
  readonly repeated = new Map<string, number>();
  readonly #series: number;
  readonly #stepMs: number;
  readonly #stored = new Map<string, Map<string, Stored>>();
  readonly #server: Server;

  constructor({ series = 2, stepMs = 60_000 }: FakeStoreOptions) {
    this.#series = series;
    this.#stepMs = stepMs;
    this.#server = createServer((incoming, outgoing) => {
      this.#response(incoming, outgoing).catch((error: unknown) => {
        if (!outgoing.headersSent) outgoing.writeHead(500);
        outgoing.end(String(error));
      });
    });
  }

  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.on('error', reject).listen(0, '127.0.0.1', resolve);
    });
  }

  /** The `spec` of a migration of the tenant's samples in [startMs, endMs). `query` is appended to each URL. */
  spec(tenant: string, range: { startMs: number; endMs: number }, query = '') {
    const base = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/${tenant}`;
    return {
      source: { url: `${base}/read${query}` },
      destination: {
        url: `${base}/write${query}`,
        progress: { protocol: 'RemoteRead', url: `${base}/back${query}` },
      },
      timeRange: { start: new Date(range.startMs).toISOString(), end: new Date(range.endMs).toISOString() },
      // The tests count the requests of a copy.
      preflight: 'Off',
    };
  }

  /** The number of samples of the source in [startMs, endMs). */
  expectedSamples({ startMs, endMs }: { startMs: number; endMs: number }): number {
    return this.#series * (Math.ceil(endMs / this.#stepMs) - Math.ceil(startMs / this.#stepMs));
  }

  /** The number of samples in the tenant's destination, without marks. */
  storedSamples(tenant: string): number {
    const all = [...(this.#stored.get(tenant)?.values() ?? [])];
    return all.filter(({ labels }) => !isMark(labels)).reduce((sum, { samples }) => sum + samples.size, 0);
  }

  countRequests(tenant?: string): number {
    return tenant === undefined
      ? this.requests.length
      : this.requests.filter((request) => request.tenant === tenant).length;
  }

  writesOf(tenant: string): readonly StoreWrite[] {
    return this.writes.filter((write) => write.tenant === tenant);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #response(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const [, tenant = '', kind = ''] = /^\/([^/]+)\/(read|write|back)(?:\?|$)/.exec(incoming.url ?? '') ?? [];
    if (kind === '') {
      outgoing.writeHead(404).end('no such path\n');
      return;
    }
    const request: StoreRequest = {
      tenant,
      kind: kind as RequestKind,
      authorization: incoming.headers.authorization,
      url: incoming.url ?? '',
    };
    this.requests.push({ ...request, atMs: Date.now() });
    const fault = this.faults.get(tenant)?.(request);
    if (fault === 'silence') return;
    if (fault !== undefined && 'status' in fault) {
      outgoing.writeHead(fault.status, { 'content-type': 'text/plain', ...fault.headers }).end(fault.body);
      return;
    }
    if (fault !== undefined) await sleep(fault.delayMs);
    const message = new Uint8Array(snappy.uncompress(Buffer.concat(chunks)));
    if (kind === 'write') {
      this.#store(tenant, message);
      outgoing.writeHead(204).end();
      return;
    }
    const { queries } = ReadRequest.toObject(ReadRequest.decode(message), {
      longs: Number,
      arrays: true,
      defaults: true,
    }) as { queries: Query[] };
    const results = queries.map((query) => ({
      timeseries: kind === 'read' ? this.#generate(tenant, query) : this.#select(tenant, query),
    }));
    const response = snappy.compress(ReadResponse.encode(ReadResponse.fromObject({ results })).finish());
    outgoing.writeHead(200, { 'content-type': 'application/x-protobuf', 'content-encoding': 'snappy' });
    outgoing.end(Buffer.from(response));
  }

  #generate(tenant: string, query: Query): TimeSeries[] {
    const { start_timestamp_ms: fromMs, end_timestamp_ms: lastMs, matchers } = query;
    const step = this.#stepMs;
    const all = Array.from({ length: this.#series }, (_, series) => {
      const labels = [
        { name: '__name__', value: 'fake_samples_total' },
        { name: 'series', value: String(series) },
        { name: 'tenant', value: tenant },
      ];
      const samples: TimeSeries['samples'] = [];
      for (let timeMs = Math.ceil(fromMs / step) * step; timeMs <= lastMs; timeMs += step) {
        samples.push({ value: series + ((timeMs / 1000) % 1_000_000), timestamp: timeMs });
      }
      return { labels, samples };
    });
    return all.filter(({ labels, samples }) => samples.length > 0 && matches(labels, matchers));
  }

  #select(tenant: string, query: Query): TimeSeries[] {
    const { start_timestamp_ms: fromMs, end_timestamp_ms: lastMs, matchers } = query;
    const found: TimeSeries[] = [];
    for (const { labels, samples } of this.#stored.get(tenant)?.values() ?? []) {
      if (!matches(labels, matchers)) continue;
      const inside = [...samples].filter(([timeMs]) => timeMs >= fromMs && timeMs <= lastMs);
      inside.sort(([one], [other]) => one - other);
      if (inside.length === 0) continue;
      found.push({ labels, samples: inside.map(([timestamp, value]) => ({ value, timestamp })) });
    }
    return found;
  }

  #store(tenant: string, message: Uint8Array): void {
    const { timeseries } = WriteRequest.toObject(WriteRequest.decode(message), {
      longs: Number,
      arrays: true,
      defaults: true,
    }) as { timeseries: TimeSeries[] };
    const stored = this.#stored.get(tenant) ?? new Map<string, Stored>();
    this.#stored.set(tenant, stored);
    const counts = { samples: 0, marks: 0 };
    for (const { labels, samples } of timeseries) {
      const key = JSON.stringify(labels.map(({ name, value }) => [name, value]));
      const series = stored.get(key) ?? { labels, samples: new Map<number, number>() };
      stored.set(key, series);
      counts[isMark(labels) ? 'marks' : 'samples'] += samples.length;
      for (const { timestamp, value } of samples) {
        if (!isMark(labels) && series.samples.has(timestamp)) {
          this.repeated.set(tenant, (this.repeated.get(tenant) ?? 0) + 1);
        }
        series.samples.set(timestamp, value);
      }
    }
    this.writes.push({ tenant, atMs: Date.now(), ...counts });
  }
}

function isMark(labels: TimeSeries['labels']): boolean {
  return labels.some(({ name, value }) => name === '__name__' && value === MARK);
}

/** The matcher types of remote_read: `=`, `!=`, `=~`, `!~`. */
function matches(labels: TimeSeries['labels'], matchers: readonly Matcher[]): boolean {
  const values = new Map(labels.map(({ name, value }) => [name, value]));
  return matchers.every(({ type, name, value }) => {
    const actual = values.get(name) ?? '';
    const fits = type >= 2 ? regex(value).test(actual) : actual === value;
    return type % 2 === 0 ? fits : !fits;
  });
}

/** RE2's notation for a code point is not JavaScript's. */
function regex(re2: string): RegExp {
  return new RegExp(`^(?:${re2.replaceAll('\\x{', '\\u{')})$`, 'su');
}
