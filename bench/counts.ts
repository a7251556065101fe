// Counts the samples that arrived, series by series, with readers that are not under test, and compares them with the content of the data
// set.

import { createHash } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { snapshotPrometheus } from '../test/support/blocks.ts';
import { runStreaming } from '../test/support/child-output.ts';
import { openRequest, request } from '../test/support/http.ts';
import type { ServerProcess } from '../test/support/server-process.ts';
import type { Counts, DataSet } from './data-sets.ts';
import { findBenchData } from './programs.ts';
import { makeScratch } from './scratch.ts';

export interface Comparison {
  /** Samples that some series of the source have more of than the destination, without stale markers. */
  lost: number;
  staleLost: number;
  /** The opposite: samples written twice, and series that the source does not have. */
  surplus: number;
  /** Series with lost samples or stale markers. */
  seriesLacking: number;
}

function compareCounts(expected: Counts, actual: Counts): Comparison {
  const comparison: Comparison = { lost: 0, staleLost: 0, surplus: 0, seriesLacking: 0 };
  for (const [key, { plain, stale }] of expected) {
    const there = actual.get(key) ?? { plain: 0, stale: 0 };
    const lost = Math.max(0, plain - there.plain);
    const staleLost = Math.max(0, stale - there.stale);
    comparison.lost += lost;
    comparison.staleLost += staleLost;
    comparison.surplus += Math.max(0, there.plain - plain) + Math.max(0, there.stale - stale);
    if (lost + staleLost > 0) comparison.seriesLacking++;
  }
  for (const [key, { plain, stale }] of actual) if (!expected.has(key)) comparison.surplus += plain + stale;
  return comparison;
}

/** The key of a series in bench-data. */
function seriesKey(labels: Readonly<Record<string, string>>): string {
  const hash = createHash('sha256');
  for (const name of Object.keys(labels).sort()) {
    for (const text of [name, labels[name] ?? '']) {
      const bytes = Buffer.from(text);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      hash.update(length).update(bytes);
    }
  }
  return hash.digest('hex').slice(0, 16);
}

const ATTEMPTS = 5;
const AGAIN_MS = 2_000;

/** Compares a VictoriaMetrics. New series may become visible seconds after a flush, so the comparison is repeated while something is missing. */
export async function compareVictoriaMetrics(
  url: string,
  set: DataSet,
  endMs: number,
  expected: Counts,
): Promise<Comparison> {
  for (let attempt = 1; ; attempt++) {
    await request(`${url}/internal/force_flush`);
    const comparison = compareCounts(expected, await countVictoriaMetrics(url, set, endMs));
    if (comparison.lost + comparison.staleLost === 0 || attempt === ATTEMPTS) return comparison;
    await sleep(AGAIN_MS);
  }
}

async function countVictoriaMetrics(url: string, set: DataSet, endMs: number): Promise<Counts> {
  const counts: Counts = new Map();
  for (const name of set.names) {
    // Queries do not count stale markers; an export shows them.
    if (set.staleNames.includes(name)) await countExport(url, name, counts);
    else await countQuery(url, `{__name__="${name}"}`, set, endMs, counts);
  }
  const others = ['prom_migrator_progress', ...set.names].join('|');
  await countQuery(url, `{__name__!~"${others}"}`, set, endMs, counts);
  return counts;
}

async function countQuery(url: string, selector: string, set: DataSet, endMs: number, to: Counts): Promise<void> {
  // One second more than the range: samples before its start would be surplus.
  const seconds = Math.ceil((endMs - set.startMs) / 1000) + 1;
  // Without it the result has no metric name.
  const query = `count_over_time(${selector}[${seconds}s]) keep_metric_names`;
  const parameters = new URLSearchParams({ query, time: String(endMs / 1000), nocache: '1' });
  const { status, body } = await request(`${url}/api/v1/query`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: parameters.toString(),
  });
  if (status !== 200) throw new Error(`${url} answered ${status} to ${query}: ${body.toString('utf8', 0, 500)}`);
  const { data } = JSON.parse(body.toString('utf8')) as {
    data: { result: { metric: Record<string, string>; value: [number, string] }[] };
  };
  for (const { metric, value } of data.result) to.set(seriesKey(metric), { plain: Number(value[1]), stale: 0 });
}

async function countExport(url: string, name: string, to: Counts): Promise<void> {
  const parameters = new URLSearchParams({ 'match[]': `{__name__="${name}"}` });
  const response = await openRequest(`${url}/api/v1/export?${parameters}`);
  if (response.statusCode !== 200) throw new Error(`${url} answered ${response.statusCode} to an export of ${name}`);
  for await (const line of createInterface({ input: response, crlfDelay: Number.POSITIVE_INFINITY })) {
    const { metric, values } = JSON.parse(line) as { metric: Record<string, string>; values: (number | null)[] };
    const key = seriesKey(metric);
    const count = to.get(key) ?? { plain: 0, stale: 0 };
    // The data sets have no other NaN.
    const stale = values.filter((value) => value === null).length;
    to.set(key, { plain: count.plain + values.length - stale, stale: count.stale + stale });
  }
}

/** Compares a Prometheus using a snapshot of its data: its queries do not count stale markers and histograms. */
export async function comparePrometheus(server: ServerProcess, expected: Counts): Promise<Comparison> {
  const snapshot = await snapshotPrometheus(server);
  await using scratch = await makeScratch();
  const sandbox = await mkdtemp(join(scratch.path, 'sandbox-'));
  const lines: Buffer[] = [];
  await runStreaming(await findBenchData(), ['count', snapshot, sandbox], (piece) => void lines.push(piece));
  const actual: Counts = new Map();
  for (const line of Buffer.concat(lines).toString('utf8').split('\n')) {
    const [key = '', samples, stale] = line.split('\t');
    if (key !== '') actual.set(key, { plain: Number(samples) - Number(stale), stale: Number(stale) });
  }
  return compareCounts(expected, actual);
}
