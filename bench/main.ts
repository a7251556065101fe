// `npm run bench`: compares this project with vmctl, VictoriaMetrics' migration tool, and with the floor, the cost of the servers alone for
// the same bytes. All of them run on one machine, in one run, in turn. Prints one table per case and writes all figures into
// bench/results/. Exits with 1 if a run failed or lost a sample.
//
//   npm run bench                                  # every case, about an hour and a half
//   npm run bench -- --case standard --case far    # some of them
//   npm run bench -- --case scale                  # how the throughput grows with the number of processes
//   npm run bench -- --case scale --threads        # the same with spec.execution.parallelism in one process
//   npm run bench -- --quick                       # three million samples, two rounds, for a quick check
//   npm run bench -- --profile --case samples      # where our time goes
//   npm run bench -- --dist ../other/dist          # another build than this checkout's

import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { request } from '../test/support/http.ts';
import { CASES, quick, type Scenario } from './cases.ts';
import { expectedCounts, findDataSet, samplesBefore } from './data-sets.ts';
import { compareSnappy, measureFloor, recordRequests } from './floor.ts';
import type { Recording } from './recording-proxy.ts';
import { judge } from './goals.ts';
import { measureRun, type SourceServer, type Stage, startDestination, startSource } from './measurement.ts';
import { runMeasured } from './process-usage.ts';
import { profileScenario } from './profile.ts';
import { versions } from './programs.ts';
import { goalsText, scenarioText, writeResults } from './report.ts';
import { failures, type ScenarioResult, type ToolName } from './results.ts';
import { measureScale, scaleFailures, scaleGoals, scaleText } from './scale/scale.ts';
import type { Way } from './scale/stretches.ts';
import { interrupted, makeScratch, watchSignals } from './scratch.ts';
import { measureStart, startGoals, startText } from './start.ts';
import { BUILT, manifestOf, ourCommand, vmctlCommand } from './tools.ts';
import { measureVerifications } from './verification.ts';

const RESULTS = join(import.meta.dirname, 'results');
const QUICK_ROUNDS = 2;
const OTHER_CASES = ['start', 'scale'];

interface Options {
  scenarios: readonly Scenario[];
  /** Whether the cases `start` and `scale` are measured, which have no scenario. */
  start: boolean;
  scale: boolean;
  scaleWay: Way;
  quick: boolean;
  /** Each scenario has its own number of rounds. */
  rounds: number | undefined;
  dist: string;
  profile: boolean;
  tools: readonly ToolName[];
  floor: boolean;
}

function readOptions(): Options {
  const { values: flags } = parseArgs({
    options: {
      case: { type: 'string', multiple: true },
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
      dist: { type: 'string' },
      // For repeated measurements of a change.
      'only-ours': { type: 'boolean', default: false },
      'no-floor': { type: 'boolean', default: false },
      // The case `scale` with spec.execution.parallelism in one process, instead of several processes.
      threads: { type: 'boolean', default: false },
    },
  });
  const names = flags.case ?? (flags.quick || flags.profile ? ['standard'] : [...OTHER_CASES, ...Object.keys(CASES)]);
  const scenarios = names.flatMap((name) => {
    const known = OTHER_CASES.includes(name) ? [] : CASES[name];
    const all = [...OTHER_CASES, ...Object.keys(CASES)];
    if (!known) throw new Error(`no case is named ${name}; there are ${all.join(', ')}`);
    return known;
  });
  const rounds = flags.rounds === undefined ? undefined : Number(flags.rounds);
  if (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0))
    throw new Error('--rounds takes a number from 1 on');
  return {
    scenarios: flags.quick ? scenarios.map(quick) : scenarios,
    start: names.includes('start') && !flags.profile,
    scale: names.includes('scale') && !flags.profile,
    scaleWay: flags.threads ? 'threads' : 'processes',
    quick: flags.quick,
    rounds: rounds ?? (flags.quick ? QUICK_ROUNDS : undefined),
    dist: flags.dist === undefined ? BUILT : resolve(flags.dist),
    profile: flags.profile,
    tools: flags['only-ours'] ? ['prom-migrator'] : ['prom-migrator', 'vmctl'],
    floor: !flags['no-floor'],
  };
}

function progress(text: string): void {
  process.stderr.write(`${text}\n`);
}

async function bench(scenario: Scenario, options: Options): Promise<ScenarioResult | undefined> {
  const set = await findDataSet(scenario.dataSet);
  const endMs = scenario.dataEndMs ?? scenario.endMs;
  const expected = await expectedCounts(set, endMs);
  await using scratch = await makeScratch();
  const place = { scratch: scratch.path, dist: options.dist };
  await using prometheus = await startSource(set, scenario);
  await using source = scenario.protocol === 'VictoriaMetrics' ? await copyOf(prometheus, scenario, place) : prometheus;
  const stage: Stage = { scenario, source: source.server, data: { set, expected }, place };
  if (options.profile) {
    const text = await profileScenario(stage, RESULTS);
    process.stdout.write(`${text}\n`);
    return undefined;
  }
  const result: ScenarioResult = {
    scenario,
    samples: samplesBefore(set, endMs),
    series: expected.size,
    runs: { 'prom-migrator': [], vmctl: [], verify: [], 'run with Full': [] },
    floors: [],
    manifest: manifestOf(scenario, { sourceUrl: 'http://source', destinationUrl: 'http://destination' }),
  };
  await (scenario.verifies ? measureVerifications : measureRounds)(stage, result, options);
  process.stdout.write(`${scenarioText(result)}\n`);
  return result;
}

/** A VictoriaMetrics with what the source has. */
async function copyOf({ server }: SourceServer, scenario: Scenario, place: Stage['place']): Promise<SourceServer> {
  const { protocol: _, ...byRemoteRead } = scenario;
  const copy = await startDestination({ ...scenario, destination: 'victoria-metrics' });
  const sides = { sourceUrl: server.url, destinationUrl: copy.url };
  await runMeasured(await ourCommand(byRemoteRead, sides, place));
  await request(`${copy.url}/internal/force_flush`);
  return { server: copy, [Symbol.asyncDispose]: () => copy[Symbol.asyncDispose]() };
}

/** Alternates the tools, so that other load on the machine affects all of them. */
async function measureRounds(stage: Stage, result: ScenarioResult, options: Options): Promise<void> {
  const { scenario, source, place } = stage;
  let writes: Recording | undefined;
  if (options.floor && scenario.floor.length > 0) {
    progress(`${scenario.name}: recording the requests`);
    writes = await recordRequests(scenario, source, place);
    result.snappy = await compareSnappy(writes);
  }
  const rounds = options.rounds ?? scenario.rounds;
  for (let round = 1; round <= rounds; round++) {
    for (const tool of options.tools) {
      if (tool === 'vmctl' && scenario.vmctl === undefined) continue;
      const figures = await measureRun(scenario, source, stage.data, async (sides) =>
        runMeasured(tool === 'vmctl' ? await vmctlCommand(scenario, sides) : await ourCommand(scenario, sides, place)),
      );
      result.runs[tool].push(figures);
      const { wallMs, lost, staleLost, surplus } = figures;
      const wrong = `${lost > 0 ? `, ${lost} SAMPLES LOST` : ''}${staleLost > 0 ? `, ${staleLost} STALE MARKERS LOST` : ''}${surplus > 0 ? `, ${surplus} surplus` : ''}`;
      progress(`${scenario.name}, round ${round}: ${tool} ${(wallMs / 1000).toFixed(1)} s${wrong}`);
    }
    if (writes === undefined) continue;
    const floor = await measureFloor(scenario, source, { writes, scratch: place.scratch });
    result.floors.push(floor);
    progress(`${scenario.name}, round ${round}: floor ${(floor.wallMs / 1000).toFixed(1)} s`);
  }
}

function build(): void {
  const script = resolve(import.meta.dirname, '../scripts/build.ts');
  const { status } = spawnSync(process.execPath, [script], { stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error('there is nothing to measure: the build failed');
}

async function main(): Promise<number> {
  const options = readOptions();
  watchSignals();
  if (options.dist === BUILT) build();
  const about = { versions: await versions(), arguments: process.argv.slice(2) };
  const results: ScenarioResult[] = [];
  let broken: unknown;
  const start = options.start ? await measureStart(options.dist, options.rounds) : undefined;
  if (start !== undefined) process.stdout.write(`${startText(start)}\n`);
  const scale = options.scale ? await measureScale(options.dist, options.quick, options.scaleWay) : undefined;
  if (scale !== undefined) process.stdout.write(`${scaleText(scale)}\n`);
  for (const scenario of options.scenarios) {
    try {
      const result = await bench(scenario, options);
      if (result) results.push(result);
    } catch (error) {
      interrupted.throwIfAborted();
      // The other cases are still worth measuring.
      broken ??= error;
      process.stderr.write(`${scenario.name} FAILED: ${error instanceof Error ? error.stack : error}\n`);
    }
  }
  if (options.profile) return broken === undefined ? 0 : 1;
  const goals = [
    ...(start === undefined ? [] : startGoals(start)),
    ...(scale === undefined ? [] : scaleGoals(scale)),
    ...judge(results),
  ];
  process.stdout.write(`${goalsText(goals)}\n`);
  process.stdout.write(`\n${await writeResults(RESULTS, results, { ...about, start, scale })}\n`);
  const lost = [...failures(results), ...(scale === undefined ? [] : scaleFailures(scale))];
  for (const failure of lost) process.stderr.write(`NOT A RESULT: ${failure}\n`);
  return lost.length === 0 && broken === undefined ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error && interrupted.aborted ? error.message : String(error)}\n`);
  process.exitCode = interrupted.aborted ? 130 : 1;
}
