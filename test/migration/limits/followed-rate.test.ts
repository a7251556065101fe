// The rate that a destination allows is followed. Whole simulated minutes: writers, and a token bucket as Cortex and Mimir have it.

import assert from 'node:assert/strict';
import { FollowedRate } from '../../../src/migration/limits/followed-rate.ts';
import { Bucket, seeded, SimulatedClock, write } from './support/simulation.ts';
import type { LimitUnit } from '../../../src/migration/limits/limit-units.ts';

const minuteMs = 60_000;

interface Simulated {
  readonly limitAt: (atMs: number) => number;
  readonly burst: number;
  readonly unit?: LimitUnit;
  readonly inFlight: number;
  readonly samples: (atMs: number, random: () => number) => number;
  readonly retryAfterMs: number;
  readonly text?: string;
  /** How many migrations share the destination. */
  readonly writers?: number;
  readonly minutes?: number;
}

/** @returns of what the destination allows, the share that is used: in each minute since the first refusal, and on average */
async function simulate(options: Simulated) {
  const { limitAt, burst, unit = 'samples', inFlight, samples, retryAfterMs, text = '', writers = 1 } = options;
  const { minutes = 10 } = options;
  const clock = new SimulatedClock();
  const bucket = new Bucket({ clock, unit, limitAt, burst });
  const random = seeded(1);
  const next = () => Math.round(samples(clock.now(), random));
  const written = Array.from({ length: writers }, () =>
    write({ clock, bucket, inFlight, samples: next, retryAfterMs, text, random }),
  );
  await clock.run((minutes + 1) * minuteMs);
  const [firstMs = 0] = bucket.refusedAtMs;
  const shares = Array.from({ length: minutes }, (_, i) =>
    bucket.share(firstMs + i * minuteMs, firstMs + (i + 1) * minuteMs),
  );
  return {
    shares,
    mean: bucket.share(firstMs, firstMs + minutes * minuteMs),
    refusals: bucket.refusedAtMs.length,
    heldBy: written[0]?.heldBy,
    amounts: written.map(({ passed }) => passed),
  };
}

function shown(shares: readonly number[]): string {
  return shares.map((share) => `${Math.round(share * 100)} %`).join(', ');
}

const sizes = {
  'of 5,000 samples': () => 5000,
  'of 2,000 to 10,000 samples': (_: number, random: () => number) => 2000 + 8000 * random(),
};

describe('a destination with a rate limit', () => {
  for (const [retryAfterMs, inFlight] of [0, 1000, 5000, 26_000].flatMap((ms) => [
    [ms, 1] as const,
    [ms, 8] as const,
  ])) {
    for (const [size, samples] of Object.entries(sizes)) {
      it(`gets 25k samples/s: Retry-After ${retryAfterMs / 1000} s, ${inFlight} in flight, requests ${size}`, async () => {
        const limitAt = () => 25_000;
        const { shares, mean, refusals, heldBy } = await simulate({
          ...{ limitAt, burst: 50_000, inFlight, samples, retryAfterMs },
        });
        // A pause in which nothing may be sent is lost. With eight in flight only the first one is.
        const isWhole = (_: number, minute: number) =>
          inFlight === 1 ? retryAfterMs <= 1000 || minute > 0 : retryAfterMs <= 5000 || minute > 0;
        if (retryAfterMs <= 5000 || inFlight === 8) {
          assert.ok(
            shares.filter(isWhole).every((share) => share >= 0.85),
            shown(shares),
          );
          assert.ok(mean >= (retryAfterMs <= 1000 ? 0.97 : 0.92), `${mean}`);
        } else assert.ok(mean >= 0.7, shown(shares));
        assert.ok(refusals <= 30, `${refusals} refusals`);
        assert.ok(Math.abs((heldBy?.samplesPerSecond ?? 0) / 25_000 - 1) < 0.25, `${heldBy?.samplesPerSecond}`);
      });
    }
  }

  const steady = { burst: 50_000, inFlight: 8, samples: sizes['of 5,000 samples'], retryAfterMs: 1000 };

  it('gets 100k samples/s in requests of 2,000, with a burst of a fifth of a second and of two', async () => {
    for (const burst of [20_000, 200_000]) {
      const samples = () => 2000;
      const { shares } = await simulate({ ...steady, limitAt: () => 100_000, burst, samples, minutes: 5 });
      assert.ok(
        shares.every((share) => share >= 0.9),
        `${burst}: ${shown(shares)}`,
      );
    }
  });

  it('with a burst of 20 s gets its rate too', async () => {
    const { shares } = await simulate({ ...steady, limitAt: () => 10_000, burst: 200_000 });
    assert.ok(
      shares.every((share) => share >= 0.9),
      shown(shares),
    );
  });

  it('that is lowered by half gets half at once', async () => {
    for (const inFlight of [1, 8]) {
      const limitAt = (atMs: number) => (atMs < 5 * minuteMs ? 25_000 : 12_500);
      const { shares, refusals } = await simulate({ ...steady, inFlight, limitAt });
      assert.ok(
        shares.every((share) => share >= 0.9),
        shown(shares),
      );
      assert.ok(refusals <= 40, `${refusals} refusals`);
    }
  });

  it('that is raised threefold gets more from minute to minute, and all of it after a while', async () => {
    for (const inFlight of [1, 8]) {
      const limitAt = (atMs: number) => (atMs < 3 * minuteMs ? 25_000 : 75_000);
      const { shares } = await simulate({ ...steady, inFlight, limitAt, minutes: 12 });
      assert.ok(
        [...shares.slice(0, 2), ...shares.slice(8)].every((share) => share >= 0.85),
        shown(shares),
      );
    }
  });

  it('that says its limit is not searched for it', async () => {
    const text = 'ingestion rate limit (25000) exceeded while adding 5000 samples and 0 metadata';
    const far = { ...steady, limitAt: () => 25_000, retryAfterMs: 26_000, inFlight: 1 };
    const [told, searched] = [await simulate({ ...far, text }), await simulate(far)];
    assert.ok(told.shares[0]! > 0.5 && searched.shares[0]! < 0.3, `${shown(told.shares)}; ${shown(searched.shares)}`);
    assert.ok(told.mean > 0.85, shown(told.shares));
  });

  it('in requests per second gets them, whatever their size', async () => {
    const limited = { ...steady, unit: 'requests' as const, limitAt: () => 20, burst: 40 };
    // Large requests for three minutes, small ones for three, and so on.
    const samples = (atMs: number) => (Math.floor(atMs / (3 * minuteMs)) % 2 === 0 ? 8000 : 80);
    const { shares } = await simulate({ ...limited, samples });
    assert.ok(
      shares.every((share) => share >= 0.85),
      shown(shares),
    );
  });

  it('in bytes per second gets them', async () => {
    const { shares } = await simulate({ ...steady, unit: 'bytes', limitAt: () => 40_000, burst: 80_000 });
    assert.ok(
      shares.every((share) => share >= 0.85),
      shown(shares),
    );
  });

  it('gets its rate from several stretches, which all have a part of it', async () => {
    for (const text of ['', 'ingestion rate limit (25000) exceeded']) {
      const { shares, amounts } = await simulate({ ...steady, text, limitAt: () => 25_000, inFlight: 2, writers: 4 });
      assert.ok(
        shares.every((share) => share >= 0.9),
        shown(shares),
      );
      assert.ok(Math.min(...amounts) > Math.max(...amounts) / 20, amounts.join());
    }
  });
});

describe('a followed rate', () => {
  const amounts = { samples: 1000, requests: 1, bytes: 2000 };

  it('is none before the first refusal, and after it was forgotten', () => {
    const rate = new FollowedRate();
    rate.sent({ amounts, sentAtMs: 0 });
    rate.accepted({ amounts, sentAtMs: 0 });
    assert.equal(rate.perSecond, undefined);
    const refusal = { amounts, sentAtMs: 10, refusedAtMs: 20, retryAfterMs: 0, unit: undefined, stated: undefined };
    assert.equal(rate.refused(refusal), true);
    assert.ok((rate.perSecond ?? 0) > 0);
    rate.forget();
    assert.equal(rate.perSecond, undefined);
  });

  it('does not fall because of requests that were sent before it fell', () => {
    const rate = new FollowedRate();
    for (let i = 0; i < 8; i++) rate.sent({ amounts, sentAtMs: i });
    const refusal = { amounts, sentAtMs: 0, refusedAtMs: 20, retryAfterMs: 0, unit: undefined, stated: undefined };
    rate.refused(refusal);
    const { perSecond } = rate;
    for (let i = 1; i < 8; i++) assert.equal(rate.refused({ ...refusal, sentAtMs: i }), false);
    assert.equal(rate.perSecond, perSecond);
  });

  it('stays about a request in ten seconds when everything is refused', () => {
    const rate = new FollowedRate();
    for (let atMs = 0; atMs < 1e6; atMs += 10_000) {
      rate.sent({ amounts, sentAtMs: atMs });
      rate.refused({
        amounts,
        sentAtMs: atMs,
        refusedAtMs: atMs + 10,
        retryAfterMs: 0,
        unit: undefined,
        stated: undefined,
      });
    }
    assert.ok((rate.perSecond ?? 0) >= 95, `${rate.perSecond}`);
  });

  it('does not fall to almost nothing after an idle hour', () => {
    const rate = new FollowedRate();
    const refusal = { amounts, retryAfterMs: 0, unit: 'samples' as const, stated: 10_000 };
    rate.sent({ amounts, sentAtMs: 0 });
    rate.refused({ ...refusal, sentAtMs: 0, refusedAtMs: 10 });
    const send = (sentAtMs: number) => {
      rate.sent({ amounts, sentAtMs });
      rate.accepted({ amounts, sentAtMs });
    };
    for (let i = 1; i <= 50; i++) send(i * 110);
    for (let i = 1; i <= 5; i++) send(3_600_000 + i * 110);
    rate.sent({ amounts, sentAtMs: 3_601_000 });
    rate.refused({ ...refusal, sentAtMs: 3_601_000, refusedAtMs: 3_601_010 });
    assert.ok((rate.perSecond ?? 0) > 8000, `${rate.perSecond}`);
  });

  it('does not take for allowed what a slow source has not used', () => {
    const rate = new FollowedRate();
    const refusal = { amounts, retryAfterMs: 0, unit: 'samples' as const, stated: 10_000 };
    rate.sent({ amounts, sentAtMs: 0 });
    rate.refused({ ...refusal, sentAtMs: 0, refusedAtMs: 10 });
    // The destination allows 3,000 per second now, and the source has no more. Then it has.
    for (let i = 1; i <= 20; i++) {
      rate.sent({ amounts, sentAtMs: i * 333 });
      rate.accepted({ amounts, sentAtMs: i * 333 });
    }
    rate.sent({ amounts, sentAtMs: 6700 });
    rate.refused({ ...refusal, sentAtMs: 6700, refusedAtMs: 6710 });
    assert.ok((rate.perSecond ?? 0) < 6000 && (rate.perSecond ?? 0) > 3000, `${rate.perSecond}`);
  });
});
