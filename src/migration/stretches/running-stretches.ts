// Keeps as many stretches running as may run, until all of them are copied or compared, one has failed for good, or the migration is stopped.

import type { Clock } from '../../telemetry/clock.ts';
import type { RateLimits } from '../limits/rate-limit.ts';
import type { MigrationPlan } from '../plan/migration-plan.ts';
import type { Stretch } from '../plan/stretches.ts';
import { MigrationError } from '../report/migration-error.ts';
import type {
  MigrationEvent,
  MigrationObserver,
  MigrationProgress,
  MigrationResult,
  ResultError,
} from '../report/observer.ts';
import { partOfMemory, partOfRates } from './stretch-plan.ts';
import { limitText, type StretchesAtOnce, stretchesAtOnce } from './stretches-at-once.ts';
import type { StretchTask } from './stretch-task.ts';

/** The progress of all stretches as one. */
interface WholeProgress {
  readonly progress: MigrationProgress;
  /** Why fewer stretches run at once than could; undefined if as many run as may. */
  limited: string | undefined;
  started(stretch: Stretch): void;
  reported(stretch: Stretch, progress: Readonly<MigrationProgress>): void;
  ended(stretch: Stretch, progress: Readonly<MigrationProgress>): void;
  failed(stretch: Stretch, error: ResultError): void;
  /** After a change of `limited`. */
  refresh(): void;
}

interface StretchStart {
  readonly stretch: Stretch;
  /** It ran before, so where it resumes is only known by the destination. */
  readonly began: boolean;
  /** How many stretches share the limits. */
  readonly sharing: number;
}

/** How long the others may finish their windows after one stretch has failed: a side that is down must not delay the result. */
const DRAIN_MS = 60_000;

export interface RunningStretchesOptions {
  readonly plan: MigrationPlan;
  readonly stretches: readonly Stretch[];
  readonly merged: WholeProgress;
  readonly observer: MigrationObserver;
  readonly clock: Clock;
  readonly start: (start: StretchStart, observer: MigrationObserver) => StretchTask;
  readonly finished: (stretch: Stretch) => void;
  /** Whether each stretch has writes in flight. */
  readonly write: boolean;
  /** Whether a stretch may be stopped to run again later. Otherwise it keeps its part of the limits until its end. */
  readonly mayYield: boolean;
}

/** How all of them are ended early, and what can be changed while they run. */
export interface StretchesControl {
  readonly stop: AbortSignal;
  readonly abort: AbortSignal;
  readonly onRatesAvailable?: (set: (rates: RateLimits) => void) => void;
  readonly onParallelismAvailable?: (set: (parallelism: number) => void) => void;
}

type Waiting = Omit<StretchStart, 'sharing'>;

interface Running {
  readonly stretch: Stretch;
  readonly task: StretchTask;
  readonly memoryBytes: number;
  /** It was asked to stop, and waits for its next start afterwards. */
  yields: boolean;
}

/** What a stretch reports of itself; the migration reports it as a whole. */
const OWN_EVENTS: ReadonlySet<MigrationEvent['type']> = new Set([
  'started',
  'resumed',
  'verification-resumed',
  'already-finished',
  'finished',
]);

export class RunningStretches {
  readonly #options: RunningStretchesOptions;
  /** The next one first. */
  readonly #waiting: Waiting[];
  readonly #running = new Map<string, Running>();
  #parallelism: number;
  #atOnce: StretchesAtOnce;
  #rates: RateLimits;
  #ending: 'stop' | 'abort' | undefined;
  #failure: ResultError | undefined;
  /** Aborted when nothing runs any more. */
  readonly #over = new AbortController();
  readonly #warned = new Set<string>();
  /** Resolves the wait for the next change. */
  #wake: () => void = () => undefined;

  constructor(options: RunningStretchesOptions) {
    this.#options = options;
    const { plan, stretches } = options;
    const waiting = stretches.map((stretch) => ({ stretch, began: false }));
    this.#waiting = plan.execution.order === 'NewestFirst' ? waiting.reverse() : waiting;
    this.#parallelism = plan.execution.parallelism;
    this.#atOnce = this.#fitting();
    this.#rates = plan.limits;
  }

  /** @returns false if it was ended before all of it was done. @throws MigrationError why a stretch has failed */
  async runAll({ stop, abort, ...changes }: StretchesControl): Promise<boolean> {
    if (stop.aborted || abort.aborted) return false;
    const onStop = () => this.#end('stop');
    const onAbort = () => this.#end('abort');
    stop.addEventListener('abort', onStop);
    abort.addEventListener('abort', onAbort);
    this.#warnIfLimited();
    changes.onRatesAvailable?.((rates) => this.#setRates(rates));
    changes.onParallelismAvailable?.((parallelism) => this.#setParallelism(parallelism));
    try {
      return await this.#run();
    } finally {
      stop.removeEventListener('abort', onStop);
      abort.removeEventListener('abort', onAbort);
    }
  }

  async #run(): Promise<boolean> {
    for (;;) {
      const changed = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#startMore();
      if (this.#running.size === 0 && (this.#isEnding || this.#waiting.length === 0)) break;
      await changed;
    }
    this.#over.abort();
    if (this.#failure !== undefined) {
      const { code, message, ...details } = this.#failure;
      throw new MigrationError(code, message, details);
    }
    return this.#waiting.length === 0;
  }

  /** Lets the windows in flight finish, or not even those. */
  #end(how: 'stop' | 'abort'): void {
    this.#ending = how;
    for (const { task } of this.#running.values()) task[how]();
    this.#wake();
  }

  #setRates(rates: RateLimits): void {
    this.#rates = rates;
    this.#divideRates();
  }

  /** Stretches that have too large a part of the memory, or are too many, finish their windows in flight, and are started again later. */
  #setParallelism(parallelism: number): void {
    if (parallelism === this.#parallelism) return;
    this.#parallelism = parallelism;
    this.#atOnce = this.#fitting();
    this.#warnIfLimited();
    const partBytes = this.#partBytes;
    const running = this.#options.mayYield ? [...this.#running.values()] : [];
    running.forEach((one, index) => {
      if (index >= this.#atOnce.count || one.memoryBytes > partBytes) this.#yield(one);
    });
    this.#wake();
  }

  get #isEnding(): boolean {
    return this.#ending !== undefined || this.#failure !== undefined;
  }

  get #partBytes(): number {
    return partOfMemory(this.#options.plan.limits.memoryBytes, Math.max(1, this.#atOnce.count));
  }

  #fitting(): StretchesAtOnce {
    const { plan, stretches, write } = this.#options;
    return stretchesAtOnce(plan, { parallelism: this.#parallelism, stretches: stretches.length, write });
  }

  get #limited(): string | undefined {
    return limitText(this.#atOnce, { parallelism: this.#parallelism });
  }

  #warnIfLimited(): void {
    const message = this.#limited;
    if (message !== undefined) this.#pass({ type: 'warning', code: 'parallelism-limited', message });
  }

  #startMore(): void {
    const { memoryBytes } = this.#options.plan.limits;
    while (!this.#isEnding && this.#running.size < this.#atOnce.count) {
      const used = [...this.#running.values()].reduce((sum, running) => sum + running.memoryBytes, 0);
      const next = used + this.#partBytes <= memoryBytes ? this.#waiting.shift() : undefined;
      if (next === undefined) break;
      this.#start(next);
    }
    this.#divideRates();
    this.#showLimit();
  }

  /** The last stretches would not be more without the limit. */
  #showLimit(): void {
    const { merged, observer } = this.#options;
    const limited = this.#waiting.length === 0 ? undefined : this.#limited;
    if (limited === merged.limited) return;
    merged.limited = limited;
    merged.refresh();
    observer.progress(merged.progress);
  }

  #start({ stretch, began }: Waiting): void {
    const { merged, observer, start } = this.#options;
    merged.started(stretch);
    const task = start(
      { stretch, began, sharing: this.#atOnce.count },
      {
        progress: (progress) => {
          merged.reported(stretch, progress);
          observer.progress(merged.progress);
        },
        event: (event) => this.#pass(event),
      },
    );
    const running = { stretch, task, memoryBytes: this.#partBytes, yields: false };
    this.#running.set(stretch.shard, running);
    void task.result.then((result) => this.#ended(running, result));
  }

  #ended({ stretch, yields }: Running, { progress, error }: MigrationResult): void {
    const { merged, observer, finished } = this.#options;
    this.#running.delete(stretch.shard);
    merged.ended(stretch, progress);
    if (progress.phase === 'Succeeded') {
      finished(stretch);
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
    this.#options.clock.sleep(DRAIN_MS, this.#over.signal).then(
      () => {
        for (const { task } of this.#running.values()) task.abort();
      },
      () => undefined,
    );
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
