// What a hostile or broken server may send, one case each, for memory-bound.test.ts: every place where bytes of a server's choice are kept.

import type { ServerResponse } from 'node:http';
import snappyjs from 'snappyjs';
import {
  bitsOf,
  decodeWriteRequest,
  encodeSamples,
  field,
  frame,
  frameOf,
  type ReadQuery,
  uvarint,
} from '../../migration/support/remote-messages.ts';
import { encodeXorChunk } from '../../wire/support/chunk-encoder.ts';
import { type HostileSides, json, SAMPLES, STREAM, stream } from './hostile-server.ts';
import type { MigrationSpec } from './migration.ts';

export interface HostileCase {
  readonly title: string;
  readonly sides: HostileSides;
  /** Changes to the manifest: whole sections of `spec`. */
  readonly spec?: MigrationSpec;
  /** Stopped after so long, because it would go on for ever or for long; else it must end by itself. */
  readonly stopAfterMs?: number;
  /** What the result, or the log, must say. */
  readonly says: RegExp;
}

const MEBIBYTE = 2 ** 20;
const HUGE_BYTES = 45 * MEBIBYTE;
const XOR = 1;

const relabelings = [{ action: 'replace', sourceLabels: ['v'], targetLabel: 'w', regex: 'no(.*)', replacement: '$1' }];

/** A frame with one series of one sample at the query's start. */
function oneSample(query: ReadQuery, labels: readonly (readonly [string, string])[]): Buffer {
  return frameOf(labels, XOR, chunkAt(query.startMs), query.startMs, query.startMs);
}

function chunkAt(timeMs: number): Uint8Array {
  return encodeXorChunk([{ timeMs, bits: bitsOf(1) }]);
}

function named(name: string, value: string): [string, string][] {
  return [
    ['__name__', name],
    ['v', value],
  ];
}

/** So many frames of tiny series, made in pieces of about 64 KiB. */
function* tinySeries(query: ReadQuery, count: number, prefix = 'm'): Generator<Buffer> {
  const chunk = chunkAt(query.startMs);
  for (let i = 0; i < count; ) {
    const piece: Buffer[] = [];
    for (let n = 0; n < 1000 && i < count; n++, i++)
      piece.push(frameOf(named(prefix, i.toString(36).padStart(6, '0')), XOR, chunk, query.startMs, query.startMs));
    yield Buffer.concat(piece);
  }
}

function* repeat(piece: Uint8Array, times: number): Generator<Uint8Array> {
  for (let i = 0; i < times; i++) yield piece;
}

const huge = 'x'.repeat(HUGE_BYTES);
let hugeSamples: Buffer | undefined;

function onlyFirst(handler: (response: ServerResponse, query: ReadQuery) => void) {
  let first = true;
  return (response: ServerResponse, query: ReadQuery) => {
    if (first || query.startMs === firstMs) {
      first = false;
      firstMs = query.startMs;
      handler(response, query);
    } else stream(response, query.streamed ? STREAM : SAMPLES, query.streamed ? [] : [Buffer.from([0])]);
  };
}
let firstMs = 0;

export const cases: HostileCase[] = [
  {
    title: 'nothing at all',
    sides: {},
    says: /./,
  },
  {
    title: 'one label value of 45 MB in a stream',
    sides: { source: (response, query) => stream(response, STREAM, [oneSample(query, named('m', huge))]) },
    says: /./,
  },
  {
    title: 'one label value of 45 MB in a stream, relabelled',
    sides: { source: (response, query) => stream(response, STREAM, [oneSample(query, named('m', huge))]) },
    spec: { relabelings },
    says: /./,
  },
  {
    title: 'one label value of 45 MB in SAMPLES',
    sides: {
      source: (response, query) => {
        hugeSamples ??= encodeSamples([
          { labels: named('m', huge), samples: [{ timeMs: query.startMs, bits: bitsOf(1) }] },
        ]);
        stream(response, SAMPLES, [hugeSamples]);
      },
    },
    spec: { readMode: 'Samples' },
    says: /./,
  },
  {
    title: 'SAMPLES that declare 4 GiB',
    sides: {
      source: (response) => stream(response, SAMPLES, [Buffer.concat([uvarint(2n ** 32n - 1n), Buffer.alloc(8)])]),
    },
    spec: { readMode: 'Samples' },
    stopAfterMs: 8000,
    says: /./,
  },
  {
    title: 'SAMPLES that expand from 3 to 70 MB of empty samples',
    sides: {
      source: (response) => {
        const entry = Buffer.concat([
          field(1, Buffer.concat([field(1, Buffer.from('__name__')), field(2, Buffer.from('m'))])),
          Buffer.from('1200'.repeat(1000), 'hex'),
        ]);
        const content = Buffer.concat(
          Array.from({ length: Math.floor((70 * MEBIBYTE) / entry.length) }, () => field(1, entry)),
        );
        stream(response, SAMPLES, [Buffer.from(snappyjs.compress(new Uint8Array(field(1, content))))]);
      },
    },
    spec: { readMode: 'Samples' },
    stopAfterMs: 15_000,
    says: /./,
  },
  {
    title: 'SAMPLES of 70 MB of empty histograms in one series',
    sides: {
      source: (response) => {
        const entry = Buffer.concat([
          field(1, Buffer.concat([field(1, Buffer.from('__name__')), field(2, Buffer.from('m'))])),
          Buffer.alloc(3 * MEBIBYTE, Buffer.from('2200', 'hex')),
        ]);
        const content = Buffer.concat(Array.from({ length: 20 }, () => field(1, entry)));
        stream(response, SAMPLES, [Buffer.from(snappyjs.compress(new Uint8Array(field(1, content))))]);
      },
    },
    spec: { readMode: 'Samples' },
    stopAfterMs: 15_000,
    says: /./,
  },
  {
    title: 'two million tiny series',
    sides: { source: onlyFirst((response, query) => stream(response, STREAM, tinySeries(query, 2_000_000))) },
    stopAfterMs: 30_000,
    says: /./,
  },
  {
    title: 'tiny series without end, relabelled',
    sides: { source: (response, query) => stream(response, STREAM, tinySeries(query, 1e9)) },
    spec: { relabelings },
    stopAfterMs: 20_000,
    says: /./,
  },
  {
    title: 'series of 30,000 labels without end',
    sides: {
      source: (response, query) => {
        const labels = Array.from({ length: 30_000 }, (_, i): [string, string] => [`l${i + 100_000}`, 'v']);
        stream(
          response,
          STREAM,
          (function* () {
            for (let i = 0; ; i++) yield oneSample(query, [['__name__', `m${i}`], ...labels]);
          })(),
        );
      },
    },
    spec: { relabelings },
    stopAfterMs: 20_000,
    says: /./,
  },
  {
    title: 'series of a million labels',
    sides: {
      source: (response, query) => {
        const labels = Array.from({ length: 1_000_000 }, (_, i): [string, string] => [`l${i + 1_000_000}`, 'v']);
        stream(response, STREAM, [oneSample(query, [['__name__', `m`], ...labels])]);
      },
    },
    spec: { relabelings },
    stopAfterMs: 15_000,
    says: /./,
  },
  {
    title: 'label values of 400 KiB, different ones in every series',
    sides: {
      source: (response, query) => {
        const value = 'y'.repeat(400 * 1024);
        stream(
          response,
          STREAM,
          (function* () {
            for (let i = 0; i < 150; i++) yield oneSample(query, named('m', `${value}${query.startMs}${i}`));
          })(),
        );
      },
    },
    spec: { relabelings },
    stopAfterMs: 25_000,
    says: /./,
  },
  {
    title: 'frames of 49 MB that are never finished',
    sides: {
      source: (response) =>
        stream(
          response,
          STREAM,
          (function* () {
            yield Buffer.concat([uvarint(49n * 1024n * 1024n), Buffer.alloc(4)]);
            yield* repeat(Buffer.alloc(64 * 1024, 1), 48 * 16);
          })(),
        ),
    },
    stopAfterMs: 15_000,
    says: /./,
  },
  {
    title: 'chunked bodies of one byte a chunk',
    sides: {
      source: (response, query) => {
        const bytes = [...tinySeries(query, 5000)].flatMap((piece) => [...piece]);
        response.writeHead(200, { 'content-type': STREAM });
        response.cork();
        for (const byte of bytes) response.write(Buffer.from([byte]));
        response.uncork();
        response.end();
      },
    },
    stopAfterMs: 20_000,
    says: /./,
  },
  {
    title: 'an error text without end',
    sides: {
      source: (response) => {
        response.writeHead(500, { 'content-type': 'text/plain' });
        const write = () => {
          while (response.write(Buffer.alloc(64 * 1024, 'e')));
        };
        response.on('drain', write);
        write();
      },
    },
    stopAfterMs: 8000,
    says: /./,
  },
  {
    title: 'PromQL: 15 MB of empty objects',
    spec: { protocol: 'PromQL' },
    sides: {
      query: (response) =>
        json(response, [Buffer.from('['), ...repeat(Buffer.from('{},'.repeat(20_000)), 250), Buffer.from('{}]')]),
    },
    stopAfterMs: 15_000,
    says: /./,
  },
  {
    title: 'export: lines of 15 MB',
    spec: { protocol: 'PromQL' },
    sides: {
      source: (response, query) => stream(response, STREAM, tinySeries(query, 10)),
      export: (response) =>
        json(
          response,
          (function* () {
            for (let i = 0; i < 5; i++) {
              yield Buffer.from('{"metric":{"__name__":"m"},"values":[');
              yield* repeat(Buffer.from('{},'.repeat(20_000)), 250);
              yield Buffer.from('{}],"timestamps":[1]}\n');
            }
          })(),
        ),
    },
    stopAfterMs: 15_000,
    says: /./,
  },
  {
    title: 'read-back: chunks of 65,535 equal samples',
    sides: {
      source: (response, query) => stream(response, STREAM, tinySeries(query, 10)),
      readBack: (response, query) => {
        if (query.matchers.some(({ value }) => value === 'prom_migrator_progress')) {
          stream(response, SAMPLES, [Buffer.from([0])]);
          return;
        }
        const data = Buffer.concat([
          Buffer.from('ffff', 'hex'),
          Buffer.from(uvarint(BigInt(query.startMs * 2))),
          Buffer.alloc(8),
          Buffer.from([0]),
          Buffer.alloc(17_000),
        ]);
        const frames = frame(
          field(
            1,
            Buffer.concat([
              field(1, Buffer.concat([field(1, Buffer.from('__name__')), field(2, Buffer.from('m'))])),
              field(1, Buffer.concat([field(1, Buffer.from('v')), field(2, Buffer.from('000000'))])),
              ...Array.from({ length: 500 }, () =>
                field(2, Buffer.concat([Buffer.from('1801', 'hex'), field(4, data)])),
              ),
            ]),
          ),
        );
        stream(response, STREAM, [frames]);
      },
    },
    spec: { protocol: 'RemoteRead' },
    stopAfterMs: 25_000,
    says: /./,
  },
  {
    title: 'a destination that refuses every sample',
    sides: {
      source: (response, query) => stream(response, STREAM, tinySeries(query, 300_000)),
      write: (response, body) => {
        const series = decodeWriteRequest(body);
        if (series.some(({ labels }) => labels[0]?.[1] === 'prom_migrator_progress')) response.writeHead(204).end();
        else response.writeHead(400).end('out of order sample');
      },
    },
    spec: { rejectedSamples: 'Skip' },
    stopAfterMs: 15_000,
    says: /./,
  },
];
