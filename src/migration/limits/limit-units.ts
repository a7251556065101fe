// Finds out what a destination limits: samples, requests or bytes per second. Some say it. For the others, the unit of which the same amount was
// accepted from refusal to refusal is the one, although the requests had different sizes. Pure.

/** What a destination may limit per second. */
export type LimitUnit = 'samples' | 'requests' | 'bytes';

export type Amounts = Readonly<Record<LimitUnit, number>>;

export interface SentRequest {
  readonly amounts: Amounts;
  /** On a monotonic clock. */
  readonly sentAtMs: number;
}

export interface RefusedRequest extends SentRequest {
  readonly refusedAtMs: number;
  /** 0: the destination has not said how long to wait. */
  readonly retryAfterMs: number;
  /** What the destination says that it limits. */
  readonly unit: LimitUnit | undefined;
  /** The limit that the destination states, per second. */
  readonly stated: number | undefined;
}

const UNITS = ['samples', 'requests', 'bytes'] as const;
/** How many of the last refusals are compared. */
const COMPARED = 8;
const MIN_COMPARED = 3;
/** Another unit has to explain the refusals better than this. */
const MUCH_BETTER = 0.5;
/** Differences below it say nothing: no limit is met more exactly. */
const USUAL_SPREAD = 0.2;

export class LimitUnits {
  unit: LimitUnit = 'samples';
  /** What was sent per second before each of the last refusals. */
  readonly #rates: Amounts[] = [];

  /**
   * @param accepted since the last refusal
   * @returns the factor from the unit before to the unit now
   */
  learn({ amounts, unit }: RefusedRequest, accepted: Amounts, passedMs: number): number {
    const sent = sumOf(accepted, amounts);
    this.#rates.push(scaled(sent, 1000 / Math.max(1, passedMs)));
    if (this.#rates.length > COMPARED) this.#rates.shift();
    const before = this.unit;
    this.unit = unit ?? this.#mostConstant();
    return sent[this.unit] / Math.max(1, sent[before]);
  }

  #mostConstant(): LimitUnit {
    if (this.#rates.length < MIN_COMPARED) return this.unit;
    const current = this.#spread(this.unit);
    if (current < USUAL_SPREAD) return this.unit;
    const spreads = UNITS.map((unit) => ({ unit, spread: this.#spread(unit) }));
    const [best] = spreads.sort((a, b) => a.spread - b.spread);
    return best !== undefined && best.spread < MUCH_BETTER * current ? best.unit : this.unit;
  }

  /** The standard deviation of the logarithms. */
  #spread(unit: LimitUnit): number {
    const logarithms = this.#rates.map((rates) => Math.log(Math.max(1e-9, rates[unit])));
    const mean = logarithms.reduce((sum, one) => sum + one, 0) / logarithms.length;
    return Math.sqrt(logarithms.reduce((sum, one) => sum + (one - mean) ** 2, 0) / logarithms.length);
  }
}

function sumOf(a: Amounts, b: Amounts): Amounts {
  return { samples: a.samples + b.samples, requests: a.requests + b.requests, bytes: a.bytes + b.bytes };
}

function scaled({ samples, requests, bytes }: Amounts, factor: number): Amounts {
  return { samples: samples * factor, requests: requests * factor, bytes: bytes * factor };
}
