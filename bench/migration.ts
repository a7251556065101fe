// `npm run bench`: the same data from one Prometheus into empty VictoriaMetrics servers, by prom-migrator and by vmctl in turn, on one machine in one
// run. Prints medians and ratios; nothing asserts on them.
//
//   npm run bench -- --series 5000 --hours 10 --rounds 3 --memory 256Mi

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { generateDataset } from '../test/support/dataset.ts';
import { findServer } from '../test/support/install.ts';
import { pushSamples } from '../test/support/load.ts';
import { startPrometheus, startVictoriaMetrics } from '../test/support/servers.ts';

const { values: flags } = parseArgs({
  options: {
    series: { type: 'string', default: '5000' },
    hours: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '3' },
    memory: { type: 'string', default: '256Mi' },
  },
});
const hourMs = 3_600_000;
const startMs = Date.UTC(2026, 0, 1);
const endMs = startMs + Number(flags.hours) * hourMs;
const batchSeries = 500;

interface Measurement {
  wallSeconds: number;
  cpuSeconds: number;
  peakMib: number;
  samples: number;
}

/** Runs a program to its end and follows what Linux counts of it. */
async function measure(program: string, args: readonly string[]): Promise<Omit<Measurement, 'samples'>> {
  const startedAt = performance.now();
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (bytes: Buffer) => {
    errors = (errors + bytes.toString()).slice(-2000);
  });
  const exited = once(child, 'exit');
  let peakKib = 0;
  let ticks = 0;
  let wallSeconds = 0;
  exited.then(() => {
    wallSeconds = (performance.now() - startedAt) / 1000;
  });
  while (wallSeconds === 0) {
    const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '');
    peakKib = Math.max(peakKib, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0));
    const stat = await readFile(`/proc/${child.pid}/stat`, 'utf8').catch(() => '');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    ticks = Math.max(ticks, Number(fields[11] ?? 0) + Number(fields[12] ?? 0));
    await sleep(5);
  }
  if (child.exitCode !== 0) throw new Error(`${program} ended with ${child.exitCode}: ${errors}`);
  return { wallSeconds, cpuSeconds: ticks / 100, peakMib: peakKib / 1024 };
}

/** How many samples the destination shows, the marks left out. */
async function samplesIn(url: string): Promise<number> {
  await fetch(`${url}/internal/force_flush`);
  const query = `sum(count_over_time({__name__!="prom_migrator_progress"}[${flags.hours}h]))`;
  const time = (endMs - 1) / 1000;
  const answer = await fetch(`${url}/api/v1/query?nocache=1&time=${time}&query=${encodeURIComponent(query)}`);
  const { data } = (await answer.json()) as { data: { result: { value: [number, string] }[] } };
  return Number(data.result[0]?.value[1] ?? 0);
}

async function runOurs(source: string, destination: string, directory: string): Promise<Omit<Measurement, 'samples'>> {
  const file = join(directory, 'migration.json');
  const spec = {
    source: { url: `${source}/api/v1/read` },
    destination: { url: `${destination}/api/v1/write`, progress: { protocol: 'PromQL', url: destination } },
    timeRange: { start: new Date(startMs).toISOString(), end: new Date(endMs).toISOString() },
    limits: { memory: flags.memory },
  };
  const manifest = {
    apiVersion: 'prom-migrator.io/v1alpha1',
    kind: 'PromMigration',
    metadata: { name: 'bench' },
    spec,
  };
  await writeFile(file, JSON.stringify(manifest));
  return measure(process.execPath, [join(import.meta.dirname, '../src/main.ts'), 'run', '-f', file]);
}

async function runVmctl(source: string, destination: string): Promise<Omit<Measurement, 'samples'>> {
  const { path } = await findServer('victoria-metrics', '1.145');
  return measure(process.env['VMCTL'] ?? join(dirname(path), 'vmctl'), [
    'remote-read',
    '-s',
    '--disable-progress-bar',
    `--remote-read-src-addr=${source}`,
    `--remote-read-filter-time-start=${new Date(startMs).toISOString()}`,
    `--remote-read-filter-time-end=${new Date(endMs).toISOString()}`,
    '--remote-read-step-interval=hour',
    '--remote-read-use-stream',
    `--vm-addr=${destination}`,
  ]);
}

function median(numbers: number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

async function bench(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'prom-migrator-bench-'));
  await using prometheus = await startPrometheus({ version: '3.5', receiver: true });
  let pushed = 0;
  process.stderr.write('filling Prometheus\n');
  // Hour by hour, because a head takes nothing older than an hour; in groups of series, because a set lies in memory whole.
  for (let fromMs = startMs; fromMs < endMs; fromMs += hourMs / 2) {
    for (let first = 0; first < Number(flags.series); first += batchSeries) {
      const options = { series: batchSeries, startMs: fromMs, endMs: fromMs + hourMs / 2, prefix: `bench_${first}` };
      const kinds = ['counter', 'decimal', 'constant'] as const;
      pushed += await pushSamples(`${prometheus.url}/api/v1/write`, generateDataset({ ...options, kinds }));
    }
  }
  const tools = { 'prom-migrator': [] as Measurement[], vmctl: [] as Measurement[] };
  for (let round = 0; round < Number(flags.rounds); round++) {
    for (const tool of ['prom-migrator', 'vmctl'] as const) {
      await using victoria = await startVictoriaMetrics();
      const run =
        tool === 'vmctl'
          ? await runVmctl(prometheus.url, victoria.url)
          : await runOurs(prometheus.url, victoria.url, directory);
      tools[tool].push({ ...run, samples: await samplesIn(victoria.url) });
      process.stderr.write(`round ${round + 1}: ${tool} ${run.wallSeconds.toFixed(1)} s\n`);
    }
  }
  await rm(directory, { recursive: true, force: true });
  process.stdout.write(
    `${pushed} samples of ${flags.series} series, medians of ${flags.rounds} rounds, limits.memory ${flags.memory}\n\n`,
  );
  process.stdout.write('tool           wall s  CPU s  peak RSS MiB  samples/s  samples at the destination\n');
  const wall: Record<string, number> = {};
  for (const [tool, runs] of Object.entries(tools)) {
    const seconds = median(runs.map((run) => run.wallSeconds));
    wall[tool] = seconds;
    const cells = [
      tool.padEnd(13),
      seconds.toFixed(1).padStart(7),
      median(runs.map((run) => run.cpuSeconds))
        .toFixed(1)
        .padStart(6),
      median(runs.map((run) => run.peakMib))
        .toFixed(0)
        .padStart(13),
      Math.round(pushed / seconds)
        .toString()
        .padStart(10),
      [...new Set(runs.map((run) => run.samples))].join(', '),
    ];
    process.stdout.write(`${cells.join(' ')}\n`);
  }
  const ratio = (wall['vmctl'] ?? 0) / (wall['prom-migrator'] ?? 1);
  process.stdout.write(`\nvmctl takes ${ratio.toFixed(2)} times the wall time of prom-migrator\n`);
}

await bench();
