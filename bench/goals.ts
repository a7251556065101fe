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
  const ratio = (result: ScenarioResult | undefined, figure: Figure) => ours(result, figure) / theirs(result, figure);
  goal("standard: vmctl's wall time over ours", 1 / ratio(standard, 'wallMs'), 'at least', 2.4);
  goal("standard: our CPU over vmctl's", ratio(standard, 'cpuMs'), 'at most', 1 / 7);
  goal('standard: wall time over the floor', wall / floorMedian(standard, 'wallMs'), 'at most', 1.3);
  goal("standard: source's CPU over vmctl's", ratio(standard, 'sourceCpuMs'), 'at most', 0.7);
  goal("standard: destination's CPU over vmctl's", ratio(standard, 'destinationCpuFlushedMs'), 'at most', 1);
  goal("1 h: vmctl's wall time over ours", 1 / ratio(of('long-1h'), 'wallMs'), 'at least', 1.3);
  const long = of('long-24h');
  goal('24 h: own CPU per sample', (ours(long, 'cpuMs') * 1e6) / (long?.samples ?? Number.NaN), 'at most', 45, ' ns');
  goal('24 h: peak RSS over 6 h', ours(long, 'peakRssBytes') / ours(of('long-6h'), 'peakRssBytes'), 'at most', 1.1);
  goal('samples: wall time over reading', ours(samples, 'wallMs') / floorMedian(samples, 'readMs'), 'at most', 1.4);
  goal('in-order: wall time over writing', ours(inOrder, 'wallMs') / floorMedian(inOrder, 'writeMs'), 'at most', 1.35);
  goal('far: wall time over standard', ours(of('far'), 'wallMs') / wall, 'at most', 1.25);
  goal('far, parallelism 4: wall time over standard', ours(of('far-parallel'), 'wallMs') / wall, 'at most', 1.15);
  const bySource = (name: string) => ours(of(name), 'wallMs') / ours(of('source-remote-read'), 'wallMs');
  goal('source VictoriaMetrics: wall time over remote_read', bySource('source-victoria-metrics'), 'at most', 2);
  goal('source ThanosStore: wall time over remote_read', bySource('source-thanos-store'), 'at most', 1.2);
  for (const name of ['wide', 'million']) {
    goal(`${name}: our wall time over vmctl's`, ratio(of(name), 'wallMs'), 'at most', 1);
    goal(`${name}: bytes read over vmctl's`, ratio(of(name), 'readBytes'), 'at most', 1.1);
  }
  const histograms = of('histograms');
  const each = ours(histograms, 'cpuMs') / (histograms?.samples ?? Number.NaN);
  goal('histograms: own CPU each', each * 1000, 'at most', 1, ' µs');
  for (const result of results) {
    const { migrations, verifies, name } = result.scenario;
    if (verifies) continue;
    const peaks = result.runs['prom-migrator'].map((run) => run.peakRssBytes);
    goal(
      `${name}: peak RSS of any run`,
      Math.max(...peaks) / MEGABYTE,
      'at most',
      migrations === undefined ? 180 : 450,
      ' MB',
    );
  }
  const beyond = (ours(of('sparse'), 'wallMs') - ours(of('sparse-day'), 'wallMs')) / 1000;
  goal('sparse: beyond the one day alone', beyond, 'at most', 10, ' s');
  for (const { scenario, snappy } of results) {
    const bytes = snappy === undefined ? Number.NaN : snappy.ourBytes / snappy.nativeBytes;
    const isWide = scenario.dataSet === 'wide' || scenario.dataSet === 'million';
    goal(`${scenario.name}: bytes written over native snappy`, bytes, 'at most', isWide ? 1.2 : 1.1);
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
