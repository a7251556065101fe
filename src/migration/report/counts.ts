// What happened to the samples of a migration, and its cost: the numbers that every run counts, that a mark carries from run to run, and that
// the status and the result show. Pure.

/** Counts of some windows: of one run, or of all runs up to a mark. read = written + filtered + already present + conflicting + rejected. */
export interface Counts {
  readonly samplesRead: number;
  readonly samplesWritten: number;
  readonly samplesFiltered: number;
  readonly samplesAlreadyPresent: number;
  readonly samplesConflicting: number;
  /** By reason. */
  readonly samplesRejected: Readonly<Record<string, number>>;
  /** Samples read as plain samples (SAMPLES), because the stream was unusable. */
  readonly samplesReadPlain: number;
  /** Of the samples read plain: how many may differ from what the source has (−0 for 0, histogram bounds). An upper bound. */
  readonly samplesAlteredAtMost: number;
  /**
   * Rejected samples that may be in the destination, because it refuses repeats in the same way and can't be read back. `samplesRejected` is an
   * upper bound: it may be too high by this number.
   */
  readonly samplesRejectedUnproven: number;
  /** The largest number of series in one window, not a sum. */
  readonly series: number;
  readonly windows: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly retries: number;
}

export const NO_COUNTS: Counts = {
  samplesRead: 0,
  samplesWritten: 0,
  samplesFiltered: 0,
  samplesAlreadyPresent: 0,
  samplesConflicting: 0,
  samplesRejected: {},
  samplesReadPlain: 0,
  samplesAlteredAtMost: 0,
  samplesRejectedUnproven: 0,
  series: 0,
  windows: 0,
  bytesRead: 0,
  bytesWritten: 0,
  retries: 0,
};

export function addCounts(a: Counts, b: Counts): Counts {
  const samplesRejected: Record<string, number> = { ...a.samplesRejected };
  for (const [reason, samples] of Object.entries(b.samplesRejected)) {
    samplesRejected[reason] = (samplesRejected[reason] ?? 0) + samples;
  }
  return {
    samplesRead: a.samplesRead + b.samplesRead,
    samplesWritten: a.samplesWritten + b.samplesWritten,
    samplesFiltered: a.samplesFiltered + b.samplesFiltered,
    samplesAlreadyPresent: a.samplesAlreadyPresent + b.samplesAlreadyPresent,
    samplesConflicting: a.samplesConflicting + b.samplesConflicting,
    samplesRejected,
    samplesReadPlain: a.samplesReadPlain + b.samplesReadPlain,
    samplesAlteredAtMost: a.samplesAlteredAtMost + b.samplesAlteredAtMost,
    samplesRejectedUnproven: a.samplesRejectedUnproven + b.samplesRejectedUnproven,
    series: Math.max(a.series, b.series),
    windows: a.windows + b.windows,
    bytesRead: a.bytesRead + b.bytesRead,
    bytesWritten: a.bytesWritten + b.bytesWritten,
    retries: a.retries + b.retries,
  };
}

/** What was counted since `before`. The largest window is the one of all. */
export function subtractCounts(all: Counts, before: Counts): Counts {
  const names = Object.entries(before) as [keyof Counts, Counts[keyof Counts]][];
  const negative = names.map(([name, value]) => [
    name,
    typeof value === 'number' ? -value : Object.fromEntries(Object.entries(value).map(([reason, n]) => [reason, -n])),
  ]);
  return { ...addCounts(all, Object.fromEntries(negative) as Counts), series: all.series };
}

/** The counts of this run and of all runs before it; undefined if those are unknown. */
export function countsOfAllRuns(run: Counts & { readonly earlier: Counts | 'unknown' }): Counts | undefined {
  return run.earlier === 'unknown' ? undefined : addCounts(run.earlier, run);
}

export function rejectedSamples({ samplesRejected }: Pick<Counts, 'samplesRejected'>): number {
  return Object.values(samplesRejected).reduce((sum, samples) => sum + samples, 0);
}
