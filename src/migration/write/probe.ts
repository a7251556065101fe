// Probes: samples of the run itself, in the progress series, at the last millisecond of a window. They show whether the destination accepts
// samples at all, and whether it stores the good part of a request that it refuses.

import { RemoteError } from '../../remote/meaning/remote-error.ts';
import type { WriteClient } from '../../remote/write-client.ts';
import { encodeLabels, type LabelBytes } from '../../wire/labels.ts';
import { labelKey } from '../../wire/label-hash.ts';
import { compress } from '../../wire/snappy/snappy.ts';
import { WriteBatch } from '../../wire/requests/write-batch.ts';
import type { MigrationPlan } from '../plan/migration-plan.ts';
import type { DestinationView } from '../progress/destination-view.ts';
import { markLabels, PROGRESS_METRIC } from '../progress/progress-mark.ts';
import { lookFor } from '../progress/settling.ts';

export interface ProbeOptions {
  readonly plan: MigrationPlan;
  readonly client: WriteClient;
  readonly view: DestinationView;
}

export class Probe {
  readonly #client: WriteClient;
  readonly #view: DestinationView;
  /**
   * The `shard` differs from that of the marks and of the view's own probe: what the view learns from their labels must not depend on these.
   */
  readonly #labels: Readonly<Record<string, string>>;

  constructor({ plan, client, view }: ProbeOptions) {
    this.#client = client;
    this.#view = view;
    this.#labels = { ...markLabels(plan, undefined), shard: 'probe', probe: '1' };
  }

  /** Sends one sample, without a retry. @returns why the destination does not accept a sample of `timeMs`; undefined if it does */
  send(timeMs: number, signal: AbortSignal): Promise<RemoteError | undefined> {
    return this.#send(requestOf(encodeLabels(Object.entries(this.#labels)), timeMs), signal);
  }

  /**
   * Sends a good sample together with one that the destination refuses, and checks whether the good one is there afterwards.
   * @param refused a WriteRequest with nothing good in it
   * @returns `unclear` if the destination's response differs from the earlier one, or if nothing can be seen
   */
  async sendBeside(
    refused: Uint8Array,
    timeMs: number,
    signal: AbortSignal,
  ): Promise<'kept' | 'rolled-back' | 'accepted' | 'unclear'> {
    const labels = await this.#unusedLabels(timeMs, signal);
    if (labels === undefined) return 'unclear';
    const error = await this.#send(Buffer.concat([requestOf(labels, timeMs), refused]), signal);
    if (error === undefined) return 'accepted';
    if (error.class !== 'rejected') return 'unclear';
    const isShown = lookFor(() => this.#isShown(labels, timeMs, signal));
    return (await this.#view.settled(isShown, signal)) ? 'kept' : 'rolled-back';
  }

  /** A sample that an earlier run left under the same labels would prove nothing. */
  async #unusedLabels(timeMs: number, signal: AbortSignal): Promise<LabelBytes | undefined> {
    for (let beside = 1; beside <= MAX_EARLIER_PROBES; beside++) {
      const labels = encodeLabels(Object.entries({ ...this.#labels, shard: `probe-${beside}` }));
      const shown = await this.#isShown(labels, timeMs, signal);
      if (this.#view.hides(labels) === 'everything') return undefined;
      if (!shown) return labels;
    }
    return undefined;
  }

  async #isShown(labels: LabelBytes, timeMs: number, signal: AbortSignal): Promise<boolean> {
    const range = { names: [PROGRESS_METRIC], keys: () => [labelKey(labels)], fromMs: timeMs, toMs: timeMs + 1 };
    return (await this.#view.presentTimes(range, signal)).size > 0;
  }

  async #send(request: Uint8Array, signal: AbortSignal): Promise<RemoteError | undefined> {
    try {
      await this.#client.write(compress(request), { attempt: 1, signal });
      return undefined;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof RemoteError)) throw error;
      return error;
    }
  }
}

const MAX_EARLIER_PROBES = 20;

function requestOf(labels: LabelBytes, timeMs: number): Uint8Array {
  const batch = new WriteBatch(1024);
  batch.appendSample(labels, timeMs, 0);
  return batch.request();
}
