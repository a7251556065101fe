// Prints one table per scenario and one of the goals, and writes everything as JSON.

import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { type Goal, isMet, judge } from './goals.ts';
import { failures, type Figure, type floorMedian, type ScenarioResult, spread, type ToolName } from './results.ts';
import { VMCTL_SETTINGS } from './tools.ts';

const MB = 1_000_000;
const MEGABYTE = 1e6;

interface Column {
  readonly title: string;
  readonly figure: Figure;
  readonly divisor: number;
  readonly digits: number;
}

const COLUMNS: readonly Column[] = [
  { title: 'wall s', figure: 'wallMs', divisor: 1000, digits: 1 },
  { title: 'CPU s', figure: 'cpuMs', divisor: 1000, digits: 1 },
  { title: 'peak RSS MB', figure: 'peakRssBytes', divisor: MEGABYTE, digits: 0 },
  { title: 'source CPU s', figure: 'sourceCpuMs', divisor: 1000, digits: 1 },
  { title: 'dest CPU s', figure: 'destinationCpuMs', divisor: 1000, digits: 1 },
  { title: 'flushed', figure: 'destinationCpuFlushedMs', divisor: 1000, digits: 1 },
  { title: 'read MB', figure: 'readBytes', divisor: MB, digits: 1 },
  { title: 'written MB', figure: 'writtenBytes', divisor: MB, digits: 1 },
  { title: 'lost', figure: 'lost', divisor: 1, digits: 0 },
  { title: 'stale lost', figure: 'staleLost', divisor: 1, digits: 0 },
  { title: 'surplus', figure: 'surplus', divisor: 1, digits: 0 },
];

function spreadText(values: readonly number[], digits: number): string {
  if (values.length === 0) return '';
  const { median, min, max } = spread(values);
  const [middle, low, high] = [median, min, max].map((value) => value.toFixed(digits));
  return low === high ? `${middle}` : `${middle} (${low}–${high})`;
}

export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows
    .map((row) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))))
    .map((cells) => `  ${cells.join('  ')}`.trimEnd())
    .join('\n');
}

/** Medians, with the minimum and the maximum of the rounds. */
export function scenarioText(result: ScenarioResult): string {
  const { scenario, samples, series, runs, floors, snappy } = result;
  const tools = (Object.entries(runs) as [ToolName, ScenarioResult['runs'][ToolName]][]).filter(
    ([, r]) => r.length > 0,
  );
  const hours = (scenario.endMs - scenario.startMs) / 3_600_000;
  const lines = [
    `\n${scenario.name}: ${(samples / 1e6).toFixed(2)} M samples of ${series} series, ${Number(hours.toFixed(3))} h, into ${scenario.destination}`,
    table([
      ['', ...COLUMNS.map(({ title }) => title)],
      ...tools.map(([tool, figures]) => [
        tool,
        ...COLUMNS.map(({ figure, divisor, digits }) =>
          spreadText(
            figures.map((run) => run[figure] / divisor),
            digits,
          ),
        ),
      ]),
    ]),
  ];
  for (const [tool, figures] of tools) {
    const wallMs = spread(figures.map((run) => run.wallMs)).median;
    const cpuMs = spread(figures.map((run) => run.cpuMs)).median;
    const written = spread(figures.map((run) => run.writtenBytes)).median;
    const rate = `${(((samples / wallMs) * 1000) / 1e6).toFixed(2)} M samples/s`;
    const cpu = `${((cpuMs * 1e6) / samples).toFixed(0)} ns of CPU`;
    const bytes = tool === 'verify' ? '' : ` and ${(written / samples).toFixed(2)} bytes written`;
    lines.push(`  ${tool}: ${rate}, ${cpu}${bytes} a sample`);
  }
  if (floors.length > 0) lines.push(`  ${floorText(result)}`);
  if (snappy !== undefined) {
    const ratio = (snappy.ourBytes / snappy.nativeBytes).toFixed(3);
    const raw = (snappy.rawBytes / samples).toFixed(2);
    const ours = (snappy.ourBytes / samples).toFixed(2);
    lines.push(`  requests: ${snappy.requests}, ${raw} bytes a sample, ${ours} compressed, ${ratio} × native snappy`);
  }
  return lines.join('\n');
}

function floorText(result: ScenarioResult): string {
  const all = (figure: Parameters<typeof floorMedian>[1]) =>
    result.floors.flatMap((floor) => {
      const value = floor[figure];
      return value === undefined ? [] : [value / 1000];
    });
  const read = `reading ${spreadText(all('readMs'), 1)} s (source CPU ${spreadText(all('sourceCpuMs'), 1)})`;
  const both = `reading both sides at once ${spreadText(all('bothMs'), 1)} s (source CPU ${spreadText(all('sourceCpuMs'), 1)}, destination CPU ${spreadText(all('destinationCpuMs'), 1)})`;
  if (all('bothMs').length > 0) return `floor: ${both}`;
  const write = `writing ${spreadText(all('writeMs'), 1)} s (destination CPU ${spreadText(all('destinationCpuMs'), 1)})`;
  const halves = [...(all('readMs').length > 0 ? [read] : []), ...(all('writeMs').length > 0 ? [write] : [])];
  return `floor: ${halves.join(', ')}: ${spreadText(all('wallMs'), 1)} s`;
}

export function goalsText(goals: readonly Goal[]): string {
  const rows = goals.map((goal) => [
    goal.name,
    `${goal.value.toFixed(2)}${goal.unit}`,
    `${goal.sense} ${goal.bound}${goal.unit}`,
    isMet(goal) ? 'met' : 'MISSED',
  ]);
  return `\ngoals\n${table([['', 'is', 'wanted', ''], ...rows])}`;
}

/** Writes the results as JSON; returns the path. */
export async function writeResults(
  directory: string,
  results: readonly ScenarioResult[],
  about: Record<string, unknown>,
): Promise<string> {
  const date = new Date().toISOString();
  const document = {
    date,
    machine: { cpu: cpus()[0]?.model, cores: cpus().length, memoryBytes: totalmem(), kernel: release() },
    ...about,
    vmctlSettings: VMCTL_SETTINGS,
    scenarios: results.map((result) => ({
      ...result,
      medians: Object.fromEntries(
        Object.entries(result.runs).map(([tool, runs]) => [
          tool,
          Object.fromEntries(COLUMNS.map(({ figure }) => [figure, spread(runs.map((run) => run[figure]))])),
        ]),
      ),
    })),
    goals: judge(results).map((goal) => ({ ...goal, met: isMet(goal) })),
    failures: failures(results),
  };
  await mkdir(directory, { recursive: true });
  const file = join(directory, `${date.replaceAll(/[:.]/g, '-')}.json`);
  await writeFile(file, `${JSON.stringify(document, undefined, 2)}\n`);
  return file;
}
