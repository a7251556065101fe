// One window on its way from the source to the destination, from its first part to its mark.

import type { MigrationProgress } from '../report/observer.ts';
import type { WindowInFlight } from '../progress/completion.ts';
import type { WindowPart } from '../read/window-part.ts';
import type { RemoteError } from '../../remote/meaning/remote-error.ts';
import type { RemoteCode } from '../../remote/meaning/response-codes.ts';
import { WindowAccount } from './accounting.ts';
import type { DeliveryWindow, HistogramExample, Refusal, Unproven } from './attempt.ts';

export class CopiedWindow implements DeliveryWindow, WindowInFlight {
  readonly fromMs: number;
  readonly toMs: number;
  /** When its first request was sent to the source, on the monotonic clock. */
  readonly requestedAtMs: number;
  readonly account: WindowAccount;
  /** The number of series with samples. */
  series = 0;
  shown: Set<string> | undefined = undefined;
  firstRejection: RemoteError | undefined = undefined;
  readonly refusals = new Map<RemoteCode, Refusal>();
  unproven: Unproven[] = [];
  unprovenBytes = 0;
  histograms = 0;
  histogramExample: HistogramExample | undefined = undefined;
  floatExample: DeliveryWindow['floatExample'] = undefined;

  constructor({ window, requestedAtMs }: Pick<WindowPart, 'window' | 'requestedAtMs'>, progress: MigrationProgress) {
    this.fromMs = window.fromMs;
    this.toMs = window.toMs;
    this.requestedAtMs = requestedAtMs;
    this.account = new WindowAccount(progress);
  }

  get share(): number {
    return this.account.share;
  }
}
