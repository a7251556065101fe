import assert from 'node:assert/strict';
import fc from 'fast-check';
import { initialProgress } from '../../../src/migration/report/observer.ts';
import { Completion, reachedMs, WindowVolume } from '../../../src/migration/progress/completion.ts';
import { completedRatio, RemainingTime } from '../../../src/telemetry/completion.ts';

describe('the completed part of a run', () => {
  const range = { startMs: 1000, endMs: 2000, watermarkMs: 1200, reachedMs: 1000 };

  it('is the watermark plus the acknowledged share of each window in flight', () => {
    assert.equal(reachedMs(range, []), 1200);
    const windows = [
      { fromMs: 1200, toMs: 1400, share: 0.5 },
      { fromMs: 1400, toMs: 1800, share: 0.25 },
    ];
    assert.equal(reachedMs(range, windows), 1400);
  });

  it('does not decrease when a window is read again', () => {
    assert.equal(reachedMs({ ...range, reachedMs: 1400 }, [{ fromMs: 1200, toMs: 1400, share: 0 }]), 1400);
  });

  it('reaches the end only with the last mark', () => {
    const whole = [{ fromMs: 1200, toMs: 2000, share: 1 }];
    assert.ok(reachedMs(range, whole) < 2000);
    assert.equal(reachedMs({ ...range, watermarkMs: 2000 }, []), 2000);
    assert.equal(reachedMs({ ...range, watermarkMs: 1999.9 }, []), 1999.9);
  });

  it('never decreases, and stays between the watermark and the end, whatever happens to windows', () => {
    const step = fc.record({
      what: fc.constantFrom('open', 'share', 'finish', 'withdraw'),
      lengthMs: fc.integer({ min: 1, max: 5000 }),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const progress = initialProgress(0, 10_000);
        const completion = new Completion(progress);
        const inFlight: { fromMs: number; toMs: number; share: number }[] = [];
        let before = progress.reachedMs;
        for (const { what, lengthMs, share } of steps) {
          const newest = inFlight.at(-1);
          const fromMs = newest?.toMs ?? progress.watermarkMs;
          if (what === 'open' && fromMs < progress.endMs) {
            const window = { fromMs, toMs: Math.min(fromMs + lengthMs, progress.endMs), share: 0 };
            inFlight.push(window);
            completion.opened(window);
          } else if (what === 'share' && newest !== undefined) newest.share = share;
          else if (what === 'finish' && inFlight[0] !== undefined) {
            const oldest = inFlight.shift()!;
            progress.watermarkMs = oldest.toMs;
            completion.closed(oldest);
          } else if (what === 'withdraw' && newest !== undefined) {
            inFlight.pop();
            completion.closed(newest);
          }
          completion.refresh();
          assert.ok(progress.reachedMs >= before, `${progress.reachedMs} after ${before}`);
          assert.ok(progress.reachedMs >= progress.watermarkMs);
          assert.ok(progress.reachedMs <= progress.endMs);
          if (progress.watermarkMs < progress.endMs) assert.ok(completedRatio(progress) < 1);
          before = progress.reachedMs;
        }
      }),
    );
  });
});

describe('the estimated sample count of a window', () => {
  it('is the number announced by the response until something is decoded, then follows the decoded series', () => {
    const volume = new WindowVolume();
    // Whole chunks, half of which lies inside.
    volume.begin({ entries: 10, sampleBound: 2000, remaining: 0 }, 0);
    assert.equal(volume.estimate(0), 2000);
    volume.decodedEntries = 2;
    assert.equal(volume.estimate(200), 1000);
    volume.decodedEntries = 9;
    assert.equal(volume.estimate(900), 1000);
    volume.end();
    assert.equal(volume.estimate(1010), 1010);
  });

  it('is never below what was read nor above what was announced', () => {
    fc.assert(
      fc.property(
        fc.nat(100),
        fc.integer({ min: 1, max: 100 }),
        fc.nat(1000),
        fc.nat(1000),
        (done, more, read, rest) => {
          const volume = new WindowVolume();
          volume.begin({ entries: done + more, sampleBound: read + rest, remaining: 0 }, 0);
          volume.decodedEntries = done;
          const estimate = volume.estimate(read);
          assert.ok(estimate >= read && estimate <= read + rest);
        },
      ),
    );
  });

  it('assumes that further parts are as large as the previous ones', () => {
    const volume = new WindowVolume();
    volume.begin({ entries: 1, sampleBound: 100, remaining: 0.75 }, 0);
    assert.equal(volume.estimate(0), 400);
    volume.end();
    assert.equal(volume.estimate(100), 400);
    volume.begin({ entries: 1, sampleBound: 200, remaining: 0.5 }, 100);
    assert.equal(volume.estimate(100), 600);
    volume.end();
    volume.begin({ entries: 1, sampleBound: 50, remaining: 0 }, 300);
    volume.end();
    assert.equal(volume.estimate(350), 350);
  });
});

describe('the estimated sample count of a window that is read in parts', () => {
  it('assumes the density of the previous window until this one is denser or read to its end', () => {
    const volume = new WindowVolume();
    volume.expectedSamples = 1000;
    volume.begin({ entries: 1, sampleBound: 100, remaining: 0.5 }, 0);
    assert.equal(volume.estimate(0), 1000);
    volume.end();
    volume.begin({ entries: 1, sampleBound: 1500, remaining: 0.2 }, 100);
    assert.equal(volume.estimate(100), 1600);
    volume.end();
    volume.begin({ entries: 1, sampleBound: 10, remaining: 0 }, 700);
    assert.equal(volume.estimate(700), 710);
  });
});

describe('the remaining time', () => {
  const range = { startMs: 0, endMs: 1000, work: 'Copy' as const, verification: undefined };
  const lookedAt = (...points: [seconds: number, reachedMs: number][]) => {
    const remaining = new RemainingTime();
    for (const [seconds, reached] of points) remaining.look({ ...range, reachedMs: reached }, seconds * 1000);
    return remaining.remainingMs;
  };

  it('is unknown before the first progress', () => {
    assert.equal(lookedAt(), undefined);
    assert.equal(lookedAt([0, 0]), undefined);
    assert.equal(lookedAt([0, 0], [50, 0]), undefined);
  });

  it('excludes the wait before the first step from the rate', () => {
    assert.equal(lookedAt([0, 0], [60, 0], [61, 10], [62, 20], [63, 30]), 97_000);
  });

  it('excludes the progress of an earlier run from the rate', () => {
    assert.equal(lookedAt([0, 500], [1, 500], [2, 510], [12, 610]), 39_000);
  });

  it('is zero at the end', () => {
    assert.equal(lookedAt([0, 0], [1, 500], [2, 1000]), 0);
  });
});
