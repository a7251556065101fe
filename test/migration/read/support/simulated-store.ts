// A source for the planner's tests: metrics whose samples are counted instead of stored, and limits of every kind.

import { hasName } from '../../../../src/migration/series/name-partition.ts';
import type { SliceOutcome } from '../../../../src/migration/read/open-window.ts';
import type { Limit, ReadFailure } from '../../../../src/migration/read/read-failure.ts';
import type { Slice } from '../../../../src/migration/read/slice.ts';

export interface Metric {
  readonly name: string;
  readonly series: number;
  readonly stepMs: number;
  /** The series are scraped one after another, evenly over a step; otherwise all at once. */
  readonly staggered: boolean;
  readonly labelBytes: number;
  /** When it has samples: [from, to). */
  readonly stretches: readonly (readonly [number, number])[];
}

export interface Caps {
  readonly series?: number;
  readonly samples?: number;
  /** Of labels and samples. */
  readonly bytes?: number;
}

interface Held {
  readonly series: number;
  readonly samples: number;
  readonly bytes: number;
  readonly labelBytes: number;
}

const STREAMED_SAMPLE_BYTES = 2;
const PLAIN_SAMPLE_BYTES = 16;
const SAMPLED_NAMES = 256;

export class SimulatedStore {
  readonly #metrics: readonly Metric[];
  caps: Caps = {};
  /** What the reader keeps of each series beside its response. */
  keptBytesPerSeries = 0;
  /** Of all responses, as far as they were read. */
  labelBytesRead = 0;
  memoryBytes = Number.POSITIVE_INFINITY;
  /** Sends SAMPLES, whatever is requested. */
  plain = false;

  constructor(metrics: readonly Metric[]) {
    this.#metrics = metrics;
  }

  read(slice: Slice): SliceOutcome | ReadFailure {
    const inSlice = this.#in(slice);
    const held = sum(inSlice.map(([, one]) => one));
    const limit = this.#limitOver(held);
    if (limit !== undefined) {
      // What arrives before the memory is full.
      if (limit === 'labels') this.labelBytesRead += this.memoryBytes;
      const inMemory = limit === 'labels' || limit === 'memory';
      return { kind: 'too-large', limit, seenNames: inMemory ? inSlice.map(([name]) => name) : [] };
    }
    this.labelBytesRead += held.labelBytes;
    const { series, samples, bytes, labelBytes } = held;
    const kept = series * this.keptBytesPerSeries;
    return {
      series,
      samples,
      bytes: bytes + kept,
      fixedBytes: labelBytes + kept,
      streamed: !this.plain,
      seenNames: () => inSlice.map(([name]) => name),
      sampledNames: () => sampled(inSlice),
    };
  }

  /** The largest content of one metric in one millisecond. */
  get largestInstant(): Held {
    // When stretches overlap, a metric has its samples several times.
    const instants = this.#metrics.map(({ stretches, ...metric }) => {
      const once = this.#heldIn({ ...metric, stretches: [[0, 1]] }, 0, 1);
      return sum(stretches.map(() => once));
    });
    return {
      series: Math.max(...instants.map(({ series }) => series)),
      samples: Math.max(...instants.map(({ samples }) => samples)),
      bytes: Math.max(...instants.map(({ bytes }) => bytes)),
      labelBytes: Math.max(...instants.map(({ labelBytes }) => labelBytes)),
    };
  }

  /** The number of requests for reading each metric separately, in windows as long as its limits allow. */
  requestsByMetric([fromMs, toMs]: readonly [number, number], windowMs: number): number {
    let requests = 0;
    for (const metric of this.#metrics) {
      const pieceMs = this.#longestPieceMs(metric, windowMs);
      for (const [startMs, endMs] of metric.stretches) {
        const lengthMs = Math.min(endMs, toMs) - Math.max(startMs, fromMs);
        if (lengthMs > 0) requests += Math.ceil(lengthMs / pieceMs);
      }
    }
    return requests;
  }

  #longestPieceMs(metric: Metric, mostMs: number): number {
    const always = { ...metric, stretches: [[0, 2 * mostMs]] as const };
    let fits = 1;
    for (let tooLong = mostMs + 1; tooLong - fits > 1; ) {
      const middleMs = Math.floor((fits + tooLong) / 2);
      if (this.#limitOver(this.#heldIn(always, 0, middleMs)) === undefined) fits = middleMs;
      else tooLong = middleMs;
    }
    return fits;
  }

  #limitOver(held: Held): Limit | undefined {
    for (const limit of ['series', 'samples', 'bytes'] as const) {
      if (held[limit] > (this.caps[limit] ?? Number.POSITIVE_INFINITY)) return limit;
    }
    if (held.bytes + held.series * this.keptBytesPerSeries <= this.memoryBytes) return undefined;
    return held.labelBytes > held.bytes / 2 ? 'labels' : 'memory';
  }

  #in({ fromMs, toMs, names }: Pick<Slice, 'fromMs' | 'toMs' | 'names'>): [string, Held][] {
    return this.#metrics
      .filter(({ name }) => hasName(names, name))
      .map((metric): [string, Held] => [metric.name, this.#heldIn(metric, fromMs, toMs - fromMs)])
      .filter(([, { samples }]) => samples > 0);
  }

  #heldIn(metric: Metric, fromMs: number, lengthMs: number): Held {
    const { series, stepMs, staggered, labelBytes } = metric;
    let samples = 0;
    for (const [startMs, endMs] of metric.stretches) {
      const from = Math.max(fromMs, startMs) - startMs;
      const to = Math.min(fromMs + lengthMs, endMs) - startMs;
      if (to <= from) continue;
      const before = (ms: number) => (staggered ? Math.ceil((ms * series) / stepMs) : series * Math.ceil(ms / stepMs));
      samples += before(to) - before(from);
    }
    const present = Math.min(series, samples);
    return {
      series: present,
      samples,
      bytes: present * labelBytes + samples * (this.plain ? PLAIN_SAMPLE_BYTES : STREAMED_SAMPLE_BYTES),
      labelBytes: present * labelBytes,
    };
  }
}

function sum(held: readonly Held[]): Held {
  const total = { series: 0, samples: 0, bytes: 0, labelBytes: 0 };
  for (const { series, samples, bytes, labelBytes } of held) {
    total.series += series;
    total.samples += samples;
    total.bytes += bytes;
    total.labelBytes += labelBytes;
  }
  return total;
}

/** Each name as often as corresponds to its size. */
function sampled(held: readonly (readonly [string, Held])[]): string[] {
  const distance = held.reduce((total, [, { bytes }]) => total + bytes, 0) / SAMPLED_NAMES;
  const names: string[] = [];
  let [position, next] = [0, distance / 2];
  for (const [name, { bytes }] of held) {
    position += bytes;
    for (; next <= position; next += distance) names.push(name);
  }
  return names;
}
