// Marks finished windows in the destination, and checks that the first mark of a run can be read there.

import type { Clock } from '../telemetry/clock.ts';
import { NO_COUNTS } from './report/counts.ts';
import { MigrationError } from './report/migration-error.ts';
import type { MigrationObserver } from './report/observer.ts';
import type { DestinationView } from './progress/destination-view.ts';
import type { MarkWriter } from './progress/mark-writer.ts';
import type { MarkValues } from './progress/progress-mark.ts';
import { isShownWithin } from './progress/settling.ts';

export interface MarkerOptions {
  readonly writer: MarkWriter;
  readonly view: DestinationView;
  readonly observer: MigrationObserver;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** The destination was seen to show the marks of this migration. */
  readonly marksAreShown: boolean;
  /** Ends the run. */
  readonly fail: (error: unknown) => void;
}

/** How long the first mark may take to become visible in the destination. */
const VISIBLE_MS = 15_000;

export class Marker {
  readonly #options: MarkerOptions;
  #firstMark: Promise<void> | undefined;
  #refusalReported = false;

  constructor(options: MarkerOptions) {
    this.#options = options;
  }

  /** @throws MigrationError when the destination does not accept the mark, and the plan does not allow that */
  async mark(mark: MarkValues): Promise<void> {
    const { writer, observer, signal } = this.#options;
    const taken = await writer.write(mark, signal);
    if (taken) this.#written(mark.throughMs);
    if (!taken && !this.#refusalReported) {
      this.#refusalReported = true;
      const message =
        'the destination rejects the progress mark like the skipped samples; if this run is interrupted now, the next one resumes at an earlier mark';
      observer.event({ type: 'warning', code: 'mark-refused', message });
    }
  }

  /**
   * Marks where a stretch begins, before anything of it is written.
   * @throws MigrationError `mark-rejected` when the destination does not accept it: without it, samples could be written twice after an interruption
   */
  async begin(throughMs: number): Promise<void> {
    const { writer, signal } = this.#options;
    if (await writer.write({ throughMs, samples: 0, counts: NO_COUNTS }, signal)) return this.#written(throughMs);
    throw new MigrationError('mark-rejected', 'the destination rejects the progress mark with which a stretch begins', {
      side: 'destination',
      hint: 'set spec.execution.parallelism to 1, or let the destination accept the progress series',
    });
  }

  /** Resolves when the first mark can be read, or none was written; rejects when it does not become visible. */
  async firstMarkShown(): Promise<void> {
    await this.#firstMark;
  }

  #written(throughMs: number): void {
    const { marksAreShown, fail } = this.#options;
    if (this.#firstMark !== undefined || marksAreShown) return;
    this.#firstMark = this.#expect(throughMs);
    this.#firstMark.catch(fail);
  }

  /**
   * A 2xx proves nothing: VictoriaMetrics silently drops samples older than its retention, and a wrong tenant or URL for reading the mark would
   * only be noticed when the mark is needed. So the first mark must be readable.
   */
  async #expect(throughMs: number): Promise<void> {
    const { view, clock, signal } = this.#options;
    const visibility = { clock, show: (during: AbortSignal) => view.show(during) };
    if (await isShownWithin(VISIBLE_MS, () => view.showsMark(throughMs, signal), visibility, signal)) return;
    throw new MigrationError(
      'mark-not-found',
      `the destination accepted the progress mark of ${new Date(throughMs).toISOString()} but does not return it`,
      {
        side: 'progress',
        hint: "the destination's retention may be shorter than the age of the data (VictoriaMetrics: -retentionPeriod), or spec.destination.progress.url or its tenant does not point to the store that spec.destination writes to",
      },
    );
  }
}
