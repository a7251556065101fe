// A small REST client for the API server on Node's own http: JSON requests and watch streams. All access to Kubernetes goes through it. A
// request can be aborted at any time, even before the first byte of its response. Each request reads its credentials again.

import { Agent as HttpAgent, type IncomingMessage, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { type Clock, SYSTEM_CLOCK } from '../../telemetry/clock.ts';
import { VERSION } from '../../telemetry/version.ts';
import { failureOf, linesOf, parseJson, textOf } from './kube-body.ts';
import type { KubeConnection } from './kube-config.ts';
import { KubeApiError, KubeConnectionError, messageOf } from './kube-errors.ts';
import { type KubeCall, KubeExchange } from './kube-exchange.ts';
import { describePath, type WatchEvent } from './kube-objects.ts';

/** One finished request, for the metrics. `code` is the HTTP status or the code of the KubeConnectionError. */
export interface RequestReport {
  /** As in a Role: get, list, watch, create, update, patch, delete. */
  readonly verb: string;
  /** `prommigrations/status`, `leases`, … */
  readonly resource: string;
  readonly code: number | string;
  /** Until the complete response had arrived; for a watch, until its first byte. */
  readonly seconds: number;
}

export interface RequestSettings {
  readonly query?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** From the start of the request to the last byte of the response. Default 30 s. */
  readonly timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 30_000;
/** How long a watch may take to begin. The API server sends the head immediately, even if there are no events. */
const FIRST_BYTE_MS = 30_000;

export class KubeClient {
  readonly #connection: KubeConnection;
  readonly #report: (report: RequestReport) => void;
  readonly #clock: Clock;
  readonly #agent: HttpAgent;

  constructor(
    connection: KubeConnection,
    hooks: { readonly request: (report: RequestReport) => void },
    clock: Clock = SYSTEM_CLOCK,
  ) {
    this.#connection = connection;
    this.#report = hooks.request;
    this.#clock = clock;
    const AgentOfServer = connection.server.protocol === 'https:' ? HttpsAgent : HttpAgent;
    this.#agent = new AgentOfServer({ keepAlive: true, keepAliveMsecs: 15_000, maxFreeSockets: 8 });
  }

  /**
   * Reads an object or, if the path ends in a resource, a list.
   * @throws KubeApiError, KubeConnectionError, or the signal's reason; all other methods throw the same
   */
  get<T>(path: string, settings: RequestSettings = {}): Promise<T> {
    const verb = describePath(path).named ? 'get' : 'list';
    return this.#json<T>({ verb, method: 'GET', path, query: settings.query }, settings);
  }

  /** A response that is not JSON: the log of a pod, or what a proxy of the API server passes on. */
  getText(path: string, settings: RequestSettings = {}): Promise<string> {
    return this.#exchange({ verb: 'get', method: 'GET', path, query: settings.query, accept: '*/*' }, settings, String);
  }

  create<T>(path: string, body: unknown, settings: RequestSettings = {}): Promise<T> {
    return this.#json<T>({ verb: 'create', method: 'POST', path, query: settings.query, body }, settings);
  }

  /** The API server responds 409 if `body` has a resourceVersion that is no longer the object's. */
  replace<T>(path: string, body: unknown, settings: RequestSettings = {}): Promise<T> {
    return this.#json<T>({ verb: 'update', method: 'PUT', path, query: settings.query, body }, settings);
  }

  /** `body` may be DeleteOptions, such as `{preconditions: {uid}}`. */
  delete(path: string, settings: RequestSettings & { readonly body?: unknown } = {}): Promise<unknown> {
    const { body } = settings;
    return this.#json({ verb: 'delete', method: 'DELETE', path, query: settings.query, body }, settings);
  }

  /** Server-side apply: the manager owns the fields in `body`; fields that it owned before and that are not in `body` are removed. */
  apply<T>(
    path: string,
    body: unknown,
    settings: RequestSettings & { readonly fieldManager: string; readonly force?: boolean },
  ): Promise<T> {
    const query = { ...settings.query, fieldManager: settings.fieldManager, force: String(settings.force ?? true) };
    // JSON is valid YAML.
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
   * The events of a collection. Ends when the server closes the stream, as it does after `timeoutSeconds`. ERROR events are passed on unchanged.
   * Leaving the loop closes the connection.
   * @throws KubeApiError, KubeConnectionError (also for a stream cut in the middle of an event), or the signal's reason
   */
  async *watch(
    path: string,
    query: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent, void, undefined> {
    const call = { verb: 'watch', method: 'GET', path, query: { ...query, watch: 'true' } };
    await using exchange = new KubeExchange(call, signal);
    const response = await this.#measured(call, async () => {
      try {
        const reply = await this.#begin(call, exchange, FIRST_BYTE_MS);
        if (reply.statusCode !== 200) throw await failureOf(reply);
        exchange.disarm();
        return { value: reply, code: 200 };
      } catch (error) {
        return exchange.fail(error);
      }
    });
    try {
      for await (const line of linesOf(response)) {
        if (line.trim() !== '') yield parseJson<WatchEvent>(line, call);
      }
    } catch (error) {
      exchange.fail(error);
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  #json<T>(call: KubeCall, settings: RequestSettings): Promise<T> {
    return this.#exchange(call, settings, (body) => parseJson<T>(body, call));
  }

  async #exchange<T>(call: KubeCall, settings: RequestSettings, read: (body: string) => T): Promise<T> {
    await using exchange = new KubeExchange(call, settings.signal);
    return await this.#measured(call, async () => {
      try {
        const response = await this.#begin(call, exchange, settings.timeoutMs ?? DEFAULT_TIMEOUT_MS);
        if ((response.statusCode ?? 0) >= 300) throw await failureOf(response);
        return { value: read(await textOf(response)), code: response.statusCode ?? 0 };
      } catch (error) {
        // The cause of this timeout may affect the idle connections too, so the next request opens a new one.
        if (exchange.timedOut) this.#dropIdle();
        return exchange.fail(error);
      }
    });
  }

  #dropIdle(): void {
    for (const socket of Object.values(this.#agent.freeSockets).flat()) socket?.destroy();
  }

  /** Resolves with the head of the response. If the server had just closed a kept-alive connection, the request is sent again. */
  async #begin(call: KubeCall, exchange: KubeExchange, timeoutMs: number): Promise<IncomingMessage> {
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
          ...options.reveal(),
          method: call.method,
          signal: exchange.signal,
          headers: {
            ...(options.reveal().headers as Record<string, string> | undefined),
            Accept: call.accept ?? 'application/json',
            'User-Agent': `prom-migrator/${VERSION}`,
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

  async #measured<T>(call: KubeCall, run: () => Promise<{ value: T; code: number }>): Promise<T> {
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
