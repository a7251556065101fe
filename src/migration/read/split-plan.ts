// How a slice that could not be read is made smaller: less time, or fewer names. Pure.

import { isCutPoint, type NamePartition, splitNames } from '../series/name-partition.ts';
import type { Halvings } from './halvings.ts';
import type { OpenWindow } from './open-window.ts';
import type { Limit, ReadFailure } from './read-failure.ts';
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
  /** Names of the source, if a shorter window costs it more than fewer names. */
  readonly names: readonly string[] | undefined;
}

/** @returns undefined if the slice can't be made smaller */
export function splitPlanOf(failure: ReadFailure, state: SplitState): SplitPlan | undefined {
  const { open, isStride, size, limits, halvings } = state;
  const { slice } = open;
  const sliceMs = slice.toMs - slice.fromMs;
  const cheap = isStride ? undefined : cheapHalves(failure, state);
  if (cheap !== undefined) return { by: 'name', halves: cheap };
  const helps = timeHelps(failure, open, halvings);
  const isAllOfWindow = !open.delivered && sliceMs === open.lengthMs;
  const shorter = isAllOfWindow ? halve(size, limits, open.lengthMs) : undefined;
  // Split by name, a stride would stay longer than a window with samples may be, whatever data it found.
  if (shorter !== undefined && (helps || isStride)) return { by: 'window', shorter };
  if (helps && sliceMs > limits.minMs) {
    return { by: 'piece', pieceMs: Math.max(limits.minMs, Math.floor(sliceMs / 2)) };
  }
  const halves = splitNames(slice.names, seenIn(failure));
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

/** Halves by name that spare the source a shorter window; undefined if a half might be empty. */
function cheapHalves(failure: ReadFailure, { open, names }: SplitState): [NamePartition, NamePartition] | undefined {
  if (failure.kind !== 'too-large' || names === undefined) return undefined;
  const partition = open.slice.names;
  const seen = [...seenIn(failure), ...names].filter((name) => isCutPoint(partition, name));
  return new Set(seen).size < 2 ? undefined : splitNames(partition, seen);
}

/** Whether a source that has this limit needs the names apart for good. @param namesFirst shorter windows are not tried */
export function isOfNames(limit: Limit, namesFirst: boolean): boolean {
  return limit === 'series' || limit === 'bytes' || (limit === 'samples' && namesFirst);
}

function seenIn(failure: ReadFailure): readonly string[] {
  return failure.kind === 'too-large' ? failure.seenNames : [];
}
