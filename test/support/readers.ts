// Reads the contents of servers independently of the project: Prometheus' data directory with tsdb-cat (bit for bit) or `promtool tsdb
// dump` (text), VictoriaMetrics' export, InfluxDB's query language. All return the SeriesSet of series-set.ts.
import { mkdtemp, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { StringDecoder } from 'node:string_decoder';
import { runStreaming } from './child-output.ts';
import { openRequest, request } from './http.ts';
import { findServer, findTsdbReader } from './install.ts';
import { parseDumpLine } from './promtool-dump.ts';
import {
  bitsOf,
  type Label,
  labelText,
  NAN,
  SeriesBuilder,
  type SeriesSamples,
  type SeriesSet,
  sortLabels,
} from './series-set.ts';
import type { ServerProcess } from './server-process.ts';

/** A data directory, or a server, which is paused while its directory is read. */
export type PrometheusData = string | ServerProcess;

/**
 * Every sample of a Prometheus: `bits` with the tests' own reader, based on Prometheus' TSDB library, bit for bit; `text` with `promtool
 * tsdb dump`, in which all NaNs are equal and histograms have promtool's own format. `text` omits the part of the head before the end of the
 * newest block, so it is wrong for a server with an out-of-order window.
 */
export async function dumpPrometheus(data: PrometheusData, as: 'bits' | 'text' = 'bits'): Promise<SeriesSet> {
  const set: SeriesSet = new Map();
  if (as === 'bits') {
    const reader = await findTsdbReader();
    const frames = new SeriesFrames((series) => set.set(labelText(series.labels), series));
    await readDirectory(data, (directory, sandbox) =>
      runStreaming(reader, [directory, sandbox], (chunk) => frames.push(chunk)),
    );
    frames.end();
    return set;
  }
  const { path } = await findServer('promtool', 'current');
  const builders = new Map<string, SeriesBuilder>();
  let lastLabels = '';
  let lastBuilder: SeriesBuilder | undefined;
  const eachLine = lines((line) => {
    if (!lastBuilder || !line.startsWith(lastLabels)) {
      const { labels, labelsEnd } = parseDumpLine(line);
      lastLabels = line.slice(0, labelsEnd);
      lastBuilder = new SeriesBuilder(labels);
      builders.set(labelText(lastBuilder.labels), lastBuilder);
    }
    addDumpedSample(lastBuilder, line.slice(lastLabels.length));
  });
  await readDirectory(data, (directory, sandbox) =>
    runStreaming(path, ['tsdb', 'dump', `--sandbox-dir-root=${sandbox}`, directory], eachLine),
  );
  for (const [key, builder] of builders) set.set(key, builder.finish());
  return set;
}

/** The number of chunks of each encoding in a Prometheus: `XOR`, `XOR2`, `histogram`, …. */
export async function chunkEncodings(data: PrometheusData): Promise<Map<string, number>> {
  const reader = await findTsdbReader();
  const counts = new Map<string, number>();
  const eachLine = lines((line) => {
    const end = line.lastIndexOf(' ');
    counts.set(line.slice(0, end), Number(line.slice(end + 1)));
  });
  await readDirectory(data, (directory, sandbox) => runStreaming(reader, [directory, sandbox, '-chunks'], eachLine));
  return counts;
}

async function readDirectory(
  data: PrometheusData,
  read: (directory: string, sandbox: string) => Promise<void>,
): Promise<void> {
  const directory = typeof data === 'string' ? data : data.dataDir;
  // Chunk files of the head are hard-linked into the sandbox, so both must be on the same file system.
  const sandbox = await mkdtemp(join(dirname(directory), 'sandbox-'));
  try {
    if (typeof data === 'string') await read(directory, sandbox);
    else await data.paused(() => read(directory, sandbox));
  } finally {
    await rm(sandbox, { recursive: true, force: true });
  }
}

/** Splits tsdb-cat's output into series. A generator that requests a number of bytes at a time mirrors the format; `push` collects them. */
class SeriesFrames {
  readonly #parser: Generator<number, void, Buffer>;
  #chunks: Buffer[] = [];
  #held = 0;
  #wanted: number;

  constructor(onSeries: (series: SeriesSamples) => void) {
    this.#parser = parseFrames(onSeries);
    this.#wanted = this.#parser.next().value ?? 0;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    if (this.#held < this.#wanted) return;
    const all = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks);
    let at = 0;
    while (all.length - at >= this.#wanted) {
      const part = all.subarray(at, at + this.#wanted);
      at += this.#wanted;
      this.#wanted = this.#parser.next(part).value ?? 0;
    }
    this.#chunks = [all.subarray(at)];
    this.#held = all.length - at;
  }

  end(): void {
    if (this.#held > 0)
      throw new Error(`tsdb-cat's output ends inside a series, ${this.#held} bytes after its last field`);
  }
}

function* parseFrames(onSeries: (series: SeriesSamples) => void): Generator<number, void, Buffer> {
  for (;;) {
    const labelBytes = (yield 4).readUInt32LE();
    const labels = sortLabels(JSON.parse((yield labelBytes).toString('utf8')) as Label[]);
    const floats = (yield 4).readUInt32LE();
    const timesMs = integers(floats === 0 ? EMPTY : yield floats * 8);
    const bits = columnOf(floats === 0 ? EMPTY : yield floats * 8);
    const startTimesMs = integers(floats === 0 ? EMPTY : yield floats * 8);
    const series: SeriesSamples = { labels, timesMs, bits, histogramTimesMs: [], histograms: [] };
    if (startTimesMs.some((startMs) => startMs !== 0)) series.startTimesMs = startTimesMs;
    const histogramStartTimesMs: number[] = [];
    for (let left = (yield 4).readUInt32LE(); left > 0; left--) {
      const head = yield 20;
      series.histogramTimesMs.push(Number(head.readBigInt64LE(0)));
      histogramStartTimesMs.push(Number(head.readBigInt64LE(8)));
      series.histograms.push((yield head.readUInt32LE(16)).toString('latin1'));
    }
    if (histogramStartTimesMs.some((startMs) => startMs !== 0)) series.histogramStartTimesMs = histogramStartTimesMs;
    onSeries(series);
  }
}

const EMPTY = Buffer.alloc(0);

/** A copy of little-endian 64-bit words, aligned for typed arrays. */
function columnOf(bytes: Buffer): BigUint64Array<ArrayBuffer> {
  const column = new BigUint64Array(bytes.length / 8);
  new Uint8Array(column.buffer).set(bytes);
  return column;
}

function integers(bytes: Buffer): Float64Array<ArrayBuffer> {
  const column = new Float64Array(bytes.length / 8);
  for (let i = 0; i < column.length; i++)
    column[i] = bytes.readInt32LE(i * 8 + 4) * 4_294_967_296 + bytes.readUInt32LE(i * 8);
  return column;
}

/** Calls `eachLine` for every line of a text that arrives in pieces. */
function lines(eachLine: (line: string) => void): (chunk: Buffer) => void {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  return (chunk) => {
    const parts = (rest + decoder.write(chunk)).split('\n');
    rest = parts.pop() ?? '';
    for (const line of parts) if (line !== '') eachLine(line);
  };
}

function addDumpedSample(builder: SeriesBuilder, sample: string): void {
  const end = sample.lastIndexOf(' ');
  const timeMs = Number(sample.slice(end + 1));
  const text = sample.slice(0, end);
  if (text.startsWith('{')) builder.addHistogram(timeMs, text);
  else builder.add(timeMs, bitsOfText(text));
}

/** The text of a value: Go's shortest decimal, or a word for infinities and NaN. All NaNs become one. */
function bitsOfText(text: string): bigint {
  if (text === 'NaN') return NAN;
  if (/^[+-]?Inf(inity)?$/.test(text))
    return bitsOf(text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY);
  return bitsOf(Number(text));
}

/** One line of VictoriaMetrics' export. */
interface ExportLine {
  metric: Record<string, string>;
  values: (number | string | null)[];
  timestamps: number[];
}

/** How long rows may stay hidden after a flush: more than VictoriaMetrics' own flusher takes on a busy machine. */
const HIDDEN_MS = 4_000;

/**
 * Every sample of a VictoriaMetrics, flushed to be visible first. Its export is JSON: all NaNs, including stale markers, are null there and
 * become one NaN here. A flush does not wait for rows that the server's own flusher has taken already. So as long as fewer samples are shown
 * than the server has accepted, they are read again, until two results are the same.
 */
export async function exportVictoriaMetrics(url: string, match = '{__name__!=""}'): Promise<SeriesSet> {
  let before: number | undefined;
  for (;;) {
    await request(`${url}/internal/force_flush`);
    const set = await exportOnce(url, match);
    const samples = [...set.values()].reduce((sum, { timesMs }) => sum + timesMs.length, 0);
    if (samples === before || (samples > 0 && samples >= (await acceptedRows(url)))) return set;
    before = samples;
    await sleep(HIDDEN_MS);
  }
}

/** Since the server has started; 0 if it does not tell. */
async function acceptedRows(url: string): Promise<number> {
  const { body } = await request(`${url}/metrics`);
  return Number(/^vm_rows_added_to_storage_total (\d+)$/m.exec(body.toString('utf8'))?.[1] ?? 0);
}

async function exportOnce(url: string, match: string): Promise<SeriesSet> {
  const builders = new Map<string, SeriesBuilder>();
  const eachLine = lines((line) => {
    // Version 1.79 writes NaN and ±Inf as they are.
    const json = line.replace(/(?<=[[,])(?:NaN|([-+])Inf)(?=[,\]])/g, (_, sign) =>
      sign ? `"${sign === '-' ? '-' : ''}Infinity"` : 'null',
    );
    const { metric, values, timestamps } = JSON.parse(json) as ExportLine;
    const labels = sortLabels(Object.entries(metric));
    const key = labelText(labels);
    const builder = builders.get(key) ?? new SeriesBuilder(labels);
    builders.set(key, builder);
    // Ordinary numbers can use an array of numbers; all NaNs are the same here.
    builder.addNumbers(
      timestamps,
      values.map((value) => (value === null ? Number.NaN : Number(value))),
    );
  });
  const response = await openRequest(`${url}/api/v1/export`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    // The end is in the year 2096: version 1.112 takes 2^32 seconds or more for milliseconds.
    body: new URLSearchParams({ 'match[]': match, start: '0', end: '4000000000' }).toString(),
  });
  for await (const chunk of response) eachLine(chunk as Buffer);
  if (response.statusCode !== 200) throw new Error(`${url}/api/v1/export returned ${response.statusCode}`);
  return finishAll(builders);
}

/** The response to one statement, in the pieces that InfluxDB 1.x sends. */
interface InfluxResponse {
  results: { series?: { name: string; tags?: Record<string, string>; values: [number, number][] }[]; error?: string }[];
}

/** Every sample of an InfluxDB database from its Prometheus endpoint: the field `value`, tags as labels. */
export async function readInflux(url: string, database: string): Promise<SeriesSet> {
  const query = new URLSearchParams({
    db: database,
    q: 'SELECT value FROM /.*/ GROUP BY *',
    epoch: 'ms',
    chunked: 'true',
    chunk_size: '10000',
  });
  const builders = new Map<string, SeriesBuilder>();
  const eachLine = lines((line) => {
    for (const result of (JSON.parse(line) as InfluxResponse).results) {
      if (result.error) throw new Error(`${url}: ${result.error}`);
      for (const { name, tags, values } of result.series ?? []) {
        // A tag that a series lacks but others of the measurement have is an empty string.
        const present = Object.entries(tags ?? {}).filter(([, value]) => value !== '');
        const labels = sortLabels(new Map([['__name__', name], ...present]));
        const key = labelText(labels);
        const builder = builders.get(key) ?? new SeriesBuilder(labels);
        builders.set(key, builder);
        for (const [timeMs, value] of values) builder.add(timeMs, bitsOf(value));
      }
    }
  });
  const response = await openRequest(`${url}/query?${query}`);
  for await (const chunk of response) eachLine(chunk as Buffer);
  if (response.statusCode !== 200) throw new Error(`${url}/query returned ${response.statusCode}`);
  return finishAll(builders);
}

function finishAll(builders: ReadonlyMap<string, SeriesBuilder>): SeriesSet {
  return new Map([...builders].map(([key, builder]) => [key, builder.finish()]));
}
