// Shows a running migration to the user: its events as log lines, its progress as a bar or as a line every ten seconds.

import type { MigrationEvent, MigrationObserver, MigrationProgress } from '../migration/report/observer.ts';
import type { Clock } from '../telemetry/clock.ts';
import { formatBytes, formatDuration, formatPercent, formatRate, formatTime } from '../telemetry/format.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { ProgressBar } from './progress-bar.ts';
import { ProgressMeter, type ProgressView } from './progress-view.ts';

const REDRAW_MS = 200;
const LOOK_MS = 1_000;
const LOG_EVERY_MS = 10_000;
const RETRY_LINE_EVERY_MS = 1_000;

export interface RunReporterOptions {
  readonly logger: Logger;
  readonly clock: Clock;
  /** If absent, a log line every ten seconds replaces the bar. */
  readonly bar?: ProgressBar;
  /** Other observers that receive the same progress and events. */
  readonly others: readonly MigrationObserver[];
}

/** The fields of the periodic log line. */
function progressFields(view: ProgressView): Record<string, string | number | undefined> {
  return {
    percent: formatPercent(view.ratio),
    through: view.throughMs === undefined ? undefined : formatTime(view.throughMs),
    stretches: view.stretches === undefined ? undefined : `${view.stretches.finished}/${view.stretches.total}`,
    samples: view.samples,
    rate: formatRate(view.samplesPerSecond),
    window: view.windowMs > 0 ? formatDuration(view.windowMs) : undefined,
    waiting: view.waitingFor === '' || view.heldToPerSecond !== undefined ? undefined : view.waitingFor,
    destinationLimit: view.heldToPerSecond === undefined ? undefined : formatRate(view.heldToPerSecond),
    eta: view.etaMs === undefined ? undefined : formatDuration(view.etaMs),
  };
}

export class RunReporter implements MigrationObserver {
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #bar: ProgressBar | undefined;
  readonly #others: readonly MigrationObserver[];
  readonly #meter = new ProgressMeter();
  readonly #stopped = new AbortController();
  /** Per side and code: when the last retry line was written, and how many retries were not logged since. */
  readonly #retryLines = new Map<string, { atMs: number; unlogged: number }>();
  #latest: Readonly<MigrationProgress> | undefined;

  constructor(options: RunReporterOptions) {
    this.#logger = options.logger;
    this.#clock = options.clock;
    this.#bar = options.bar;
    this.#others = options.others;
  }

  progress(progress: Readonly<MigrationProgress>): void {
    this.#latest = progress;
    for (const other of this.#others) other.progress(progress);
  }

  event(event: MigrationEvent): void {
    for (const other of this.#others) other.event(event);
    this.#log(event);
  }

  /** Shows the progress until `stop`. */
  async run(): Promise<void> {
    const stepMs = this.#bar === undefined ? LOOK_MS : REDRAW_MS;
    let nextLogMs = this.#clock.monotonicMs() + LOG_EVERY_MS;
    for (;;) {
      try {
        await this.#clock.sleep(stepMs, this.#stopped.signal);
      } catch {
        return;
      }
      if (this.#latest === undefined) continue;
      const nowMs = this.#clock.monotonicMs();
      const view = this.#meter.look(this.#latest, nowMs);
      if (this.#bar !== undefined) this.#bar.draw(view);
      else if (nowMs >= nextLogMs) {
        this.#logger.info('progress', progressFields(view));
        nextLogMs = nowMs + LOG_EVERY_MS;
      }
    }
  }

  /** Ends `run` and removes the bar. */
  stop(): void {
    if (this.#stopped.signal.aborted) return;
    this.#stopped.abort(new Error('the migration has ended'));
    this.#bar?.clear();
    for (const [key, { unlogged }] of this.#retryLines) {
      const [side, code] = key.split(' ');
      if (unlogged > 0)
        this.#logger.warn('further retries, not logged individually', { side, code, retries: unlogged });
    }
  }

  #log(event: MigrationEvent): void {
    const logger = this.#logger;
    switch (event.type) {
      case 'started':
        logger.info('migration started', {
          start: formatTime(event.startMs),
          end: formatTime(event.endMs),
          memory: formatBytes(event.memoryBytes),
        });
        break;
      case 'resumed':
        logger.info('resuming at the mark in the destination', {
          from: formatTime(event.fromMs),
          samplesBefore: event.samplesBefore,
        });
        break;
      case 'verification-resumed':
        logger.info('resuming the verification', {
          from: formatTime(event.fromMs),
          samplesBefore: event.samplesBefore,
        });
        break;
      case 'already-finished':
        logger.info('an earlier run has finished this migration: nothing to do', {
          through: formatTime(event.throughMs),
        });
        break;
      case 'divided':
        logger.info('copying in stretches', {
          stretches: event.stretches + event.finished,
          finished: event.finished,
          length: formatDuration(event.lengthMs),
        });
        break;
      case 'stretch-finished':
        logger.debug('stretch finished', { from: formatTime(event.startMs), to: formatTime(event.endMs) });
        break;
      case 'window-finished':
        logger.debug('window finished', {
          from: formatTime(event.fromMs),
          to: formatTime(event.toMs),
          samplesRead: event.samplesRead,
          samplesWritten: event.samplesWritten,
          seconds: event.seconds,
        });
        break;
      case 'range-compared':
        logger.debug('compared', {
          from: formatTime(event.fromMs),
          to: formatTime(event.toMs),
          samples: event.samplesCompared,
          missing: event.missing,
          different: event.different,
          extra: event.extra,
        });
        break;
      case 'window-split':
        logger.info('window split', {
          by: event.by,
          from: formatTime(event.fromMs),
          to: formatTime(event.toMs),
          reason: event.reason,
        });
        break;
      case 'request':
        logger.debug('request', {
          side: event.side,
          status: event.status,
          seconds: event.seconds,
          sentBytes: event.sentBytes,
          receivedBytes: event.receivedBytes,
        });
        break;
      case 'retry':
        this.#logRetry(event);
        break;
      case 'rejected':
        logger.warn('the destination rejected samples', {
          reason: event.reason,
          samples: event.samples,
          possiblyThere: event.isBound === true ? true : undefined,
          series: event.example?.labels,
          sampleTime: event.example === undefined ? undefined : formatTime(event.example.timeMs),
          response: event.response,
        });
        break;
      case 'warning':
        logger.warn(event.message, { code: event.code });
        break;
      case 'reads-json':
        logger.info('the destination is read through /api/v1/export, not /api/v1/export/native', {
          reason: event.reason,
        });
        break;
      case 'finished':
        logger.debug('migration ended', { phase: event.phase });
        break;
    }
  }

  #logRetry(event: Extract<MigrationEvent, { type: 'retry' }>): void {
    const key = `${event.side} ${event.code}`;
    const nowMs = this.#clock.monotonicMs();
    const line = this.#retryLines.get(key);
    if (line !== undefined && nowMs - line.atMs < RETRY_LINE_EVERY_MS) {
      line.unlogged++;
      return;
    }
    this.#logger.warn('retrying', {
      side: event.side,
      code: event.code,
      attempt: event.attempt,
      delay: formatDuration(event.delayMs),
      unlogged: line === undefined || line.unlogged === 0 ? undefined : line.unlogged,
      error: event.message,
    });
    this.#retryLines.set(key, { atMs: nowMs, unlogged: 0 });
  }
}
