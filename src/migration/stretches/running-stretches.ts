// Keeps as many stretches running as may run, until all of them are copied, one has failed for good, or the migration is stopped.

import type { KnownBeginning } from '../progress/known-beginning.ts';
import type { RateLimits } from '../limits/rate-limit.ts';
import type { MigrationPlan } from '../plan/migration-plan.ts';
import type { Stretch } from '../plan/stretches.ts';
import { MigrationError } from '../report/migration-error.ts';
import type { MigrationEvent, MigrationObserver, MigrationResult, ResultError } from '../report/observer.ts';
import type { FoundStretches } from './find-stretches.ts';
import type { MergedProgress } from './merged-progress.ts';
import { partOfMemory, partOfRates, stretchPlan } from './stretch-plan.ts';
import type { StartStretch, StretchTask } from './stretch-task.ts';

export interface RunningStretchesOptions {
  readonly plan: MigrationPlan;
  readonly found: FoundStretches;
  readonly merged: MergedProgress;
  readonly observer: MigrationObserver;
  readonly start: StartStretch;
}

interface Waiting {
  readonly stretch: Stretch;
  /** It ran before, so where it resumes is only known by the destination. */
  readonly began: boolean;
}

interface Running {
  readonly stretch: Stretch;
  readonly task: StretchTask;
  readonly memoryBytes: number;
  /** It was asked to stop, and waits for its next start afterwards. */
  yields: boolean;
}

/** What a stretch reports of itself; the migration reports it as a whole. */
const OWN_EVENTS: ReadonlySet<MigrationEvent['type']> = new Set(['started', 'resumed', 'already-finished', 'finished']);

export class RunningStretches {
  readonly #options: RunningStretchesOptions;
  /** The next one first. */
  readonly #waiting: Waiting[];
  readonly #running = new Map<string, Running>();
  #parallelism: number;
  #rates: RateLimits;
  #ending: 'stop' | 'abort' | undefined;
  #failure: ResultError | undefined;
  #marksAreShown = false;
  readonly #warned = new Set<string>();
  /** Resolves the wait for the next change. */
  #wake: () => void = () => undefined;

  constructor(options: RunningStretchesOptions) {
    this.#options = options;
    const { plan, found } = options;
    const waiting = found.stretches.map((stretch) => ({ stretch, began: false }));
    this.#waiting = plan.execution.order === 'NewestFirst' ? waiting.reverse() : waiting;
    this.#parallelism = plan.execution.parallelism;
    this.#rates = plan.limits;
  }

  /** @returns false if it was ended before all was copied. @throws MigrationError why a stretch has failed */
  async copyAll(): Promise<boolean> {
    for (;;) {
      const changed = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#startMore();
      if (this.#running.size === 0 && (this.#isEnding || this.#waiting.length === 0)) break;
      await changed;
    }
    if (this.#failure !== undefined) {
      const { code, message, ...details } = this.#failure;
      throw new MigrationError(code, message, details);
    }
    return this.#waiting.length === 0;
  }

  /** Lets the windows in flight finish, or not even those. */
  end(how: 'stop' | 'abort'): void {
    this.#ending = how;
    for (const { task } of this.#running.values()) task[how]();
    this.#wake();
  }

  setRates(rates: RateLimits): void {
    this.#rates = rates;
    this.#divideRates();
  }

  /** Stretches that have too large a part of the memory, or are too many, stop behind their windows and go on later. */
  setParallelism(parallelism: number): void {
    this.#parallelism = parallelism;
    const partBytes = this.#partBytes;
    [...this.#running.values()].forEach((running, index) => {
      if (index >= parallelism || running.memoryBytes > partBytes) this.#yield(running);
    });
    this.#wake();
  }

  get #isEnding(): boolean {
    return this.#ending !== undefined || this.#failure !== undefined;
  }

  get #partBytes(): number {
    return partOfMemory(this.#options.plan.limits.memoryBytes, Math.max(1, this.#parallelism));
  }

  #startMore(): void {
    const { memoryBytes } = this.#options.plan.limits;
    while (!this.#isEnding && this.#running.size < this.#parallelism) {
      const used = [...this.#running.values()].reduce((sum, running) => sum + running.memoryBytes, 0);
      const next = used + this.#partBytes <= memoryBytes ? this.#waiting.shift() : undefined;
      if (next === undefined) break;
      this.#start(next);
    }
    this.#divideRates();
  }

  #start({ stretch, began }: Waiting): void {
    const { plan, found, merged, observer, start } = this.#options;
    const mark = found.marks.find(({ shard }) => shard === stretch.shard);
    const known: KnownBeginning = {
      mark,
      mayHoldSamples: stretch.mayHoldSamples,
      marksAreShown: this.#marksAreShown,
    };
    const parted = stretchPlan(plan, stretch, this.#parallelism, found.frozenEndMs);
    merged.started(stretch);
    const task = start(
      { plan: parted, known: began ? undefined : known },
      {
        progress: (progress) => {
          merged.reported(stretch, progress);
          observer.progress(merged.progress);
        },
        event: (event) => this.#pass(event),
      },
    );
    const running = { stretch, task, memoryBytes: parted.limits.memoryBytes, yields: false };
    this.#running.set(stretch.shard, running);
    void task.result.then((result) => this.#ended(running, result));
  }

  #ended({ stretch, yields }: Running, { progress, error }: MigrationResult): void {
    const { merged, observer } = this.#options;
    this.#running.delete(stretch.shard);
    merged.ended(stretch, progress);
    if (progress.phase === 'Succeeded') {
      this.#marksAreShown = true;
      observer.event({ type: 'stretch-finished', startMs: stretch.startMs, endMs: stretch.endMs });
    } else if (progress.phase === 'Interrupted' && (yields || this.#isEnding)) {
      this.#waiting.unshift({ stretch, began: true });
    } else this.#fail(stretch, error ?? { code: 'internal', message: 'a stretch ended without a reason' });
    observer.progress(merged.progress);
    this.#wake();
  }

  #fail(stretch: Stretch, error: ResultError): void {
    this.#options.merged.failed(stretch, error);
    this.#failure ??= error;
    for (const { task } of this.#running.values()) task.stop();
  }

  #yield(running: Running): void {
    running.yields = true;
    running.task.stop();
  }

  #divideRates(): void {
    const rates = partOfRates(this.#rates, Math.max(1, this.#running.size));
    for (const { task } of this.#running.values()) task.setRates(rates);
  }

  /** Each stretch gives the same warning once. */
  #pass(event: MigrationEvent): void {
    if (OWN_EVENTS.has(event.type)) return;
    if (event.type === 'warning') {
      const key = `${event.code} ${event.message}`;
      if (this.#warned.has(key)) return;
      this.#warned.add(key);
    }
    this.#options.observer.event(event);
  }
}
