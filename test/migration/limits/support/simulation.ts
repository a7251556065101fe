// Writers with a followed rate, and a destination with a token bucket, on a simulated clock.

import { DestinationPace } from '../../../../src/migration/limits/destination-pace.ts';
import type { Amounts, LimitUnit } from '../../../../src/migration/limits/limit-units.ts';
import type { HeldBy } from '../../../../src/migration/report/observer.ts';
import { RemoteError } from '../../../../src/remote/meaning/remote-error.ts';
import type { Clock } from '../../../../src/telemetry/clock.ts';

/** Time passes only when all wait. */
export class SimulatedClock implements Clock {
  #nowMs = 0;
  #order = 0;
  readonly #sleepers = new Set<{ readonly untilMs: number; readonly order: number; readonly wake: () => void }>();

  now(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const sleeper = { untilMs: this.#nowMs + ms, order: this.#order++, wake: resolve };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', () => {
        if (this.#sleepers.delete(sleeper)) reject(signal.reason);
      });
    });
  }

  async run(endMs: number): Promise<void> {
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      let next: { readonly untilMs: number; readonly order: number; readonly wake: () => void } | undefined;
      for (const one of this.#sleepers) {
        if (
          next === undefined ||
          one.untilMs < next.untilMs ||
          (one.untilMs === next.untilMs && one.order < next.order)
        )
          next = one;
      }
      if (next === undefined || next.untilMs > endMs) return;
      this.#sleepers.delete(next);
      this.#nowMs = next.untilMs;
      next.wake();
    }
  }
}

/** A token bucket as golang.org/x/time/rate has it: a refused request takes nothing. */
export class Bucket {
  readonly unit: LimitUnit;
  /** What it has let through, in its unit. */
  readonly passedAtMs: { readonly atMs: number; readonly amount: number }[] = [];
  readonly refusedAtMs: number[] = [];
  readonly #clock: Clock;
  readonly #limitAt: (atMs: number) => number;
  readonly #burst: number;
  #saved: number;
  #savedAtMs = 0;

  constructor(options: {
    readonly clock: Clock;
    readonly unit?: LimitUnit;
    readonly limitAt: (atMs: number) => number;
    readonly burst: number;
  }) {
    this.#clock = options.clock;
    this.unit = options.unit ?? 'samples';
    this.#limitAt = options.limitAt;
    this.#burst = options.burst;
    this.#saved = options.burst;
  }

  take(amounts: Amounts): boolean {
    const nowMs = this.#clock.monotonicMs();
    const perSecond = this.#limitAt(nowMs);
    this.#saved = Math.min(this.#burst, this.#saved + ((nowMs - this.#savedAtMs) * perSecond) / 1000);
    this.#savedAtMs = nowMs;
    const amount = amounts[this.unit];
    if (amount > this.#saved) {
      this.refusedAtMs.push(nowMs);
      return false;
    }
    this.#saved -= amount;
    this.passedAtMs.push({ atMs: nowMs, amount });
    return true;
  }

  /** What passed in [fromMs, toMs), as a share of what the limit allows in this time. */
  share(fromMs: number, toMs: number): number {
    let allowed = 0;
    for (let atMs = fromMs; atMs < toMs; atMs += 100) allowed += this.#limitAt(atMs) / 10;
    const passed = this.passedAtMs.filter(({ atMs }) => atMs >= fromMs && atMs < toMs);
    return passed.reduce((sum, { amount }) => sum + amount, 0) / allowed;
  }
}

export interface Writing {
  readonly clock: Clock;
  readonly bucket: Bucket;
  readonly inFlight: number;
  /** The samples of the next request. */
  readonly samples: () => number;
  readonly retryAfterMs?: number;
  /** What the destination says at a refusal. */
  readonly text?: string;
  readonly latencyMs?: number;
  readonly random: () => number;
}

const never = new AbortController().signal;

/** Writers of one migration that share a pace, and never run out of samples. */
export function write(writing: Writing): { readonly heldBy: HeldBy | undefined; readonly passed: number } {
  const { clock, bucket, inFlight, samples, retryAfterMs = 0, text = '', latencyMs = 20, random } = writing;
  const progress: { heldBy: HeldBy | undefined; passed: number } = { heldBy: undefined, passed: 0 };
  const pace = new DestinationPace({ clock, progress });
  const writer = async () => {
    for (;;) {
      const count = samples();
      const amounts = { samples: count, requests: 1, bytes: count * 2 + 100 };
      for (;;) {
        const request = await pace.take(amounts, never);
        await clock.sleep(latencyMs / 2);
        const passes = bucket.take(amounts);
        await clock.sleep(latencyMs / 2);
        if (passes) {
          pace.accepted(request);
          progress.passed += count;
          break;
        }
        pace.refused(request, refusal(text, retryAfterMs));
        await clock.sleep(retryAfterMs + random() * 500);
      }
    }
  };
  for (let i = 0; i < inFlight; i++) void writer();
  return progress;
}

function refusal(text: string, retryAfterMs: number): RemoteError {
  return new RemoteError({
    class: 'transient',
    code: text === '' ? 'rate-limited' : 'ingestion-limited',
    side: 'destination',
    what: `returned 429: ${text}`,
    status: 429,
    ...(retryAfterMs > 0 && { retryAfterMs }),
  });
}

/** Numbers between 0 and 1, the same in each run. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}
