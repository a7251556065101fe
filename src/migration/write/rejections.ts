// Counts and reports the samples that a destination rejects, and ends the migration if the plan requires it.

import type { RejectReason, RemoteError } from '../../remote/meaning/remote-error.ts';
import { formatLabels } from '../../wire/label-text.ts';
import { MigrationError } from '../report/migration-error.ts';
import type { MigrationObserver, MigrationProgress } from '../report/observer.ts';
import type { MigrationPlan } from '../plan/migration-plan.ts';
import type { DeliveryWindow, SampleAt } from './attempt.ts';

const MAX_NAMED = 10;
/** With `rejectedSamples: Fail` the search for further bad samples ends here. */
export const REJECTIONS_BEFORE_STOPPING = 100;

export interface Rejected {
  readonly reason: RejectReason;
  readonly samples: number;
  readonly error: RemoteError;
  readonly example: SampleAt | undefined;
  /** The exact number of missing samples is unknown; this is an upper bound. */
  readonly isBound: boolean;
}

export class Rejections {
  readonly #plan: MigrationPlan;
  readonly #observer: MigrationObserver;
  readonly #progress: MigrationProgress;
  #named = 0;

  constructor(options: { plan: MigrationPlan; observer: MigrationObserver; progress: MigrationProgress }) {
    this.#plan = options.plan;
    this.#observer = options.observer;
    this.#progress = options.progress;
  }

  add(window: DeliveryWindow, { reason, samples, error, example, isBound }: Rejected): void {
    window.firstRejection ??= error;
    window.account.addRejected(reason, samples, isBound ? samples : 0);
    if (this.#named < MAX_NAMED) {
      this.#named++;
      const named = example && { labels: formatLabels(example.labels), timeMs: example.timeMs };
      const event = { type: 'rejected', reason, samples, isBound, response: error.message } as const;
      this.#observer.event({ ...event, ...(named && { example: named }) });
    }
    this.#observer.progress(this.#progress);
  }

  /** @throws MigrationError with `rejectedSamples: Fail`, if writing the rest of the window is pointless */
  stopIfPointless(window: DeliveryWindow): void {
    if (this.#plan.rejectedSamples !== 'Fail' || window.account.rejected === 0) return;
    const ofAll = [...window.refusals.values()].some((refusal) => refusal.ofAll);
    if (!ofAll && window.account.rejected < REJECTIONS_BEFORE_STOPPING) return;
    throw samplesRejected(window, 'the beginning');
  }
}

/**
 * With `rejectedSamples: Fail`: the error that ends the migration, with the destination's own message and the setting that would help.
 * @param counted how much of the window was written or refused
 */
export function samplesRejected(
  window: DeliveryWindow,
  counted: 'all of the window' | 'the beginning',
): MigrationError {
  const { firstRejection: first, account } = window;
  const range = `${new Date(window.fromMs).toISOString()} to ${new Date(window.toMs).toISOString()}`;
  const because = first === undefined ? 'their labels are not valid' : first.message;
  return new MigrationError(
    'samples-rejected',
    `${howMany(account, counted)} of the window ${range} cannot be written: ${because}`,
    {
      side: 'destination',
      hint: first?.hint?.includes('spec.rejectedSamples')
        ? first.hint
        : `${first?.hint === undefined ? '' : `${first.hint}; or `}set spec.rejectedSamples to Skip to continue without them`,
      cause: first,
    },
  );
}

function howMany(
  { rejected, rejectedUnproven, read }: DeliveryWindow['account'],
  counted: 'all of the window' | 'the beginning',
): string {
  if (counted === 'all of the window')
    return `${rejectedUnproven > 0 ? 'at most ' : ''}${rejected} of the ${read} samples`;
  if (rejected > rejectedUnproven) return `at least ${rejected - rejectedUnproven} samples`;
  return `some samples (${rejected} were rejected before writing stopped; some of these may have been stored)`;
}
