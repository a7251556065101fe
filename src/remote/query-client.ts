// A client for the PromQL API, for progress and for uncertain windows at destinations without remote_read.

import { hintOf, type RemoteCode } from './meaning/response-codes.ts';
import { Secret, SecretUrl } from '../telemetry/secret.ts';
import type { Endpoint } from './http/endpoint.ts';
import type { Buffers } from './http/buffers.ts';
import type { ClientContext, HttpResponse } from './http/exchange.ts';
import { HttpClient } from './http/http.ts';
import {
  type ExportedSeries,
  parseExportLine,
  parseQueryResponse,
  parseSeriesResponse,
  type QueryResult,
} from './query-response.ts';
import { type Api, apiUrl, queryString, secondsOf } from './query-url.ts';
import { linesOf, wholeText } from './json-text.ts';
import { BadRange, SeriesTooLarge, RangeTimes, type SeriesTimes } from './range-times.ts';
import { type ResponseClass, excerpt, RemoteError } from './meaning/remote-error.ts';

export interface QueryOptions {
  /** From 1. */
  readonly attempt: number;
  readonly signal: AbortSignal;
  /**
   * The memory that a response may take while it is parsed, several times the size of its text (json-cost.ts). A larger response is
   * `too-large`. For an export, the limit applies to one line.
   */
  readonly maxBytes: number;
}

const MAX_CONNECTIONS = 4;
const JSON_TYPE = /\bjson\b/i;
const NATIVE = /^VictoriaMetrics\/native\b/i;
// Proxies commonly limit the request line and headers to 8 KiB. Parameters longer than half of that go into the body.
const LONGEST_QUERY_STRING = 4096;
/** Makes Thanos read samples as they were written, and not their averages. Other servers ignore it. */
const RAW: [string, string] = ['max_source_resolution', '0s'];
/** Makes Thanos fail if one of its stores fails. By default it returns what the others have. Other servers ignore it. */
const NOT_PARTIAL: [string, string] = ['partial_response', 'false'];

export class QueryClient {
  readonly #http: HttpClient;
  readonly #base: Secret<URL>;
  /** The pool for the memory of responses. */
  readonly buffers: Buffers;

  /**
   * The endpoint's URL is the base of a query API (`http://host:9090`, `http://vmselect:8481/select/0/prometheus`) or its `/api/v1/query`.
   * A query string is kept. Throws TypeError if it is not a URL.
   */
  constructor(endpoint: Endpoint, context: ClientContext) {
    this.#http = new HttpClient(endpoint, context, MAX_CONNECTIONS);
    this.#base = new Secret(new URL(endpoint.url.reveal()));
    this.buffers = context.buffers;
  }

  /**
   * An instant query at `timeMs`. Throws RemoteError, with `partial-response` if the server reports that parts of its storage were missing.
   * The query turns off VictoriaMetrics' cache and latency offset, which hide fresh samples. Other servers ignore these parameters.
   */
  async query(promql: string, timeMs: number, options: QueryOptions): Promise<QueryResult> {
    const response = await this.instantResponse(promql, timeMs, options);
    const parsed = parseQueryResponse(await this.#whole(response, options.maxBytes));
    if ('problem' in parsed) throw this.unusable(response, parsed.problem);
    if (parsed.missing !== undefined) throw this.partial(response, parsed.missing);
    return parsed.result;
  }

  /**
   * The series of a range selector at `timeMs`, and their timestamps in [fromMs, toMs). Samples outside that range are discarded as they
   * arrive, so `maxBytes` only has to hold the labels of one series. A series may be yielded before the response turns out to be damaged.
   * The next attempt yields it again. Throws RemoteError like `query`.
   */
  async *rangeTimes(
    promql: string,
    timeMs: number,
    { fromMs, toMs }: { fromMs: number; toMs: number },
    options: QueryOptions,
  ): AsyncGenerator<SeriesTimes, undefined> {
    const response = await this.instantResponse(promql, timeMs, options);
    const range = new RangeTimes(fromMs, toMs, options.maxBytes);
    let missing: string | undefined;
    try {
      for await (const piece of response.body) {
        try {
          yield* range.push(piece);
        } finally {
          this.buffers.give(piece);
        }
      }
      missing = range.end().missing;
    } catch (error) {
      if (error instanceof SeriesTooLarge) throw this.tooLarge(response, 'sent a series', options.maxBytes);
      if (!(error instanceof BadRange)) throw error;
      throw this.unusable(response, error.message);
    }
    if (missing !== undefined) throw this.partial(response, missing);
  }

  /**
   * Every series and its timestamps in [fromMs, toMs], from VictoriaMetrics' /api/v1/export: with stale markers, and de-duplicated if the server
   * is configured to do so. A series may come in several pieces. Throws RemoteError `export-not-offered` if the server has no such API.
   */
  async *exportSeries(
    matches: readonly string[],
    fromMs: number,
    toMs: number,
    options: QueryOptions,
  ): AsyncGenerator<ExportedSeries, undefined> {
    const response = await this.exportResponse(matches, { fromMs, toMs }, options);
    for await (const line of this.#lines(response, options.maxBytes)) {
      const parsed = parseExportLine(line);
      if ('problem' in parsed)
        throw this.#error(response, 'ambiguous', 'bad-response', `exported unusable data: ${parsed.problem}`);
      yield parsed.series;
    }
  }

  /**
   * Whether the index has a matching series with samples in [fromMs, toMs], or shortly before or after. Throws RemoteError like `query`.
   */
  async hasSeries(match: string, fromMs: number, toMs: number, options: QueryOptions): Promise<boolean> {
    const parameters: [string, string][] = [
      ['match[]', match],
      ['start', secondsOf(fromMs)],
      ['end', secondsOf(toMs)],
      ['limit', '1'],
      ['nocache', '1'],
      NOT_PARTIAL,
    ];
    const response = await this.#send('series', parameters, options);
    const refusal = (await this.#http.refusal(response)) ?? this.#notJson(response);
    if (refusal !== undefined) throw refusal;
    const parsed = parseSeriesResponse(await this.#whole(response, options.maxBytes));
    if ('problem' in parsed) throw this.unusable(response, parsed.problem);
    return parsed.series > 0;
  }

  /**
   * Makes a VictoriaMetrics show the samples that it has accepted, with its /internal/force_flush.
   * @returns false if the server has no such API or does not allow it (`-forceFlushAuthKey`)
   */
  async flush(signal: AbortSignal): Promise<boolean> {
    const response = await this.#tryGet('force_flush', signal);
    // Some proxies respond to every path with a page of their own.
    return response !== undefined && response.text === '' && response.status === 200;
  }

  /**
   * Whether the server is a Prometheus and no other store. Tested with an API that only Prometheus has, since 2.28. False if this is not
   * known.
   */
  async isPrometheus(signal: AbortSignal): Promise<boolean> {
    const response = await this.#tryGet('walreplay', signal);
    if (response?.status !== 200) return false;
    return /^\{"status":"success","data":\{"min":\d+,"max":\d+,"current":\d+\}\}\s*$/.test(response.text);
  }

  /** What a VictoriaMetrics shows at /flags, at most its first 4 KiB; undefined if it does not show it. */
  async flags(signal: AbortSignal): Promise<string | undefined> {
    const response = await this.#tryGet('flags', signal);
    return response?.status === 200 ? response.text : undefined;
  }

  /** Closes all connections, also those in use. */
  close(): void {
    this.#http.close();
  }

  /**
   * The response of an export, once its headers have shown that it is one. It is requested without `reduce_mem_usage`: with it, a busy
   * VictoriaMetrics 1.145 seemed to lack samples that it had, and they were written twice. Throws RemoteError like `exportSeries`.
   */
  async exportResponse(
    matches: readonly string[],
    { fromMs, toMs }: { fromMs: number; toMs: number },
    { isNative = false, ...options }: QueryOptions & { readonly isNative?: boolean },
  ): Promise<HttpResponse> {
    const selected = matches.map((match): [string, string] => ['match[]', match]);
    const api = isNative ? 'export_native' : 'export';
    const parameters: [string, string][] = [...selected, ['start', secondsOf(fromMs)], ['end', secondsOf(toMs)]];
    const response = await this.#send(api, parameters, { ...options, isBulk: true });
    const wrongType = () => (isNative ? this.#notOf(response, NATIVE, 'a native export') : this.#notJson(response));
    const refusal = (await this.#http.refusal(response)) ?? wrongType();
    if (refusal === undefined) return response;
    const codes = isNative ? [400, 401, 403, 404, 405, 501] : [400, 404, 405, 501];
    const absent = codes.includes(response.status) || refusal.code === 'wrong-content-type';
    // Only a server that has the API has its limits.
    if (!absent || refusal.class === 'too-large') throw refusal;
    throw this.#error(response, 'unsupported', 'export-not-offered', `has no export: ${refusal.message}`);
  }

  /** The response of an instant query, once its headers have shown that it is one. Throws RemoteError like `query`. */
  async instantResponse(promql: string, timeMs: number, options: QueryOptions): Promise<HttpResponse> {
    const response = await this.#send(
      'query',
      [['query', promql], ['time', secondsOf(timeMs)], ['nocache', '1'], ['latency_offset', '1ms'], RAW, NOT_PARTIAL],
      options,
    );
    const refusal = (await this.#http.refusal(response)) ?? this.#notJson(response);
    if (refusal !== undefined) throw refusal;
    return response;
  }

  /** One attempt. @returns undefined if there was no response */
  async #tryGet(api: Api, signal: AbortSignal): Promise<{ status: number; text: string } | undefined> {
    try {
      const url = new SecretUrl(apiUrl(this.#base.reveal(), api).href);
      const response = await this.#http.request({ method: 'GET', url, headers: {}, attempt: 1, signal });
      return { status: response.status, text: await response.text() };
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof RemoteError) return undefined;
      throw error;
    }
  }

  async #send(
    api: Api,
    parameters: [string, string][],
    { attempt, signal, isBulk }: QueryOptions & { readonly isBulk?: true },
  ): Promise<HttpResponse> {
    const rest = { attempt, signal, ...(isBulk && { isBulk }) };
    const url = apiUrl(this.#base.reveal(), api);
    const encoded = queryString(parameters);
    if (encoded.length + url.search.length <= LONGEST_QUERY_STRING) {
      url.search = url.search === '' ? encoded : `${url.search}&${encoded}`;
      return this.#http.request({
        method: 'GET',
        url: new SecretUrl(url.href),
        headers: { accept: 'application/json' },
        ...rest,
      });
    }
    return this.#http.request({
      method: 'POST',
      url: new SecretUrl(url.href),
      headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
      body: Buffer.from(encoded, 'ascii'),
      ...rest,
    });
  }

  #notJson(response: HttpResponse): RemoteError | undefined {
    return this.#notOf(response, JSON_TYPE, 'JSON');
  }

  #notOf(response: HttpResponse, expected: RegExp, name: string): RemoteError | undefined {
    const type = response.headers['content-type'] ?? '';
    if (expected.test(type)) return undefined;
    response.discard();
    const what = `returned Content-Type ${type.slice(0, 100)} instead of ${name}`;
    return this.#error(response, 'refused', 'wrong-content-type', what);
  }

  #whole(response: HttpResponse, maxBytes: number): Promise<string> {
    const tooLarge = () => this.tooLarge(response, 'sent a response', maxBytes);
    return wholeText(response.body, { buffers: this.buffers, maxBytes, tooLarge });
  }

  #lines(response: HttpResponse, maxBytes: number): AsyncGenerator<string, undefined> {
    const tooLarge = () => this.tooLarge(response, 'exported a line', maxBytes);
    return linesOf(response.body, { buffers: this.buffers, maxBytes, tooLarge });
  }

  /** The error for a response that is not what the API promises. */
  unusable(response: HttpResponse, problem: string): RemoteError {
    return this.#error(response, 'ambiguous', 'bad-response', `sent an unusable response: ${problem}`);
  }

  /** The error for a response whose data comes from only a part of the storage. @param missing what the server reports about it */
  partial(response: HttpResponse, missing: string): RemoteError {
    const what = `returned data from only a part of its storage: ${missing}`;
    return this.#error(response, 'transient', 'partial-response', what);
  }

  /** The error for a response of which a part takes more than `maxBytes` of memory. @param what what it did: `sent a line` */
  tooLarge(response: HttpResponse, what: string, maxBytes: number): RemoteError {
    return this.#error(
      response,
      'too-large',
      'response-too-large',
      `${what} that takes more than ${maxBytes} bytes of memory`,
    );
  }

  #error(response: HttpResponse, responseClass: ResponseClass, code: RemoteCode, what: string): RemoteError {
    const { side, redact } = this.#http;
    const shown = excerpt(redact(what));
    return new RemoteError({
      class: responseClass,
      code,
      side,
      what: shown,
      status: response.status,
      hint: hintOf(code, side),
    });
  }
}
