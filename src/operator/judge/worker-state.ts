// What the worker of a migration does.

import type { VerificationSettings } from '../../api/prom-migration-status.ts';
import type { Rates } from '../../execute/worker-messages.ts';
import type { Failures, Outcome, StopCause } from './attempt.ts';

export type WorkerState =
  | { readonly kind: 'idle'; readonly failures: Failures | undefined }
  | {
      readonly kind: 'running';
      /** It copies nothing: the pods of a Job do. */
      readonly follows: boolean;
      /** It copies nothing yet: it looks at both sides. */
      readonly looks: boolean;
      /** Of a follower: its job key. */
      readonly restartKey: string;
      readonly rates: Rates;
      readonly parallelism: number;
      /** Undefined: it only copies. */
      readonly verification: VerificationSettings | undefined;
      readonly stopping: StopCause | undefined;
      readonly failures: Failures | undefined;
    }
  | {
      readonly kind: 'ended';
      readonly outcome: Outcome;
      readonly generation: number;
      /** A timestamp. */
      readonly atMs: number;
      /** What the finished comparison was made with; undefined if there was none. */
      readonly verified: VerificationSettings | undefined;
    };
