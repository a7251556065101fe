// Finds out, before anything is read, which stretches of a migration remain: after the destination has settled, so that no stretch has to ask
// again.

import type { Clock } from '../../telemetry/clock.ts';
import { emptyRange } from '../plan/empty-range.ts';
import type { MigrationPlan } from '../plan/migration-plan.ts';
import { type Division, divide, FIRST_SHARD, stretchLengthMs, type TimeRange } from '../plan/stretches.ts';
import { uncertainMs } from '../plan/window-bounds.ts';
import type { DestinationView } from '../progress/destination-view.ts';
import type { Mark } from '../progress/progress-mark.ts';

export interface FoundStretches extends Division {
  readonly range: TimeRange;
  readonly lengthMs: number;
  /** The end, if the manifest leaves it open. */
  readonly frozenEndMs: number | undefined;
  readonly marks: readonly Mark[];
}

export interface FindingContext {
  readonly view: DestinationView;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * @param seen called with what the destination shows at first; what remains is about that
 * @throws MigrationError; RemoteError; the signal's reason
 */
export async function findStretches(
  plan: MigrationPlan,
  { view, clock, signal }: FindingContext,
  seen: (found: FoundStretches) => void = () => undefined,
): Promise<FoundStretches> {
  const openEndMs = clock.now() - plan.lagMs;
  const behindMs = uncertainMs(plan.destination.ordering);
  let isFirst = true;
  const find = async (): Promise<FoundStretches> => {
    const toMs = Math.max(plan.endMs ?? 0, clock.now() + 1);
    const shown = await view.ledger(toMs, signal);
    const endMs = plan.endMs ?? frozenEnd(shown) ?? openEndMs;
    // An earlier run may have had another clock.
    const marks = endMs > toMs ? await view.ledger(endMs, signal) : shown;
    if (endMs <= plan.startMs) throw emptyRange(endMs);
    const range = { startMs: plan.startMs, endMs };
    const lengthMs = stretchLengthMs(range, plan.execution.stretchMs);
    const division = divide({
      range,
      lengthMs,
      marks,
      uncertainMs: behindMs,
      startMayHoldSamples:
        !marks.some(({ shard }) => shard === FIRST_SHARD) &&
        !(await view.isEmpty(range.startMs, Math.min(range.startMs + behindMs, endMs), signal)),
    });
    const found = { ...division, range, lengthMs, frozenEndMs: plan.endMs === undefined ? endMs : undefined, marks };
    if (isFirst) seen(found);
    isFirst = false;
    return found;
  };
  const look = {
    look: find,
    isComplete: ({ stretches, marks }: FoundStretches) =>
      stretches.length === 0 && marks.every(({ counts }) => counts !== undefined),
    isSame: (before: FoundStretches, after: FoundStretches) => keyOf(before) === keyOf(after),
    isProven: async ({ marks, stretches: [first], range }: FoundStretches) =>
      marks.length === 0 &&
      first?.mayHoldSamples === false &&
      (await view.isUntouched(range.startMs, Math.min(range.startMs + behindMs, range.endMs), signal)),
  };
  return await view.settled(look, signal);
}

/** All runs freeze the same end, unless one did not see the marks of another. Then nothing must be left out. */
function frozenEnd(marks: readonly Mark[]): number | undefined {
  const ends = marks.flatMap(({ endMs }) => endMs ?? []);
  return ends.length === 0 ? undefined : Math.max(...ends);
}

function keyOf({ stretches, range, marks }: FoundStretches): string {
  return JSON.stringify([stretches, range, marks.map(({ shard, samples }) => [shard, samples]).sort()]);
}
