// Responses of hostile or broken servers for memory-bound.test.ts: a case for every place that buffers bytes of a server.

import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { decodeWriteRequest, labelOf, type ReadQuery, uvarint } from '../../migration/support/remote-messages.ts';
import {
  equalHistograms,
  equalSamples,
  fieldsOf,
  hugeLabelInSamples,
  manyLabels,
  named,
  oneSample,
  repeat,
  tinySeries,
} from './hostile-bodies.ts';
import { empty, type HostileSides, json, SAMPLES, STREAM, stream } from './hostile-server.ts';
import { type HostileCase, MEBIBYTE, PROGRESS_METRIC } from './hostile-case.ts';

/** Inside the first window. */
const EXPORTED_MS = Date.UTC(2025, 0, 1, 0, 1);
const EMPTY_VECTOR = Buffer.from('{"status":"success","data":{"resultType":"vector","result":[]}}');
const tooMuch = /window split|window-too-large/;
const copying = /percent=.* samples=[1-9]|window split|"samplesWritten": ?[1-9]/;
const labelsTooLong = /their labels are not valid/;
const hugeLabel = 'x'.repeat(45 * MEBIBYTE);

function framesOf(frames: (query: ReadQuery) => Iterable<Uint8Array>): HostileSides {
  return { source: (response, query) => stream(response, STREAM, frames(query)) };
}

function samplesOf(body: (query: ReadQuery) => Iterable<Uint8Array>): HostileSides {
  return { source: (response, query) => stream(response, SAMPLES, body(query)) };
}

/** Applies the reply to all destination queries except those for marks. */
function notForMarks(reply: (response: ServerResponse, query: ReadQuery) => void) {
  return (response: ServerResponse, query: ReadQuery): void => {
    if (query.matchers.some(({ kind, value }) => kind === '=' && value === PROGRESS_METRIC)) empty(response, query);
    else reply(response, query);
  };
}

const tenSeries = framesOf((query) => tinySeries(query, 'different', 10));

export const hostileCases: readonly HostileCase[] = [
  {
    title: 'one label value of 45 MB in a stream',
    sides: framesOf((query) => [oneSample(query, named(hugeLabel))]),
    says: labelsTooLong,
  },
  {
    title: 'one label value of 45 MB in a stream, relabelled',
    sides: framesOf((query) => [oneSample(query, named(hugeLabel))]),
    relabelled: true,
    says: labelsTooLong,
  },
  {
    title: 'one label value of 45 MB in SAMPLES',
    sides: samplesOf((query) => [hugeLabelInSamples(query)]),
    readMode: 'Samples',
    says: labelsTooLong,
  },
  {
    title: 'SAMPLES that declare 4 GiB and contain nothing',
    sides: samplesOf(() => [Buffer.concat([uvarint(2n ** 32n - 1n), Buffer.alloc(8)])]),
    readMode: 'Samples',
    memoryMebibytes: [32],
    says: /cannot hold the 4294967295/,
  },
  {
    title: 'SAMPLES that expand to 70 MB of empty samples',
    sides: samplesOf(() => [fieldsOf(70 * MEBIBYTE, '1200', 1000)]),
    readMode: 'Samples',
    says: tooMuch,
  },
  {
    title: 'SAMPLES of 70 MB of empty histograms in few series',
    sides: samplesOf(() => [fieldsOf(70 * MEBIBYTE, '2200', 1_500_000)]),
    readMode: 'Samples',
    says: tooMuch,
  },
  {
    title: 'chunks of histograms that expand to a gigabyte',
    sides: framesOf((query) => [equalHistograms(query, 100)]),
    says: tooMuch,
  },
  {
    title: 'chunks that expand to a billion equal samples',
    sides: framesOf((query) => [equalSamples(query, named('a'), 1000)]),
    says: tooMuch,
  },
  {
    title: 'endless tiny series',
    sides: framesOf((query) => tinySeries(query, 'different')),
    memoryMebibytes: [32, 128],
    says: tooMuch,
  },
  {
    title: 'endless tiny series, relabelled',
    sides: framesOf((query) => tinySeries(query, 'different')),
    relabelled: true,
    memoryMebibytes: [32, 128],
    says: tooMuch,
  },
  {
    title: 'the same series 800,000 times',
    sides: framesOf((query) => tinySeries(query, 'same', 800_000)),
    says: tooMuch,
  },
  {
    title: 'series of 30,000 labels, relabelled',
    sides: framesOf((query) => repeat(oneSample(query, manyLabels(30_000)), 40)),
    relabelled: true,
    says: copying,
  },
  {
    title: 'a series of a million labels',
    sides: framesOf((query) => [oneSample(query, manyLabels(1_000_000))]),
    says: labelsTooLong,
  },
  {
    title: 'label values of 400 KiB',
    sides: framesOf(function* (query) {
      for (let i = 0; i < 150; i++) yield oneSample(query, named(`${'y'.repeat(400 * 1024)}${query.startMs}${i}`));
    }),
    memoryMebibytes: [32, 128],
    says: copying,
  },
  {
    title: 'label values of 400 KiB, relabelled',
    sides: framesOf(function* (query) {
      for (let i = 0; i < 150; i++) yield oneSample(query, named(`${'y'.repeat(400 * 1024)}${query.startMs}${i}`));
    }),
    relabelled: true,
    memoryMebibytes: [32, 128],
    says: copying,
  },
  {
    title: 'frames of 49 MB that never end',
    sides: framesOf(function* () {
      yield Buffer.concat([uvarint(49n * 1024n * 1024n), Buffer.alloc(4)]);
      yield* repeat(Buffer.alloc(64 * 1024, 1), 48 * 16);
    }),
    says: /ends inside a frame/,
  },
  {
    title: 'HTTP chunks of one byte',
    sides: {
      source: (response, query) => {
        response.writeHead(200, { 'content-type': STREAM });
        response.cork();
        for (const piece of tinySeries(query, 'different', 600))
          for (const byte of piece) response.write(Buffer.of(byte));
        response.uncork();
        response.end();
      },
    },
    memoryMebibytes: [32],
    says: copying,
  },
  {
    title: 'an endless error text',
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
    memoryMebibytes: [32],
    says: /code=server-error/,
  },
  {
    title: 'endless headers',
    sides: {
      source: (response) => {
        const { socket } = response;
        const write = () => {
          while (socket?.write(`x-header: ${'h'.repeat(60_000)}\r\n`) === true);
        };
        socket?.on('drain', write);
        socket?.write('HTTP/1.1 200 OK\r\n');
        write();
      },
    },
    memoryMebibytes: [32],
    says: /code=not-http/,
  },
  {
    title: 'a gzip body that expands to a gigabyte',
    sides: {
      source: (response) => {
        response.writeHead(200, { 'content-type': SAMPLES, 'content-encoding': 'gzip' });
        response.end(gzipSync(Buffer.alloc(256 * MEBIBYTE)));
      },
    },
    memoryMebibytes: [32],
    says: /code=compressed-response/,
  },
  {
    title: 'a query result of 15 MB of empty objects',
    protocol: 'PromQL',
    sides: {
      query: (response) => {
        const objects = repeat(Buffer.from('{},'.repeat(20_000)), 250);
        json(response, concatenated([Buffer.from('[')], objects, [Buffer.from('{}]')]));
      },
    },
    says: /code=(?:response-too-large|read-back-too-large)/,
  },
  {
    title: 'export lines of 15 MB',
    protocol: 'PromQL',
    sides: {
      ...tenSeries,
      export: (response) =>
        json(
          response,
          concatenated(
            [Buffer.from('{"metric":{"__name__":"m"},"timestamps":[1],"values":[')],
            repeat(Buffer.from('{},'.repeat(20_000)), 250),
            [Buffer.from('{}]}\n')],
          ),
        ),
    },
    says: /response-too-large|window-too-large|read-back-too-large/,
  },
  {
    title: 'endless export lines',
    protocol: 'PromQL',
    sides: {
      ...tenSeries,
      export: (response, query) => {
        if (query.includes(PROGRESS_METRIC)) return json(response, []);
        const times = Array.from({ length: 1000 }, (_, i) => EXPORTED_MS + (i % 500));
        const line = JSON.stringify({ metric: { __name__: 'm', v: '00000000' }, values: times, timestamps: times });
        json(response, repeat(Buffer.from(`${line}\n`), Number.POSITIVE_INFINITY));
      },
    },
    says: /percent=|read-back-too-large/,
  },
  {
    title: 'an endless range of samples',
    protocol: 'PromQL',
    sides: {
      ...tenSeries,
      query: (response, query) => {
        if (query.includes(PROGRESS_METRIC)) return json(response, [EMPTY_VECTOR]);
        const head =
          '{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"m","v":"00000000"},"values":[';
        const samples = Array.from({ length: 1000 }, (_, i) => `[${EXPORTED_MS / 1000 + (i % 500) / 1000},"1"],`);
        json(
          response,
          concatenated([Buffer.from(head)], repeat(Buffer.from(samples.join('')), Number.POSITIVE_INFINITY)),
        );
      },
    },
    says: /percent=|read-back-too-large/,
  },
  {
    title: 'a read-back of a billion equal samples',
    protocol: 'RemoteRead',
    sides: {
      ...tenSeries,
      readBack: notForMarks((response, query) =>
        stream(response, STREAM, [equalSamples(query, named('00000000'), 1000)]),
      ),
    },
    says: /percent=|code=read-back-too-large/,
  },
  {
    title: 'a destination that rejects every sample',
    rejectedSamples: 'Skip',
    sides: {
      ...framesOf((query) => tinySeries(query, 'different', 300_000)),
      write: (response, body) => {
        const marks = decodeWriteRequest(body).some(({ labels }) => labelOf(labels, '__name__') === PROGRESS_METRIC);
        if (marks) response.writeHead(204).end();
        else response.writeHead(400).end('out of order sample');
      },
    },
    says: /code=|rejected samples/,
  },
];

function* concatenated(...parts: Iterable<Uint8Array>[]): Generator<Uint8Array> {
  for (const part of parts) yield* part;
}
