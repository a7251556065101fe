// One seed from its start to its verdict: servers, proxies, migration runs that are killed and restarted, and the comparison.

import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningMigration, startMigration } from '../test/real/support/migration.ts';
import { compareSides, type Found, samplesFrom, startDestination } from './destination.ts';
import { type FaultKind, type Way, WAYS } from './fault-kinds.ts';
import { planFaults } from './fault-plan.ts';
import { judge, type RunRecord, type SeedFacts, type Verdict } from './judge.ts';
import { FaultProxy, type Moment, type SeenRequest } from './proxy/fault-proxy.ts';
import { drawScenario, type Pair, type PlannedKill, type Scenario, specOf, TIMEOUT_MS } from './scenario.ts';
import type { Source, Sources } from './source.ts';
import { findCarriers } from './write-history.ts';

export interface SeedOptions {
  readonly seed: number;
  readonly pair?: Pair | undefined;
  readonly kinds?: readonly FaultKind[] | undefined;
  readonly sources: Sources;
  /** Called with each step, as text. */
  readonly onStep?: (text: string) => void;
}

export interface SeedReport {
  readonly scenario: Scenario;
  readonly requests: readonly SeenRequest[];
  readonly runs: readonly RunRecord[];
  readonly found: Found;
  readonly verdict: Verdict;
  /** The directory of the logs of a failing seed. */
  readonly logs: string | undefined;
  readonly seconds: number;
}

/** Runs besides those that are killed: those that a fault may end before any good response, and the one that completes the copy. */
const FURTHER_RUNS = 8;
const RUN_LIMIT_MS = 150_000;

export async function runSeed(options: SeedOptions): Promise<SeedReport> {
  const startedMs = performance.now();
  const scenario = drawScenario(options.seed, options.pair);
  const source = await options.sources.get(scenario.variant);
  await using server = await startDestination(scenario.destination, source);
  await using proxies = await Proxies.start(scenario, options.kinds, {
    source: source.server.url,
    destination: server.url,
  });
  const runs = await runUntilDone(scenario, source, proxies, options.onStep);
  await proxies.idle();
  const found = await compareSides(scenario, source, server);
  const { requests } = proxies;
  const facts: SeedFacts = {
    runs,
    requests,
    startMs: source.startMs,
    endMs: source.endMs,
    found,
    carriers: findCarriers(found.differences.first, requests),
    samplesFrom: (fromMs) => samplesFrom(scenario, source, fromMs),
  };
  const verdict = judge(facts);
  const logs = verdict.findings.length === 0 ? undefined : await keepLogs(scenario, facts, verdict);
  return { scenario, requests, runs, found, verdict, logs, seconds: (performance.now() - startedMs) / 1000 };
}

/** The three proxies, and the planned kill that is triggered by one of them. */
class Proxies implements AsyncDisposable {
  readonly #proxies = new Map<Way, FaultProxy>();
  #onMoment: (way: Way, requestOfRun: number, moment: Moment) => void = () => {};

  static async start(
    scenario: Scenario,
    kinds: readonly FaultKind[] | undefined,
    targets: { source: string; destination: string },
  ): Promise<Proxies> {
    const proxies = new Proxies();
    const destination = scenario.destination === 'victoria-metrics' ? 'victoria-metrics' : 'prometheus';
    for (const way of WAYS) {
      const proxy = await FaultProxy.start({
        way,
        target: way === 'source' ? targets.source : targets.destination,
        plan: planFaults({ seed: scenario.seed, way, destination, kinds }),
        stallMs: 2 * TIMEOUT_MS,
        onMoment: (...happened) => proxies.#onMoment(...happened),
      });
      proxies.#proxies.set(way, proxy);
    }
    return proxies;
  }

  url(way: Way): string {
    return this.#proxies.get(way)?.url ?? '';
  }

  get requests(): SeenRequest[] {
    return [...this.#proxies.values()].flatMap(({ seen }) => seen).sort((a, b) => a.atMs - b.atMs);
  }

  /** @param kill called when the moment of the planned kill is reached */
  beginRun(run: number, planned: PlannedKill | undefined, kill: () => void): void {
    for (const proxy of this.#proxies.values()) proxy.beginRun(run);
    this.#onMoment = (way, requestOfRun, moment) => {
      const when = planned?.when;
      if (when === undefined || 'afterMs' in when) return;
      if (when.way === way && when.request === requestOfRun && when.at === moment) kill();
    };
  }

  async idle(): Promise<void> {
    this.#onMoment = () => {};
    for (const proxy of this.#proxies.values()) await proxy.idle();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const proxy of this.#proxies.values()) await proxy[Symbol.asyncDispose]();
  }
}

async function runUntilDone(
  scenario: Scenario,
  source: Source,
  proxies: Proxies,
  onStep: SeedOptions['onStep'],
): Promise<RunRecord[]> {
  const addresses = { source: proxies.url('source'), write: proxies.url('write'), progress: proxies.url('progress') };
  const spec = specOf(scenario, addresses, source);
  const runs: RunRecord[] = [];
  const kills = [...scenario.kills];
  while (runs.length < scenario.kills.length + FURTHER_RUNS) {
    const record = await runOnce(spec, runs.length + 1, kills[0], proxies);
    runs.push(record);
    // A run that ended before its moment leaves the kill to the next one.
    if (record.killed !== undefined) kills.shift();
    onStep?.(describeRun(record));
    if (record.result?.phase === 'Succeeded' || record.timedOut) break;
  }
  return runs;
}

async function runOnce(
  spec: Record<string, unknown>,
  run: number,
  planned: PlannedKill | undefined,
  proxies: Proxies,
): Promise<RunRecord> {
  let migration: RunningMigration | undefined;
  let killed: PlannedKill | undefined;
  const kill = () => {
    if (planned === undefined || killed !== undefined || migration === undefined) return;
    if (migration.child.kill(planned.signal)) killed = planned;
  };
  proxies.beginRun(run, planned, kill);
  migration = await startMigration(spec, { args: ['--log-level', 'debug'], timeoutMs: RUN_LIMIT_MS });
  const timer = planned !== undefined && 'afterMs' in planned.when ? setTimeout(kill, planned.when.afterMs) : undefined;
  const ended = await migration.ended;
  clearTimeout(timer);
  let result: RunRecord['result'];
  try {
    result = ended.result;
  } catch {
    // A killed process has printed no result.
  }
  const { exitCode, exitSignal, seconds, stderr: log } = ended;
  const timedOut = seconds * 1000 >= RUN_LIMIT_MS && exitSignal === 'SIGKILL';
  return { run, killed, timedOut, exitCode, exitSignal, result, seconds, log };
}

function describeRun({ run, killed, exitCode, exitSignal, result, seconds }: RunRecord): string {
  const end = exitSignal ?? `exit ${exitCode}`;
  const counts =
    result === undefined
      ? ''
      : `, ${result.phase}, read ${result.samplesRead}, written ${result.samplesWritten}, ` +
        `present ${result.samplesAlreadyPresent}, retries ${result.retries}` +
        (result.error === undefined ? '' : `, ${result.error.code} (${result.error.side})`);
  return `run ${run}: ${end}${killed === undefined ? '' : ` (sent ${killed.signal})`} after ${seconds.toFixed(1)} s${counts}`;
}

/** Saves the logs of all runs, every request with its fault, and the verdict; the directory is kept. */
async function keepLogs(scenario: Scenario, facts: SeedFacts, { findings }: Verdict): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), `prom-migrator-storm-${scenario.seed}-`));
  for (const { run, log } of facts.runs) await writeFile(join(directory, `run-${run}.log`), log);
  const requests = facts.requests.map(({ body, fault, atMs, ...request }) =>
    JSON.stringify({ at: new Date(atMs).toISOString(), fault: fault?.name, ...request, bodyBytes: body?.length }),
  );
  await writeFile(join(directory, 'requests.jsonl'), `${requests.join('\n')}\n`);
  const texts = findings.map(({ kind, text }) => `${kind}: ${text}`);
  const runs = facts.runs.map(describeRun);
  const summary = [JSON.stringify(scenario, undefined, 2), ...runs, ...texts];
  await writeFile(join(directory, 'verdict.txt'), `${summary.join('\n')}\n`);
  return directory;
}
