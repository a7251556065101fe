// The findings of a seed: losses, duplicates, wrong counts, runs that gave up. Pure.

import type { RunResult } from '../src/cli/result.ts';
import { labelText } from '../test/support/series-set.ts';
import type { Found } from './destination.ts';
import type { Difference, DifferenceKind } from './differences.ts';
import type { SeenRequest } from './proxy/fault-proxy.ts';
import type { PlannedKill } from './scenario.ts';

/** One run of the migration as a process. */
export interface RunRecord {
  /** Starts at 1. */
  readonly run: number;
  /** The signal that it was sent, if its moment was reached. */
  readonly killed: PlannedKill | undefined;
  /** It was killed because it took too long. */
  readonly timedOut: boolean;
  readonly exitCode: number | null;
  readonly exitSignal: NodeJS.Signals | null;
  /** Its standard output, if it printed anything. */
  readonly result: RunResult | undefined;
  readonly seconds: number;
  readonly log: string;
}

export type FindingKind =
  | 'lost'
  | 'doubled'
  | 'extra'
  | 'different'
  | 'misreport'
  | 'gave-up'
  | 'hang'
  | 'crash'
  | 'never-done'
  /** A failure of the test rig: the seed has no verdict. */
  | 'rig';

interface Finding {
  readonly kind: FindingKind;
  readonly text: string;
  /** The requests whose faults caused it, as far as known. */
  readonly requests: readonly SeenRequest[];
}

export interface SeedFacts {
  readonly runs: readonly RunRecord[];
  readonly requests: readonly SeenRequest[];
  readonly startMs: number;
  readonly endMs: number;
  readonly found: Found;
  readonly carriers: ReadonlyMap<Difference, readonly SeenRequest[]>;
  /** Samples of the copy from a time on, according to the independent readers. */
  readonly samplesFrom: (fromMs: number) => number;
}

export interface Verdict {
  readonly findings: readonly Finding[];
  /** Runs that ended because of a fault that looked like a configuration error before that side had sent any good response. */
  readonly explainedEnds: number;
}

/** docs/resume.md: a request that arrives later than this after a broken connection is not awaited. */
const SETTLING_MS = 450;

export function judge(facts: SeedFacts): Verdict {
  const findings: Finding[] = [];
  let explainedEnds = 0;
  for (const run of facts.runs) {
    const judged = judgeRun(run, facts);
    findings.push(...judged.findings);
    if (judged.explained) explainedEnds++;
  }
  const last = facts.runs.at(-1);
  const done = last?.result?.phase === 'Succeeded';
  if (!done) findings.push({ kind: 'never-done', text: `not done after ${facts.runs.length} runs`, requests: [] });
  findings.push(...differencesFound(facts, done));
  if (done) findings.push(...judgeMark(facts));
  const broken = facts.requests.filter(({ brokenBy }) => brokenBy !== undefined);
  if (broken.length > 0) findings.push({ kind: 'rig', text: `${broken[0]?.brokenBy}`, requests: broken });
  return { findings, explainedEnds };
}

interface JudgedRun {
  readonly findings: readonly Finding[];
  readonly explained?: true;
}

function judgeRun(record: RunRecord, facts: SeedFacts): JudgedRun {
  const { run, killed, timedOut, exitCode, exitSignal, result } = record;
  const of = (kind: FindingKind, text: string, requests: readonly SeenRequest[] = []): JudgedRun => ({
    findings: [{ kind, text: `run ${run}: ${text}`, requests }],
  });
  if (timedOut) return of('hang', `not over after ${Math.round(record.seconds)} s`);
  // A process that has not yet installed its signal handlers is terminated by SIGTERM.
  if (killed !== undefined && exitSignal === killed.signal) return { findings: [] };
  if (exitSignal !== null) return of('crash', `ended by ${exitSignal}`);
  if (result === undefined) return of('crash', `exit ${exitCode} without a result`);
  switch (result.phase) {
    case 'Succeeded':
      return { findings: misreports(record, result, facts) };
    case 'Interrupted':
      if (killed?.signal === 'SIGTERM' && exitCode === 143) return { findings: [] };
      return of('misreport', `phase Interrupted with exit ${exitCode}, signal sent: ${killed?.signal ?? 'none'}`);
    default:
      return judgeFailure(record, result, facts);
  }
}

function judgeFailure({ run, exitCode }: RunRecord, { error }: RunResult, facts: SeedFacts): JudgedRun {
  const way = ({ source: 'source', destination: 'write', progress: 'progress' } as const)[error?.side ?? ''] as
    | SeenRequest['way']
    | undefined;
  const ofSide = facts.requests.filter((request) => request.run === run && (way === undefined || request.way === way));
  const blamed = behindFailure(ofSide, error?.code);
  const last = blamed[0];
  if (way !== undefined && last?.fault?.settingLike === error?.code && last?.goodBefore === false)
    return { findings: [], explained: true };
  const side = error?.side ?? 'null';
  const fault = last === undefined ? 'without a fault' : `after ${last.fault?.name} (request #${last.request})`;
  const text = `run ${run}: exit ${exitCode} ${fault}, ${error?.code} side=${side}: ${error?.message.slice(0, 300)}`;
  const findings: Finding[] = [{ kind: 'gave-up', text, requests: blamed }];
  if (way === undefined)
    findings.push({ kind: 'misreport', text: `run ${run}: error ${error?.code} names no side`, requests: blamed });
  return { findings };
}

/**
 * The fault that explains the code, or else the last one of that side: concurrent requests may meet others before the run ends. For a
 * rejection, it is the last fault that hid from the migration what the store had accepted.
 */
function behindFailure(
  ofSide: readonly SeenRequest[],
  code: NonNullable<RunResult['error']>['code'] | undefined,
): readonly SeenRequest[] {
  const refusal = ofSide.find(({ fault, stored }) => fault === undefined && stored.some((status) => status >= 400));
  const hidden = ofSide.filter(
    (seen) =>
      seen.fault !== undefined &&
      seen.stored.some((status) => status < 300) &&
      (refusal === undefined || seen.request < refusal.request),
  );
  if (code === 'samples-rejected' && hidden.length > 0) return hidden.slice(-1);
  const faulty = ofSide.filter(({ fault }) => fault !== undefined);
  const explaining = faulty.filter(({ fault }) => fault?.settingLike !== undefined && fault.settingLike === code);
  return (explaining.length > 0 ? explaining : faulty).slice(-1);
}

type CountsOfResult = Pick<
  RunResult,
  | 'samplesRead'
  | 'samplesWritten'
  | 'samplesFiltered'
  | 'samplesAlreadyPresent'
  | 'samplesConflicting'
  | 'samplesRejected'
>;

/** Errors in the counts of one run, or of all, that read this many samples. Nothing here is filtered, rejected or in conflict. */
function wrongCounts(of: string, counts: CountsOfResult, samples: number | undefined): string[] {
  const { samplesRead, samplesWritten, samplesFiltered, samplesAlreadyPresent, samplesConflicting } = counts;
  const rejected = rejectedIn(counts);
  const accounted = samplesWritten + samplesFiltered + samplesAlreadyPresent + samplesConflicting + rejected;
  const wrong: string[] = [];
  if (samplesRead !== accounted) wrong.push(`read ${samplesRead}, accounted for ${accounted}`);
  if (samples !== undefined && samplesRead !== samples)
    wrong.push(`read ${samplesRead} where the source has ${samples} samples`);
  if (rejected > 0) wrong.push(`rejected ${JSON.stringify(counts.samplesRejected)}, though the destination takes all`);
  if (samplesConflicting > 0) wrong.push(`${samplesConflicting} conflicting, though there are none`);
  if (samplesFiltered > 0) wrong.push(`${samplesFiltered} filtered, though nothing is`);
  return wrong.map((text) => `${of}: ${text}`);
}

function rejectedIn({ samplesRejected }: CountsOfResult): number {
  return Object.values(samplesRejected).reduce((sum, samples) => sum + samples, 0);
}

/** Checks every number of a run that reports completion. */
function misreports({ run, exitCode }: RunRecord, result: RunResult, facts: SeedFacts): Finding[] {
  const { startMs, endMs, samplesFrom, found } = facts;
  const fromMs = result.resumedFrom === null ? startMs : Date.parse(result.resumedFrom);
  // A part that was already finished is not read again.
  const wrong = wrongCounts('this run', result, result.windows > 0 ? samplesFrom(fromMs) : undefined);
  if (result.total === null) wrong.push('all runs: not known, though each was one of this version');
  else wrong.push(...wrongCounts('all runs', result.total, found.copiedSamples));
  if (exitCode !== (rejectedIn(result) > 0 ? 3 : 0)) wrong.push(`Succeeded with exit ${exitCode}`);
  if (result.through === null || Date.parse(result.through) !== endMs) wrong.push(`through ${result.through}`);
  if (result.completedRatio !== 1) wrong.push(`completedRatio ${result.completedRatio}`);
  return wrong.map((text) => ({ kind: 'misreport', text: `run ${run}: ${text}`, requests: [] }));
}

function judgeMark({ found, endMs }: SeedFacts): Finding[] {
  const { lastMark, progressSeries, copiedSamples } = found;
  const wrong: string[] = [];
  if (progressSeries !== 1) wrong.push(`${progressSeries} progress series`);
  if (lastMark?.timeMs !== endMs - 1)
    wrong.push(`the last mark stands at ${lastMark?.timeMs}, the range ends at ${endMs}`);
  if (lastMark?.samples !== copiedSamples)
    wrong.push(`the last mark counts ${lastMark?.samples} samples, ${copiedSamples} were copied`);
  const { read = 0, written = 0, already_present = 0 } = lastMark?.counts ?? {};
  if (read !== copiedSamples || written + already_present !== copiedSamples)
    wrong.push(`beside the last mark stand ${JSON.stringify(lastMark?.counts)}, ${copiedSamples} were copied`);
  return wrong.map((text) => ({ kind: 'misreport', text, requests: [] }));
}

const KIND_OF: Readonly<Record<DifferenceKind, FindingKind>> = {
  missing: 'lost',
  doubled: 'doubled',
  extra: 'extra',
  different: 'different',
};

function isDamaged({ way, fault }: SeenRequest): boolean {
  return way === 'source' && (fault?.action.do === 'flip' || fault?.action.do === 'truncate');
}

function differencesFound(facts: SeedFacts, done: boolean): Finding[] {
  const { found, carriers, runs } = facts;
  const findings: Finding[] = [];
  const { counts, first } = found.differences;
  for (const kind of ['missing', 'doubled', 'extra', 'different'] as const) {
    // Samples that an incomplete copy has not reached are not lost.
    if (counts[kind] === 0 || (kind === 'missing' && !done)) continue;
    const examples = first.filter((difference) => difference.kind === kind);
    // A changed value was changed when it was read, not on the way to the store.
    const behind = kind === 'different' ? facts.requests.filter(isDamaged) : [];
    const requests = [...new Set([...behind, ...examples.flatMap((difference) => carriers.get(difference) ?? [])])];
    const late = requests.filter(({ lagMs = 0 }) => lagMs > SETTLING_MS);
    const [example] = examples;
    const text =
      `${counts[kind]} samples ${kind}` +
      (example === undefined ? '' : `, such as ${describe(example, carriers.get(example) ?? [])}`);
    findings.push(
      kind === 'doubled' && late.length > 0
        ? {
            kind: 'rig',
            text: `${text}; a request was carried out ${late[0]?.lagMs?.toFixed(0)} ms late`,
            requests: late,
          }
        : { kind: KIND_OF[kind], text: `${text}; ${runs.length} runs`, requests },
    );
  }
  return findings;
}

function describe({ labels, timeMs, text }: Difference, requests: readonly SeenRequest[]): string {
  const sent = requests.map(
    ({ request, run, fault, stored, undelivered }) =>
      `#${request} (run ${run}, ${fault?.name ?? (undelivered ? 'client gone' : 'no fault')}, store: ${stored.join('+') || 'nothing'})`,
  );
  const carriers = sent.length === 0 ? 'no request' : sent.join(', ');
  return `${labelText(labels)} at ${new Date(timeMs).toISOString()}: ${text}; sent by ${carriers}`;
}
