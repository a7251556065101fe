// Checks that the responses of a Thanos component can be complete: by what its Info API says before and after each of them. A Query asks its
// stores every five seconds whether they are there.

import type { ReadQuery } from '../../remote/read-series.ts';
import type { StoreClient } from '../../remote/store-client.ts';
import type { Clock } from '../../telemetry/clock.ts';
import { WireError } from '../../wire/errors.ts';
import type { StoreInfo } from '../../wire/store-api/info-response.ts';
import type { MigrationObserver } from '../report/observer.ts';
import { StoreCoverage } from './store-coverage.ts';

/** What was said before a response may be this old. */
const MAX_AGE_MS = 1000;
const SHOWN_LABELS = 3;

export interface StoreChecksOptions {
  readonly client: Pick<StoreClient, 'info' | 'storesMissing'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly observer: Pick<MigrationObserver, 'event'>;
}

type Query = Pick<ReadQuery, 'matchers' | 'fromMs' | 'toMs'>;

export class StoreChecks {
  readonly #options: StoreChecksOptions;
  readonly #coverage = new StoreCoverage();
  #isOffered = true;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #hasReportedLate = false;

  constructor(options: StoreChecksOptions) {
    this.#options = options;
  }

  /**
   * Called before a request.
   * @returns what is known of the component then, for `after`
   * @throws RemoteError `stores-missing` if the response could not be complete; as `StoreClient.info`
   */
  async before(query: Query, signal: AbortSignal): Promise<ReadonlySet<string>> {
    if (this.#options.clock.monotonicMs() - this.#lookedAtMs > MAX_AGE_MS) await this.#check(query, signal);
    return this.#coverage.keys;
  }

  /** Called when a response has arrived completely, before it is used. @throws like `before` */
  async after(query: Query, known: ReadonlySet<string>, signal: AbortSignal): Promise<void> {
    const info = await this.#check(query, signal);
    const appeared = info === undefined ? undefined : this.#coverage.appeared(info, query, known);
    if (appeared !== undefined) throw this.#options.client.storesMissing(appeared);
    this.#coverage.wasRead(query);
  }

  async #check(query: Query, signal: AbortSignal): Promise<StoreInfo | undefined> {
    if (!this.#isOffered) return undefined;
    const info = await this.#info(signal);
    if (info === undefined) return undefined;
    const missing = this.#coverage.missing(info, query);
    if (missing !== undefined) throw this.#options.client.storesMissing(missing);
    this.#lookedAtMs = this.#options.clock.monotonicMs();
    this.#reportLate(this.#coverage.learn(info));
    return info;
  }

  async #info(signal: AbortSignal): Promise<StoreInfo | undefined> {
    const { client } = this.#options;
    let reason = 'the source has no Info API';
    try {
      const info = await client.info(signal);
      if (info !== undefined) return info;
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      reason = `the response of the source's Info API cannot be read (${error.message})`;
    }
    // It was there before: a proxy, a restart, or another release while a new one is rolled out. Another attempt sees more.
    if (Number.isFinite(this.#lookedAtMs)) throw client.storesMissing(`${reason} any more`);
    this.#isOffered = false;
    const message = `${reason}: if it is a Query that loses one of its stores, ranges without the samples of that store look complete`;
    this.#options.observer.event({ type: 'warning', code: 'stores-unknown', message });
    return undefined;
  }

  #reportLate(labels: readonly string[]): void {
    if (labels.length === 0 || this.#hasReportedLate) return;
    this.#hasReportedLate = true;
    const shown = labels.slice(0, SHOWN_LABELS).join(', ');
    const more = labels.length > SHOWN_LABELS ? ` and ${labels.length - SHOWN_LABELS} more` : '';
    const message = `the source now has data with the external labels ${shown}${more} in a range that was already read without it`;
    this.#options.observer.event({ type: 'warning', code: 'stores-appeared', message });
  }
}
