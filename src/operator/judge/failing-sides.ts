// Which side of a migration fails, and since when. Distinguishes an outage from ordinary network noise. Pure, times are passed in.

import type { MigrationEvent } from '../../migration/report/observer.ts';
import type { RemoteCode } from '../../remote/meaning/response-codes.ts';
import type { Side } from '../../remote/meaning/side.ts';
import { statusText } from './status-text.ts';

/** A side that keeps failing. */
export interface Failing {
  readonly side: Side;
  /** On the monotonic clock. */
  readonly sinceMs: number;
  readonly attempt: number;
  readonly code: RemoteCode;
  readonly message: string;
  /** When a request last succeeded after the failures; undefined while none has. */
  readonly recoveredAtMs: number | undefined;
}

/** This many consecutive failures of a request, over this time, are an outage; fewer are ordinary network noise. */
const OUTAGE_ATTEMPTS = 3;
const OUTAGE_MS = 5_000;
/** How long a side must be healthy before its outage counts as over: a condition that flaps is useless. */
const RECOVERED_MS = 15_000;

export class FailingSides {
  readonly #failing = new Map<Side, Failing>();

  /** The side whose requests have kept failing for a while. `nowMs` is on the monotonic clock. */
  outage(nowMs: number): Failing | undefined {
    return [...this.#failing.values()].find(({ attempt, sinceMs, recoveredAtMs }) => {
      if (recoveredAtMs !== undefined && nowMs - recoveredAtMs >= RECOVERED_MS) return false;
      return attempt >= OUTAGE_ATTEMPTS && (recoveredAtMs ?? nowMs) - sinceMs >= OUTAGE_MS;
    });
  }

  retried(event: MigrationEvent & { readonly type: 'retry' }, nowMs: number): void {
    const { side, code, message } = event;
    const known = this.#failing.get(side);
    const over = known?.recoveredAtMs !== undefined && nowMs - known.recoveredAtMs >= RECOVERED_MS;
    const before = over ? undefined : known;
    const attempt = Math.max(event.attempt, before?.attempt ?? 0);
    const sinceMs = before?.sinceMs ?? nowMs;
    this.#failing.set(side, {
      side,
      code,
      message: statusText(message),
      attempt,
      sinceMs,
      recoveredAtMs: undefined,
    });
  }

  recovered(side: Side, nowMs: number): void {
    const failing = this.#failing.get(side);
    if (failing !== undefined && failing.recoveredAtMs === undefined) {
      this.#failing.set(side, { ...failing, recoveredAtMs: nowMs });
    }
  }

  clear(): void {
    this.#failing.clear();
  }
}
