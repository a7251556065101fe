// The table of planted faults and the line of each seed. Pure.

import { FAULT_KINDS } from './faults.ts';
import type { SeedReport } from './run-seed.ts';

/** A seed that ended in an error of the rig or a verification without a result. */
interface BrokenSeed {
  readonly seed: number;
  readonly error: string;
}

export type SeedEnd = SeedReport | BrokenSeed;

export function hasFailed(end: SeedEnd): boolean {
  return 'error' in end || end.verdict.findings.length > 0;
}

/** One line, and for a failing seed what is wrong and how to repeat it. */
export function seedLines(end: SeedEnd): string {
  if ('error' in end) return `seed ${end.seed}: BROKEN: ${end.error}\n${repeatLine(end.seed)}`;
  const { scenario, planted, run, verdict, logs } = end;
  const { seed, size, store, shape, readMode, destinationVersion } = scenario;
  const version = store === 'prometheus' ? ` ${destinationVersion}` : '';
  const differences = planted.reduce((sum, { truths }) => sum + truths.length, 0);
  const head =
    `seed ${seed}: ${logs === undefined ? 'ok' : 'FAILED'}, ${store}${version} ${size} ${shape} ${readMode}, ` +
    `${planted.length} faults with ${differences} differences, ${run.result.samplesCompared} samples in ${run.seconds.toFixed(1)} s, ` +
    `${Math.round((run.peakRssBytes ?? 0) / 2 ** 20)} MiB`;
  if (logs === undefined) return head;
  const findings = verdict.findings.slice(0, 12).map((text) => `    ${text}`);
  return [head, ...findings, `    logs: ${logs}`, repeatLine(seed)].join('\n');
}

function repeatLine(seed: number): string {
  return `    repeat: npm run verify-faults -- --seeds 1 --seed ${seed}`;
}

export function faultTable(ends: readonly SeedEnd[]): string {
  const reports = ends.filter((end): end is SeedReport => !('error' in end));
  const rows = FAULT_KINDS.map((kind) => {
    const faults = reports.flatMap(({ planted, verdict }) =>
      planted.filter((fault) => fault.kind === kind).map((fault) => ({ fault, found: verdict.found.get(fault) ?? 0 })),
    );
    const differences = faults.reduce((sum, { fault }) => sum + fault.truths.length, 0);
    const found = faults.reduce((sum, entry) => sum + entry.found, 0);
    const complete = faults.filter((entry) => entry.found === entry.fault.truths.length).length;
    return [kind, faults.length, complete, differences, found, differences - found].map(String);
  });
  const header = ['fault', 'planted', 'found', 'differences', 'reported', 'missed'];
  const sum = (of: (report: SeedReport) => number) => reports.reduce((all, report) => all + of(report), 0);
  return [
    ...align(header, rows),
    '',
    `seeds ${ends.length}, failing ${ends.filter(hasFailed).length}`,
    `samples compared ${sum(({ run }) => run.result.samplesCompared)}`,
    `differences planted ${sum(({ planted }) => planted.reduce((all, { truths }) => all + truths.length, 0))}, invented ${sum(({ verdict }) => verdict.invented)}`,
  ].join('\n');
}

function align(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(' | ')} |`;
  const rule = `|${widths.map((width, i) => (i === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  return [line(header), rule, ...rows.map(line)];
}
