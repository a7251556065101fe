// One run of one tool between two real servers, with all its measurements: from the kernel, from the servers' own counters, and from a
// count of the samples that arrived.

import { request } from '../test/support/http.ts';
import { type ServerProcess, startServer } from '../test/support/server-process.ts';
import { startPrometheus, startVictoriaMetrics } from '../test/support/servers.ts';
import type { Scenario } from './cases.ts';
import { type Comparison, comparePrometheus, compareVictoriaMetrics } from './counts.ts';
import { type Counts, copyForServer, type DataSet } from './data-sets.ts';
import { startDelayProxy } from './delay-proxy.ts';
import { cpuMsOf, readBytesOf, type ToolUsage } from './process-usage.ts';
import { findStoreApi, PROMETHEUS_VERSION } from './programs.ts';
import { interrupted } from './scratch.ts';
import type { Sides } from './tools.ts';

/** Compaction is disabled, because the blocks are measured as they are. */
const NO_COMPACTION = ['--storage.tsdb.min-block-duration=2h', '--storage.tsdb.max-block-duration=2h'];

/** VictoriaMetrics' query limits would prevent counting half a million series. */
const COUNTABLE = [
  '-search.maxUniqueTimeseries=2000000',
  '-search.maxQueryDuration=10m',
  '-search.maxExportSeries=2000000',
];

/** What all runs of a scenario share. */
export interface Stage {
  readonly scenario: Scenario;
  readonly source: ServerProcess;
  readonly data: { readonly set: DataSet; readonly expected: Counts };
  readonly place: { readonly scratch: string; readonly dist: string };
}

export interface SourceServer extends AsyncDisposable {
  readonly server: ServerProcess;
}

/** A Prometheus, or a StoreAPI, with the data set. */
export async function startSource(set: DataSet, scenario: Scenario): Promise<SourceServer> {
  const copy = await copyForServer(set);
  try {
    const server =
      scenario.protocol === 'ThanosStore'
        ? await startStoreApi(copy.dataDir)
        : await startPrometheus({
            version: PROMETHEUS_VERSION,
            dataDir: copy.dataDir,
            extraArgs: NO_COMPACTION,
            ...(scenario.nativeHistograms && { nativeHistograms: true }),
          });
    return {
      server,
      async [Symbol.asyncDispose]() {
        await server[Symbol.asyncDispose]();
        await copy[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await copy[Symbol.asyncDispose]();
    throw error;
  }
}

async function startStoreApi(blocks: string): Promise<ServerProcess> {
  return startServer({
    name: 'store-api',
    path: await findStoreApi(),
    version: '1',
    args: async ([port], _, directory) => [blocks, directory, `127.0.0.1:${port}`],
    url: (port) => `http://127.0.0.1:${port}`,
    ready: async (url) => (await request(`${url}/metrics`)).body.includes(JSON.stringify(blocks)),
  });
}

/** An empty server of the scenario's destination kind. */
export function startDestination(scenario: Scenario): Promise<ServerProcess> {
  if (scenario.destination === 'victoria-metrics') return startVictoriaMetrics({ extraArgs: COUNTABLE });
  return startPrometheus({
    version: PROMETHEUS_VERSION,
    receiver: true,
    ...(scenario.nativeHistograms && { nativeHistograms: true }),
  });
}

export interface RunFigures extends ToolUsage, Comparison {
  sourceCpuMs: number;
  destinationCpuMs: number;
  /** Includes deferred work: until all accepted samples are flushed. */
  destinationCpuFlushedMs: number;
  /** From the source to the tool, according to the source's response metrics. */
  readBytes: number;
  /** From the tool to the destination, according to the destination's read metrics. */
  writtenBytes: number;
  stdout: string;
}

/** One call of a tool. */
export type Run = (sides: Sides) => Promise<{ usage: ToolUsage; stdout: string }>;

/** The servers of a scenario. */
export interface Servers {
  readonly scenario: Scenario;
  readonly source: ServerProcess;
  readonly destination: ServerProcess;
}

/** Runs the tool into an empty destination. Throws when it fails; lost samples are part of the result. */
export async function measureRun(
  scenario: Scenario,
  source: ServerProcess,
  data: { set: DataSet; expected: Counts },
  run: Run,
): Promise<RunFigures> {
  interrupted.throwIfAborted();
  await using destination = await startDestination(scenario);
  return await measureCopy({ scenario, source, destination }, data, run);
}

/** Runs the tool into this destination, and counts what has arrived. */
export async function measureCopy(
  servers: Servers,
  { set, expected }: { set: DataSet; expected: Counts },
  run: Run,
): Promise<RunFigures> {
  const { scenario, destination } = servers;
  const figures = await measureUse(servers, run);
  const comparison =
    scenario.destination === 'victoria-metrics'
      ? await compareVictoriaMetrics(destination.url, set, scenario.dataEndMs ?? scenario.endMs, expected)
      : await comparePrometheus(destination, expected);
  return { ...figures, ...comparison };
}

/** Runs the tool, and measures what it and both servers need. */
export async function measureUse(
  { scenario, source, destination }: Servers,
  run: Run,
): Promise<Omit<RunFigures, keyof Comparison>> {
  interrupted.throwIfAborted();
  await using sides = await sidesOf(scenario, source.url, destination.url);
  const bytesBefore = await wireBytes(scenario, source, destination);
  const cpuBefore = await serversCpu(source, destination);
  const { usage, stdout } = await run(sides);
  const cpuAfter = await serversCpu(source, destination);
  const bytesAfter = await wireBytes(scenario, source, destination);
  if (scenario.destination === 'victoria-metrics') await request(`${destination.url}/internal/force_flush`);
  const flushedMs = await cpuMsOf(destination.pid);
  return {
    ...usage,
    sourceCpuMs: cpuAfter.source - cpuBefore.source,
    destinationCpuMs: cpuAfter.destination - cpuBefore.destination,
    destinationCpuFlushedMs: flushedMs - cpuBefore.destination,
    readBytes: bytesAfter.read - bytesBefore.read,
    writtenBytes: bytesAfter.written - bytesBefore.written,
    stdout,
  };
}

async function sidesOf(
  { delayMs }: Scenario,
  sourceUrl: string,
  destinationUrl: string,
): Promise<Sides & AsyncDisposable> {
  if (delayMs === undefined) return { sourceUrl, destinationUrl, [Symbol.asyncDispose]: async () => {} };
  const toSource = await startDelayProxy(sourceUrl, delayMs);
  const toDestination = await startDelayProxy(destinationUrl, delayMs);
  return {
    sourceUrl: toSource.url,
    destinationUrl: toDestination.url,
    async [Symbol.asyncDispose]() {
      await toSource[Symbol.asyncDispose]();
      await toDestination[Symbol.asyncDispose]();
    },
  };
}

async function serversCpu(source: ServerProcess, destination: ServerProcess) {
  return { source: await cpuMsOf(source.pid), destination: await cpuMsOf(destination.pid) };
}

/** The source's counter of what it has sent. */
const SENT_BYTES = {
  RemoteRead: /^prometheus_http_response_size_bytes_sum\{handler="\/api\/v1\/read"\} (\S+)$/m,
  PromQL: /^prometheus_http_response_size_bytes_sum\{handler="\/api\/v1\/query"\} (\S+)$/m,
  ThanosStore: /^store_api_sent_bytes_total (\S+)$/m,
  VictoriaMetrics: /^vm_tcplistener_written_bytes_total\{.*\} (\S+)$/m,
} as const;

async function wireBytes(scenario: Scenario, source: ServerProcess, destination: ServerProcess) {
  const read = await metric(source, SENT_BYTES[scenario.protocol ?? 'RemoteRead']);
  const accepted = /^vm_tcplistener_read_bytes_total\{.*\} (\S+)$/m;
  // Prometheus does not count received bytes; it reads almost nothing from files meanwhile.
  const victoria = scenario.destination === 'victoria-metrics';
  return { read, written: victoria ? await metric(destination, accepted) : await readBytesOf(destination.pid) };
}

/** A counter of the server; 0 when it does not exist yet. */
async function metric(server: ServerProcess, pattern: RegExp): Promise<number> {
  const { body } = await request(`${server.url}/metrics`);
  return Number(pattern.exec(body.toString('utf8'))?.[1] ?? 0);
}
