// `npm run demo`: migrates some millions of samples from a real Prometheus to a real VictoriaMetrics. The demonstration kills the migration
// half way, starts it again and compares both sides at the end, with readers that are independent of this project (protobufjs on
// Prometheus' SAMPLES responses, and VictoriaMetrics' own export).

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startPrometheus, startVictoriaMetrics } from '../test/support/servers.ts';
import { compareSides, count, fillPrometheus, RANGE_END_MS, rangeStartMs, say } from './demo-data.ts';

interface RunResult {
  phase: string;
  resumedFrom: string | null;
  through: string;
  samplesRead: number;
  samplesWritten: number;
  samplesAlreadyPresent: number;
  windows: number;
  durationSeconds: number;
}

/** The result of a finished process, and the maximum values of its metrics. */
interface Run {
  exit: number | NodeJS.Signals;
  result: RunResult | undefined;
  completed: number;
  cpuSeconds: number;
  residentBytes: number;
}

/** Runs the migration; with `killAt`, sends SIGKILL once this share of the range is copied. */
async function migrate(manifest: string, killAt?: number): Promise<Run> {
  const main = join(import.meta.dirname, '../src/main.ts');
  const metricsAddress = `127.0.0.1:${await freePort()}`;
  const args = [main, 'run', '-f', manifest, '--output', 'json', '--metrics-address', metricsAddress];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const run: Run = { exit: 0, result: undefined, completed: 0, cpuSeconds: 0, residentBytes: 0 };
  let output = '';
  child.stdout.on('data', (bytes: Buffer) => {
    output += bytes.toString();
  });
  const closed = once(child, 'close');
  await watch(child, `http://${metricsAddress}/metrics`, run, killAt);
  const [code, signal] = (await closed) as [number | null, NodeJS.Signals | null];
  run.exit = code ?? signal ?? 1;
  if (output.trim() !== '') run.result = JSON.parse(output) as RunResult;
  return run;
}

/** Polls the metrics of the process until it exits, and kills it at `killAt`. */
async function watch(child: ChildProcess, metricsUrl: string, run: Run, killAt: number | undefined): Promise<void> {
  while (child.exitCode === null && child.signalCode === null) {
    const text = await fetch(metricsUrl).then(
      (response) => response.text(),
      () => '',
    );
    const value = (name: string) => Number(new RegExp(`^${name}(?:\\{.*\\})? (.+)$`, 'm').exec(text)?.[1] ?? 0);
    run.completed = Math.max(run.completed, value('prom_migrator_completed_ratio'));
    run.cpuSeconds = Math.max(run.cpuSeconds, value('process_cpu_seconds_total'));
    run.residentBytes = Math.max(run.residentBytes, value('process_resident_memory_bytes'));
    if (killAt !== undefined && run.completed >= killAt) child.kill('SIGKILL');
    await sleep(10);
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

const manifestOf = (source: string, destination: string) => `apiVersion: prom-migrator.io/v1alpha1
kind: PromMigration
metadata:
  name: demo
spec:
  source:
    url: ${source}/api/v1/read
  destination:
    url: ${destination}/api/v1/write
    progress:
      protocol: PromQL
      url: ${destination}
  timeRange:
    start: ${new Date(rangeStartMs).toISOString()}
    end: ${new Date(RANGE_END_MS).toISOString()}
`;

function describeRun(run: Run): string {
  const { result } = run;
  if (result === undefined) return `ended by ${run.exit} at ${Math.round(run.completed * 100)} % of the range`;
  const rate = Math.round(result.samplesRead / result.durationSeconds);
  return (
    `${result.phase} (exit ${run.exit}) in ${result.durationSeconds.toFixed(1)} s: from ${result.resumedFrom ?? 'the start'} through ${result.through}, ` +
    `${count(result.samplesRead)} samples read, ${count(result.samplesAlreadyPresent)} already there, ${count(result.samplesWritten)} written ` +
    `(${count(rate)}/s, ${run.cpuSeconds.toFixed(1)} s CPU, ${Math.round(run.residentBytes / 1_048_576)} MiB peak memory)`
  );
}

async function demo(): Promise<boolean> {
  const directory = await mkdtemp(join(tmpdir(), 'prom-migrator-demo-'));
  try {
    say('Starting Prometheus and VictoriaMetrics (the first run installs them into the cache)');
    await using prometheus = await startPrometheus({ version: '3.5', receiver: true });
    await using victoria = await startVictoriaMetrics();
    say(
      `  Prometheus ${prometheus.version} at ${prometheus.url}, VictoriaMetrics ${victoria.version} at ${victoria.url}`,
    );

    await fillPrometheus(prometheus.url);

    const manifest = join(directory, 'migration.yaml');
    await writeFile(manifest, manifestOf(prometheus.url, victoria.url));
    say('\nMigrating, and killing the process halfway with SIGKILL');
    const first = await migrate(manifest, 0.5);
    say(`  ${describeRun(first)}`);
    say('\nStarting it again: it resumes at the mark in VictoriaMetrics');
    const second = await migrate(manifest);
    say(`  ${describeRun(second)}`);
    say('\nStarting it a third time: everything is already copied');
    const third = await migrate(manifest);
    say(`  ${describeRun(third)}`);

    const equal = await compareSides(prometheus.url, victoria.url);
    const good =
      equal && first.exit === 'SIGKILL' && second.exit === 0 && second.result?.resumedFrom !== null && third.exit === 0;
    say(good ? '\nNo sample is missing, and none is duplicated.' : '\nFAILED: see above.');
    return good;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

process.exitCode = (await demo()) ? 0 : 1;
