// What was seen of both sides before a migration: all that the findings are judged from.

import type { Side } from '../../remote/meaning/side.ts';
import type { ServerReport } from '../../remote/server-report.ts';
import type { MigrationPlan } from '../plan/migration-plan.ts';
import type { Estimate } from './preflight-result.ts';
import type { LabelShape } from './label-shape.ts';
import type { ProbeWindow } from './probe-window.ts';

/** A response that a retry cannot help. */
export interface Refusal {
  readonly side: Side;
  /** Of docs/errors.md. */
  readonly code: string;
  readonly message: string;
  readonly hint: string | undefined;
}

export interface DestinationData {
  /** Undefined: not known. */
  readonly hasMark: boolean | undefined;
  /** Beginnings of probed windows in which it has samples of the selected series. */
  readonly presentAtMs: readonly number[];
  /** Whether it has samples of the selected series between the end of the range and now. */
  readonly hasNewer: boolean | undefined;
}

export interface Observations {
  readonly plan: MigrationPlan;
  readonly nowMs: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly servers: { readonly [side in Side]?: ServerReport };
  readonly refusals: readonly Refusal[];
  readonly windows: readonly ProbeWindow[];
  readonly tooLarge: readonly { readonly fromMs: number; readonly toMs: number; readonly reason: string }[];
  readonly destination: DestinationData;
  readonly estimate: Estimate | undefined;
  /** Of what is written; undefined if nothing was found. */
  readonly shape?: LabelShape | undefined;
}

/** The oldest sample that the copy writes, as far as it is known. */
export function oldestMs({ windows, startMs, destination }: Observations): number | undefined {
  // A run resumes at the mark, which is later.
  if (destination.hasMark === true) return undefined;
  const first = windows.findIndex(({ samples }) => samples > 0);
  if (first < 0) return windows.length === 0 ? startMs : undefined;
  // Between the last empty window and the first one with samples nothing was read.
  return first === 0 ? startMs : windows[first - 1]?.toMs;
}
