// Creates TSDB blocks for servers without remote write, and for data that no server accepts: overlapping blocks with the same samples.

import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { run } from './child-output.ts';
import { request } from './http.ts';
import { findServer } from './install.ts';
import { pushSamples } from './load.ts';
import { numberOf, type SeriesSamples, type SeriesSet } from './series-set.ts';
import type { ServerProcess } from './server-process.ts';
import { startPrometheus } from './servers.ts';

/**
 * Writes the set as blocks into a data directory, with `promtool tsdb create-blocks-from openmetrics`. The text format preserves neither
 * the payload of a NaN nor a stale marker, and supports only legacy names: throws on series that need more (writeBlocksExactly has no such
 * limits).
 */
export async function writeBlocksFromText(set: SeriesSet, dataDir: string): Promise<void> {
  const { path } = await findServer('promtool', '3.5');
  await mkdir(dataDir, { recursive: true });
  const scratch = await mkdtemp(join(dirname(dataDir), 'openmetrics-'));
  try {
    const file = join(scratch, 'samples.txt');
    await writeOpenMetrics(set, file);
    await run(path, ['tsdb', 'create-blocks-from', 'openmetrics', '--quiet', file, dataDir]);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function writeOpenMetrics(set: SeriesSet, file: string): Promise<void> {
  const out = createWriteStream(file);
  let text = '';
  for (const series of set.values()) {
    text += openMetricsLines(series);
    if (text.length < 1 << 20) continue;
    if (!out.write(text)) await once(out, 'drain');
    text = '';
  }
  out.end(`${text}# EOF\n`);
  await once(out, 'close');
}

function openMetricsLines(series: SeriesSamples): string {
  const name = series.labels.find(([label]) => label === '__name__')?.[1] ?? '';
  const escaped = (value: string) => value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
  const labels = series.labels
    .filter(([label]) => label !== '__name__')
    .map(([label, value]) => `${label}="${escaped(value)}"`);
  const head = `${name}{${labels.join(',')}}`;
  const lines: string[] = [];
  series.timesMs.forEach((timeMs, i) => {
    const value = numberOf(series.bits[i] ?? 0n);
    if (Number.isNaN(value)) throw new Error(`${head} at ${timeMs}: OpenMetrics text keeps no NaN's bits`);
    const number = Object.is(value, -0) ? '-0' : String(value).replace('Infinity', 'Inf');
    lines.push(`${head} ${number} ${Math.floor(timeMs / 1000)}.${String(timeMs % 1000).padStart(3, '0')}\n`);
  });
  return lines.join('');
}

/**
 * Writes the set as blocks into a data directory, bit for bit: through the receiver of a Prometheus 3.5 and its snapshot. Older releases
 * can read these blocks.
 */
export async function writeBlocksExactly(set: SeriesSet, dataDir: string): Promise<void> {
  await using prometheus = await startPrometheus({ version: '3.5', receiver: true, nativeHistograms: true });
  await pushSamples(`${prometheus.url}/api/v1/write`, set);
  const snapshot = await snapshotPrometheus(prometheus);
  await mkdir(dataDir, { recursive: true });
  for (const block of await readdir(snapshot))
    await cp(join(snapshot, block), join(dataDir, block), { recursive: true });
}

/** Makes the server write its in-order data (without out-of-order samples still in its head) into blocks; returns their directory. */
export async function snapshotPrometheus(server: ServerProcess): Promise<string> {
  const response = await request(`${server.url}/api/v1/admin/tsdb/snapshot`, { method: 'POST' });
  if (response.status !== 200) throw new Error(`${server.url}: snapshot returned ${response.status} ${response.body}`);
  const { data } = JSON.parse(response.body.toString('utf8')) as { data: { name: string } };
  const snapshot = join(server.dataDir, 'snapshots', data.name);
  // Prometheus' read-only mode, which the readers use, requires a write-ahead log directory.
  await mkdir(join(snapshot, 'wal'));
  return snapshot;
}
