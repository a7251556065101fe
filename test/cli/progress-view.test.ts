import assert from 'node:assert/strict';
import { ProgressMeter } from '../../src/cli/progress-view.ts';
import { SlidingRate } from '../../src/telemetry/sliding-rate.ts';
import { someVerification } from '../migration/support/verification.ts';
import { endMs, someProgress, startMs } from './fake-engine.ts';

describe('a sliding rate', () => {
  it('is zero until time has passed', () => {
    const rate = new SlidingRate(30_000);
    assert.equal(rate.perSecond(), 0);
    rate.add(1000, 5);
    assert.equal(rate.perSecond(), 0);
    rate.add(1000, 50);
    assert.equal(rate.perSecond(), 0);
  });

  it('ignores what is older than its window', () => {
    const rate = new SlidingRate(30_000);
    for (let second = 0; second <= 60; second++) rate.add(second * 1000, second * 1000);
    assert.equal(rate.perSecond(), 1000);
    for (let second = 61; second <= 90; second++) rate.add(second * 1000, 60_000);
    assert.equal(rate.perSecond(), 0);
  });

  it('stays correct when it gets far more updates than it stores', () => {
    const rate = new SlidingRate(30_000);
    for (let step = 0; step <= 10_000; step++) rate.add(step * 10, step * 20);
    assert.ok(Math.abs(rate.perSecond() - 2000) < 1e-9);
  });

  it('restarts when the value is reset', () => {
    const rate = new SlidingRate(30_000);
    rate.add(6_000, 300);
    rate.add(7_000, 400);
    assert.equal(rate.perSecond(), 100);
    rate.add(8_000, 0);
    assert.equal(rate.perSecond(), 0);
  });
});

describe('the view of a migration', () => {
  it('has neither percentage nor ETA before the range is known', () => {
    const view = new ProgressMeter().look(someProgress({ phase: 'Starting', waitingFor: 'source' }), 0);
    assert.deepEqual([view.ratio, view.throughMs, view.etaMs], [0, undefined, undefined]);
    assert.equal(view.waitingFor, 'source');
  });

  it('computes the percentage and the ETA from completed work, not from the watermark', () => {
    const meter = new ProgressMeter();
    const at = (hours: number, seconds: number) => {
      const reachedMs = startMs + hours * 3_600_000;
      const changes = { watermarkMs: startMs, reachedMs, samplesWritten: hours * 10_000 };
      return meter.look(someProgress(changes), seconds * 1000);
    };
    assert.equal(at(0, 0).etaMs, undefined);
    assert.equal(at(0, 5).etaMs, undefined);
    assert.equal(at(1, 6).etaMs, 23_000, 'an hour of the range in a second, until there is more to go by');
    const view = at(6, 16);
    assert.equal(view.ratio, 0.25);
    // Five hours of the range take 10 s, so the other 18 take 36 s.
    assert.equal(view.etaMs, 36_000);
    assert.equal(view.throughMs, startMs);
  });

  it('shows copying and comparing as halves, and what is compared as soon as that has begun', () => {
    const meter = new ProgressMeter();
    const dayMs = 86_400_000;
    const copying = (day: number, seconds: number) =>
      meter.look(
        someProgress({ work: 'CopyAndVerify', watermarkMs: startMs + day * dayMs, samplesWritten: day * 1e6 }),
        seconds * 1000,
      );
    const comparing = (day: number, seconds: number) => {
      const reachedMs = startMs + day * dayMs;
      const verification = someVerification({ reachedMs, throughMs: reachedMs, samplesCompared: day * 1e6 });
      const changes = { phase: 'Verifying', work: 'CopyAndVerify', watermarkMs: endMs, verification } as const;
      return meter.look(someProgress({ ...changes, samplesWritten: 1e6 }), seconds * 1000);
    };
    copying(0, 0);
    copying(0.25, 10);
    const half = copying(0.5, 20);
    assert.deepEqual([half.ratio, half.throughMs, half.samples], [0.25, startMs + dayMs / 2, 500_000]);
    assert.equal(half.etaMs, 60_000, 'the rest of the copy, and a comparison as fast as the copy');
    // A resumed comparison: what an earlier run had compared is not this one's speed.
    const begun = comparing(0.5, 60);
    assert.deepEqual([begun.ratio, begun.throughMs, begun.samples], [0.75, startMs + dayMs / 2, 500_000]);
    assert.deepEqual([begun.samplesPerSecond, begun.etaMs], [0, undefined]);
    comparing(0.6, 61);
    const view = comparing(0.8, 63);
    assert.equal(view.ratio, 0.9);
    assert.ok(Math.abs(view.samplesPerSecond - 100_000) < 1e-6);
    assert.equal(view.etaMs, 2000);
  });

  it('shows the stretches while they are copied, not while the copy is compared', () => {
    const meter = new ProgressMeter();
    const stretches = { total: 2, finished: 1, running: [{ startMs, endMs, completedRatio: 0.5 }], failed: [] };
    assert.equal(meter.look(someProgress({ stretches }), 0).stretches, stretches);
    const verifying = { phase: 'Verifying', work: 'CopyAndVerify', verification: someVerification() } as const;
    assert.equal(meter.look(someProgress({ ...verifying, stretches }), 1000).stretches, undefined);
  });

  it('does not count the work of an earlier run in the rate', () => {
    const meter = new ProgressMeter();
    const at = (reachedMs: number, seconds: number) =>
      meter.look(someProgress({ watermarkMs: reachedMs }), seconds * 1000);
    meter.look(someProgress({ phase: 'Starting' }), 0);
    const half = startMs + 43_200_000;
    at(half, 1);
    at(half + 2_160_000, 2);
    assert.equal(at(half + 2_160_000 + 4_320_000, 12).etaMs, 85_000);
  });
});
