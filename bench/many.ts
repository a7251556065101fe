// Runs several migrations at once in one process, each in a thread of its own, with the operator's thread pool but without Kubernetes. For
// the case `many`:
//
//   node many.js MANIFEST NUMBER
//
// Migration k of NUMBER copies the series with slice="k". Prints the results as JSON and exits with 1 unless all succeeded. It is bundled
// before it is measured, as the package is, and V8 and glibc are set as the operator sets them.

import { readFile } from 'node:fs/promises';
import { loadManifests } from '../src/api/manifest.ts';
import { compilePlan } from '../src/migration/plan/plan.ts';
import type { WorkerEnd } from '../src/execute/worker-messages.ts';
import { WorkerPool } from '../src/execute/worker-pool.ts';
import { WorkerThreads } from '../src/execute/worker-threads.ts';
import { SYSTEM_CLOCK as systemClock } from '../src/telemetry/clock.ts';
import { Secret } from '../src/telemetry/secret.ts';
import { keepHeapSmall } from '../src/telemetry/small-heap.ts';

keepHeapSmall();

const [file = '', number = '1'] = process.argv.slice(2);

const ends = new Map<string, WorkerEnd>();
const spawner = new WorkerThreads(systemClock, 4);
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
