// Runs several migrations at once in one process, each in a thread of its own, with the operator's thread pool but without Kubernetes. For
// the case `many`:
//
//   node bench/many.ts DIST MANIFEST NUMBER
//
// Migration k of NUMBER copies the series with slice="k". Prints the results as JSON and exits with 1 unless all succeeded.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as manifests from '../src/api/manifest.ts';
import type * as plans from '../src/migration/plan/plan.ts';
import type { WorkerEnd } from '../src/operator/judge/attempt.ts';
import type * as pools from '../src/operator/execute/worker-pool.ts';
import type * as threads from '../src/operator/execute/worker-threads.ts';
import type * as secrets from '../src/telemetry/secret.ts';
import type * as clocks from '../src/telemetry/clock.ts';

const [dist = '', file = '', number = '1'] = process.argv.slice(2);

/** The built modules, because the installed program is measured. */
async function built<T>(module: string): Promise<T> {
  return (await import(pathToFileURL(join(dist, module)).href)) as T;
}

const { Secret } = await built<typeof secrets>('telemetry/secret.js');
const { loadManifests } = await built<typeof manifests>('api/manifest.js');
const { compilePlan } = await built<typeof plans>('migration/plan/plan.js');
const { WorkerPool } = await built<typeof pools>('operator/execute/worker-pool.js');
const { WorkerThreads } = await built<typeof threads>('operator/execute/worker-threads.js');
const { SYSTEM_CLOCK: systemClock } = await built<typeof clocks>('telemetry/clock.js');

const ends = new Map<string, WorkerEnd>();
const spawner = new WorkerThreads(systemClock);
const pool = new WorkerPool({
  spawn: spawner.spawn,
  clock: systemClock,
  onReport: () => {},
  onEnd: (key, end) => ends.set(key, end),
});
const manifest = JSON.parse(await readFile(file, 'utf8')) as { metadata: object; spec: object };
for (let slice = 0; slice < Number(number); slice++) {
  const text = JSON.stringify({
    ...manifest,
    metadata: { ...manifest.metadata, name: `bench-${slice}` },
    spec: { ...manifest.spec, selectors: [`{slice="${slice}"}`] },
  });
  const loaded = loadManifests([{ name: file, text: new Secret(text) }], undefined);
  if ('problems' in loaded) throw new Error(JSON.stringify(loaded.problems));
  const compiled = compilePlan(loaded.migration, loaded.secrets);
  if ('problems' in compiled) throw new Error(JSON.stringify(compiled.problems));
  pool.start(`bench-${slice}`, { plan: compiled.plan });
}
await pool.idle();
spawner.close();
process.stdout.write(`${JSON.stringify(Object.fromEntries(ends))}\n`);
const succeeded = [...ends.values()].every((end) => end.kind === 'result' && end.result.progress.phase === 'Succeeded');
process.exit(succeeded ? 0 : 1);
