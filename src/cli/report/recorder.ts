// Watches a run for its report. However long the run is, and whatever the servers send, the record stays small: counts, a few hundred
// intervals and spans, and the first texts of each kind.

import type { MigrationEvent, MigrationObserver, MigrationProgress } from '../../migration/report/observer.ts';
import type { Clock } from '../../telemetry/clock.ts';
import { presentableText } from '../../telemetry/log-text.ts';
import type { Rejection, RequestCount, RetryCount, RunDivision, RunRecord, Split } from './page/model.ts';
import { ComparedSpans } from './compared-spans.ts';
import { halved } from './halved.ts';
import { Spans } from './spans.ts';
import { Timeline } from './timeline.ts';

const MAX_KINDS = 40;
const MAX_EXAMPLES = 10;
const MAX_REMAINING = 480;
const OTHER = '(others)';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type EventOf<T extends MigrationEvent['type']> = Extract<MigrationEvent, { type: T }>;

export class Recorder implements MigrationObserver {
  readonly #clock: Pick<Clock, 'now' | 'monotonicMs'>;
  readonly #startedMs: number;
  readonly #timeline = new Timeline();
  readonly #spans = new Spans();
  readonly #compared = new ComparedSpans();
  readonly #retries = new Map<string, Mutable<RetryCount>>();
  readonly #requests = new Map<string, Mutable<RequestCount>>();
  readonly #warnings = new Map<string, { code: string; message: string; count: number }>();
  readonly #rejections: Rejection[] = [];
  readonly #splits = { byTime: 0, byName: 0, first: [] as Split[] };
  #division: RunDivision | undefined;
  #mostRunning = 0;
  #isAlreadyFinished = false;

  /** The run begins now. */
  constructor(clock: Pick<Clock, 'now' | 'monotonicMs'>) {
    this.#clock = clock;
    this.#startedMs = clock.monotonicMs();
  }

  progress({ samplesWritten, verification, windowMs, stretches }: Readonly<MigrationProgress>): void {
    this.#mostRunning = Math.max(this.#mostRunning, stretches?.running.length ?? 0);
    this.#timeline.totals(this.#elapsedMs(), samplesWritten, verification?.samplesCompared ?? 0, windowMs);
  }

  event(event: MigrationEvent): void {
    if (event.type === 'request') this.#request(event);
    else if (event.type === 'window-finished') this.#spans.add(spanOf(event));
    else if (event.type === 'divided') this.#division = divisionOf(event);
    else if (event.type === 'range-compared') this.#compared.add(comparedOf(event));
    else if (event.type === 'retry') this.#retry(event);
    else if (event.type === 'window-split') this.#split(event);
    else if (event.type === 'warning') this.#warning(event);
    else if (event.type === 'rejected') this.#rejected(event);
    else if (event.type === 'already-finished') this.#isAlreadyFinished = true;
  }

  record(): RunRecord {
    return {
      division: this.#division && { ...this.#division, mostRunning: this.#mostRunning },
      spans: this.#spans.all,
      gaps: this.#spans.gaps,
      compared: this.#compared.all,
      timeline: {
        intervalMs: this.#timeline.intervalMs,
        elapsedMs: this.#elapsedMs(),
        intervals: this.#timeline.intervals,
      },
      retries: [...this.#retries.values()],
      splits: this.#splits,
      requests: [...this.#requests.values()],
      warnings: [...this.#warnings.values()],
      rejections: this.#rejections,
      isAlreadyFinished: this.#isAlreadyFinished,
    };
  }

  #elapsedMs(): number {
    return this.#clock.monotonicMs() - this.#startedMs;
  }

  #request({ side, status, seconds, sentBytes, receivedBytes }: EventOf<'request'>): void {
    const kind = String(status);
    const count = entryOf(this.#requests, side, kind, (shown) => {
      return { side, status: shown, requests: 0, seconds: 0, sentBytes: 0, receivedBytes: 0 };
    });
    count.requests++;
    count.seconds += seconds;
    count.sentBytes += sentBytes;
    count.receivedBytes += receivedBytes;
  }

  #retry({ side, code, message, delayMs }: EventOf<'retry'>): void {
    const nowMs = this.#clock.now();
    const count = entryOf(this.#retries, side, code, (shown) => {
      const firstMessage = presentableText(message);
      return { side, code: shown, retries: 0, delayMs: 0, firstMs: nowMs, lastMs: nowMs, firstMessage };
    });
    count.retries++;
    count.delayMs += delayMs;
    count.lastMs = nowMs;
    this.#timeline.retry(this.#elapsedMs());
  }

  #split({ fromMs, toMs, by, reason }: EventOf<'window-split'>): void {
    if (by === 'time') this.#splits.byTime++;
    else this.#splits.byName++;
    const { first } = this.#splits;
    if (first.length < MAX_EXAMPLES) first.push({ fromMs, toMs, by, reason: presentableText(reason) });
  }

  #warning({ code, message }: EventOf<'warning'>): void {
    entryOf(this.#warnings, '', code, (shown) => ({ code: shown, message: presentableText(message), count: 0 }))
      .count++;
  }

  #rejected({ reason, samples, isBound = false, response, example }: EventOf<'rejected'>): void {
    if (this.#rejections.length >= MAX_EXAMPLES) return;
    const shown = example && { labels: presentableText(example.labels), timeMs: example.timeMs };
    this.#rejections.push({ reason, samples, isBound, response: presentableText(response), example: shown });
  }
}

function spanOf({ fromMs, toMs, samplesRead, samplesWritten }: EventOf<'window-finished'>) {
  return { fromMs, toMs, samplesRead, samplesWritten };
}

function divisionOf({ lengthMs, remaining }: EventOf<'divided'>): RunDivision {
  let ranges = remaining.map(({ startMs, endMs }) => ({ fromMs: startMs, toMs: endMs }));
  while (ranges.length > MAX_REMAINING) {
    ranges = halved(ranges, {
      max: MAX_REMAINING,
      merge: (a, b) => ({ fromMs: a.fromMs, toMs: b.toMs }),
      mayMerge: () => true,
      areAlike: () => false,
    });
  }
  return { lengthMs, mostRunning: 0, remaining: ranges };
}

function comparedOf({ fromMs, toMs, samplesCompared, missing, different, extra }: EventOf<'range-compared'>) {
  return { fromMs, toMs, samplesCompared, missing, different, extra };
}

/** The entry of a kind. New kinds after the first few share one entry. */
function entryOf<T>(entries: Map<string, T>, side: string, kind: string, create: (shownKind: string) => T): T {
  const isKnown = entries.has(`${side} ${kind}`) || entries.size < MAX_KINDS;
  const shownKind = isKnown ? kind : OTHER;
  const key = `${side} ${shownKind}`;
  const entry = entries.get(key) ?? create(shownKind);
  entries.set(key, entry);
  return entry;
}
