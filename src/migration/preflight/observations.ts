// What was seen of both sides before a migration: all that the findings are judged from.

import type { Side } from '../../remote/meaning/side.ts';
import type { ServerReport } from '../../remote/server-report.ts';
import type { MigrationPlan } from '../plan/migration-plan.ts';
import type { Estimate } from './preflight-result.ts';
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
}
