// The current situation of a migration, from which its status is made.

import type { Failures, Outcome } from './attempt.ts';
import type { Reason } from './conditions.ts';

export type Situation =
  | { readonly kind: 'rejected'; readonly reason: Reason<'Accepted'>; readonly message: string }
  /** Both sides are looked at, or will be soon. */
  | { readonly kind: 'preflight' }
  | { readonly kind: 'waiting' }
  | { readonly kind: 'waitingForPods' }
  | { readonly kind: 'suspended' }
  | { readonly kind: 'running'; readonly stalledMs: number | undefined }
  | { readonly kind: 'pausing'; readonly failures: Failures; readonly stalledMs: number | undefined }
  /** The operator is being stopped. */
  | { readonly kind: 'interrupted' }
  /** The resource is being deleted, and nothing runs any more. */
  | { readonly kind: 'deleting' }
  | { readonly kind: 'ended'; readonly outcome: Outcome; readonly atMs: number }
  /** Ended before; only its generation has to be recorded. */
  | { readonly kind: 'unchanged' };
