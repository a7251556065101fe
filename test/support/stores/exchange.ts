// A client for the fake stores' own tests: one request per call, with fetch.

import protobuf from 'protobufjs';
import { fileURLToPath } from 'node:url';
import snappyjs from 'snappyjs';
import type { Matcher } from '../../../src/migration/plan/migration-plan.ts';
import type { FakeStore } from './fake-store.ts';
import { decodeSamples, encodeWrite, type LabeledSamples } from './messages.ts';

const root = protobuf.loadSync(fileURLToPath(new URL('../../../proto/remote.proto', import.meta.url)));
const readRequest = root.lookupType('prometheus.ReadRequest');
const matcherTypes = { '=': 0, '!=': 1, '=~': 2, '!~': 3 } as const;

export interface Outcome {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

export async function write(
  store: FakeStore,
  series: readonly LabeledSamples[],
  headers: Record<string, string> = {},
): Promise<Outcome> {
  const response = await fetch(store.writeUrl, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-protobuf',
      'content-encoding': 'snappy',
      'x-prometheus-remote-write-version': '0.1.0',
      ...headers,
    },
    body: new Uint8Array(encodeWrite(series)),
  });
  return { status: response.status, text: (await response.text()).trim(), headers: response.headers };
}

const everything: readonly Matcher[] = [{ kind: '=~', name: '__name__', value: '.+' }];

interface ReadOptions {
  readonly matchers?: readonly Matcher[];
  readonly streamed?: boolean;
  readonly headers?: Record<string, string>;
}

/** The response to a remote_read of [fromMs, toMs] as bytes. */
export async function readBytes(
  store: FakeStore,
  fromMs: number,
  toMs: number,
  { matchers = everything, streamed = false, headers = {} }: ReadOptions = {},
): Promise<Outcome & { readonly body: Buffer }> {
  const query = {
    startTimestampMs: fromMs,
    endTimestampMs: toMs,
    matchers: matchers.map(({ kind, name, value }) => ({ type: matcherTypes[kind], name, value })),
  };
  const message = readRequest.encode({ queries: [query], acceptedResponseTypes: streamed ? [1, 0] : [0] }).finish();
  const response = await fetch(store.readUrl, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-protobuf',
      'content-encoding': 'snappy',
      'x-prometheus-remote-read-version': '0.1.0',
      ...headers,
    },
    body: new Uint8Array(snappyjs.compress(new Uint8Array(message))),
  });
  const body = Buffer.from(await response.arrayBuffer());
  return { status: response.status, text: body.toString().trim(), headers: response.headers, body };
}

/** The SAMPLES response to a remote_read of [fromMs, toMs]. */
export async function read(
  store: FakeStore,
  fromMs: number,
  toMs: number,
  options: ReadOptions = {},
): Promise<LabeledSamples[]> {
  const { status, text, body } = await readBytes(store, fromMs, toMs, options);
  if (status !== 200) throw new Error(`${status} ${text}`);
  return decodeSamples(body);
}

/** The timestamps in a remote_read response, over all series. */
export async function readTimes(store: FakeStore, fromMs: number, toMs: number): Promise<number[]> {
  return (await read(store, fromMs, toMs)).flatMap(({ samples }) => samples.map(({ timeMs }) => timeMs));
}

interface QueryData {
  readonly resultType: string;
  readonly result: readonly {
    readonly metric: Record<string, string>;
    readonly value?: [number, string];
    readonly values?: readonly [number, string][];
  }[];
}

/** An instant query's `data`, or its error. */
export async function query(
  store: FakeStore,
  promql: string,
  timeMs: number,
): Promise<{ readonly status: number; readonly error?: string; readonly data?: QueryData }> {
  const parameters = new URLSearchParams({ query: promql, time: (timeMs / 1000).toFixed(3) });
  const response = await fetch(`${store.queryUrl}/api/v1/query?${parameters}`);
  return { ...((await response.json()) as object), status: response.status };
}

/** The timestamps of `{…}[rangeMs]` at `timeMs`. */
export async function queryTimes(store: FakeStore, rangeMs: number, timeMs: number): Promise<number[]> {
  const { data } = await query(store, `{__name__=~".+"}[${rangeMs}ms]`, timeMs);
  return (data?.result ?? []).flatMap(({ values = [] }) => values.map(([seconds]) => Math.round(seconds * 1000)));
}

/** One series of ordinary samples. */
export function line(
  name: string,
  points: readonly (readonly [timeMs: number, value: number | bigint])[],
  labels: Readonly<Record<string, string>> = {},
): LabeledSamples {
  return {
    labels: [['__name__', name], ...Object.entries(labels)],
    samples: points.map(([timeMs, value]) => ({
      timeMs,
      bits: typeof value === 'bigint' ? value : new BigUint64Array(new Float64Array([value]).buffer)[0]!,
    })),
  };
}
