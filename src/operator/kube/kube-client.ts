// A small REST client for the API server over node's own http: JSON requests and watch streams. Every part of the operator that
// talks to Kubernetes does it through here. A request can be aborted at any time, also before the first byte of its answer, and
// each one reads its credentials anew.

import { Agent as HttpAgent, type IncomingMessage, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { StringDecoder } from 'node:string_decoder';
import { type Clock, systemClock } from '../../telemetry/clock.ts';
import { version } from '../../telemetry/version.ts';
import type { KubeConnection } from './kube-config.ts';
import { apiError, KubeApiError, KubeConnectionError, messageOf } from './kube-errors.ts';
import { describePath, type WatchEvent } from './kube-objects.ts';

/** One finished request, for the metrics. `code` is the HTTP status or the code of the KubeConnectionError. */
export interface RequestReport {
  /** As in a Role: get, list, watch, create, update, patch, delete. */
  readonly verb: string;
  /** `prommigrations/status`, `leases`, … */
  readonly resource: string;
  readonly code: number | string;
  /** Until the whole answer was there; for a watch until its first byte. */
  readonly seconds: number;
}

export interface RequestSettings {
  readonly query?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** From the first step to the last byte of the answer. Default 30 s. */
  readonly timeoutMs?: number;
}

interface Call {
  readonly verb: string;
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>> | undefined;
  readonly body?: unknown;
  readonly contentType?: string;
}

const defaultTimeoutMs = 30_000;
/** How long a watch may take to begin; the API server begins at once, also when there is nothing to tell. */
const firstByteMs = 30_000;

export class KubeClient {
  readonly #connection: KubeConnection;
  readonly #report: (report: RequestReport) => void;
  readonly #clock: Clock;
  readonly #agent: HttpAgent;

  constructor(
    connection: KubeConnection,
    hooks: { readonly request: (report: RequestReport) => void },
    clock: Clock = systemClock,
  ) {
    this.#connection = connection;
    this.#report = hooks.request;
    this.#clock = clock;
    const AgentOfServer = connection.server.protocol === 'https:' ? HttpsAgent : HttpAgent;
    this.#agent = new AgentOfServer({ keepAlive: true, keepAliveMsecs: 15_000, maxFreeSockets: 8 });
  }

  /**
   * Reads an object or, when the path ends in a resource, a list.
   * @throws KubeApiError, KubeConnectionError, or the signal's reason; so do all the others
   */
  get<T>(path: string, settings: RequestSettings = {}): Promise<T> {
    const verb = describePath(path).named ? 'get' : 'list';
    return this.#json<T>({ verb, method: 'GET', path, query: settings.query }, settings);
  }

  create<T>(path: string, body: unknown, settings: RequestSettings = {}): Promise<T> {
    return this.#json<T>({ verb: 'create', method: 'POST', path, query: settings.query, body }, settings);
  }

  /** Answered with 409 when `body` has a resourceVersion that is no longer the object's. */
  replace<T>(path: string, body: unknown, settings: RequestSettings = {}): Promise<T> {
    return this.#json<T>({ verb: 'update', method: 'PUT', path, query: settings.query, body }, settings);
  }

  /** `body` may be DeleteOptions, such as `{preconditions: {uid}}`. */
  delete(path: string, settings: RequestSettings & { readonly body?: unknown } = {}): Promise<unknown> {
    const { body } = settings;
    return this.#json({ verb: 'delete', method: 'DELETE', path, query: settings.query, body }, settings);
  }

  /** Server-side apply: the fields in `body` become the manager's, and those that it had and left out are removed. */
  apply<T>(
    path: string,
    body: unknown,
    settings: RequestSettings & { readonly fieldManager: string; readonly force?: boolean },
  ): Promise<T> {
    const query = { ...settings.query, fieldManager: settings.fieldManager, force: String(settings.force ?? true) };
    // JSON is YAML.
    const contentType = 'application/apply-patch+yaml';
    return this.#json<T>({ verb: 'patch', method: 'PATCH', path, query, body, contentType }, settings);
  }

  patch<T>(
    path: string,
    body: unknown,
    settings: RequestSettings & {
      readonly contentType: 'application/merge-patch+json' | 'application/json-patch+json';
    },
  ): Promise<T> {
    const { contentType, query } = settings;
    return this.#json<T>({ verb: 'patch', method: 'PATCH', path, query, body, contentType }, settings);
  }

  /**
   * The events of a collection; ends when the server closes the stream, as it does after `timeoutSeconds`. ERROR events come
   * through as they are. Leaving the loop closes the connection.
   * @throws KubeApiError, KubeConnectionError (also for a stream cut in the middle of an event), or the signal's reason
   */
  async *watch(
    path: string,
    query: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent, void, undefined> {
    const call = { verb: 'watch', method: 'GET', path, query: { ...query, watch: 'true' } };
    await using exchange = new Exchange(call, signal);
    const response = await this.#measured(call, async () => {
      try {
        const answer = await this.#begin(call, exchange, firstByteMs);
        if (answer.statusCode !== 200) throw await failure(answer);
        exchange.disarm();
        return { value: answer, code: 200 };
      } catch (error) {
        return exchange.fail(error);
      }
    });
    try {
      for await (const line of lines(response)) {
        if (line.trim() !== '') yield parseJson<WatchEvent>(line, call);
      }
    } catch (error) {
      exchange.fail(error);
    }
  }

  /** Closes all connections. */
  close(): void {
    this.#agent.destroy();
  }

  async #json<T>(call: Call, settings: RequestSettings): Promise<T> {
    await using exchange = new Exchange(call, settings.signal);
    return await this.#measured(call, async () => {
      try {
        const answer = await this.#begin(call, exchange, settings.timeoutMs ?? defaultTimeoutMs);
        if ((answer.statusCode ?? 0) >= 300) throw await failure(answer);
        return { value: parseJson<T>(await text(answer), call), code: answer.statusCode ?? 0 };
      } catch (error) {
        // Whatever made this one silent may have made the waiting connections silent too: better to begin with a new one.
        if (exchange.timedOut) this.#dropIdle();
        return exchange.fail(error);
      }
    });
  }

  #dropIdle(): void {
    for (const socket of Object.values(this.#agent.freeSockets).flat()) socket?.destroy();
  }

  /** Resolves with the head of the answer. A kept connection that the server had just closed is tried once more. */
  async #begin(call: Call, exchange: Exchange, timeoutMs: number): Promise<IncomingMessage> {
    exchange.arm(this.#clock, timeoutMs);
    const options = await exchange.race(
      this.#connection.requestOptions().catch((error: unknown) => {
        throw new KubeConnectionError('CREDENTIALS', `no credentials for the API server: ${messageOf(error)}`);
      }),
    );
    const { server } = this.#connection;
    const url = new URL(`${server.pathname.replace(/\/$/, '')}${call.path}`, server);
    for (const [name, value] of Object.entries(call.query ?? {})) url.searchParams.set(name, value);
    const body = call.body === undefined ? undefined : Buffer.from(JSON.stringify(call.body));
    const send = server.protocol === 'https:' ? httpsRequest : httpRequest;
    const attempt = () =>
      new Promise<IncomingMessage>((resolve, reject) => {
        const request = send(url, {
          agent: this.#agent,
          ...options,
          method: call.method,
          signal: exchange.signal,
          headers: {
            ...(options.headers as Record<string, string> | undefined),
            Accept: 'application/json',
            'User-Agent': `prom-migrator/${version}`,
            ...(body !== undefined && {
              'Content-Type': call.contentType ?? 'application/json',
              'Content-Length': body.byteLength,
            }),
          },
        });
        request.on('response', resolve);
        request.on('error', (error: NodeJS.ErrnoException) => {
          const closedBefore = request.reusedSocket && error.code === 'ECONNRESET' && !exchange.signal.aborted;
          if (closedBefore && ['GET', 'PUT'].includes(call.method)) attempt().then(resolve, reject);
          else reject(error);
        });
        request.end(body);
      });
    return attempt();
  }

  async #measured<T>(call: Call, run: () => Promise<{ value: T; code: number }>): Promise<T> {
    const startMs = this.#clock.monotonicMs();
    const report = (code: number | string) => {
      const seconds = (this.#clock.monotonicMs() - startMs) / 1000;
      this.#report({ verb: call.verb, resource: describePath(call.path).resource, code, seconds });
    };
    try {
      const { value, code } = await run();
      report(code);
      return value;
    } catch (error) {
      if (error instanceof KubeApiError) report(error.status);
      else report(error instanceof KubeConnectionError ? error.code : 'ABORTED');
      throw error;
    }
  }
}

/** The signal, the deadline and the end of one request. Disposing it closes the connection if the answer is not complete. */
class Exchange implements AsyncDisposable {
  readonly #call: Call;
  readonly #outer: AbortSignal | undefined;
  readonly #controller = new AbortController();
  readonly #deadline = new AbortController();
  readonly #onAbort: () => void;
  timedOut = false;

  constructor(call: Call, outer: AbortSignal | undefined) {
    this.#call = call;
    this.#outer = outer;
    this.#onAbort = () => this.#controller.abort();
    if (outer?.aborted) this.#controller.abort();
    // By hand: AbortSignal.any would tie every request to a signal that lives as long as the process.
    outer?.addEventListener('abort', this.#onAbort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Begins the deadline; `disarm` ends it. */
  arm(clock: Clock, timeoutMs: number): void {
    clock.sleep(timeoutMs, this.#deadline.signal).then(
      () => {
        this.timedOut = true;
        this.#controller.abort();
      },
      () => undefined,
    );
  }

  disarm(): void {
    this.#deadline.abort();
  }

  /** The promise, or a rejection as soon as the request is aborted. */
  async race<T>(promise: Promise<T>): Promise<T> {
    const { signal } = this;
    let onAbort = () => {};
    const aborted = new Promise<never>((_, reject) => {
      onAbort = () => reject(signal.reason);
      if (signal.aborted) onAbort();
      else signal.addEventListener('abort', onAbort, { once: true });
    });
    try {
      return await Promise.race([promise, aborted]);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Throws what the failure means: an abort from outside, the deadline, an error of the API, or one of the connection. */
  fail(error: unknown): never {
    if (this.#outer?.aborted) throw this.#outer.reason;
    const what = `${this.#call.verb} ${describePath(this.#call.path).resource}`;
    if (this.timedOut) throw new KubeConnectionError('TIMEOUT', `${what}: no answer from the API server in time`);
    if (error instanceof KubeApiError || error instanceof KubeConnectionError) throw error;
    const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'CUT_OFF';
    throw new KubeConnectionError(code, `${what}: ${messageOf(error) || code}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#deadline.abort();
    this.#outer?.removeEventListener('abort', this.#onAbort);
    this.#controller.abort();
  }
}

async function failure(answer: IncomingMessage): Promise<KubeApiError> {
  const header = answer.headers['retry-after'];
  return apiError(answer.statusCode ?? 0, await text(answer), header);
}

async function text(answer: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of answer) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString('utf8');
}

/** Lines as they come; an event may be cut anywhere, also inside a character. */
async function* lines(answer: IncomingMessage): AsyncGenerator<string, void, undefined> {
  const decoder = new StringDecoder('utf8');
  let begun: string[] = [];
  for await (const piece of answer) {
    const [first = '', ...rest] = decoder.write(piece as Buffer).split('\n');
    begun.push(first);
    for (const next of rest) {
      yield begun.join('');
      begun = [next];
    }
  }
  if (begun.join('').trim() !== '')
    throw new KubeConnectionError('CUT_OFF', 'the watch was cut off inside of an event');
}

// The error of JSON.parse quotes the text, which may be a Secret.
function parseJson<T>(body: string, call: Call): T {
  try {
    return JSON.parse(body) as T;
  } catch {
    const { resource } = describePath(call.path);
    throw new KubeConnectionError('NOT_JSON', `${call.verb} ${resource}: the answer of the API server is not JSON`);
  }
}
