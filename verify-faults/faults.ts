// The faults that are planted into a destination, and where. Pure.

import type { Draw } from '../storm/random.ts';
import { type NativeHistogram, observations } from '../test/support/native-histogram.ts';
import {
  bitsOf,
  type Label,
  labelText,
  NAN,
  numberOf,
  SeriesBuilder,
  type SeriesSet,
  STALE_MARKER,
} from '../test/support/series-set.ts';
import { type Change, EditedSeries, isOrdinaryNan, type Keeping, truthsOf } from './edits.ts';
import type { Truth } from './truth.ts';

export const FAULT_KINDS = [
  'series-deleted',
  'range-deleted',
  'sample-dropped',
  'value-altered',
  'timestamp-moved',
  'sample-doubled',
  'series-extra',
  'sample-extra',
  'stale-marker-became-nan',
  'nan-payload-changed',
  'zero-lost-its-sign',
  'bucket-changed',
  'histogram-sum-altered',
] as const;

export type FaultKind = (typeof FAULT_KINDS)[number];

export interface PlantedFault {
  readonly kind: FaultKind;
  /** The series, for people. */
  readonly at: string;
  readonly truths: readonly Truth[];
}

export interface Field {
  /** The series as the destination should have them. */
  readonly set: SeriesSet;
  readonly keeping: Keeping;
  /** Relative; a store of decimals must be given more than it loses itself. Zero: the last bit. */
  readonly alterBy: number;
  readonly startMs: number;
  readonly endMs: number;
  /** Faults of single samples are planted from this time on. */
  readonly faultsFromMs?: number;
}

const ATTEMPTS = 2000;
const MINUS_ZERO = bitsOf(-0);

/** Plants faults one by one; each changes samples that no other touches, so that the truth is the sum of all. */
export class Planter {
  readonly #field: Field;
  readonly #draw: Draw;
  readonly #series: readonly EditedSeries[];
  readonly #histograms: readonly EditedSeries[];
  /** Series with samples at, or a millisecond before, whole minutes: where windows begin and end. */
  readonly #edges: readonly EditedSeries[];
  readonly #extra: EditedSeries[] = [];
  readonly planted: PlantedFault[] = [];

  constructor(field: Field, draw: Draw) {
    this.#field = field;
    this.#draw = draw;
    this.#series = [...field.set.values()].map((series) => new EditedSeries(series));
    this.#histograms = this.#series.filter(({ isHistogram }) => isHistogram);
    this.#edges = this.#series.filter(({ series }) => series.labels.some(([, value]) => value.startsWith('edge_')));
  }

  /** All series that are not as they were. */
  edited(): EditedSeries[] {
    return [...this.#series.filter(({ isUntouched }) => !isUntouched), ...this.#extra];
  }

  /** @throws Error if the data has no place for such a fault */
  plant(kind: FaultKind): PlantedFault {
    const edited = this.#edit(kind);
    const before = new Set(
      this.planted.flatMap(({ truths }) => truths.map(({ timeMs, labels }) => `${timeMs} ${labelText(labels)}`)),
    );
    const truths = truthsOf(edited, this.#field.keeping).filter(
      ({ timeMs, labels }) => !before.has(`${timeMs} ${labelText(labels)}`),
    );
    const fault = { kind, at: labelText(edited.series.labels), truths };
    this.planted.push(fault);
    return fault;
  }

  #edit(kind: FaultKind): EditedSeries {
    switch (kind) {
      case 'series-deleted':
        return this.#delete((length) => ({ from: 0, to: length - 1 }));
      case 'range-deleted':
        return this.#delete((length) => {
          const from = this.#draw.integer(0, length - 2);
          return { from, to: Math.min(from + this.#draw.integer(0, Math.ceil(length / 3)), length - 2) };
        });
      case 'series-extra':
        return this.#addSeries();
      case 'sample-extra':
        return this.#addSample();
      case 'sample-dropped':
        return this.#change(this.#series, (edited, i) =>
          this.#field.keeping.keeps(edited.value(i)) ? { do: 'drop' } : undefined,
        );
      case 'timestamp-moved':
        return this.#move();
      case 'sample-doubled':
        return this.#change(this.#series, (edited, i) =>
          isFiniteFloat(edited.value(i)) ? { do: 'double' } : undefined,
        );
      case 'bucket-changed':
        return this.#change(this.#histograms, (edited, i) =>
          changedHistogram(edited, i, (histogram) => this.#changeBucket(histogram)),
        );
      case 'histogram-sum-altered':
        return this.#change(this.#histograms, (edited, i) => changedHistogram(edited, i, alterSum));
      default:
        return this.#change(this.#series, (edited, i) => this.#newValue(kind, edited.value(i)));
    }
  }

  #newValue(kind: FaultKind, value: bigint | string): Change | undefined {
    if (typeof value !== 'bigint') return undefined;
    switch (kind) {
      case 'value-altered':
        return isFiniteFloat(value) ? { do: 'set', bits: this.#altered(value) } : undefined;
      case 'stale-marker-became-nan':
        return value === STALE_MARKER ? { do: 'set', bits: NAN } : undefined;
      case 'nan-payload-changed':
        return isOrdinaryNan(value) ? { do: 'set', bits: value ^ 0x10n } : undefined;
      default:
        return value === 0n || value === MINUS_ZERO ? { do: 'set', bits: value ^ MINUS_ZERO } : undefined;
    }
  }

  #altered(bits: bigint): bigint {
    const { alterBy } = this.#field;
    if (alterBy === 0) return bits ^ 1n;
    const value = numberOf(bits);
    // An integer stays one: decimals hold it exactly.
    return bitsOf(Number.isInteger(value) ? value + 1 : value * (1 + alterBy));
  }

  #change(
    from: readonly EditedSeries[],
    changeOf: (edited: EditedSeries, index: number) => Change | undefined,
  ): EditedSeries {
    return this.#attempt(() => {
      const edited = this.#draw.pick(from);
      const last = edited.length - 1;
      const index = this.#draw.chance(0.2) ? this.#draw.pick([0, last]) : this.#draw.integer(0, last);
      const change = this.#isPlace(edited, index) ? changeOf(edited, index) : undefined;
      if (change === undefined) return undefined;
      edited.changes.set(index, change);
      return edited;
    });
  }

  #move(): EditedSeries {
    return this.#attempt(() => {
      const edited = this.#draw.pick(this.#draw.chance(0.5) && this.#edges.length > 0 ? this.#edges : this.#series);
      const index = this.#draw.integer(1, Math.max(1, edited.length - 2));
      if (!hasRoom(edited, index - 1) || !hasRoom(edited, index)) return undefined;
      if (index >= edited.length || !this.#isPlace(edited, index) || !this.#field.keeping.keeps(edited.value(index)))
        return undefined;
      edited.changes.set(index, { do: 'move', byMs: this.#draw.chance(0.5) ? 1 : -1 });
      return edited;
    });
  }

  #delete(rangeOf: (length: number) => { from: number; to: number }): EditedSeries {
    return this.#attempt(() => {
      const edited = this.#draw.pick(this.#series);
      if (!edited.isUntouched || edited.length < 3) return undefined;
      edited.deletedRange = rangeOf(edited.length);
      return truthsOf(edited, this.#field.keeping).length > 0 ? edited : this.#undelete(edited);
    });
  }

  #undelete(edited: EditedSeries): undefined {
    edited.deletedRange = undefined;
  }

  #addSample(): EditedSeries {
    return this.#attempt(() => {
      const edited = this.#draw.pick(this.#series);
      if (edited.isHistogram || edited.length < 3 || edited.deletedRange !== undefined) return undefined;
      const index = this.#draw.integer(0, edited.length - 2);
      if (!this.#isPlace(edited, index) || !edited.isFree(index + 1) || !hasRoom(edited, index)) return undefined;
      const timeMs = edited.timeMs(index) + 7;
      if (edited.added.some((other) => other.timeMs === timeMs)) return undefined;
      edited.added.push({ timeMs, bits: bitsOf(this.#draw.integer(-1000, 1000)) });
      return edited;
    });
  }

  #addSeries(): EditedSeries {
    const { startMs, endMs } = this.#field;
    const template = this.#draw.pick(this.#series).series.labels;
    const instance: Label = ['instance', `extra-${this.#extra.length}:9100`];
    const builder = new SeriesBuilder(template.map((label) => (label[0] === 'instance' ? instance : label)));
    const edited = new EditedSeries(builder.finish());
    const samples = this.#draw.pick([1, 2, 100]);
    const stepMs = Math.floor((endMs - startMs) / (samples + 1));
    // The first and the last millisecond of the range are in it, too.
    const firstMs = this.#draw.pick([startMs, startMs + 1, endMs - 1 - (samples - 1) * stepMs]);
    for (let i = 0; i < samples; i++) edited.added.push({ timeMs: firstMs + i * stepMs, bits: bitsOf(i) });
    this.#extra.push(edited);
    return edited;
  }

  #isPlace(edited: EditedSeries, index: number): boolean {
    return edited.isFree(index) && edited.timeMs(index) > (this.#field.faultsFromMs ?? Number.NEGATIVE_INFINITY);
  }

  #attempt(find: () => EditedSeries | undefined): EditedSeries {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const edited = find();
      if (edited !== undefined) return edited;
    }
    throw new Error(`no place for the fault was found in ${ATTEMPTS} attempts`);
  }

  #changeBucket(histogram: NativeHistogram): NativeHistogram | undefined {
    const { positive, negative } = histogram;
    const side = positive.length > 0 && (negative.length === 0 || this.#draw.chance(0.5)) ? 'positive' : 'negative';
    const buckets = [...histogram[side]];
    const at = this.#draw.integer(0, buckets.length - 1);
    const bucket = buckets[at];
    if (bucket === undefined) return undefined;
    // More, or less down to nothing, which a receiver may take for a reset of the counter.
    const more = this.#draw.chance(0.7) || bucket[1] < 2;
    buckets[at] = [bucket[0], more ? bucket[1] + 1 : bucket[1] - 1];
    return { ...histogram, [side]: buckets };
  }
}

/** Whether there is room for another sample between this one and the next. */
function hasRoom(edited: EditedSeries, index: number): boolean {
  return edited.timeMs(index + 1) - edited.timeMs(index) > 20;
}

function isFiniteFloat(value: bigint | string): boolean {
  return typeof value === 'bigint' && Number.isFinite(numberOf(value));
}

function changedHistogram(
  edited: EditedSeries,
  index: number,
  change: (histogram: NativeHistogram) => NativeHistogram | undefined,
): Change | undefined {
  const histogram = edited.series.nativeHistograms?.[index];
  if (histogram === undefined || histogram.stale || observations(histogram) === 0) return undefined;
  const changed = change(histogram);
  return changed === undefined ? undefined : { do: 'set-histogram', histogram: changed };
}

function alterSum(histogram: NativeHistogram): NativeHistogram {
  return { ...histogram, sum: numberOf(bitsOf(histogram.sum) ^ 1n) };
}
