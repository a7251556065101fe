// A VictoriaMetrics that holds the source's samples, and copies of it that a planted fault has changed.

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../test/support/child-output.ts';
import { request } from '../../test/support/http.ts';
import { pushSamples } from '../../test/support/load.ts';
import { numberOf, type SeriesSamples, type SeriesSet } from '../../test/support/series-set.ts';
import type { ServerProcess } from '../../test/support/server-process.ts';
import { startVictoriaMetrics } from '../../test/support/servers.ts';
import type { Alteration } from '../edits.ts';
import { withCleanUp } from './prometheus.ts';
import { exactSelectors } from './selectors.ts';

/** Writes the samples with a VictoriaMetrics of its own, and keeps its data in the new directory. */
export async function saveVictoriaMetrics(set: SeriesSet, directory: string): Promise<void> {
  await using server = await startVictoriaMetrics();
  await pushSamples(`${server.url}/api/v1/write`, set);
  await server.stop();
  await run('cp', ['-a', server.dataDir, directory]);
}

/** A VictoriaMetrics on a copy of the data, changed by its admin API, its import and remote write. */
export async function alteredVictoriaMetrics(
  { deletions, writes }: Alteration,
  { base, directory }: { base: string; directory: string },
): Promise<ServerProcess> {
  const dataDir = join(directory, 'data');
  await run('mkdir', ['-p', directory]);
  await run('cp', ['-a', base, dataDir]);
  const server = await startVictoriaMetrics({ dataDir });
  try {
    for (const { labels } of deletions) {
      const query = new URLSearchParams({ 'match[]': exactSelectors(labels) });
      await expect(server, `/api/v1/admin/tsdb/delete_series?${query}`);
    }
    const ordinary: SeriesSamples[] = [];
    const special: SeriesSet = new Map();
    for (const [key, series] of writes) {
      // JSON has no stale markers and no infinities.
      if (series.bits.every((bits) => Number.isFinite(numberOf(bits)))) ordinary.push(series);
      else special.set(key, series);
    }
    if (ordinary.length > 0) await expect(server, '/api/v1/import', ordinary.map(importLine).join('\n'));
    await pushSamples(`${server.url}/api/v1/write`, special);
    await expect(server, '/internal/force_flush');
    return withCleanUp(server, () => rm(directory, { recursive: true, force: true }));
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}

function importLine({ labels, timesMs, bits }: SeriesSamples): string {
  const values = Array.from(bits, (value) => (Object.is(numberOf(value), -0) ? 0 : numberOf(value)));
  return JSON.stringify({ metric: Object.fromEntries(labels), values, timestamps: [...timesMs] });
}

async function expect(server: ServerProcess, path: string, body = ''): Promise<void> {
  const response = await request(`${server.url}${path}`, { method: 'POST', body });
  if (response.status < 200 || response.status > 299)
    throw new Error(`${server.url}${path}: ${response.status} ${response.body}`);
}
