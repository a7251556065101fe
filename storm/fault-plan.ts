// Assigns faults to the requests of a route. The plan is drawn once from the seed, with healthy stretches between the faults. After the
// last fault the proxy only forwards. Pure.

import { FAULT_KINDS, type FaultKind, type Way } from './fault-kinds.ts';
import { drawFor } from './random.ts';

/** Consecutive requests that all meet the same fault; the first request of a route has number 1. */
export interface PlannedFault {
  readonly kind: FaultKind;
  readonly from: number;
  readonly to: number;
  /** In [0, 1): where a response is cut, or how long something takes. */
  readonly part: number;
}

export interface PlanOptions {
  readonly seed: number;
  readonly way: Way;
  readonly destination: 'prometheus' | 'victoria-metrics';
  /** The kinds to select from; all by default. */
  readonly kinds?: readonly FaultKind[] | undefined;
}

/** Faulty stretches per route, and healthy requests before each. A read-back has few requests. */
const STRETCHES: Readonly<Record<Way, readonly [least: number, most: number]>> = {
  source: [1, 4],
  write: [3, 6],
  progress: [1, 3],
};
const HEALTHY: Readonly<Record<Way, readonly [least: number, most: number]>> = {
  source: [0, 5],
  write: [0, 8],
  progress: [0, 4],
};

/** The faults of this route for this seed, in the order of its requests. */
export function planFaults({ seed, way, destination, kinds = FAULT_KINDS }: PlanOptions): readonly PlannedFault[] {
  const draw = drawFor('faults', seed, way);
  const possible = kinds.filter((kind) => kind.ways.includes(way) && kind.doublesIn !== destination);
  if (possible.length === 0) return [];
  const plan: PlannedFault[] = [];
  let next = 1;
  for (let left = draw.integer(...STRETCHES[way]); left > 0; left--) {
    const from = next + draw.integer(...HEALTHY[way]);
    const to = from + lengthOf(draw.number());
    plan.push({ kind: draw.pick(possible), from, to, part: draw.number() });
    // At least one healthy request, or two stretches would be one.
    next = to + 2;
  }
  return plan;
}

/** Further requests of a stretch: usually none, sometimes as many as a restarting proxy would affect. */
function lengthOf(drawn: number): number {
  if (drawn < 0.65) return 0;
  return drawn < 0.85 ? 1 : drawn < 0.95 ? 2 : 3;
}

export function faultAt(plan: readonly PlannedFault[], request: number): PlannedFault | undefined {
  return plan.find(({ from, to }) => request >= from && request <= to);
}
