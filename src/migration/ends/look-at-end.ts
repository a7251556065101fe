// Asks one end of a migration what it is, with GETs only, before there is a manifest. choose-source.ts and choose-destination.ts say what follows.

import { versionUrl } from '../../remote/build-info.ts';
import { CredentialPool } from '../../remote/credentials/credential-pool.ts';
import type { Endpoint } from '../../remote/http/endpoint.ts';
import type { ClientContext } from '../../remote/http/exchange.ts';
import { HttpClient } from '../../remote/http/http.ts';
import { wholeText } from '../../remote/json-text.ts';
import { RemoteError } from '../../remote/meaning/remote-error.ts';
import { retryDelayMs } from '../../remote/retry-delay.ts';
import type { ServerReport } from '../../remote/server-report.ts';
import { BUSY, StatusClient } from '../../remote/status-client.ts';
import { productOfUrl } from '../../remote/url-product.ts';
import type { Clock } from '../../telemetry/clock.ts';
import { Deadline } from '../../telemetry/deadline.ts';
import { SecretUrl } from '../../telemetry/secret.ts';
import { NO_FIELDS, toEndpoint } from '../plan/plan-endpoint.ts';
import { storeReport } from '../preflight/store-report.ts';
import { MigrationError } from '../report/migration-error.ts';
import { type EndLook, guessedProduct, QUERY_PATH, READ_PATHS, WRITE_PATHS } from './end-look.ts';
import { baseUrl, clusterTenant, isComplete, joined } from './end-url.ts';

export interface LookContext {
  readonly clock: Clock;
  readonly random: () => number;
  /** How long a server that does not respond is asked again. */
  readonly waitMs: number;
  /** Called once, before the first repetition. `untilMs`: since 1970, when the last one may start; infinite without a limit. */
  readonly onFirstFailure?: (error: unknown, untilMs: number) => void;
}

type EndSide = 'source' | 'destination';

const MAX_CONNECTIONS = 2;
const ONE_ATTEMPT_MS = 15_000;
const STORE_MS = 3_000;
/** What a text may cost to hold. */
const MAX_TEXT_BYTES = 64 * 1024 * 1024;
const OLDEST = /^prometheus_tsdb_lowest_timestamp_seconds (\S+)$/m;

/** What is known without asking. */
export function unaskedLook(url: string): EndLook {
  if (/^grpcs?:/.test(url)) return { product: { name: 'Thanos', how: 'guessed' } };
  const name = productOfUrl(url) ?? guessedProduct(url);
  const isCluster = name === 'VictoriaMetrics' && looksLikeCluster(url);
  return { product: { name, how: 'guessed' }, ...(isCluster && { isCluster }) };
}

function looksLikeCluster(url: string): boolean {
  return /vminsert|vmselect|:848[01]$/.test(new URL(url).host);
}

/**
 * @param url without credentials, valid
 * @throws RemoteError or MigrationError if the server does not respond, with its side
 */
export async function lookAtEnd(side: EndSide, url: string, context: LookContext): Promise<EndLook> {
  const credentials = new CredentialPool(context.clock);
  const buffers = { take: (bytes: number) => new Uint8Array(bytes), give: () => undefined };
  const client: ClientContext = { clock: context.clock, buffers, credentials, request: () => undefined };
  const end = new End(toEndpoint(side, url, NO_FIELDS), client);
  try {
    return /^grpcs?:/.test(url)
      ? storeLook(await retried(side, context, (signal) => storeReport(end.endpoint, client, signal)))
      : await retried(side, context, (signal) => end.look(context, signal));
  } finally {
    end.close();
    credentials.close();
  }
}

class End {
  readonly endpoint: Endpoint;
  readonly #url: string;
  readonly #base: string;
  readonly #client: ClientContext;
  readonly #http: HttpClient;

  constructor(endpoint: Endpoint, client: ClientContext) {
    this.endpoint = endpoint;
    this.#url = endpoint.url.reveal();
    this.#base = baseUrl(this.#url);
    this.#client = client;
    this.#http = new HttpClient(endpoint, client, MAX_CONNECTIONS);
  }

  async look(context: LookContext, signal: AbortSignal): Promise<EndLook> {
    const { side } = this.endpoint;
    const first = await this.#get(versionUrl(this.#url), signal);
    if (isRefusal(first.status)) return { ...unaskedLook(this.#url), isRefused: true };
    const report = await this.#report(signal);
    const name = report?.product;
    if (report === undefined || name === undefined) {
      const found = await this.#byPaths(signal);
      return found.isRefused === true ? found : { ...found, ...(report && { report }) };
    }
    const known: EndLook = { product: { name, how: 'found' }, report };
    if (name === 'VictoriaMetrics') return { ...known, isCluster: await this.#isCluster(signal) };
    if (side !== 'source') return known;
    if (name === 'Thanos') return { ...known, ...(await this.#storeBeside(context)) };
    if (name !== 'Prometheus') return known;
    const oldestMs = await this.#oldestMs(signal);
    return oldestMs === undefined ? known : { ...known, oldestMs };
  }

  /** @throws RemoteError if something is missing that may be there in a moment: what is written must not depend on it */
  async #report(signal: AbortSignal): Promise<ServerReport | undefined> {
    const status = new StatusClient(this.endpoint, this.#client);
    try {
      const report = await status.report(signal);
      if (status.missed !== undefined) throw status.missed;
      return report;
    } finally {
      status.close();
    }
  }

  async #isCluster(signal: AbortSignal): Promise<boolean> {
    if (clusterTenant(this.#url) !== undefined) return true;
    const flags = await this.#get(joined(this.#base, '/flags'), signal);
    return flags.status === 200 ? /^-storageNode=/m.test(flags.text) : looksLikeCluster(this.#url);
  }

  /** Of all blocks, not only of the head. */
  async #oldestMs(signal: AbortSignal): Promise<number | undefined> {
    const metrics = await this.#get(joined(this.#base, '/metrics'), signal);
    const seconds = Number((metrics.status === 200 ? OLDEST.exec(metrics.text)?.[1] : undefined) ?? Number.NaN);
    const oldestMs = Math.round(seconds * 1000);
    // Without samples it is the largest integer.
    return oldestMs > 0 && oldestMs < this.#client.clock.now() ? oldestMs : undefined;
  }

  async #storeBeside({ clock }: LookContext): Promise<Pick<EndLook, 'storeUrl' | 'report'>> {
    const { protocol, hostname } = new URL(this.#url);
    const storeUrl = `${protocol === 'https:' ? 'grpcs' : 'grpc'}://${hostname}:10901`;
    using deadline = new Deadline();
    deadline.start(clock, STORE_MS, new Error('no response in time'));
    try {
      const report = await storeReport(toEndpoint('source', storeUrl, NO_FIELDS), this.#client, deadline.signal);
      return report === undefined ? {} : { storeUrl, report };
    } catch {
      return {};
    }
  }

  /** Servers that do not say what they are: which of the usual paths do they have? */
  async #byPaths(signal: AbortSignal): Promise<EndLook> {
    const name = productOfUrl(this.#url);
    const isSource = this.endpoint.side === 'source';
    const own = isSource ? [] : WRITE_PATHS;
    const tried = [...(isComplete(this.#url) ? [] : own), ...READ_PATHS, QUERY_PATH];
    const served: string[] = [];
    for (const path of tried) {
      const outcome = await this.#serves(path, signal);
      if (outcome === 'refused') return { ...unaskedLook(this.#url), isRefused: true };
      if (outcome) served.push(path);
    }
    if (name !== undefined) return { product: { name, how: 'found' }, served };
    const read = READ_PATHS.find((path) => served.includes(path));
    const isM3 = read === '/api/v1/prom/remote/read';
    const isPromscale = read === '/read';
    if (isM3 || isPromscale) return { product: { name: isM3 ? 'M3' : 'Promscale', how: 'guessed' }, served };
    return { product: { name: undefined, how: 'found' }, served };
  }

  async #serves(path: string, signal: AbortSignal): Promise<boolean | 'refused'> {
    const isQuery = path === QUERY_PATH;
    const url = joined(this.#base, path);
    const response = await this.#get(isQuery ? `${url}${url.includes('?') ? '&' : '?'}query=1` : url, signal);
    if (isRefusal(response.status)) return 'refused';
    if (isQuery) return response.status === 200 && /"status"\s*:\s*"success"/.test(response.text);
    // A GET is not what these are for: they say so, each in its own way. A page is that of a user interface.
    return [204, 400, 405, 411, 415, 422, 500].includes(response.status);
  }

  /** @throws RemoteError also if the server or a gateway is busy: what is written must not depend on it */
  async #get(url: string, signal: AbortSignal): Promise<{ readonly status: number; readonly text: string }> {
    const response = await this.#http.request({
      method: 'GET',
      url: new SecretUrl(url),
      headers: {},
      attempt: 1,
      signal,
    });
    const { status } = response;
    const text = await this.#textOf(response.body);
    const busy = BUSY.includes(status) ? this.#http.refusalOf(response, text) : undefined;
    if (busy !== undefined) throw busy;
    return { status, text };
  }

  async #textOf(body: Parameters<typeof wholeText>[0]): Promise<string> {
    const { buffers } = this.#client;
    const tooLarge = () => new TooLarge();
    try {
      return await wholeText(body, { buffers, maxBytes: MAX_TEXT_BYTES, tooLarge });
    } catch (error) {
      if (error instanceof TooLarge) return '';
      throw error;
    }
  }

  close(): void {
    this.#http.close();
  }
}

/** Never leaves this file. */
class TooLarge extends Error {}

function isRefusal(status: number): boolean {
  return status === 401 || status === 403;
}

/** Of some statuses, the class says that less has to be read at once, which a look cannot do. */
function mayPass(error: unknown): boolean {
  return error instanceof RemoteError && (error.class === 'transient' || BUSY.includes(error.status ?? 0));
}

function storeLook(report: ServerReport | undefined): EndLook {
  return { product: { name: 'Thanos', how: report === undefined ? 'guessed' : 'found' }, ...(report && { report }) };
}

async function retried<T>(
  side: EndSide,
  { clock, random, waitMs, onFirstFailure }: LookContext,
  send: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const startedMs = clock.monotonicMs();
  for (let attempt = 1; ; attempt++) {
    using deadline = new Deadline();
    const silent = new MigrationError('unreachable', `the ${side} did not respond within ${ONE_ATTEMPT_MS / 1000} s`, {
      side,
    });
    deadline.start(clock, ONE_ATTEMPT_MS, silent);
    try {
      return await send(deadline.signal);
    } catch (error) {
      const failure = deadline.expired ? silent : error;
      const delayMs = retryDelayMs(attempt, random, undefined);
      const elapsedMs = clock.monotonicMs() - startedMs;
      if (!(deadline.expired || mayPass(error)) || elapsedMs + delayMs > waitMs) throw failure;
      if (attempt === 1) onFirstFailure?.(failure, clock.now() + waitMs - elapsedMs);
      await clock.sleep(delayMs);
    }
  }
}
