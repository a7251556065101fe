// What was seen of both sides before a migration: all that the findings are judged from.

import type { RejectReason } from '../../remote/meaning/remote-error.ts';
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

/** Of a sample that was written to find out what the destination accepts. */
export interface ProbeOutcome {
  /** Which labels it has: those of a mark, as many as the widest series, or the longest one. */
  readonly like: 'mark' | 'widest' | 'longest';
  readonly timeMs: number;
  readonly error:
    | (Omit<Refusal, 'side'> & {
        readonly reason: RejectReason | undefined;
        /** The samples are refused, not the request. */
        readonly isOfSamples: boolean;
      })
    | undefined;
  /** The response was a 202. */
  readonly isUnproven: boolean;
  /** Undefined if it was refused, or if the destination cannot be read. */
  readonly isShown: boolean | undefined;
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
  /** Only with --probe-write. */
  readonly probe?: readonly ProbeOutcome[];
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
