// A proxy in front of a real store that does something else with samples than it acknowledges: it drops some, stores some twice, or keeps all
// for a while before anyone can read them. Everything but remote write is forwarded as it is. Used by the tests of `verify`.

import { createServer, type IncomingMessage, request as httpRequest, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import protobuf from 'protobufjs';
import snappy from 'snappyjs';
import { request } from '../../support/http.ts';
import type { Label } from '../../support/series-set.ts';

// Values and histograms keep their bytes.
const { root } = protobuf.parse(
  `syntax = "proto3";
  message WriteRequest { repeated TimeSeries timeseries = 1; repeated bytes metadata = 3; }
  message TimeSeries {
    repeated Label labels = 1; repeated Sample samples = 2; repeated bytes exemplars = 3; repeated bytes histograms = 4;
  }
  message Label { string name = 1; string value = 2; }
  message Sample { fixed64 value = 1; int64 timestamp = 2; }`,
  { keepCase: true },
);
const WriteRequest = root.lookupType('WriteRequest');

interface Sample {
  readonly value: { readonly high: number };
  readonly timestamp: { toNumber(): number };
}

/** The exponent of a double in its upper half: all ones in NaN and ±Inf. */
const EXPONENT = 0x7ff00000;

interface Series {
  labels: { name: string; value: string }[];
  samples: Sample[];
}

interface TouchedSample {
  readonly labels: readonly Label[];
  readonly timeMs: number;
}

export interface DishonestOptions {
  /** The base URL of the store behind. */
  readonly target: string;
  /** `drop` and `double` do it to one finite float in `every`; `hide` acknowledges at once and stores later. Marks are stored at once. */
  readonly does:
    | { readonly what: 'drop' | 'double'; readonly every: number }
    | { readonly what: 'hide'; readonly until: Promise<void> };
}

export interface DishonestReceiver extends AsyncDisposable {
  readonly url: string;
  /** The samples that were dropped or stored twice. */
  readonly touched: readonly TouchedSample[];
  /** Requests other than remote write. */
  readonly reads: number;
  /** How the store responded to the requests that were hidden. */
  stored(): Promise<readonly number[]>;
}

/** Starts it on a free port of the loopback. */
export async function startDishonestReceiver(options: DishonestOptions): Promise<DishonestReceiver> {
  const receiver = new Receiver(options);
  await receiver.listen();
  return receiver;
}

class Receiver implements DishonestReceiver {
  readonly touched: TouchedSample[] = [];
  readonly #options: DishonestOptions;
  readonly #server = createServer((incoming, outgoing) => void this.#handle(incoming, outgoing));
  readonly #later: Promise<void>[] = [];
  readonly #statuses: number[] = [];
  #samples = 0;
  readonly #closed = Promise.withResolvers<void>();
  #reads = 0;

  constructor(options: DishonestOptions) {
    this.#options = options;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  get reads(): number {
    return this.#reads;
  }

  async stored(): Promise<readonly number[]> {
    await Promise.all(this.#later);
    return this.#statuses;
  }

  async #handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    try {
      if (new URL(incoming.url ?? '/', this.url).pathname === '/api/v1/write') await this.#write(incoming, outgoing);
      else this.#forward(incoming, outgoing);
    } catch (error) {
      outgoing.writeHead(502).end(String(error));
    }
  }

  async #write(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const message = WriteRequest.decode(new Uint8Array(snappy.uncompress(Buffer.concat(chunks)))) as unknown as {
      timeseries: Series[];
    };
    const isMark = message.timeseries.some(({ labels }) =>
      labels.some(({ value }) => value === 'prom_migrator_progress'),
    );
    const { does } = this.#options;
    if (!isMark && does.what !== 'hide') for (const series of message.timeseries) this.#touch(series, does);
    const { host: _, connection: __, 'content-length': ___, ...headers } = incoming.headers as Record<string, string>;
    const body = snappy.compress(WriteRequest.encode(message as never).finish());
    const store = () => request(`${this.#options.target}${incoming.url}`, { method: 'POST', headers, body });
    if (does.what === 'hide' && !isMark) {
      this.#later.push(
        Promise.race([does.until, this.#closed.promise]).then(async () => {
          this.#statuses.push((await store()).status);
        }),
      );
      outgoing.writeHead(204).end();
      return;
    }
    const response = await store();
    outgoing.writeHead(response.status, { 'content-type': response.headers['content-type'] ?? 'text/plain' });
    outgoing.end(response.body);
  }

  #touch(series: Series, { what, every }: { what: 'drop' | 'double'; every: number }): void {
    series.samples = series.samples.flatMap((sample) => {
      this.#samples++;
      // Not every store keeps a NaN or an infinity.
      if (this.#samples < every || (sample.value.high & EXPONENT) === EXPONENT) return [sample];
      this.#samples = 0;
      const labels = series.labels.map(({ name, value }): Label => [name, value]);
      this.touched.push({ labels, timeMs: sample.timestamp.toNumber() });
      return what === 'drop' ? [] : [sample, sample];
    });
  }

  #forward(incoming: IncomingMessage, outgoing: ServerResponse): void {
    this.#reads++;
    const onward = httpRequest(`${this.#options.target}${incoming.url}`, {
      method: incoming.method,
      headers: incoming.headers,
    });
    onward.on('error', () => outgoing.destroy());
    onward.on('response', (response) => {
      outgoing.writeHead(response.statusCode ?? 502, response.headers);
      response.on('error', () => outgoing.destroy());
      response.pipe(outgoing);
    });
    incoming.pipe(onward);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.resolve();
    await Promise.allSettled(this.#later);
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
