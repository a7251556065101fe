// The case `scale`: the same range copied by 1 to 16 processes (or by 1 to 16 stretches at once in one process), between a source and a sink that are as far away as 20 ms and cost almost
// nothing. Requests are so small that each process waits for responses most of the time, so all of them fit on two cores. What the
// processes then lose is what they do to each other.

import { resolve } from 'node:path';
import { request } from '../../test/support/http.ts';
import { type ServerProcess, startServer } from '../../test/support/server-process.ts';
import type { Goal } from '../goals.ts';
import { cpuMsOf } from '../process-usage.ts';
import { table } from '../report.ts';
import { interrupted, makeScratch } from '../scratch.ts';
import { SampleHash } from './sample-hash.ts';
import type { Received } from './sink.ts';
import { commandsOf, type Way } from './stretches.ts';
import { SyntheticData } from './synthetic.ts';
import { type JointUsage, runTogether } from './together.ts';

const PROCESSES = [1, 2, 4, 8, 16];
const DELAY_MS = 20;
const DATA = { seed: 1, series: 20, intervalMs: 60_000 };
const START_MS = Date.UTC(2026, 0, 1);
const DAY_MS = 86_400_000;
const DAYS = 48;
const QUICK_DAYS = 8;
/** A window of two hours has 2400 samples: a request for each series, one after the other. */
const SAMPLES_PER_WRITE = 200;
const WINDOW = { max: '2h' };
/** Of the throughput of one process, times the number of processes. */
const WANTED_EFFICIENCY = 0.85;

export interface ScaleRun extends JointUsage {
  readonly processes: number;
  readonly received: Received;
  readonly sourceCpuMs: number;
  readonly sinkCpuMs: number;
}

export interface ScaleFigures {
  readonly expected: { readonly hash: string; readonly samples: number };
  readonly runs: readonly ScaleRun[];
}

export async function measureScale(dist: string, isQuick: boolean, way: Way): Promise<ScaleFigures> {
  const range = { fromMs: START_MS, toMs: START_MS + (isQuick ? QUICK_DAYS : DAYS) * DAY_MS };
  // A stretch for each of the most engines, so that all of them work until the end.
  const stretchHours = (range.toMs - range.fromMs) / 3_600_000 / Math.max(...PROCESSES);
  const hash = new SampleHash();
  new SyntheticData(DATA).hash(range, hash);
  await using source = await startProgram('source', { ...DATA, delayMs: DELAY_MS });
  const runs: ScaleRun[] = [];
  for (const processes of PROCESSES) {
    interrupted.throwIfAborted();
    await using scratch = await makeScratch();
    await using sink = await startProgram('sink', { delayMs: DELAY_MS });
    const copy = {
      sourceUrl: source.url,
      destinationUrl: sink.url,
      range,
      stretchHours,
      samplesPerWrite: SAMPLES_PER_WRITE,
      window: WINDOW,
    };
    const commands = await commandsOf(copy, { way, engines: processes }, { scratch: scratch.path, dist });
    const sourceBeforeMs = await cpuMsOf(source.pid);
    const sinkBeforeMs = await cpuMsOf(sink.pid);
    const usage = await runTogether(commands);
    const sourceCpuMs = (await cpuMsOf(source.pid)) - sourceBeforeMs;
    const sinkCpuMs = (await cpuMsOf(sink.pid)) - sinkBeforeMs;
    const received = JSON.parse((await request(`${sink.url}/hash`)).body.toString('utf8')) as Received;
    runs.push({ ...usage, processes, received, sourceCpuMs, sinkCpuMs });
    process.stderr.write(`scale, ${processes} processes: ${(usage.wallMs / 1000).toFixed(1)} s\n`);
  }
  return { expected: { hash: hash.digest(), samples: hash.samples }, runs };
}

function startProgram(name: 'source' | 'sink', options: object): Promise<ServerProcess> {
  return startServer({
    name,
    path: process.execPath,
    version: '',
    args: async ([port]) => [resolve(import.meta.dirname, `${name}.ts`), JSON.stringify({ ...options, port })],
    url: (port) => `http://127.0.0.1:${port}`,
    ready: async (url) => (await request(`${url}/ready`)).status === 404,
  });
}

/**
 * The throughput of a run over that of one process, times the number of processes: while all of them copy, and over the whole time, which
 * includes the start of each process (in a migration of minutes a large part, in one of hours none).
 */
export function efficiency({ runs }: Pick<ScaleFigures, 'runs'>, run: ScaleRun): { copying: number; overall: number } {
  const [one] = runs;
  const copyingMs = one?.received.middleHalfMs ?? Number.NaN;
  const overallMs = one?.wallMs ?? Number.NaN;
  return {
    copying: copyingMs / (run.received.middleHalfMs * run.processes),
    overall: overallMs / (run.wallMs * run.processes),
  };
}

/** The runs after which the sink had other samples than the source. */
export function scaleFailures({ expected, runs }: ScaleFigures): string[] {
  return runs
    .filter(({ received }) => received.hash !== expected.hash || received.samples !== expected.samples)
    .map(({ processes, received }) => {
      const counts = `${received.samples} of ${expected.samples} samples`;
      return `scale, ${processes} processes: the sink received ${counts}, hash ${received.hash} instead of ${expected.hash}`;
    });
}

export function scaleGoals(figures: ScaleFigures): Goal[] {
  return figures.runs.slice(1).map((run) => ({
    name: `scale: efficiency of ${run.processes} processes while copying`,
    value: efficiency(figures, run).copying,
    sense: 'at least',
    bound: WANTED_EFFICIENCY,
    unit: '',
  }));
}

export function scaleText(figures: ScaleFigures): string {
  const { expected, runs } = figures;
  const rows = runs.map((run) => {
    const { processes, wallMs, cpuMs, peakRssBytes, received, sourceCpuMs, sinkCpuMs } = run;
    const { copying, overall } = efficiency(figures, run);
    return [
      `${processes}`,
      (wallMs / 1000).toFixed(1),
      ((expected.samples / wallMs) * 1000).toFixed(0),
      overall.toFixed(2),
      ((expected.samples / 2 / received.middleHalfMs) * 1000).toFixed(0),
      copying.toFixed(2),
      (cpuMs / 1000).toFixed(1),
      (sourceCpuMs / 1000).toFixed(1),
      (sinkCpuMs / 1000).toFixed(1),
      ((cpuMs + sourceCpuMs + sinkCpuMs) / wallMs).toFixed(2),
      (peakRssBytes / 1e6).toFixed(0),
      `${received.writes}`,
      `${received.reads}`,
      `${received.marks}`,
      received.hash === expected.hash ? 'equal' : 'OTHER',
    ];
  });
  const speeds = ['samples/s', 'efficiency', 'copying samples/s', 'efficiency'];
  const costs = ['CPU s', 'source CPU s', 'sink CPU s', 'cores', 'peak RSS MB', 'writes', 'reads', 'marks'];
  const head = ['processes', 'wall s', ...speeds, ...costs, 'samples'];
  const million = (expected.samples / 1e6).toFixed(2);
  return `\nscale: ${million} M samples, both sides ${DELAY_MS} ms away\n${table([head, ...rows])}`;
}
