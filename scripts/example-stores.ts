// A server that looks like both sides of a small migration, for the build: a Prometheus with some series, and a destination that shows a mark
// as soon as samples were written.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { encodeLabels } from '../src/wire/labels.ts';
import { uvarintSize, writeUvarint } from '../src/wire/proto-reader.ts';
import { crc32c } from '../src/wire/responses/crc32c.ts';

const START = '2026-01-01T00:00:00Z';
const END = '2026-01-01T06:00:00Z';

const HOUR_MS = 3_600_000;
/** The last millisecond of each hour, where windows may end. */
const MARK_TIMES_MS = [1, 2, 3, 4, 5, 6].map((hour) => Date.parse(START) + hour * HOUR_MS - 1);

const METRICS = 20;
const INSTANCES = 50;
const STEP_MS = 15_000;
/** As many as Prometheus writes into one. */
const SAMPLES_PER_CHUNK = 120;
const XOR = 1;

const FEWEST_BYTES_OF_SAMPLES = 16 * 1024;

/** Copies the series. `url` is the server's. */
export function exampleManifest(url: string): object {
  return {
    apiVersion: 'prom-migrator.io/v1alpha1',
    kind: 'PromMigration',
    metadata: { name: 'example' },
    spec: {
      source: { url: `${url}/api/v1/read` },
      destination: { url: `${url}/api/v1/write`, ordering: 'Any', progress: { protocol: 'PromQL', url } },
      timeRange: { start: START, end: END },
    },
  };
}

/** Each server is for one copy. */
export function startExampleStores(): Server {
  const frames = exampleSeries().map(streamFrame);
  let isWritten = false;
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost');
    if (pathname === '/api/v1/write') return acknowledge(request, response, () => (isWritten = true));
    request.resume();
    if (pathname.startsWith('/api/v1/query')) sendMarks(response, isWritten ? (searchParams.get('query') ?? '') : '');
    else if (pathname === '/api/v1/read') sendFrames(response, frames);
    else if (pathname === '/internal/force_flush') response.end();
    else response.writeHead(404).end();
  });
  return server.listen(0, '127.0.0.1');
}

/** @param written called if the request has more than a mark or a probe */
function acknowledge(request: IncomingMessage, response: ServerResponse, written: () => void): void {
  let bytes = 0;
  request.on('data', (piece: Buffer) => {
    bytes += piece.length;
  });
  request.on('end', () => {
    if (bytes >= FEWEST_BYTES_OF_SAMPLES) written();
    response.writeHead(204).end();
  });
}

/** One chunk of HTTP for each frame, as Prometheus flushes them. */
function sendFrames(response: ServerResponse, frames: readonly Uint8Array[]): void {
  response.setHeader(
    'Content-Type',
    'application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse; encoding=delimited',
  );
  for (const frame of frames) response.write(frame);
  response.end();
}

/** The marks of all windows, if the query looks for those of a copy. */
function sendMarks(response: ServerResponse, query: string): void {
  const labels = { shard: '0', migration: 'default/example', id: /\bid="([^"]*)"/.exec(query)?.[1] };
  const counted = query.startsWith('count_over_time');
  const marks = ['windows', 'read', undefined].map((count) => {
    const metric = { ...(counted ? {} : { __name__: 'prom_migrator_progress' }), ...labels, ...(count && { count }) };
    return counted
      ? { metric, value: [Date.now() / 1000, '1'] }
      : { metric, values: MARK_TIMES_MS.map((timeMs) => [timeMs / 1000, '1']) };
  });
  const result = labels.id !== undefined && !labels.id.includes('verification') ? marks : [];
  const data = { resultType: counted ? 'vector' : 'matrix', result };
  response.setHeader('Content-Type', 'application/json').end(JSON.stringify({ status: 'success', data }));
}

/** Series of one constant value each, as ChunkedSeries, in the order of their labels. */
function exampleSeries(): Uint8Array[] {
  const twoDigits = (number: number) => String(number).padStart(2, '0');
  const chunkMs = SAMPLES_PER_CHUNK * STEP_MS;
  const series: Uint8Array[] = [];
  for (let metric = 0; metric < METRICS; metric++) {
    for (let instance = 0; instance < INSTANCES; instance++) {
      const labels = encodeLabels([
        ['__name__', `example_${twoDigits(metric)}`],
        ['instance', `10.0.0.${twoDigits(instance)}:9100`],
        ['job', 'node'],
      ]);
      const parts: Uint8Array[] = [labels];
      for (let fromMs = Date.parse(START); fromMs < Date.parse(END); fromMs += chunkMs)
        parts.push(delimited(2, constantChunk(fromMs, metric + instance)));
      series.push(Buffer.concat(parts));
    }
  }
  return series;
}

/** A Chunk with the XOR encoding: after the first two samples, one zero bit for each time and each value that is as expected. */
function constantChunk(fromMs: number, value: number): Uint8Array {
  const data = Buffer.alloc(128);
  data.writeUInt16BE(SAMPLES_PER_CHUNK, 0);
  let at = writeUvarint(data, 2, 2 * fromMs);
  at = writeUvarint(data, data.writeDoubleBE(value, at), STEP_MS);
  const bits = 1 + 2 * (SAMPLES_PER_CHUNK - 2);
  const toMs = fromMs + (SAMPLES_PER_CHUNK - 1) * STEP_MS;
  return Buffer.concat([
    ...[varint(1, fromMs), varint(2, toMs), varint(3, XOR)],
    delimited(4, data.subarray(0, at + Math.ceil(bits / 8))),
  ]);
}

/** A ChunkedReadResponse with one series, behind its length and its checksum. */
function streamFrame(series: Uint8Array): Uint8Array {
  const message = delimited(1, series);
  const frame = Buffer.alloc(uvarintSize(message.length) + 4 + message.length);
  const at = frame.writeUInt32BE(crc32c(message, 0, message.length), writeUvarint(frame, 0, message.length));
  frame.set(message, at);
  return frame;
}

function varint(field: number, value: number): Uint8Array {
  const bytes = new Uint8Array(1 + uvarintSize(value));
  bytes[0] = field << 3;
  writeUvarint(bytes, 1, value);
  return bytes;
}

function delimited(field: number, content: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(1 + uvarintSize(content.length) + content.length);
  bytes[0] = (field << 3) | 2;
  bytes.set(content, writeUvarint(bytes, 1, content.length));
  return bytes;
}
