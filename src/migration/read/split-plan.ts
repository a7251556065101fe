// How a slice that could not be read is made smaller: less time, or fewer names. Pure.

import { type NamePartition, splitNames } from '../series/name-partition.ts';
import type { Halvings } from './halvings.ts';
import type { OpenWindow } from './open-window.ts';
import type { ReadFailure } from './read-failure.ts';
import { halve, type WindowLimits, type WindowState } from './window-size.ts';

export type SplitPlan =
  | { readonly by: 'window'; readonly shorter: WindowState }
  | { readonly by: 'piece'; readonly pieceMs: number }
  | { readonly by: 'name'; readonly halves: readonly [NamePartition, NamePartition] };

export interface SplitState {
  readonly open: OpenWindow;
  /** Whether the open window is longer than a window with samples may be. */
  readonly isStride: boolean;
  readonly size: WindowState;
  readonly limits: WindowLimits;
  readonly halvings: Halvings;
}

/** @returns undefined if the slice can't be made smaller */
export function splitPlanOf(failure: ReadFailure, state: SplitState): SplitPlan | undefined {
  const { open, isStride, size, limits, halvings } = state;
  const { slice } = open;
  const sliceMs = slice.toMs - slice.fromMs;
  const helps = timeHelps(failure, open, halvings);
  const isAllOfWindow = !open.delivered && sliceMs === open.lengthMs;
  const shorter = isAllOfWindow ? halve(size, limits, open.lengthMs) : undefined;
  // Split by name, a stride would stay longer than a window with samples may be, whatever data it found.
  if (shorter !== undefined && (helps || isStride)) return { by: 'window', shorter };
  if (helps && sliceMs > limits.minMs) {
    return { by: 'piece', pieceMs: Math.max(limits.minMs, Math.floor(sliceMs / 2)) };
  }
  const halves = splitNames(slice.names, failure.kind === 'too-large' ? failure.seenNames : []);
  if (halves !== undefined) return { by: 'name', halves };
  return sliceMs > 1 ? { by: 'piece', pieceMs: Math.floor(sliceMs / 2) } : undefined;
}

/** Whether half the time is likely to contain less of what exceeded the limit. */
function timeHelps(failure: ReadFailure, open: OpenWindow, halvings: Halvings): boolean {
  if (failure.kind !== 'too-large') return true;
  if (open.isWhole || failure.limit === 'samples' || failure.limit === 'labels') return halvings.mayHelp(failure.limit);
  const { fromMs, toMs } = open.slice;
  return halvings.isLongerThanGood(toMs - fromMs);
}
