import assert from 'node:assert/strict';
import { ProgressMeter } from '../../src/cli/progress-view.ts';
import { SlidingRate } from '../../src/telemetry/sliding-rate.ts';
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

  it('forgets what is older than its window', () => {
    const rate = new SlidingRate(30_000);
    for (let second = 0; second <= 60; second++) rate.add(second * 1000, second * 1000);
    assert.equal(rate.perSecond(), 1000);
    for (let second = 61; second <= 90; second++) rate.add(second * 1000, 60_000);
    assert.equal(rate.perSecond(), 0);
  });

  it('stays right when it is fed much more often than it keeps points', () => {
    const rate = new SlidingRate(30_000);
    for (let step = 0; step <= 10_000; step++) rate.add(step * 10, step * 20);
    assert.ok(Math.abs(rate.perSecond() - 2000) < 1e-9);
  });

  it('begins again when the value begins again', () => {
    const rate = new SlidingRate(30_000);
    rate.add(6_000, 300);
    rate.add(7_000, 400);
    assert.equal(rate.perSecond(), 100);
    rate.add(8_000, 0);
    assert.equal(rate.perSecond(), 0);
  });
});

describe('the view of a migration', () => {
  it('knows neither percent nor ETA before the range is known', () => {
    const view = new ProgressMeter().look(someProgress({ phase: 'Starting', waitingFor: 'source' }), 0);
    assert.deepEqual([view.ratio, view.throughMs, view.etaMs], [0, undefined, undefined]);
    assert.equal(view.waitingFor, 'source');
  });

  it("takes the ETA from the watermark's way through the range", () => {
    const meter = new ProgressMeter();
    const hourMs = 3_600_000;
    meter.look(someProgress({ watermarkMs: startMs }), 0);
    assert.equal(meter.look(someProgress({ watermarkMs: startMs }), 5_000).etaMs, undefined);
    const view = meter.look(someProgress({ watermarkMs: startMs + 6 * hourMs, samplesWritten: 40_000 }), 20_000);
    assert.equal(view.ratio, 0.25);
    assert.equal(view.samplesPerSecond, 2000);
    // A quarter in 20 s: three quarters in 60 s.
    assert.equal(view.etaMs, 60_000);
    assert.equal(view.throughMs, endMs - 18 * hourMs);
  });

  it('does not count what an earlier run had done as speed', () => {
    const meter = new ProgressMeter();
    meter.look(someProgress({ phase: 'Starting' }), 0);
    meter.look(someProgress({ watermarkMs: startMs + 43_200_000 }), 1_000);
    const view = meter.look(someProgress({ watermarkMs: startMs + 43_200_000 + 4_320_000 }), 11_000);
    assert.equal(view.etaMs, 90_000);
  });
});
