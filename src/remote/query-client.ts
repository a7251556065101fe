// Asks a PromQL API. Called by the progress reader and the comparison of uncertain windows where the destination has no remote_read.

import { hintOf, type RemoteCode } from './meaning/response-codes.ts';
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
import { type Api, apiUrl, secondsOf } from './query-url.ts';
import { JsonCost } from './json-cost.ts';
import { BadRange, SeriesTooLarge, RangeTimes, type SeriesTimes } from './range-times.ts';
import { type ResponseClass, excerpt, RemoteError } from './meaning/remote-error.ts';

export interface QueryOptions {
  /** From 1. */
  readonly attempt: number;
  readonly signal: AbortSignal;
  /** Of memory that a response may take while it is parsed, several times its text (json-cost.ts); one that takes more is `too-large`. Of an export: a line. */
  readonly maxBytes: number;
}

const MAX_CONNECTIONS = 4;
// Proxies commonly stop at 8 KiB of request line and headers; beyond half of it the parameters go into the body.
const LONGEST_QUERY_STRING = 4096;

export class QueryClient {
  readonly #http: HttpClient;
  readonly #base: URL;
  readonly #buffers: Buffers;

  /**
   * The endpoint's URL is the base of a query API (`http://host:9090`, `http://vmselect:8481/select/0/prometheus`) or its
   * `/api/v1/query`; a query string is kept. Throws TypeError when it is not a URL.
   */
  constructor(endpoint: Endpoint, context: ClientContext) {
    this.#http = new HttpClient(endpoint, context, MAX_CONNECTIONS);
    this.#base = new URL(endpoint.url);
    this.#buffers = context.buffers;
  }

  /**
   * An instant query at `timeMs`. Throws RemoteError; `partial-answer` when the server says that parts of its storage were missing.
   * VictoriaMetrics is told to use neither its cache nor its latency offset, which hide fresh samples; others ignore these parameters.
   */
  async query(promql: string, timeMs: number, options: QueryOptions): Promise<QueryResult> {
    const response = await this.#instant(promql, timeMs, options);
    const parsed = parseQueryResponse(await this.#whole(response, options.maxBytes));
    if ('problem' in parsed)
      throw this.#error(response, 'ambiguous', 'bad-answer', `sent an unusable response: ${parsed.problem}`);
    if (parsed.isPartial)
      throw this.#error(response, 'transient', 'partial-answer', 'returned data from only a part of its storage');
    return parsed.result;
  }

  /**
   * The series of a range selector at `timeMs`, and their timestamps in [fromMs, toMs). What lies outside of that range is discarded as it
   * arrives, so `maxBytes` is for the labels of one series. A series may come before the response turns out to be damaged, and the next
   * attempt shows it again. Throws RemoteError like `query`.
   */
  async *rangeTimes(
    promql: string,
    timeMs: number,
    { fromMs, toMs }: { fromMs: number; toMs: number },
    options: QueryOptions,
  ): AsyncGenerator<SeriesTimes, undefined> {
    const response = await this.#instant(promql, timeMs, options);
    const range = new RangeTimes(fromMs, toMs, options.maxBytes);
    let isPartial: boolean;
    try {
      for await (const piece of response.body) {
        try {
          yield* range.push(piece);
        } finally {
          this.#buffers.give(piece);
        }
      }
      isPartial = range.end().isPartial;
    } catch (error) {
      if (error instanceof SeriesTooLarge) throw this.#tooLarge(response, 'sent a series', options.maxBytes);
      if (!(error instanceof BadRange)) throw error;
      throw this.#error(response, 'ambiguous', 'bad-answer', `sent an unusable response: ${error.message}`);
    }
    if (isPartial)
      throw this.#error(response, 'transient', 'partial-answer', 'returned data from only a part of its storage');
  }

  /**
   * Every series and its timestamps in [fromMs, toMs], by VictoriaMetrics' /api/v1/export, as it is stored: stale markers included,
   * nothing de-duplicated, a series in several pieces perhaps. Throws RemoteError `export-not-offered` where there is no such thing.
   */
  async *exportSeries(
    matches: readonly string[],
    fromMs: number,
    toMs: number,
    options: QueryOptions,
  ): AsyncGenerator<ExportedSeries, undefined> {
    const response = await this.#send(
      'export',
      [
        ...matches.map((match): [string, string] => ['match[]', match]),
        ['start', secondsOf(fromMs)],
        ['end', secondsOf(toMs)],
        ['reduce_mem_usage', '1'],
      ],
      options,
    );
    const refusal = (await this.#http.refusal(response)) ?? this.#notJson(response);
    if (refusal !== undefined) {
      const absent = [400, 404, 405, 501].includes(response.status) || refusal.code === 'wrong-content-type';
      throw absent
        ? this.#error(response, 'unsupported', 'export-not-offered', `has no export: ${refusal.message}`)
        : refusal;
    }
    for await (const line of this.#lines(response, options.maxBytes)) {
      const parsed = parseExportLine(line);
      if ('problem' in parsed)
        throw this.#error(response, 'ambiguous', 'bad-answer', `exported unusable data: ${parsed.problem}`);
      yield parsed.series;
    }
  }

  /** Whether the index has a series that matches, with samples in [fromMs, toMs] or not long before or after. Throws RemoteError like `query`. */
  async hasSeries(match: string, fromMs: number, toMs: number, options: QueryOptions): Promise<boolean> {
    const parameters: [string, string][] = [
      ['match[]', match],
      ['start', secondsOf(fromMs)],
      ['end', secondsOf(toMs)],
      ['limit', '1'],
      ['nocache', '1'],
    ];
    const response = await this.#send('series', parameters, options);
    const refusal = (await this.#http.refusal(response)) ?? this.#notJson(response);
    if (refusal !== undefined) throw refusal;
    const parsed = parseSeriesResponse(await this.#whole(response, options.maxBytes));
    if ('problem' in parsed)
      throw this.#error(response, 'ambiguous', 'bad-answer', `sent an unusable response: ${parsed.problem}`);
    return parsed.series > 0;
  }

  /**
   * Has a VictoriaMetrics show what it has taken, by its /internal/force_flush. @returns false where there is no such thing, or it is not
   * allowed (`-forceFlushAuthKey`)
   */
  async flush(signal: AbortSignal): Promise<boolean> {
    try {
      const url = apiUrl(this.#base, 'force_flush');
      const response = await this.#http.request({ method: 'GET', url: url.href, headers: {}, attempt: 1, signal });
      // Some proxies response every path with a page of their own.
      return (await response.text()) === '' && response.status === 200;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof RemoteError) return false;
      throw error;
    }
  }

  /**
   * Whether a Prometheus itself responds here, and no other store: by an API that only a Prometheus has, since 2.28. False where that is not
   * known.
   */
  async isPrometheus(signal: AbortSignal): Promise<boolean> {
    try {
      const url = apiUrl(this.#base, 'walreplay');
      const response = await this.#http.request({ method: 'GET', url: url.href, headers: {}, attempt: 1, signal });
      const text = await response.text();
      return (
        response.status === 200 && /^\{"status":"success","data":\{"min":\d+,"max":\d+,"current":\d+\}\}\s*$/.test(text)
      );
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof RemoteError) return false;
      throw error;
    }
  }

  /** Ends all connections, those in use too. */
  close(): void {
    this.#http.close();
  }

  async #instant(promql: string, timeMs: number, options: QueryOptions): Promise<HttpResponse> {
    const response = await this.#send(
      'query',
      [
        ['query', promql],
        ['time', secondsOf(timeMs)],
        ['nocache', '1'],
        ['latency_offset', '1ms'],
      ],
      options,
    );
    const refusal = (await this.#http.refusal(response)) ?? this.#notJson(response);
    if (refusal !== undefined) throw refusal;
    return response;
  }

  async #send(api: Api, parameters: [string, string][], { attempt, signal }: QueryOptions): Promise<HttpResponse> {
    const url = apiUrl(this.#base, api);
    const encoded = new URLSearchParams(parameters).toString();
    if (encoded.length + url.search.length <= LONGEST_QUERY_STRING) {
      url.search = url.search === '' ? encoded : `${url.search}&${encoded}`;
      return this.#http.request({
        method: 'GET',
        url: url.href,
        headers: { accept: 'application/json' },
        attempt,
        signal,
      });
    }
    return this.#http.request({
      method: 'POST',
      url: url.href,
      headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
      body: Buffer.from(encoded, 'ascii'),
      attempt,
      signal,
    });
  }

  #notJson(response: HttpResponse): RemoteError | undefined {
    const contentType = response.headers['content-type'] ?? '';
    if (/\bjson\b/i.test(contentType)) return undefined;
    response.discard();
    return this.#error(
      response,
      'refused',
      'wrong-content-type',
      `returned Content-Type ${contentType.slice(0, 100)} instead of JSON`,
    );
  }

  async #whole(response: HttpResponse, maxBytes: number): Promise<string> {
    const pieces: Uint8Array[] = [];
    const cost = new JsonCost();
    try {
      for await (const piece of response.body) {
        pieces.push(piece);
        cost.add(piece);
        if (cost.bytes > maxBytes) throw this.#tooLarge(response, 'sent a response', maxBytes);
      }
      return Buffer.concat(pieces).toString('utf8');
    } finally {
      for (const piece of pieces) this.#buffers.give(piece);
    }
  }

  async *#lines(response: HttpResponse, maxLineBytes: number): AsyncGenerator<string, undefined> {
    const pieces: Uint8Array[] = [];
    const cost = new JsonCost();
    const add = (part: Uint8Array): void => {
      cost.add(part);
      if (cost.bytes > maxLineBytes) throw this.#tooLarge(response, 'exported a line', maxLineBytes);
      pieces.push(part);
    };
    const take = (): string => {
      const line = Buffer.concat(pieces).toString('utf8');
      pieces.length = 0;
      cost.clear();
      return line;
    };
    for await (const piece of response.body) {
      try {
        let from = 0;
        for (let end = piece.indexOf(10); end !== -1; end = piece.indexOf(10, from)) {
          add(piece.subarray(from, end));
          const line = take();
          from = end + 1;
          if (line.trim() !== '') yield line;
        }
        if (from < piece.byteLength) add(piece.slice(from));
      } finally {
        this.#buffers.give(piece);
      }
    }
    const rest = take();
    if (rest.trim() !== '') yield rest;
  }

  #tooLarge(response: HttpResponse, what: string, maxBytes: number): RemoteError {
    return this.#error(
      response,
      'too-large',
      'answer-too-large',
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
