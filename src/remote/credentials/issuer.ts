// Requests to servers that issue tokens and keys: token endpoints, AWS STS, metadata services. What goes wrong is a CredentialFailure that
// names the server and the field of the manifest.

import type { IncomingHttpHeaders } from 'node:http';
import type { Clock } from '../../telemetry/clock.ts';
import type { SecretUrl } from '../../telemetry/secret.ts';
import { createAgents } from '../http/agents.ts';
import { CredentialFailure } from '../http/credentials.ts';
import type { IssuerRoute } from '../http/endpoint.ts';
import { Exchange, type HttpResponse } from '../http/exchange.ts';
import { masking } from '../http/redact-response.ts';
import { classifyResponse } from '../meaning/classify-response.ts';
import { excerpt, RemoteError } from '../meaning/remote-error.ts';

export interface IssuerRequest {
  readonly method: 'GET' | 'POST';
  readonly url: SecretUrl;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** What the request contains and a response may repeat. */
  readonly secrets: readonly string[];
}

export interface IssuerResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface IssuerOptions {
  readonly clock: Clock;
  readonly route: Pick<IssuerRoute, 'tls' | 'proxyUrl'>;
  /** What it is, for messages: `token endpoint`. */
  readonly name: string;
  /** The field of the manifest that it belongs to. */
  readonly field: string;
  /** Whether a status above 399 may pass, beside those that always may. */
  readonly mayPass?: (response: IssuerResponse) => boolean;
}

const TIMEOUTS = { connectMs: 10_000, firstByteMs: 30_000, silenceMs: 10_000 };
const MAX_TEXT_BYTES = 64 * 1024;
const TRANSIENT_STATUSES = [408, 425, 429];
/** Exchange needs one, and its messages begin with it. */
const SIDE = 'source';

export class Issuer {
  readonly #options: IssuerOptions;

  constructor(options: IssuerOptions) {
    this.#options = options;
  }

  /** Any response. @throws CredentialFailure without a response, or the signal's reason */
  async send(request: IssuerRequest, signal: AbortSignal): Promise<IssuerResponse> {
    const { clock, route } = this.#options;
    const { method, url, headers, body } = request;
    const buffers = { take: (bytes: number) => new Uint8Array(bytes), give: () => undefined };
    // A request is rare: the connection is not kept.
    const agents = createAgents({ ...route, timeouts: TIMEOUTS }, 1);
    const context = { clock, buffers, request: () => undefined };
    try {
      const exchange = new Exchange(SIDE, context, TIMEOUTS.silenceMs, {
        ...{ method, url, headers, attempt: 1, signal },
        ...(body !== undefined && { body: Buffer.from(body, 'utf8') }),
      });
      const response = await exchange.open(agents, { timeouts: TIMEOUTS }, {});
      return { status: response.status, headers: response.headers, text: await textOf(response) };
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof RemoteError)) throw error;
      const what = masking(request.secrets)(error.message.slice(SIDE.length + 1));
      throw this.failure(url, what, { isTransient: error.class === 'transient' });
    } finally {
      agents.close();
    }
  }

  /** The text of a good response. @throws CredentialFailure for any other, or the signal's reason */
  async request(request: IssuerRequest, signal: AbortSignal): Promise<IssuerResponse> {
    const response = await this.send(request, signal);
    if (response.status >= 200 && response.status < 300) return response;
    throw this.refusal(request, response);
  }

  /** The failure that a response without success is. */
  refusal({ url, secrets }: IssuerRequest, response: IssuerResponse): CredentialFailure {
    const { status, headers, text } = response;
    const { clock, mayPass } = this.#options;
    const isTransient = TRANSIENT_STATUSES.includes(status) || status >= 500 || mayPass?.(response) === true;
    const classified = classifyResponse({ side: SIDE, status, headers, text, now: clock.now() });
    const retryAfterMs = 'retryAfterMs' in classified ? classified.retryAfterMs : undefined;
    const shown = excerpt(masking(secrets)(problemOf(text)));
    return this.failure(url, `returned ${status}${shown === '' ? '' : `: ${shown}`}`, { isTransient, retryAfterMs });
  }

  failure(
    url: SecretUrl,
    what: string,
    details: { readonly isTransient: boolean; readonly retryAfterMs?: number | undefined },
  ): CredentialFailure {
    const { name, field } = this.#options;
    const host = URL.parse(url.reveal())?.host ?? '(no host)';
    const hint = details.isTransient
      ? `the request is retried; if it persists, check that ${host} is reachable from here, and ${field}`
      : `check ${field} and what it refers to, and what ${host} knows about this client`;
    return new CredentialFailure(`cannot be authenticated: the ${name} ${host} (${field}) ${what}`, {
      ...details,
      hint,
    });
  }
}

async function textOf(response: HttpResponse): Promise<string> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of response.body) {
    pieces.push(piece);
    bytes += piece.byteLength;
    if (bytes > MAX_TEXT_BYTES) break;
  }
  return Buffer.concat(pieces).toString('utf8');
}

/** The code and the description of an error: OAuth 2.0, Azure's metadata service, AWS' JSON and XML. */
function problemOf(text: string): string {
  const parsed = objectOf(text);
  if (parsed !== undefined) {
    const nested = parsed['error'];
    const fields = typeof nested === 'object' && nested !== null ? (nested as Record<string, unknown>) : parsed;
    const names = ['error', 'error_description', 'code', 'Code', 'message', 'Message'];
    const texts = names.map((name) => fields[name]).filter((value) => typeof value === 'string');
    if (texts.length > 0) return texts.join(': ');
  }
  const [code, message] = [xmlField(text, 'Code'), xmlField(text, 'Message')];
  return code === undefined ? text : [code, message].filter((part) => part !== undefined).join(': ');
}

/** Undefined if the text is not a JSON object. */
export function objectOf(text: string): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** The text of the first element with this name. */
export function xmlField(text: string, name: string): string | undefined {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1];
}
