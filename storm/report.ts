// The table of a storm and the report of each seed. Pure.

import { total } from './destination.ts';
import { FAULT_KINDS } from './fault-kinds.ts';
import type { FindingKind } from './judge.ts';
import type { SeenRequest } from './proxy/fault-proxy.ts';
import type { SeedReport } from './run-seed.ts';

/** A seed that ended with an error of the test rig, without a verdict. */
interface BrokenSeed {
  readonly seed: number;
  readonly error: string;
}

export type SeedEnd = SeedReport | BrokenSeed;

export function hasFailed(end: SeedEnd): boolean {
  return 'error' in end || end.verdict.findings.length > 0;
}

/** The output for a finished seed: one line, and for a failing seed its findings and how to repeat it. */
export function seedLines(end: SeedEnd, selection = ''): string {
  if ('error' in end) return `seed ${end.seed}: the rig failed: ${end.error}\n${repeatLine(end.seed, selection)}`;
  const { scenario, runs, requests, found, verdict, logs, seconds } = end;
  const { destination, ordering, readMode, progress, seed, variant } = scenario;
  const faults = requests.filter(({ fault }) => fault !== undefined).length;
  const kills = runs.filter(({ killed }) => killed !== undefined).length;
  const head =
    `seed ${seed}: ${logs === undefined ? 'ok' : 'FAILED'} after ${seconds.toFixed(1)} s, ${destination} ${ordering} ` +
    `${readMode} ${progress} ${variant}, ${requests.length} requests, ${faults} faults, ${kills} kills, ` +
    `${runs.length} runs, ${found.differences.samplesCompared} samples compared, ${total(found.differences)} differences`;
  if (logs === undefined) return head;
  const findings = verdict.findings.map(({ kind, text }) => `    ${kind}: ${text}`);
  return [head, ...findings, `    logs: ${logs}`, repeatLine(seed, selection)].join('\n');
}

function repeatLine(seed: number, selection: string): string {
  return `    repeat: npm run storm -- --seeds 1 --seed ${seed}${selection} --verbose`;
}

interface Row {
  injected: number;
  survived: number;
  readonly behind: Partial<Record<FindingKind, number>>;
}

const BEHIND: readonly FindingKind[] = ['gave-up', 'lost', 'doubled', 'misreport'];

/** The fault kinds with their outcomes, then the sums of all seeds. */
export function stormTable(ends: readonly SeedEnd[]): string {
  const reports = ends.filter((end): end is SeedReport => !('error' in end));
  const rows = new Map<string, Row>(FAULT_KINDS.map(({ name }) => [name, { injected: 0, survived: 0, behind: {} }]));
  for (const report of reports) countFaults(report, rows);
  const header = ['fault', 'injected', 'survived', ...BEHIND.map((kind) => `behind ${kind}`)];
  const body = [...rows].map(([name, { injected, survived, behind }]) =>
    [name, injected, survived, ...BEHIND.map((kind) => behind[kind] ?? 0)].map(String),
  );
  return [...alignTable(header, body), '', ...sums(ends, reports)].join('\n');
}

function countFaults({ requests, verdict }: SeedReport, rows: ReadonlyMap<string, Row>): void {
  const blamed = new Map<SeenRequest, FindingKind>();
  // Of two findings with the same cause the first is the more severe.
  for (const { kind, requests: behind } of verdict.findings.toReversed())
    for (const seen of behind) blamed.set(seen, kind);
  for (const seen of requests) {
    const row = seen.fault === undefined ? undefined : rows.get(seen.fault.name);
    if (row === undefined) continue;
    row.injected++;
    const kind = blamed.get(seen);
    if (kind === undefined) row.survived++;
    else row.behind[kind] = (row.behind[kind] ?? 0) + 1;
  }
}

function alignTable(header: readonly string[], body: readonly (readonly string[])[]): string[] {
  const widths = header.map((title, i) => Math.max(title.length, ...body.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(' | ')} |`;
  const rule = `|${widths.map((width, i) => (i === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  return [line(header), rule, ...body.map(line)];
}

function sums(ends: readonly SeedEnd[], reports: readonly SeedReport[]): string[] {
  const sum = (of: (report: SeedReport) => number) => reports.reduce((all, report) => all + of(report), 0);
  const findings = (...kinds: readonly FindingKind[]) =>
    sum(({ verdict }) => verdict.findings.filter(({ kind }) => kinds.includes(kind)).length);
  const killed = (signal: string) => sum(({ runs }) => runs.filter((run) => run.killed?.signal === signal).length);
  const documented = new Map<string, number>();
  for (const { found } of reports)
    for (const [name, samples] of Object.entries(found.documented))
      documented.set(name, (documented.get(name) ?? 0) + samples);
  const failed = ends.filter(hasFailed);
  const rows: [string, string | number][] = [
    ['seeds', ends.length],
    ['failing seeds', failed.length],
    ['faults injected', sum(({ requests }) => requests.filter(({ fault }) => fault !== undefined).length)],
    ['requests', sum(({ requests }) => requests.length)],
    ['killed by SIGKILL', killed('SIGKILL')],
    ['ended by SIGTERM', killed('SIGTERM')],
    ['runs', sum(({ runs }) => runs.length)],
    ['reruns', sum(({ runs }) => runs.length - 1)],
    ['ends before the first good response, as documented', sum(({ verdict }) => verdict.explainedEnds)],
    ['samples compared', sum(({ found }) => found.differences.samplesCompared)],
    ['samples lost', sum(({ found, runs }) => (isDone(runs) ? found.differences.counts.missing : 0))],
    ['samples doubled', sum(({ found }) => found.differences.counts.doubled)],
    [
      'samples extra or different',
      sum(
        ({
          found: {
            differences: { counts },
          },
        }) => counts.extra + counts.different,
      ),
    ],
    ['misreports', findings('misreport')],
    ['runs that gave up', findings('gave-up')],
    ['hangs, crashes, seeds never done', findings('hang', 'crash', 'never-done')],
    ['failures of the rig', findings('rig') + ends.length - reports.length],
    ...[...documented].map(([name, samples]): [string, number] => [`documented: ${name}`, samples]),
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
}

function isDone(runs: SeedReport['runs']): boolean {
  return runs.at(-1)?.result?.phase === 'Succeeded';
}
