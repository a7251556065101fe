// `npm run demo:kubernetes`: a real Kubernetes API, with the chart installed by helm and a migration applied by kubectl. The demonstration
// kills the operator half way, starts another one and compares both sides at the end. The cluster has no nodes, so the script starts what
// the Pod would run: the operator, with the arguments, the environment and the service account that the chart gave to its Deployment.

import { setTimeout as sleep } from 'node:timers/promises';
import {
  type InstalledChart,
  installChart,
  type OperatorProcess,
  startOperator,
  succeeded,
  untilReady,
} from '../test/real-kubernetes/support/operator.ts';
import { type Cluster, startCluster } from '../test/support/kubernetes/cluster.ts';
import { exportVictoriaMetrics } from '../test/support/readers.ts';
import { startPrometheus, startVictoriaMetrics } from '../test/support/servers.ts';
import { compareSides, count, fillPrometheus, RANGE_END_MS, rangeStartMs, say } from './demo-data.ts';

/** Otherwise it would finish before there is anything to watch. */
const SAMPLES_PER_SECOND = 80_000;
const RESOURCE = 'prommigrations/move-to-victoriametrics';

const manifestOf = (source: string, destination: string) => `apiVersion: prom-migrator.io/v1alpha1
kind: PromMigration
metadata:
  name: move-to-victoriametrics
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
  limits:
    samplesPerSecond: ${SAMPLES_PER_SECOND}
`;

const indented = (text: string) => text.trimEnd().replace(/^/gm, '  ');
const seconds = (fromMs: number) => `${((performance.now() - fromMs) / 1000).toFixed(1)} s`;

/** Prints the command as a user would type it, and its output. */
async function kubectl(cluster: Cluster, args: readonly string[], input?: string): Promise<void> {
  say(`$ kubectl ${args.map((arg) => (/^[\w./=,@:-]+$/.test(arg) ? arg : `'${arg}'`)).join(' ')}`);
  if (input !== undefined) say(indented(input));
  say(indented(succeeded(await cluster.kubectl(args, input))));
}

async function field(cluster: Cluster, path: string): Promise<string> {
  return succeeded(await cluster.kubectl(['get', RESOURCE, `-o=jsonpath={${path}}`]));
}

/** Starts what the Pod would run, and waits until it is ready. */
async function startPod(chart: InstalledChart, podName: string): Promise<OperatorProcess> {
  const operator = await startOperator({ chart, podName });
  await untilReady(operator);
  say(`  ${podName} runs as process ${operator.pid} (${await residentMiB(operator)} MiB resident)`);
  return operator;
}

/** A metric of the migration in the operator's exposition, summed over its series. */
async function metric(operator: OperatorProcess, name: string): Promise<number> {
  const values = (await operator.metrics()).matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'));
  return [...values].reduce((sum, [, value]) => sum + Number(value), 0);
}

async function residentMiB(operator: OperatorProcess): Promise<number> {
  return Math.round((await metric(operator, 'process_resident_memory_bytes')) / 1_048_576);
}

async function until(what: string, holds: () => Promise<boolean>, withinMs: number, pauseMs: number): Promise<void> {
  const deadlineMs = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > deadlineMs) throw new Error(`not within ${withinMs / 1000} s: ${what}`);
    await sleep(pauseMs);
  }
}

/** `kubectl get -w` in the background; prints its lines as they arrive. */
function watch(cluster: Cluster): AsyncDisposable {
  const stop = new AbortController();
  let rest = '';
  const args = ['get', 'prommigrations', '-w'];
  say(`$ kubectl ${args.join(' ')}`);
  const ended = cluster.kubectl(args, undefined, {
    signal: stop.signal,
    onOutput(text) {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) say(`  ${line}`);
    },
  });
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await ended;
    },
  };
}

/** The newest mark, according to VictoriaMetrics' own export. */
async function markMs(victoriaUrl: string): Promise<number> {
  const exported = [...(await exportVictoriaMetrics(victoriaUrl)).values()];
  const marks = exported.filter(({ labels }) =>
    labels.some(([name, value]) => name === '__name__' && value === 'prom_migrator_progress'),
  );
  return Math.max(...marks.flatMap(({ timesMs }) => [...timesMs]));
}

async function install(cluster: Cluster): Promise<InstalledChart> {
  say('\n$ helm install prom-migrator charts/prom-migrator -n prom-migrator-system --create-namespace');
  const chart = await installChart(cluster);
  say(
    `  this cluster has no nodes: the demo starts the process of the Deployment itself, as service account ${chart.serviceAccount}:`,
  );
  say(`  prom-migrator ${chart.args.join(' ')}`);
  return chart;
}

/** From apply to Succeeded, with a kill in between; false when it did not resume as expected. */
async function migrate(
  cluster: Cluster,
  chart: InstalledChart,
  manifest: string,
  victoriaUrl: string,
): Promise<boolean> {
  await using first = await startPod(chart, 'prom-migrator-first');
  say('');
  const appliedAtMs = performance.now();
  await kubectl(cluster, ['apply', '-f', '-'], manifest);
  await using _watch = watch(cluster);
  const windows = async () => (await metric(first, 'prom_migrator_windows_total')) >= 1;
  await until('the first window', windows, 60_000, 20);
  say(
    `  (the first window was in VictoriaMetrics ${seconds(appliedAtMs)} after kubectl apply, including the wait until recent writes become visible)`,
  );
  const halfWay = async () => (await metric(first, 'prom_migrator_completed_ratio')) >= 0.5;
  await until('half of the range', halfWay, 300_000, 50);
  await first.kill();
  const killedAtMs = performance.now();
  const mark = await markMs(victoriaUrl);
  say(`  (the operator was killed with SIGKILL; the mark in VictoriaMetrics: ${new Date(mark).toISOString()})`);
  await kubectl(cluster, ['get', 'prommigrations', '-o', 'wide']);

  say('\nStarting another operator. It waits until the lease of the killed one has expired');
  await using second = await startPod(chart, 'prom-migrator-second');
  await until(
    'a window of the second',
    async () => (await metric(second, 'prom_migrator_windows_total')) >= 1,
    120_000,
    50,
  );
  say(`  (it finished its first window ${seconds(killedAtMs)} after the kill)`);
  await kubectl(cluster, ['wait', RESOURCE, '--for=condition=Succeeded', '--timeout=300s']);
  const resumedFrom = await field(cluster, '.status.resumedFrom');
  const resumed = Date.parse(resumedFrom) === mark + 1;
  say(`  (resumed from ${resumedFrom}: ${resumed ? 'one millisecond after the mark' : 'NOT at the mark'})`);
  say(`  (the operator uses ${await residentMiB(second)} MiB resident)`);
  await kubectl(cluster, [
    'get',
    RESOURCE,
    '-o=jsonpath={range .status.conditions[*]}{.type}={.status} {.reason}: {.message}{"\\n"}{end}',
  ]);
  await until('the last event', async () => (await events(cluster)).includes('Succeeded'), 30_000, 500);
  await kubectl(cluster, ['events', '--for', RESOURCE]);
  const code = await second.stop();
  say(`\nStopped the operator with SIGTERM: exit code ${code}`);
  return resumed && code === 0 && (await field(cluster, '.status.phase')) === 'Succeeded';
}

async function events(cluster: Cluster): Promise<string> {
  return succeeded(await cluster.kubectl(['events', '--for', RESOURCE]));
}

async function demo(): Promise<boolean> {
  say(
    'Starting etcd, kube-apiserver, Prometheus and VictoriaMetrics (the first run builds them or installs them into the cache)',
  );
  await using cluster = await startCluster();
  await using prometheus = await startPrometheus({ version: '3.5', receiver: true });
  await using victoria = await startVictoriaMetrics();
  say(`  Kubernetes ${cluster.version}, Prometheus ${prometheus.version}, VictoriaMetrics ${victoria.version}`);
  const samples = await fillPrometheus(prometheus.url);
  say(
    `  limited to ${count(SAMPLES_PER_SECOND)} samples per second, so that you can watch the ${count(samples)} samples being copied`,
  );
  const chart = await install(cluster);
  const resumed = await migrate(cluster, chart, manifestOf(prometheus.url, victoria.url), victoria.url);
  const equal = await compareSides(prometheus.url, victoria.url);
  const good = resumed && equal;
  say(good ? '\nNo sample is missing, and none is duplicated.' : '\nFAILED: see above.');
  return good;
}

process.exitCode = (await demo()) ? 0 : 1;
