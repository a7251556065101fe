// The progress of a migration whose stretches are copied side by side, as one: what the bar, the result, the status and the metrics show.

import type { Division, Stretch, TimeRange } from '../plan/stretches.ts';
import type { Mark } from '../progress/progress-mark.ts';
import { countsOfShards } from '../progress/shard-counts.ts';
import { addCounts, type Counts, NO_COUNTS } from '../report/counts.ts';
import { type HeldBy, initialProgress, type MigrationProgress, type ResultError } from '../report/observer.ts';

/** One stretch of this run, from the division to its end. */
interface Part {
  readonly stretch: Stretch;
  /** Of its latest start in this run; undefined while it waits. */
  progress: Readonly<MigrationProgress> | undefined;
  isRunning: boolean;
  /** Never decreases, also if it is started again. */
  reachedMs: number;
  watermarkMs: number;
}

export class MergedProgress {
  /** The same object at all times. */
  readonly progress: MigrationProgress;
  limited: string | undefined;
  readonly #parts = new Map<string, Part>();
  readonly #total: number;
  #finished: number;
  readonly #failed: NonNullable<MigrationProgress['stretches']>['failed'][number][] = [];
  /** Of starts that are over. */
  #over: Counts = NO_COUNTS;

  constructor(
    range: TimeRange,
    { stretches, finished }: Division,
    earlier: readonly Mark[],
    work: MigrationProgress['work'],
  ) {
    this.progress = initialProgress(range.startMs, range.endMs, work);
    this.progress.phase = 'Running';
    this.progress.earlier = countsOfShards(earlier, range);
    for (const stretch of stretches) {
      const { fromMs } = stretch;
      const part = { stretch, progress: undefined, isRunning: false, reachedMs: fromMs, watermarkMs: fromMs };
      this.#parts.set(stretch.shard, part);
    }
    this.#total = finished + stretches.length;
    this.#finished = finished;
    this.refresh();
    if (earlier.length > 0) this.progress.resumedFromMs = this.progress.watermarkMs;
  }

  started({ shard }: Stretch): void {
    const part = this.#partOf(shard);
    part.isRunning = true;
    part.progress = undefined;
    this.refresh();
  }

  reported({ shard }: Stretch, progress: Readonly<MigrationProgress>): void {
    const part = this.#partOf(shard);
    part.progress = progress;
    // Before it knows its mark it reports its start.
    part.watermarkMs = Math.max(part.watermarkMs, Math.min(progress.watermarkMs, part.stretch.endMs));
    part.reachedMs = Math.max(part.reachedMs, Math.min(progress.reachedMs, part.stretch.endMs));
    this.refresh();
  }

  ended({ shard, endMs }: Stretch, progress: Readonly<MigrationProgress>): void {
    const part = this.#partOf(shard);
    this.#over = addCounts(this.#over, progress);
    part.progress = undefined;
    part.isRunning = false;
    part.watermarkMs = Math.max(part.watermarkMs, Math.min(progress.watermarkMs, endMs));
    part.reachedMs = Math.max(part.reachedMs, part.watermarkMs);
    if (progress.phase === 'Succeeded') {
      this.#parts.delete(shard);
      this.#finished++;
    }
    this.refresh();
  }

  failed({ startMs }: Stretch, { code, message }: ResultError): void {
    this.#failed.push({ startMs, code, message });
    this.refresh();
  }

  /** Recomputes the sums. */
  refresh(): void {
    const parts = [...this.#parts.values()];
    const running = parts.filter(({ isRunning }) => isRunning);
    const reports = running.flatMap(({ progress }) => progress ?? []);
    const { endMs } = this.progress;
    const sum = (of: (progress: Readonly<MigrationProgress>) => number) =>
      reports.reduce((total, progress) => total + of(progress), 0);
    Object.assign(this.progress, reports.reduce<Counts>(addCounts, this.#over), {
      watermarkMs: Math.min(endMs, ...parts.map(({ watermarkMs }) => watermarkMs)),
      reachedMs: endMs - parts.reduce((left, { stretch, reachedMs }) => left + stretch.endMs - reachedMs, 0),
      windowMs: Math.max(0, ...reports.map(({ windowMs }) => windowMs)),
      windowSeries: sum(({ windowSeries }) => windowSeries),
      inFlightBytes: sum(({ inFlightBytes }) => inFlightBytes),
      inFlightWrites: sum(({ inFlightWrites }) => inFlightWrites),
      heldBy: heldBy(reports),
      waitingFor: waitingFor(reports),
    });
    this.progress.stretches = {
      total: this.#total,
      finished: this.#finished,
      failed: [...this.#failed],
      ...(this.limited !== undefined && { limited: this.limited }),
      running: running.map(({ stretch, reachedMs }) => ({
        startMs: stretch.startMs,
        endMs: stretch.endMs,
        completedRatio: (reachedMs - stretch.startMs) / (stretch.endMs - stretch.startMs),
      })),
    };
  }

  #partOf(shard: string): Part {
    const part = this.#parts.get(shard);
    if (part === undefined) throw new Error(`there is no stretch ${shard}`);
    return part;
  }
}

/**
 * The rates that the stretches keep to add up to the rate of the migration only if all of them are held back. Otherwise the sum would be less
 * than what is written.
 */
function heldBy(reports: readonly Readonly<MigrationProgress>[]): HeldBy | undefined {
  const held = reports.flatMap((progress) => progress.heldBy ?? []);
  const isFree = reports.some(({ heldBy, bytesWritten }) => heldBy === undefined && bytesWritten > 0);
  if (held.length === 0 || isFree) return undefined;
  return { side: 'destination', samplesPerSecond: held.reduce((sum, one) => sum + one.samplesPerSecond, 0) };
}

/** What all of them wait for. While one is busy, the migration waits for nothing. */
export function waitingFor(reports: readonly Readonly<MigrationProgress>[]): string {
  const texts = new Set(reports.map((progress) => progress.waitingFor));
  return texts.has('') ? '' : [...texts].join('; ');
}
