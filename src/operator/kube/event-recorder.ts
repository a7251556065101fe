// Events about a migration, for `kubectl describe`. They are created in the background. Repeats are counted in a series, and the number and the
// texts of events are limited, so that people can read them. Recording never blocks the caller and never reports a failure to it.

import { escapeControl, presentableText } from '../../telemetry/log-text.ts';
import { backoffMs, halfJitter } from '../../telemetry/backoff.ts';
import { type Clock, momentOf } from '../../telemetry/clock.ts';
import { type Series, SeriesBook } from './event-series.ts';
import type { KubeClient } from './kube-client.ts';
import { isConflict, isNotFound, KubeApiError, retryAfterOf } from './kube-errors.ts';
import { type KubeEvent, microTime, type ObjectReference, resourcePath, type RecordedEvent } from './kube-objects.ts';

export interface EventRecorderOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: () => number;
  /** The name of the pod. */
  readonly instance: string;
  /** Called for each event that could not be sent, to count it. */
  readonly onDropped?: (error: unknown) => void;
}

interface SentSeries extends Series {
  readonly namespace: string;
  readonly event: KubeEvent;
  /** The count that was sent last; 0: the event was not created yet. */
  sentCount: number;
}

/** How long repeats are collected before they are sent. */
const REPEATS_MS = 15_000;
const MAX_ATTEMPTS = 4;
const RETRY = { firstMs: 2_000, maxMs: 16_000 };
const REQUEST_TIMEOUT_MS = 10_000;
const FLUSH_TIMEOUT_MS = 5_000;
const MAX_NOTE_BYTES = 1024;

export class EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #book = new SeriesBook<SentSeries>();
  readonly #queue = new Set<SentSeries>();
  /** Repeated within the last `REPEATS_MS`. */
  readonly #repeated = new Set<SentSeries>();
  #sending: Promise<void> | undefined;
  /** Ends all waits for repeats and for second attempts. */
  #hurry = new AbortController();

  constructor(options: EventRecorderOptions) {
    this.#options = options;
  }

  /** Returns immediately and never throws. */
  record(object: ObjectReference, event: RecordedEvent): void {
    try {
      this.#record(object, event);
    } catch (error) {
      this.#options.onDropped?.(error);
    }
  }

  /** Sends the queued events, for 5 s at most. Never rejects. */
  async flush(): Promise<void> {
    this.#hurry.abort();
    this.#queueRepeated();
    const end = new AbortController();
    const timeout = this.#options.clock.sleep(FLUSH_TIMEOUT_MS, end.signal).catch(() => undefined);
    await Promise.race([this.#send(), timeout]);
    end.abort();
    this.#hurry = new AbortController();
  }

  #record(object: ObjectReference, { type, reason, action, note }: RecordedEvent): void {
    const now = momentOf(this.#options.clock);
    const shownNote = shortenToBytes(escapeControl(presentableText(note)), MAX_NOTE_BYTES);
    const topic = JSON.stringify([object.uid, type, reason, action]);
    const repeated = this.#book.count(topic, shownNote, now);
    if (repeated !== undefined) {
      this.#repeat(repeated);
      return;
    }
    const series: SentSeries = {
      namespace: object.namespace,
      event: this.#event(object, { type, reason, action, note: shownNote }, now.wallMs),
      count: 1,
      last: now,
      sentCount: 0,
    };
    for (const dropped of this.#book.add(topic, shownNote, series)) {
      this.#queue.delete(dropped);
      this.#repeated.delete(dropped);
    }
    this.#queue.add(series);
    this.#send().catch(() => undefined);
  }

  #repeat(series: SentSeries): void {
    const isCollecting = this.#repeated.size > 0;
    this.#repeated.add(series);
    if (!isCollecting) this.#sendRepeated().catch(() => undefined);
  }

  async #sendRepeated(): Promise<void> {
    await this.#options.clock.sleep(REPEATS_MS, this.#hurry.signal).catch(() => undefined);
    this.#queueRepeated();
    await this.#send();
  }

  #queueRepeated(): void {
    for (const series of this.#repeated) this.#queue.add(series);
    this.#repeated.clear();
  }

  #event(object: ObjectReference, event: RecordedEvent, now: number): KubeEvent {
    // A part of a Kubernetes name must end in a letter or a digit.
    const name = object.name.slice(0, 200).replace(/[-.]+$/, '');
    const suffix = Math.floor(this.#options.random() * 2 ** 48)
      .toString(16)
      .padStart(12, '0');
    return {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { namespace: object.namespace, name: `${name}.${now.toString(16)}${suffix}` },
      eventTime: microTime(now),
      reportingController: 'prom-migrator.io/operator',
      reportingInstance: this.#options.instance.slice(0, 128),
      regarding: object,
      ...event,
    };
  }

  /** One request at a time; resolves when nothing is left to send. */
  #send(): Promise<void> {
    if (this.#queue.size > 0) this.#sending ??= this.#sendAll();
    return this.#sending ?? Promise.resolve();
  }

  async #sendAll(): Promise<void> {
    for (const series of this.#queue) {
      this.#queue.delete(series);
      const count = series.count;
      if (count === series.sentCount) continue;
      try {
        await this.#sendOne(series, count);
      } catch (error) {
        this.#options.onDropped?.(error);
      }
      series.sentCount = count;
    }
    this.#sending = undefined;
  }

  async #sendOne(series: SentSeries, count: number): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#request(series, count);
        return;
      } catch (error) {
        const permanent = error instanceof KubeApiError && error.status < 500 && error.status !== 429;
        const { signal } = this.#hurry;
        if (permanent || attempt >= MAX_ATTEMPTS || signal.aborted) throw error;
        const delayMs = Math.max(retryAfterOf(error), halfJitter(backoffMs(RETRY, attempt), this.#options.random));
        await this.#options.clock.sleep(delayMs, signal).catch(() => undefined);
      }
    }
  }

  async #request({ namespace, event, sentCount, last }: SentSeries, count: number): Promise<void> {
    const { client } = this.#options;
    const settings = { timeoutMs: REQUEST_TIMEOUT_MS };
    const resource = { group: 'events.k8s.io', version: 'v1', namespace, resource: 'events' };
    // The API server refuses a series with a count below two.
    const series = count < 2 ? undefined : { count, lastObservedTime: microTime(last.wallMs) };
    if (sentCount > 0 && series !== undefined) {
      try {
        const path = resourcePath({ ...resource, name: event.metadata.name });
        await client.patch(path, { series }, { ...settings, contentType: 'application/merge-patch+json' });
        return;
      } catch (error) {
        // The server has deleted the event, so it is created again.
        if (!isNotFound(error)) throw error;
      }
    }
    try {
      const body = series === undefined ? event : { ...event, series };
      await client.create(resourcePath(resource), body, settings);
    } catch (error) {
      // The event already exists: the response to an earlier attempt was lost.
      if (!isConflict(error)) throw error;
    }
  }
}

/** At most this many bytes of UTF-8, without cutting a character. */
function shortenToBytes(text: string, maxBytes: number): string {
  if (Buffer.byteLength(text) <= maxBytes) return text;
  const mark = '…';
  let end = maxBytes - Buffer.byteLength(mark);
  const bytes = Buffer.from(text);
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.subarray(0, end).toString('utf8') + mark;
}
