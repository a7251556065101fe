// Reads ranges for the planner's tests, like source-reader.ts.

import assert from 'node:assert/strict';
import { hasName } from '../../../../src/migration/series/name-partition.ts';
import type { ReadFailure } from '../../../../src/migration/read/read-failure.ts';
import type { Slice } from '../../../../src/migration/read/slice.ts';
import { SourceProof } from '../../../../src/migration/read/source-proof.ts';
import type { PlannerOptions } from '../../../../src/migration/read/planner-options.ts';
import { WindowPlanner } from '../../../../src/migration/read/window-planner.ts';
import type { Metric, SimulatedStore } from './simulated-store.ts';

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export const limits = { minMs: SECOND, maxMs: 30 * MINUTE, targetSamples: 1_000_000, targetBytes: 14_000_000 };

export function plannerOf({ limits: own = limits, ...changes }: Partial<PlannerOptions> = {}): WindowPlanner {
  const startsShort = changes.form !== undefined && changes.form !== 'Auto';
  return new WindowPlanner({
    limits: { ...own, startsShort },
    budgetBytes: 32_000_000,
    form: 'Auto',
    uncertainUntilMs: Number.NEGATIVE_INFINITY,
    proof: new SourceProof(),
    prefersNames: true,
    ...changes,
  });
}

export function metric(name: string, changes: Partial<Metric> = {}): Metric {
  return {
    name,
    series: 10,
    stepMs: 15 * SECOND,
    staggered: false,
    labelBytes: 200,
    stretches: [[0, 400 * DAY]],
    ...changes,
  };
}

export interface Delivery {
  readonly slice: Slice;
  readonly samples: number;
}

export interface Crossing {
  readonly deliveries: Delivery[];
  readonly requests: number;
  readonly refusals: number;
  readonly windows: number;
  readonly splits: ('time' | 'name')[];
}

/** Reads [fromMs, toMs) like source-reader.ts. `fault` returns the failure of a request before the store handles it. */
export function cross(
  planner: WindowPlanner,
  store: SimulatedStore,
  [fromMs, toMs]: readonly [number, number],
  fault: (slice: Slice) => ReadFailure | undefined = () => undefined,
  maxRequests = 20_000,
): Crossing {
  const deliveries: Delivery[] = [];
  const splits: ('time' | 'name')[] = [];
  let requests = 0;
  let refusals = 0;
  let windows = 0;
  planner.begin(fromMs, toMs);
  for (let slice = planner.next(); slice !== undefined; slice = planner.next()) {
    assert.ok(++requests <= maxRequests, `${maxRequests} requests and not at the end, but at ${slice.fromMs}`);
    const response = fault(slice) ?? store.read(slice);
    if ('kind' in response) {
      refusals++;
      const reaction = planner.failed(response);
      assert.equal(reaction.kind, 'retry', `${response.kind} ends it at ${JSON.stringify(slice)}`);
      if (reaction.kind === 'retry' && reaction.split !== undefined) splits.push(reaction.split.by);
      continue;
    }
    const verdict = planner.responded(response);
    if (verdict.kind === 'discard') continue;
    deliveries.push({ slice, samples: response.samples });
    assert.ok(verdict.remaining >= 0 && verdict.remaining < 1);
    if (verdict.remaining === 0) windows++;
  }
  return { deliveries, requests, refusals, windows, splits };
}

/** Each name's slices are contiguous, and no window with samples is too long. */
export function assertComplete(
  deliveries: readonly Delivery[],
  names: readonly string[],
  range: readonly [number, number],
  maxMs: number = limits.maxMs,
) {
  const reached = new Map(names.map((name) => [name, range[0]]));
  for (const { slice, samples } of deliveries) {
    const windowMs = slice.window.toMs - slice.window.fromMs;
    assert.ok(samples === 0 || windowMs <= maxMs, `a window of ${windowMs / MINUTE} minutes has samples`);
    assert.ok(slice.fromMs >= slice.window.fromMs && slice.toMs <= slice.window.toMs);
    for (const name of names) {
      if (!hasName(slice.names, name)) continue;
      assert.equal(slice.fromMs, reached.get(name), `${JSON.stringify(name)} is read twice or has a gap`);
      reached.set(name, slice.toMs);
    }
  }
  for (const [name, atMs] of reached) assert.equal(atMs, range[1], `${JSON.stringify(name)} is not read to the end`);
}
