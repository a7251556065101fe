// Reads what a server says about itself, with GETs only. server-report.ts says what it means.

import { SecretUrl } from '../telemetry/secret.ts';
import { versionUrl } from './build-info.ts';
import type { Endpoint } from './http/endpoint.ts';
import type { ClientContext } from './http/exchange.ts';
import { HttpClient } from './http/http.ts';
import { wholeText } from './json-text.ts';
import { RemoteError } from './meaning/remote-error.ts';
import { type ServerReport, serverReport, type StatusText } from './server-report.ts';

const MAX_CONNECTIONS = 2;
/** The configuration of a large Prometheus has megabytes. */
const MAX_TEXT_BYTES = 32 * 1024 * 1024;
const STATUS = '/api/v1/status/buildinfo';

export class StatusClient {
  readonly #http: HttpClient;
  readonly #endpoint: Endpoint;
  readonly #context: ClientContext;

  constructor(endpoint: Endpoint, context: ClientContext) {
    this.#http = new HttpClient(endpoint, context, MAX_CONNECTIONS);
    this.#endpoint = endpoint;
    this.#context = context;
  }

  /** @returns undefined if the server does not respond. Throws the signal's reason */
  async report(signal: AbortSignal): Promise<ServerReport | undefined> {
    const url = versionUrl(this.#endpoint.url.reveal());
    const first = await this.#get(url, signal);
    if (first === undefined) return undefined;
    const nowMs = this.#context.clock.now();
    if (!url.includes(STATUS)) return serverReport({ ping: first }, nowMs);
    const buildinfo = first;
    const known = serverReport({ buildinfo }, nowMs);
    if (known.product === 'VictoriaMetrics') {
      const plainFlags = await this.#get(flagsUrl(url), signal);
      return serverReport({ buildinfo, ...(plainFlags && { plainFlags }) }, nowMs);
    }
    if (known.version === undefined || known.product !== undefined) return known;
    const status = (name: string) => this.#get(url.replace(STATUS, `/api/v1/status/${name}`), signal);
    const [runtimeinfo, flags, config, tsdb] = [
      await status('runtimeinfo'),
      await status('flags'),
      await status('config'),
      await status('tsdb'),
    ];
    return serverReport(
      {
        buildinfo,
        ...(runtimeinfo && { runtimeinfo }),
        ...(flags && { flags }),
        ...(config && { config }),
        ...(tsdb && { tsdb }),
      },
      nowMs,
    );
  }

  /**
   * A GET of the endpoint's own URL. A write endpoint refuses it (405), or takes it for a request without samples (VictoriaMetrics, 204), after it
   * has checked the credentials.
   * @returns the refusal that a write would get as well; undefined without one
   * @throws RemoteError without a response; the signal's reason
   */
  async refusalOfGet(signal: AbortSignal): Promise<RemoteError | undefined> {
    const response = await this.#http.request({ ...GET, url: this.#endpoint.url, signal });
    const refusal = this.#http.refusalOf(response, await response.text());
    // Servers that only take POST say so in different ways.
    const concernsEveryMethod = [401, 403, 404, 407].includes(response.status) || response.status >= 500;
    // A page of a user interface, or a redirect to one.
    const isElsewhere = response.status >= 200 && response.status < 400;
    return concernsEveryMethod || isElsewhere ? refusal : undefined;
  }

  /** Closes all connections, also those in use. */
  close(): void {
    this.#http.close();
  }

  async #get(url: string, signal: AbortSignal): Promise<StatusText | undefined> {
    try {
      const response = await this.#http.request({ ...GET, url: new SecretUrl(url), signal });
      const { buffers } = this.#context;
      const tooLarge = () => new TooLarge();
      const text = await wholeText(response.body, { buffers, maxBytes: MAX_TEXT_BYTES, tooLarge });
      return { status: response.status, headers: response.headers, text };
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof RemoteError || error instanceof TooLarge) return undefined;
      throw error;
    }
  }
}

const GET = { method: 'GET', headers: {}, attempt: 1 } as const;

/** Never leaves this file. */
class TooLarge extends Error {}

/** vmselect has its flags beside the paths of its tenants. */
function flagsUrl(url: string): string {
  return url.replace(STATUS, '/flags').replace(/\/select\/[^/]+\/prometheus\/flags/, '/flags');
}
