// A client for a remote_write endpoint. Each lane sends one request at a time.

import type { SecretUrl } from '../telemetry/secret.ts';
import type { Endpoint } from './http/endpoint.ts';
import type { ClientContext } from './http/exchange.ts';
import { HttpClient } from './http/http.ts';
import type { RemoteError } from './meaning/remote-error.ts';

export interface WriteResult {
  /** The destination acknowledged the samples but may have dropped them (202): the error to report if they are missing. */
  readonly unproven?: RemoteError;
  /** The response came from InfluxDB, whose 204 also covers samples that it cannot store (wire/requests/influxdb-gaps.ts). */
  readonly influxdb?: true;
}

const REQUEST_HEADERS = {
  'content-type': 'application/x-protobuf',
  'content-encoding': 'snappy',
  'x-prometheus-remote-write-version': '0.1.0',
} as const;

export class WriteClient {
  readonly #http: HttpClient;
  readonly #url: SecretUrl;

  constructor(endpoint: Endpoint, context: ClientContext, maxConnections: number) {
    this.#http = new HttpClient(endpoint, context, maxConnections);
    this.#url = endpoint.url;
  }

  /** Sends a snappy-compressed WriteRequest (remote write 1.0). Throws RemoteError for everything but a 2xx. */
  async write(body: Uint8Array, options: { attempt: number; signal: AbortSignal }): Promise<WriteResult> {
    const response = await this.#http.request({
      method: 'POST',
      url: this.#url,
      headers: REQUEST_HEADERS,
      body,
      isBulk: true,
      ...options,
    });
    const text = await response.text();
    const refusal = this.#http.refusalOf(response, text);
    if (refusal !== undefined) throw refusal;
    const unproven = this.#http.unprovenOf(response, text);
    return {
      ...(unproven !== undefined && { unproven }),
      ...(response.headers['x-influxdb-version'] !== undefined && { influxdb: true }),
    };
  }

  /** Closes all connections, also those in use. */
  close(): void {
    this.#http.close();
  }
}
