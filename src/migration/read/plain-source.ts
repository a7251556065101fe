// What the planner knows about a source that sends plain samples instead of streams: whether its windows are planned as long ones, and where its
// metric names can be cut. Some adapters refuse the regular expressions that select a part of the names, and some ignore them: until the first
// part has shown that it has no other names, it may turn out that the source can only be read as a whole.

import { hasName, isAllNames, type NamePartition } from '../series/name-partition.ts';
import { isTooMuch, longWindowAfter, type MemoryLimits, type NextWindow, wantedMs } from './long-windows.ts';
import { WHOLE_WINDOW } from './name-portions.ts';
import type { OpenWindow, SliceOutcome } from './open-window.ts';
import type { ReadFailure } from './read-failure.ts';
import type { WindowLimits, WindowState } from './window-size.ts';

const MAX_KNOWN_NAMES = 4096;

export class PlainSource {
  readonly #limits: WindowLimits & MemoryLimits;
  /** The length for which the loads of the portions were predicted. */
  #plannedMs: number | undefined;
  #wantedMs: number;
  #names: readonly string[] = [];
  /** Whether the source selects a part of the names. */
  #selects: 'unknown' | 'yes' | 'no' = 'unknown';
  /** The last response with samples was plain, and windows are planned as long ones. */
  isPlain = false;

  constructor(limits: WindowLimits & MemoryLimits) {
    this.#limits = limits;
    this.#wantedMs = limits.maxMs;
  }

  /** The names of which the source has shown that they have samples, or some of them. */
  get names(): readonly string[] {
    return this.#names;
  }

  /** Whether it is worth trying to read a part of the names. */
  get mayCut(): boolean {
    return this.#selects !== 'no';
  }

  /** The names to cut at instead of reading a shorter window; undefined where that is not known to work, or cannot be undone. */
  namesToCut({ delivered }: OpenWindow): readonly string[] | undefined {
    return this.isPlain && (this.#selects === 'yes' || !delivered) ? this.#names : undefined;
  }

  /**
   * Looks at the first response for a part of the names, while nothing else of its window was delivered.
   * @returns false if the source has ignored what selects the part
   */
  selected(open: OpenWindow, outcome: SliceOutcome): boolean {
    if (!this.#isFirstPart(open)) return true;
    const { names } = open.slice;
    const seen = outcome.sampledNames?.() ?? [];
    if (seen.length === 0) return true;
    this.#selects = seen.every((name) => hasName(names, name)) ? 'yes' : 'no';
    return this.mayCut;
  }

  /** Whether the source refuses what selects a part of the names: not its size, and not because it cannot be reached. */
  refuses(failure: ReadFailure, open: OpenWindow): boolean {
    const responded = failure.kind === 'transient' && failure.responded;
    const isRefusal = responded || failure.kind === 'ambiguous' || failure.kind === 'refused';
    if (!isRefusal || !this.#isFirstPart(open)) return false;
    this.#selects = 'no';
    return true;
  }

  #isFirstPart({ delivered, slice }: OpenWindow): boolean {
    return this.isPlain && this.#selects === 'unknown' && !delivered && !isAllNames(slice.names);
  }

  /** Whether windows were planned as long ones until now. */
  left(): boolean {
    const planned = this.#plannedMs !== undefined;
    this.#plannedMs = undefined;
    return planned;
  }

  /** Whether the next window can't read as much as this slice at once. */
  isTooMuch({ series, samples, bytes, fixedBytes }: SliceOutcome, sliceMs: number): boolean {
    return isTooMuch({ load: { series, samples, bytes }, fixedBytes, sliceMs }, this.#wantedMs, this.#limits);
  }

  /** Where a slice that was read can be cut; empty if the next window will not need it. */
  cutsOf(outcome: SliceOutcome, { fromMs, toMs, names }: OpenWindow['slice']): readonly string[] {
    if (!this.isTooMuch(outcome, toMs - fromMs)) return [];
    const sampled = outcome.sampledNames?.() ?? [];
    this.#learn(names, sampled);
    return sampled;
  }

  /** The window after one that was read. @param refused the source has refused a portion: none may become larger than those that were read */
  windowAfter(open: OpenWindow, state: WindowState, refused: boolean): NextWindow {
    const read = { lengthMs: open.lengthMs, portions: open.contents, ...(refused && { largest: open.largest }) };
    this.#wantedMs = wantedMs(read, this.#limits);
    const next = longWindowAfter(read, state, this.#limits, this.#plannedMs ?? open.lengthMs);
    this.#plannedMs = next.size.lengthMs;
    return next;
  }

  /** The size after a window that was read in one slice; undefined if the next one may be read in several. */
  sizeAfter(outcome: SliceOutcome, lengthMs: number, state: WindowState): WindowState | undefined {
    if (this.isTooMuch(outcome, lengthMs)) return undefined;
    const { series, samples, bytes, fixedBytes } = outcome;
    const whole = { sliceMs: lengthMs, load: { series, samples, bytes }, fixedBytes, sampled: [] };
    const portions = WHOLE_WINDOW.map((portion) => ({ ...whole, portion }));
    return longWindowAfter({ lengthMs, portions }, state, this.#limits, lengthMs).size;
  }

  #learn(partition: NamePartition, sampled: readonly string[]): void {
    const others = this.#names.filter((name) => !hasName(partition, name));
    this.#names = [...others, ...new Set(sampled)].slice(-MAX_KNOWN_NAMES);
  }
}
