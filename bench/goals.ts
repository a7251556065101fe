// The goals for the figures, as ratios within one run, and the check whether they are met.

import { type Figure, floorMedian, median, type ScenarioResult, type ToolName } from './results.ts';

export interface Goal {
  readonly name: string;
  readonly value: number;
  readonly bound: number;
  /** Whether the bound is a maximum or a minimum. */
  readonly sense: 'at most' | 'at least';
  readonly unit: string;
}

export function isMet({ value, bound, sense }: Goal): boolean {
  return sense === 'at most' ? value <= bound : value >= bound;
}

const MEGABYTE = 1e6;

/** The goals that the measured scenarios can check. */
export function judge(results: readonly ScenarioResult[]): Goal[] {
  const of = (name: string) => results.find(({ scenario }) => scenario.name === name);
  const standard = of('standard');
  const samples = of('samples');
  const inOrder = of('in-order');
  const goals: Goal[] = [];
  const goal = (name: string, value: number, sense: Goal['sense'], bound: number, unit = '×') => {
    if (Number.isFinite(value)) goals.push({ name, value, bound, sense, unit });
  };
  const ours = (result: ScenarioResult | undefined, figure: Parameters<typeof median>[2]) =>
    median(result, 'prom-migrator', figure);
  const theirs = (result: ScenarioResult | undefined, figure: Parameters<typeof median>[2]) =>
    median(result, 'vmctl', figure);

  const wall = ours(standard, 'wallMs');
  goal("standard: vmctl's wall time over ours", theirs(standard, 'wallMs') / wall, 'at least', 2.2);
  goal(
    "standard: our CPU per sample over vmctl's",
    ours(standard, 'cpuMs') / theirs(standard, 'cpuMs'),
    'at most',
    0.2,
  );
  goal('standard: wall time over the floor', wall / floorMedian(standard, 'wallMs'), 'at most', 1.25);
  const samplesWall = ours(samples, 'wallMs');
  goal('samples: wall time over reading alone', samplesWall / floorMedian(samples, 'readMs'), 'at most', 1.25);
  const replayMs = floorMedian(inOrder, 'writeMs');
  goal('in-order: wall time over replaying the writes', ours(inOrder, 'wallMs') / replayMs, 'at most', 1.25);
  for (const result of results) {
    const { migrations, verifies } = result.scenario;
    if (migrations !== undefined || verifies) continue;
    const peaks = result.runs['prom-migrator'].map((run) => run.peakRssBytes);
    goal(`${result.scenario.name}: peak RSS of any run`, Math.max(...peaks) / MEGABYTE, 'at most', 200, ' MB');
  }
  goal('far: wall time over standard', ours(of('far'), 'wallMs') / wall, 'at most', 1.3);
  const beyond = (ours(of('sparse'), 'wallMs') - ours(of('sparse-day'), 'wallMs')) / 1000;
  goal('sparse: beyond the one day alone', beyond, 'at most', 10, ' s');
  for (const { scenario, snappy } of results) {
    const ratio = snappy === undefined ? Number.NaN : snappy.ourBytes / snappy.nativeBytes;
    goal(`${scenario.name}: bytes written over native snappy`, ratio, 'at most', 1.1);
  }
  const destination = ours(standard, 'destinationCpuFlushedMs') / theirs(standard, 'destinationCpuFlushedMs');
  goal("standard: destination's CPU per sample over vmctl's", destination, 'at most', 1);
  const perSample = (name: string) => ours(of(name), 'wallMs') / (of(name)?.samples ?? Number.NaN);
  for (const name of ['long-1h', 'long-24h']) {
    const change = Math.abs(perSample(name) / perSample('long-6h') - 1) * 100;
    goal(`${name}: time per sample, change against 6 h`, change, 'at most', 10, ' %');
  }
  for (const result of results) if (result.scenario.verifies) goals.push(...verificationGoals(result));
  return goals;
}

function verificationGoals(result: ScenarioResult): Goal[] {
  const { scenario, samples } = result;
  const of = (tool: ToolName, figure: Figure) => median(result, tool, figure);
  const goal = (name: string, value: number, bound: number, unit = '×'): Goal => {
    return { name: `${scenario.name}: ${name}`, value, bound, sense: 'at most', unit };
  };
  const goals = [
    goal('wall time over reading both sides', of('verify', 'wallMs') / floorMedian(result, 'bothMs'), 1.3),
    goal("peak RSS over the copy's", of('verify', 'peakRssBytes') / of('prom-migrator', 'peakRssBytes'), 1),
    goal('run with Full over run alone', of('run with Full', 'wallMs') / of('prom-migrator', 'wallMs'), 1.8),
  ];
  if (scenario.destination === 'prometheus')
    goals.push(goal('own CPU per sample compared', (of('verify', 'cpuMs') * 1e6) / samples, 60, ' ns'));
  return goals.filter(({ value }) => Number.isFinite(value));
}
