// Reads what a server says about itself, with GETs only. server-report.ts says what it means.

import { SecretUrl } from '../telemetry/secret.ts';
import { versionUrl } from './build-info.ts';
import type { Endpoint } from './http/endpoint.ts';
import type { ClientContext } from './http/exchange.ts';
import { HttpClient } from './http/http.ts';
import { wholeText } from './json-text.ts';
import { RemoteError } from './meaning/remote-error.ts';
import { type Product, type ServerReport, serverReport, type StatusText, type StatusTexts } from './server-report.ts';
import { productOfUrl } from './url-product.ts';

const MAX_CONNECTIONS = 2;
/** The configuration of a large Prometheus has megabytes. */
const MAX_TEXT_BYTES = 32 * 1024 * 1024;
const STATUS = '/api/v1/status/buildinfo';

export class StatusClient {
  readonly #http: HttpClient;
  readonly #endpoint: Endpoint;
  readonly #context: ClientContext;
  #missed: RemoteError | undefined;

  constructor(endpoint: Endpoint, context: ClientContext) {
    this.#http = new HttpClient(endpoint, context, MAX_CONNECTIONS);
    this.#endpoint = endpoint;
    this.#context = context;
  }

  /** What kept the last `report` from seeing all that the server shows, and may be over in a moment. */
  get missed(): RemoteError | undefined {
    return this.#missed;
  }

  /** @returns undefined if the server does not respond. Throws the signal's reason */
  async report(signal: AbortSignal): Promise<ServerReport | undefined> {
    this.#missed = undefined;
    const endpointUrl = this.#endpoint.url.reveal();
    const url = versionUrl(endpointUrl);
    const first = await this.#get(url, signal);
    if (first === undefined) return undefined;
    const nowMs = this.#context.clock.now();
    const endpoint = { urlProduct: productOfUrl(endpointUrl), tenant: tenantOf(this.#endpoint) };
    const reportOf = (texts: StatusTexts) => serverReport(texts, nowMs, endpoint);
    if (!url.includes(STATUS)) return reportOf({ ping: first });
    const buildinfo = first;
    const known = reportOf({ buildinfo });
    if (known.product === 'VictoriaMetrics') {
      const plainFlags = await this.#get(flagsUrl(url), signal);
      return reportOf({ buildinfo, ...(plainFlags && { plainFlags }) });
    }
    const server = known.version === undefined ? {} : await this.#statusTexts(url, signal);
    const found = reportOf({ buildinfo, ...server });
    if (found.product !== undefined && found.product !== 'Mimir') return found;
    return reportOf({ buildinfo, ...(await this.#tenantTexts(url, found.product, signal)) });
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

  /** Of a Prometheus; Thanos Query has some of them. */
  async #statusTexts(url: string, signal: AbortSignal): Promise<StatusTexts> {
    const status = (name: string) => this.#get(url.replace(STATUS, `/api/v1/status/${name}`), signal);
    const [flags, runtimeinfo] = [await status('flags'), await status('runtimeinfo')];
    // Mimir and Cortex have neither.
    if (flags?.status !== 200) return {};
    const [config, tsdb] = [await status('config'), await status('tsdb')];
    return {
      flags,
      ...(runtimeinfo && { runtimeinfo }),
      ...(config && { config }),
      ...(tsdb && { tsdb }),
    };
  }

  /** Of Mimir and Cortex. Gateways often let only some of these paths through. */
  async #tenantTexts(url: string, product: Product | undefined, signal: AbortSignal): Promise<StatusTexts> {
    const root = url.replace(STATUS, '').replace(/\/(?:prometheus|api\/prom)(?=$|\?)/, '');
    const beside = (path: string) => this.#get(withPath(root, path), signal);
    const config = await beside('/config');
    const isTenants = config?.status === 200 && /^limits:/m.test(config.text);
    const runtimeConfig = isTenants ? await beside('/runtime_config?mode=diff') : undefined;
    const userLimits = isTenants || product === 'Mimir' ? await beside('/api/v1/user_limits') : undefined;
    return {
      ...(isTenants && { tenantConfig: config }),
      ...(runtimeConfig && { runtimeConfig }),
      ...(userLimits && { userLimits }),
    };
  }

  async #get(url: string, signal: AbortSignal): Promise<StatusText | undefined> {
    try {
      const response = await this.#http.request({ ...GET, url: new SecretUrl(url), signal });
      const { buffers } = this.#context;
      const tooLarge = () => new TooLarge();
      const text = await wholeText(response.body, { buffers, maxBytes: MAX_TEXT_BYTES, tooLarge });
      if (BUSY.includes(response.status)) this.#missed = this.#http.refusalOf(response, text);
      return { status: response.status, headers: response.headers, text };
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof RemoteError && error.class === 'transient') this.#missed = error;
      if (error instanceof RemoteError || error instanceof TooLarge) return undefined;
      throw error;
    }
  }
}

/** An overloaded server or gateway, or one that starts. */
export const BUSY: readonly number[] = [429, 502, 503, 504];
const GET = { method: 'GET', headers: {}, attempt: 1 } as const;

/** Of Mimir and Cortex, whatever header the endpoint sends besides. */
function tenantOf({ headers }: Endpoint): string | undefined {
  return Object.entries(headers)
    .find(([name]) => name.toLowerCase() === 'x-scope-orgid')?.[1]
    .reveal();
}

function withPath(root: string, path: string): string {
  const url = new URL(root);
  const [name = '', search] = path.split('?');
  url.pathname = `${url.pathname.replace(/\/+$/, '')}${name}`;
  if (search !== undefined) url.search = search;
  return url.href;
}

/** Never leaves this file. */
class TooLarge extends Error {}

/** vmselect has its flags beside the paths of its tenants. */
function flagsUrl(url: string): string {
  return url.replace(STATUS, '/flags').replace(/\/select\/[^/]+\/prometheus\/flags/, '/flags');
}
