// What the window planner is made with.

import type { SourceForm } from './sample-mode.ts';
import type { SourceProof } from './source-proof.ts';
import type { WindowLimits } from './window-size.ts';

export interface PlannerOptions {
  readonly limits: WindowLimits;
  /** The memory budget of one window. */
  readonly budgetBytes: number;
  readonly form: SourceForm;
  /** What lies before this time will be compared with the destination. */
  readonly uncertainUntilMs: number;
  readonly proof: SourceProof;
  /** Whether the names of a window may be read separately only because that is cheaper. */
  readonly prefersNames: boolean;
}
