// `node scripts/bootstrap.mjs bench/scale/ledger.ts [marks]`: how long a migration takes to find that its marks cover everything, with a
// million marks by default: from the start of the process to its end, and peak memory. docs/scale.md has the result.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadManifests } from '../../src/api/manifest.ts';
import type { MigrationPlan } from '../../src/migration/plan/migration-plan.ts';
import { compilePlan } from '../../src/migration/plan/plan.ts';
import { shardOf } from '../../src/migration/plan/stretches.ts';
import { COUNT_LABEL, COVERED_COUNT, seriesOfCounts } from '../../src/migration/progress/mark-counts.ts';
import { markLabels } from '../../src/migration/progress/progress-mark.ts';
import { Secret } from '../../src/telemetry/secret.ts';
import { NO_COUNTS } from '../../src/migration/report/counts.ts';
import { pushSamples } from '../../test/support/load.ts';
import { labelText, type SeriesSet, sortLabels } from '../../test/support/series-set.ts';
import type { ServerProcess } from '../../test/support/server-process.ts';
import { startPrometheus, startVictoriaMetrics } from '../../test/support/servers.ts';
import { runMeasured, type ToolUsage } from '../process-usage.ts';
import { table } from '../report.ts';
import { BUILT } from '../tools.ts';

const MARKS = Number(process.argv[2] ?? 1_000_000);
const STRETCHES = 256;
const STRETCH_MS = 2 * 3_600_000;
const START_MS = Date.UTC(2026, 5, 1);
const END_MS = START_MS + STRETCHES * STRETCH_MS;
const ROUNDS = 3;

interface Case {
  readonly name: string;
  readonly protocol: 'RemoteRead' | 'PromQL';
  readonly start: () => Promise<ServerProcess>;
}

const prometheus = () => startPrometheus({ version: '3.5', receiver: true });
const CASES: readonly Case[] = [
  { name: 'VictoriaMetrics by PromQL', protocol: 'PromQL', start: () => startVictoriaMetrics() },
  { name: 'Prometheus by PromQL', protocol: 'PromQL', start: prometheus },
  { name: 'Prometheus by RemoteRead', protocol: 'RemoteRead', start: prometheus },
];

function manifestFor({ url }: ServerProcess, protocol: Case['protocol']): string {
  const progressUrl = protocol === 'PromQL' ? url : `${url}/api/v1/read`;
  return JSON.stringify({
    apiVersion: 'prom-migrator.io/v1alpha1',
    kind: 'PromMigration',
    metadata: { name: 'ledger' },
    spec: {
      source: { url: 'http://127.0.0.1:1/api/v1/read' },
      destination: { url: `${url}/api/v1/write`, ordering: 'Any', progress: { protocol, url: progressUrl } },
      timeRange: { start: new Date(START_MS).toISOString(), end: new Date(END_MS).toISOString() },
      execution: { parallelism: 4 },
    },
  });
}

function planOf(manifest: string): MigrationPlan {
  const loaded = loadManifests([{ name: 'ledger.yaml', text: new Secret(manifest) }], undefined);
  if ('problems' in loaded) throw new Error(JSON.stringify(loaded.problems));
  const compiled = compilePlan(loaded.migration, loaded.secrets);
  if ('problems' in compiled) throw new Error(JSON.stringify(compiled.problems));
  return compiled.plan;
}

/** The marks of a migration that has finished, as its runs write them. */
function marksOf(plan: MigrationPlan): SeriesSet {
  const windows = Math.round(MARKS / STRETCHES);
  const windowMs = Math.floor(STRETCH_MS / windows);
  const bits = (value: number) => new BigUint64Array(new Float64Array([value]).buffer)[0] ?? 0n;
  const set: SeriesSet = new Map();
  for (let stretch = 0; stretch < STRETCHES; stretch++) {
    const startMs = START_MS + stretch * STRETCH_MS;
    const shard = shardOf(startMs, { startMs: START_MS, endMs: END_MS });
    const labels = markLabels({ ...plan, stretch: { shard, frozenEndMs: undefined } }, undefined);
    const timesMs = Float64Array.from({ length: windows }, (_, index) =>
      index === windows - 1 ? startMs + STRETCH_MS - 1 : startMs + (index + 1) * windowMs - 1,
    );
    const valuesAt = (index: number): [count: string | undefined, value: number][] => {
      const samples = (index + 1) * 1_000_000;
      const counts = { samplesRead: samples, samplesWritten: samples, windows: index + 1, series: 1000 };
      const bytes = { bytesRead: samples * 2, bytesWritten: samples * 3 };
      return [
        [undefined, samples],
        [COVERED_COUNT, (timesMs[index] ?? 0) + 1 - startMs],
        ...seriesOfCounts({ ...NO_COUNTS, ...counts, ...bytes }),
      ];
    };
    valuesAt(0).forEach(([count], which) => {
      const sorted = sortLabels(Object.entries({ ...labels, ...(count !== undefined && { [COUNT_LABEL]: count }) }));
      const values = BigUint64Array.from({ length: windows }, (_, index) => bits(valuesAt(index)[which]?.[1] ?? 0));
      set.set(labelText(sorted), { labels: sorted, timesMs, bits: values, histogramTimesMs: [], histograms: [] });
    });
  }
  return set;
}

const scratch = await mkdtemp(join(tmpdir(), 'prom-migrator-ledger-'));
const rows: string[][] = [];
try {
  for (const { name, protocol, start } of CASES) {
    await using server = await start();
    const manifest = manifestFor(server, protocol);
    const file = join(scratch, 'ledger.yaml');
    await writeFile(file, manifest);
    const set = marksOf(planOf(manifest));
    const samples = await pushSamples(`${server.url}/api/v1/write`, set, { stepMs: STRETCH_MS / 4 });
    const usages: ToolUsage[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const args = [join(BUILT, 'main.js'), 'run', '-f', file, '--output', 'json'];
      const { usage, stdout } = await runMeasured({ program: process.execPath, args });
      const { phase, total } = JSON.parse(stdout) as { phase: string; total: { windows: number } | null };
      const windows = STRETCHES * Math.round(MARKS / STRETCHES);
      if (phase !== 'Succeeded' || total?.windows !== windows) throw new Error(`the marks were not found: ${stdout}`);
      usages.push(usage);
    }
    const middle = (of: (usage: ToolUsage) => number) => usages.map(of).sort((a, b) => a - b)[ROUNDS >> 1] ?? 0;
    rows.push([
      name,
      `${samples}`,
      (middle(({ wallMs }) => wallMs) / 1000).toFixed(1),
      (middle(({ cpuMs }) => cpuMs) / 1000).toFixed(1),
      (middle(({ peakRssBytes }) => peakRssBytes) / 1e6).toFixed(0),
    ]);
    process.stderr.write(`${rows.at(-1)?.join('  ')}\n`);
  }
} finally {
  await rm(scratch, { recursive: true, force: true });
}
process.stdout.write(`${table([['destination', 'samples', 'wall s', 'own CPU s', 'peak RSS MB'], ...rows])}\n`);
