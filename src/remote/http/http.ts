// HTTP requests to one endpoint, shared by the read, write and query clients: headers, credentials, and the classification of responses.
// exchange.ts runs one request, classify-response.ts has the classes of responses, agents.ts the connections.

import { SYSTEM_CLOCK } from '../../telemetry/clock.ts';
import { Secret } from '../../telemetry/secret.ts';
import { VERSION } from '../../telemetry/version.ts';
import type { Endpoint } from './endpoint.ts';
import type { Side } from '../meaning/side.ts';
import { hintOf } from '../meaning/response-codes.ts';
import { type Classified, classifyResponse } from '../meaning/classify-response.ts';
import { excerpt, RemoteError } from '../meaning/remote-error.ts';
import { createAgents } from './agents.ts';
import { type AuthHeaders, CredentialFailure, type Credentials } from './credentials.ts';
import { abortedRequest, type ClientContext, Exchange, type HttpRequest, type HttpResponse } from './exchange.ts';
import { OVER } from './over.ts';
import { createRedactor } from './redact-response.ts';
import type { Transport } from './transport.ts';

export class HttpClient {
  readonly side: Side;
  /** Masks this endpoint's secrets in a text from a server. */
  readonly redact: (text: string) => string;
  readonly #endpoint: Endpoint;
  readonly #context: ClientContext;
  readonly #maxSockets: number;
  readonly #transports: { [kind in 'bulk' | 'plain']?: Promise<Transport> } = {};
  readonly #headers: Readonly<Record<string, Secret>>;
  #credentials: Credentials | undefined;
  /** Of the last request. */
  #authHeaders: AuthHeaders = {};

  constructor(endpoint: Endpoint, context: ClientContext, maxSockets: number) {
    this.side = endpoint.side;
    this.redact = createRedactor(endpoint, () => this.#credentials?.secrets() ?? []);
    this.#endpoint = endpoint;
    this.#context = context;
    this.#maxSockets = maxSockets;
    this.#headers = endpointHeaders(endpoint);
  }

  /**
   * Resolves with any response, good or bad. If the credentials were refused and there are newer ones, the request is sent a second time.
   * Throws RemoteError if there is no response.
   */
  async request(request: HttpRequest): Promise<HttpResponse> {
    const sent = await this.#authenticate(request);
    const response = await this.#send(request, sent);
    if (response.status !== 401 && response.status !== 403) return response;
    if (!(await this.#renewed(request, response, sent))) return response;
    // To its end, so that the connection can be used again.
    await response.text();
    return this.#send(request, await this.#authenticate(request));
  }

  #send(request: HttpRequest, authHeaders: AuthHeaders): Promise<HttpResponse> {
    const exchange = new Exchange(this.side, this.#context, this.#endpoint.timeouts.silenceMs, request);
    const transport = this.#transport(request.isBulk === true ? 'bulk' : 'plain');
    return exchange.open(transport, this.#endpoint, { ...this.#headers, ...authHeaders });
  }

  async #authenticate({ method, url, body, signal }: HttpRequest): Promise<AuthHeaders> {
    try {
      this.#credentials ??= await this.#context.credentials.of(this.#endpoint.auth);
      const headers = await this.#credentials.headersFor({ method, url: url.reveal(), body }, signal);
      this.#authHeaders = headers;
      return headers;
    } catch (error) {
      throw unauthenticated(this.side, error, signal);
    }
  }

  async #renewed({ signal }: HttpRequest, response: HttpResponse, sent: AuthHeaders): Promise<boolean> {
    try {
      return (await this.#credentials?.renew(response, sent, signal)) ?? false;
    } catch (error) {
      response.discard();
      throw unauthenticated(this.side, error, signal);
    }
  }

  /** Bulk streams go through undici, and everything else through got. Each is loaded when its first request is sent. */
  #transport(kind: 'bulk' | 'plain'): Promise<Transport> {
    const transport =
      this.#transports[kind] ??
      (kind === 'bulk' ? this.#openBulkTransport() : Promise.resolve(createAgents(this.#endpoint, this.#maxSockets)));
    this.#transports[kind] = transport;
    return transport;
  }

  async #openBulkTransport(): Promise<Transport> {
    const { BulkTransport } = await import('./bulk-transport.ts');
    // The limits of the phases are in real time, as they are in got.
    return new BulkTransport(this.#endpoint, this.#maxSockets, SYSTEM_CLOCK);
  }

  /** The RemoteError for a response that is not `done`, with its text. Undefined for a good response, whose body is not touched. */
  async refusal(response: HttpResponse): Promise<RemoteError | undefined> {
    const { status } = response;
    if (status >= 200 && status < 300 && this.judge(response, '').class === 'done') return undefined;
    return this.refusalOf(response, await response.text());
  }

  /** Like `refusal`, for a response whose text was already taken. */
  refusalOf(response: HttpResponse, text: string): RemoteError | undefined {
    const { status } = response;
    const classified = this.judge(response, text);
    if (classified.class === 'done') return undefined;
    return new RemoteError({ ...classified, side: this.side, status, what: this.#whatOf(status, text) });
  }

  /**
   * For a good response that does not prove storage: the error to report if the samples turn out to be missing. Undefined for any other
   * response.
   */
  unprovenOf(response: HttpResponse, text: string): RemoteError | undefined {
    const { status } = response;
    const classified = this.judge(response, text);
    if (classified.class !== 'done' || classified.unproven === undefined) return undefined;
    const code = classified.unproven;
    const hint = hintOf(code, this.side);
    const what = this.#whatOf(status, text);
    return new RemoteError({ class: 'rejected', code, reason: 'ha_tracker', side: this.side, status, hint, what });
  }

  #whatOf(status: number, text: string): string {
    const shown = excerpt(this.redact(text));
    return `returned ${status}${shown === '' ? '' : `: ${shown}`}`;
  }

  judge({ status, headers }: HttpResponse, text: string): Classified {
    const classified = classifyResponse({ side: this.side, status, headers, text, now: this.#context.clock.now() });
    if (classified.class === 'done' || classified.code !== 'headers-too-large') return classified;
    return { ...classified, hint: `${largestHeader({ ...this.#headers, ...this.#authHeaders })}: ${classified.hint}` };
  }

  /** Closes all connections, also those in use. */
  close(): void {
    for (const transport of Object.values(this.#transports))
      transport.then((opened) => opened.close()).catch(() => undefined);
  }
}

/** Names in lower case. */
export function endpointHeaders(endpoint: Endpoint): Record<string, Secret> {
  const headers: Record<string, Secret> = { 'user-agent': new Secret(`prom-migrator/${VERSION}`) };
  // Mimir with ingest storage acknowledges a write before queries show it, unless the query requests strong consistency.
  if (endpoint.side === 'progress') headers['x-read-consistency'] = new Secret('strong');
  for (const [name, value] of Object.entries(endpoint.headers)) headers[name.toLowerCase()] = value;
  return headers;
}

/** What a request fails with if it got no credentials. */
export function unauthenticated(side: Side, error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted || error === OVER) return abortedRequest(side);
  if (!(error instanceof CredentialFailure)) return error;
  const { message, isTransient, hint, retryAfterMs } = error;
  return new RemoteError({
    class: isTransient ? 'transient' : 'refused',
    code: isTransient ? 'credentials-unavailable' : 'credentials-refused',
    ...{ side, what: message, hint, retryAfterMs },
  });
}

/** The name and size of the largest header, never its value. */
function largestHeader(headers: Readonly<Record<string, Secret>>): string {
  const bytes = (name: string) => Buffer.byteLength(headers[name]?.reveal() ?? '');
  const [largest = ''] = Object.keys(headers).sort((a, b) => bytes(b) - bytes(a));
  return `the largest header of the request is ${largest} with ${bytes(largest)} bytes`;
}
