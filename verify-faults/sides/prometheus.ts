// A Prometheus that holds the source's samples, and copies of it that a planted fault has changed.

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { snapshotPrometheus, writeBlocksExactly } from '../../test/support/blocks.ts';
import { run } from '../../test/support/child-output.ts';
import { request } from '../../test/support/http.ts';
import { pushSamples } from '../../test/support/load.ts';
import { dumpPrometheus } from '../../test/support/readers.ts';
import type { SeriesSet } from '../../test/support/series-set.ts';
import type { ServerProcess } from '../../test/support/server-process.ts';
import { startPrometheus } from '../../test/support/servers.ts';
import type { Alteration } from '../edits.ts';
import { exactSelectors } from './selectors.ts';

/** A Prometheus with these samples in its head and, where there are many, in blocks. */
export async function loadedPrometheus(set: SeriesSet): Promise<ServerProcess> {
  const server = await startPrometheus({ version: '3.5', receiver: true, nativeHistograms: true });
  try {
    await pushSamples(`${server.url}/api/v1/write`, set);
    return server;
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}

/** Writes all that the server holds as blocks into a new directory. */
export async function saveBlocks(server: ServerProcess, directory: string): Promise<void> {
  await run('cp', ['-a', await snapshotPrometheus(server), directory]);
}

export interface AlteredOptions {
  /** The blocks of an unchanged copy; they stay as they are. */
  readonly base: string;
  /** Does not exist yet, and is removed with the server. */
  readonly directory: string;
  readonly version: string;
  /** Whether deleted series are removed from the blocks; otherwise tombstones hide them. Deleted ranges are always removed. */
  readonly cleansTombstones: boolean;
  readonly outOfOrderWindow: string | undefined;
}

/** A Prometheus on a copy of the blocks, changed by its own admin API and by further blocks that overlap with them. */
export async function alteredPrometheus(
  { deletions, writes }: Alteration,
  { base, directory, version, cleansTombstones, outOfOrderWindow }: AlteredOptions,
): Promise<ServerProcess> {
  const dataDir = join(directory, 'data');
  await run('mkdir', ['-p', directory]);
  // Prometheus writes no file of a block again.
  await run('cp', ['-al', base, dataDir]);
  const outOfOrder = outOfOrderWindow === undefined ? {} : { outOfOrderWindow };
  const options = { version, receiver: true, nativeHistograms: true, dataDir, ...outOfOrder };
  if (deletions.length > 0) {
    await using server = await startPrometheus(options);
    for (const { labels, range } of deletions) {
      const query = new URLSearchParams({ 'match[]': exactSelectors(labels) });
      if (range !== undefined) {
        query.set('start', new Date(range.fromMs).toISOString());
        query.set('end', new Date(range.toMs).toISOString());
      }
      await admin(server, `delete_series?${query}`);
    }
    // Prometheus up to 3.16 panics when it streams a range that ends inside the second of two tombstones of a series (tombstones.Intervals.Add).
    if (cleansTombstones || deletions.some(({ range }) => range !== undefined)) await admin(server, 'clean_tombstones');
  }
  if (writes.size > 0) await writeBlocksExactly(writes, dataDir);
  const server = await startPrometheus(options);
  return withCleanUp(server, () => rm(directory, { recursive: true, force: true }));
}

async function admin(server: ServerProcess, call: string): Promise<void> {
  const { status, body } = await request(`${server.url}/api/v1/admin/tsdb/${call}`, { method: 'POST' });
  if (status !== 204) throw new Error(`${server.url}: ${call} returned ${status} ${body}`);
}

/** The server, which does something more when it is disposed of. */
export function withCleanUp(server: ServerProcess, cleanUp: () => Promise<void>): ServerProcess {
  const dispose = server[Symbol.asyncDispose].bind(server);
  return Object.assign(server, {
    async [Symbol.asyncDispose]() {
      await dispose();
      await cleanUp();
    },
  });
}

export function contentOfPrometheus(server: ServerProcess): Promise<SeriesSet> {
  return dumpPrometheus(server, 'bits');
}
