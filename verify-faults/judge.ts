// Compares what a verification reports with what was planted: everything found, nothing invented, every count right. Pure.

import type { VerificationRun } from '../test/real/support/verification.ts';
import { labelText } from '../test/support/series-set.ts';
import type { PlantedFault } from './faults.ts';
import { countKinds, DIFFERENCE_KINDS, keyOf, type Truth, type Value } from './truth.ts';
import { bitsOfText, parseSelector, type ReportedDifference } from './verification-output.ts';

export interface Facts {
  readonly run: Pick<VerificationRun, 'exitCode' | 'result' | 'differences' | 'peakRssBytes'>;
  readonly planted: readonly PlantedFault[];
  /** Samples of the source inside range and selectors, after relabelling. */
  readonly samples: number;
  /** Expected changes by reason. */
  readonly expected: Readonly<Record<string, number>>;
  /** Whether the destination shows the bits that were written to it. */
  readonly showsBits: boolean;
  /** No bound if undefined. */
  readonly maxRssBytes?: number;
}

export interface Verdict {
  /** Of each fault, how many of its differences are reported. */
  readonly found: ReadonlyMap<PlantedFault, number>;
  readonly invented: number;
  /** Everything that is wrong, for people; empty when the verification is right. */
  readonly findings: readonly string[];
}

const SHOWN = 5;

export function judge(facts: Facts): Verdict {
  const { run, planted } = facts;
  const findings: string[] = [];
  const reported = new Map<string, ReportedDifference[]>();
  for (const difference of run.differences) {
    if (difference.expected !== undefined) continue;
    const key = keyOf(difference);
    reported.set(key, [...(reported.get(key) ?? []), difference]);
  }
  const found = new Map<PlantedFault, number>();
  for (const fault of planted) {
    let matched = 0;
    const missed: Truth[] = [];
    for (const truth of fault.truths) {
      const key = keyOf(truth);
      const difference = reported.get(key)?.pop();
      if (difference === undefined) {
        missed.push(truth);
        continue;
      }
      matched++;
      findings.push(...wrongValues(truth, difference, facts.showsBits));
    }
    found.set(fault, matched);
    if (missed.length > 0)
      findings.push(
        `${fault.kind} at ${fault.at}: ${missed.length} of ${fault.truths.length} not reported, such as ${keyOf(missed[0] as Truth)}`,
      );
  }
  const left = [...reported.values()].flat();
  for (const difference of left.slice(0, SHOWN))
    findings.push(`invented: ${keyOf(difference)}: ${valuesOf(difference)}`);
  if (left.length > SHOWN) findings.push(`invented: ${left.length} in all`);
  findings.push(...wrongResult(facts), ...wrongFirst(facts), ...tooMuchMemory(facts));
  return { found, invented: left.length, findings };
}

function wrongValues(truth: Truth, reported: ReportedDifference, showsBits: boolean): string[] {
  const wrong = (side: 'source' | 'destination') => {
    const exact = side === 'source' || showsBits;
    if (isShown(truth[side], reported[side], exact)) return [];
    return [`${keyOf(truth)}: ${side} is ${String(truth[side])}, reported as ${reported[side]}`];
  };
  return [...wrong('source'), ...wrong('destination')];
}

/** The text of a histogram is for people: that there is one, and that it is not a float. */
function isShown(value: Value | undefined, text: string | undefined, exact: boolean): boolean {
  if (value === undefined || text === undefined) return value === text;
  if (typeof value === 'string')
    return value === 'stale' ? text.includes('sum:stale marker') : bitsOfText(text) === undefined;
  const bits = bitsOfText(text);
  return bits !== undefined && (!exact || bits === value);
}

function wrongResult({ run, planted, samples, expected }: Facts): string[] {
  const { result, exitCode } = run;
  const truths = planted.flatMap((fault) => fault.truths);
  const counts = countKinds(truths);
  const expectedSamples = Object.values(expected).reduce((sum, count) => sum + count, 0);
  const wanted: Record<string, unknown> = {
    samplesCompared: samples,
    ...counts,
    equal: samples - counts.missing - counts.different - expectedSamples,
    expected: JSON.stringify(sorted(expected)),
    repaired: 0,
    error: null,
    exitCode: counts.missing + counts.different + counts.repeated > 0 ? 4 : 0,
  };
  const actual: Record<string, unknown> = {
    ...result,
    expected: JSON.stringify(sorted(result.expected)),
    error: counts.missing + counts.different + counts.repeated > 0 ? null : (result.error ?? null),
    exitCode,
  };
  return Object.entries(wanted).flatMap(([name, value]) =>
    actual[name] === value ? [] : [`result.${name} is ${String(actual[name])}, should be ${String(value)}`],
  );
}

function tooMuchMemory({ run: { peakRssBytes }, maxRssBytes }: Facts): string[] {
  if (maxRssBytes === undefined) return [];
  // Only Linux shows it.
  if (peakRssBytes === undefined) return ['the peak RSS is unknown'];
  const mebibytes = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`;
  return peakRssBytes <= maxRssBytes
    ? []
    : [`peak RSS ${mebibytes(peakRssBytes)}, more than ${mebibytes(maxRssBytes)}`];
}

function sorted(counts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(counts)
      .filter(([, count]) => count > 0)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** `first` are the first differences in the order of time, at most ten. */
function wrongFirst({ run, planted }: Facts): string[] {
  const truths = planted.flatMap((fault) => fault.truths).sort((a, b) => a.timeMs - b.timeMs);
  const first = run.result.first ?? [];
  const keys = new Set(truths.map(keyOf));
  const wrong: string[] = [];
  const wantedTimes = truths.slice(0, 10).map(({ timeMs }) => timeMs);
  const times = first.map(({ timestampMs }) => timestampMs);
  if (JSON.stringify(times) !== JSON.stringify(wantedTimes))
    wrong.push(`result.first is at ${JSON.stringify(times)}, should be at ${JSON.stringify(wantedTimes)}`);
  for (const { labels, timestampMs, kind } of first) {
    const known = DIFFERENCE_KINDS.find((name) => name === kind);
    const key = known && keyOf({ labels: parseSelector(labels), timeMs: timestampMs, kind: known });
    if (key === undefined || !keys.has(key))
      wrong.push(`result.first names ${kind} ${timestampMs} ${labels}, which was not planted`);
  }
  return wrong;
}

function valuesOf({ source, destination, labels }: ReportedDifference): string {
  return `${source ?? 'no sample'} became ${destination ?? 'no sample'} in ${labelText(labels)}`;
}
