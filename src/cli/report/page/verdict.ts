// What happened, in one sentence and three facts: whether it ended well, whether the copy is complete, whether it was verified. A sentence
// never claims more than was checked. Pure.

import { countsOfAllRuns, rejectedSamples } from '../../../migration/report/counts.ts';
import { isMatching, type VerificationProgress } from '../../../migration/report/verification.ts';
import { completedRatio } from '../../../telemetry/completion.ts';
import { formatExact, formatPercent, formatTime } from '../../../telemetry/format.ts';
import type { ReportModel } from './model.ts';

type Tone = 'good' | 'warning' | 'bad' | 'neutral';

export interface Fact {
  readonly tone: Tone;
  readonly value: string;
  readonly detail: string;
}

export interface Verdict {
  readonly tone: Tone;
  readonly sentence: string;
  readonly outcome: Fact;
  /** Undefined: nothing was copied, only compared. */
  readonly complete: Fact | undefined;
  readonly verified: Fact;
}

export function verdictOf(model: ReportModel): Verdict {
  const outcome = outcomeOf(model);
  const complete = model.progress.work === 'Verify' ? undefined : completeOf(model);
  const verified = verifiedOf(model);
  const sentence = [copySentence(model), verificationSentence(model)].filter((part) => part !== '').join(' ');
  const tones = [outcome.tone, complete?.tone, verified.tone];
  const tone = tones.includes('bad') ? 'bad' : tones.includes('warning') ? 'warning' : 'good';
  return { tone, sentence, outcome, complete, verified };
}

/** Of the copy alone, whether or not it is to be verified. */
function copiedRatio(progress: ReportModel['progress']): number {
  return completedRatio({ ...progress, work: 'Copy' });
}

/** Whether the migration ended only because of what the verification found: then the copy itself is complete. */
function isOnlyDifferent({ error }: ReportModel): boolean {
  return error?.code === 'differences-found';
}

function isCopied(model: ReportModel): boolean {
  const { startMs, endMs, watermarkMs } = model.progress;
  return isOnlyDifferent(model) || (endMs > startMs && watermarkMs >= endMs);
}

function outcomeOf(model: ReportModel): Fact {
  const { phase } = model.progress;
  if (phase === 'Succeeded') {
    const detail = model.record.isAlreadyFinished ? 'an earlier run had finished it' : 'ran to its end';
    return { tone: 'good', value: 'Succeeded', detail };
  }
  if (phase === 'Failed') return { tone: 'bad', value: 'Failed', detail: model.error?.code ?? 'no reason given' };
  return { tone: 'warning', value: 'Interrupted', detail: 'run the same command again to resume' };
}

function completeOf(model: ReportModel): Fact {
  const { progress } = model;
  if (!isCopied(model)) {
    const isRanged = progress.endMs > progress.startMs;
    const { stretches } = progress;
    if (stretches !== undefined) {
      const detail = `${formatExact(stretches.finished)} of ${formatExact(stretches.total)} stretches`;
      return { tone: 'bad', value: `No, ${formatPercent(copiedRatio(progress))}`, detail };
    }
    const through = isRanged ? `through ${formatTime(progress.watermarkMs) ?? '-'}` : 'nothing was copied';
    return { tone: 'bad', value: `No, ${formatPercent(copiedRatio(progress))}`, detail: through };
  }
  const counts = countsOfAllRuns(progress) ?? progress;
  const rejected = rejectedSamples(counts);
  if (rejected > 0) {
    const bound = counts.samplesRejectedUnproven > 0 ? 'at most ' : '';
    return { tone: 'warning', value: 'With exceptions', detail: `${bound}${counted(rejected, 'sample')} rejected` };
  }
  if (counts.samplesRead === 0 && progress.resumedFromMs === undefined)
    return { tone: 'warning', value: 'Nothing to copy', detail: 'the source returned no samples' };
  if (progress.earlier === 'unknown' && progress.resumedFromMs !== undefined)
    return { tone: 'good', value: 'Yes', detail: 'the counts of earlier runs are not known' };
  return { tone: 'good', value: 'Yes', detail: `${formatExact(counts.samplesRead)} samples` };
}

function verifiedOf({ progress: { verification, work } }: ReportModel): Fact {
  if (verification === undefined) {
    if (work === 'Copy') return { tone: 'neutral', value: 'No', detail: 'no verification was requested' };
    return { tone: 'warning', value: 'No', detail: 'the comparison did not begin' };
  }
  const compared = `${formatExact(verification.samplesCompared)} samples compared`;
  if (!isMatching(verification)) {
    return { tone: 'bad', value: counted(differencesOf(verification), 'difference'), detail: compared };
  }
  if (!verification.finished) return { tone: 'warning', value: 'Not completely', detail: compared };
  return { tone: 'good', value: 'Yes, no difference', detail: compared };
}

function counted(count: number, noun: string): string {
  return `${formatExact(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** Extra samples do not count: another writer may have written them. */
export function differencesOf({ missing, different, repeated }: Readonly<VerificationProgress>): number {
  return missing + different + repeated;
}

function copySentence(model: ReportModel): string {
  if (model.progress.work === 'Verify') return '';
  const { progress } = model;
  const counts = countsOfAllRuns(progress) ?? progress;
  if (isCopied(model)) {
    const rejected = rejectedSamples(counts);
    if (rejected > 0) {
      const bound = counts.samplesRejectedUnproven > 0 ? 'at most ' : '';
      return `The copy is complete except for ${bound}${counted(rejected, 'sample')} that the destination rejected.`;
    }
    if (progress.resumedFromMs !== undefined && progress.earlier === 'unknown') return unknownCountsSentence(model);
    if (model.record.isAlreadyFinished && counts.samplesRead === 0) return 'An earlier run had completed the copy.';
    if (counts.samplesRead === 0) return 'The source returned no samples for the range, so nothing was copied.';
    return `The copy is complete: the destination has acknowledged or already had every one of the ${formatExact(counts.samplesRead - counts.samplesFiltered - counts.samplesConflicting)} samples to be copied.`;
  }
  const how = progress.phase === 'Failed' ? 'failed' : 'was interrupted';
  if (progress.endMs <= progress.startMs) return `The copy ${how} before it began.`;
  if (progress.stretches !== undefined) return dividedSentence(how, progress, progress.stretches);
  if (progress.watermarkMs <= progress.startMs)
    return `The copy ${how} before its first window was complete: no part of the range is known to be in the destination.`;
  const through = formatTime(progress.watermarkMs) ?? '-';
  return `The copy ${how} at ${formatPercent(copiedRatio(progress))} of the range: the data before ${through} is in the destination, the rest is not. A later run resumes there.`;
}

/** What is in the destination may be anywhere in the range. */
function dividedSentence(
  how: string,
  progress: ReportModel['progress'],
  { total, finished }: NonNullable<ReportModel['progress']['stretches']>,
): string {
  const { startMs, watermarkMs } = progress;
  const before =
    watermarkMs > startMs ? ` All data before ${formatTime(watermarkMs) ?? '-'} is in the destination.` : '';
  return `The copy ${how} at ${formatPercent(copiedRatio(progress))} of the range: ${formatExact(finished)} of ${formatExact(total)} stretches are complete, and others may be in part.${before} A later run copies what is missing.`;
}

/** The marks of an older version have no counts, so nothing can be claimed about the samples of earlier runs. */
function unknownCountsSentence({ record, progress }: ReportModel): string {
  if (record.isAlreadyFinished) return 'An earlier run had completed the copy.';
  if (progress.stretches !== undefined)
    return `The copy is complete: earlier runs had copied a part of it, and this run copied the rest, ${formatExact(progress.samplesRead)} samples.`;
  return `The copy is complete: earlier runs had copied the data before ${formatTime(progress.resumedFromMs ?? 0) ?? '-'}, and this run copied the rest, ${formatExact(progress.samplesRead)} samples.`;
}

function verificationSentence(model: ReportModel): string {
  const { progress } = model;
  const { verification, work } = progress;
  if (verification === undefined) {
    if (work === 'Verify') return 'The two sides could not be compared.';
    if (work === 'CopyAndVerify')
      return isCopied(model) ? 'It has not been verified: the run ended before the comparison.' : '';
    return isCopied(model) ? 'It has not been verified: source and destination were not compared afterwards.' : '';
  }
  const compared = `${formatExact(verification.samplesCompared)} samples of the source`;
  const differences = differencesOf(verification);
  const how = verification.finished ? '' : ` before it ${progress.phase === 'Failed' ? 'failed' : 'was interrupted'}`;
  const repaired =
    verification.repaired > 0 ? ` Missing samples that have been written: ${formatExact(verification.repaired)}.` : '';
  if (differences > 0) {
    return `The verification compared ${compared} with the destination${how} and found ${counted(differences, 'difference')}.${repaired}`;
  }
  if (!verification.finished) {
    return `The verification compared ${compared} with the destination${how}, and found no difference so far.${repaired}`;
  }
  const expected = Object.values(verification.expected).reduce((sum, samples) => sum + samples, 0);
  const allowance =
    expected > 0 ? `, apart from expected changes of ${counted(expected, 'sample')}, which are listed below` : '';
  return `The verification compared all ${compared} with the destination and found no difference${allowance}.${repaired}`;
}
