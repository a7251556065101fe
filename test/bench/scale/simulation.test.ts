import assert from 'node:assert/strict';
import fc from 'fast-check';
import { LARGE_MIGRATION } from '../../../bench/scale/large-migration.ts';
import { ledgerSeconds, type SimulationInputs, simulate } from '../../../bench/scale/simulation.ts';

/** Nothing costs anything but the samples: 4 pods copy 4 × 25 windows of 1000 samples, one a second. */
const FREE: SimulationInputs = {
  seed: 1,
  samples: 100_000,
  pods: 4,
  stretches: 20,
  windowSamples: 1000,
  windowsInFlight: 1,
  samplesPerWrite: 100,
  writesInFlight: 8,
  roundTripS: 0,
  podRate: 1000,
  sourceRate: 1e12,
  destinationRate: 1e12,
  processStartS: 0,
  stretchStartS: 0,
  readsPerStretchStart: 3,
  markReadS: 0,
  samplesPerMark: 1,
  killEveryS: 0,
  firstBackOffS: 0,
  longestBackOffS: 0,
  podStartS: 0,
  operatorPollS: 10,
  readsPerPoll: 1,
  apiWritesPerPoll: 1,
  apiWritesPerPod: 6,
  leaseRenewalS: 2,
};

const secondsOf = (change: Partial<SimulationInputs>) => simulate({ ...FREE, ...change }).hours * 3600;

function assertNear(actual: number, wanted: number): void {
  assert.ok(Math.abs(actual - wanted) <= 1e-9 * Math.max(1, wanted), `${actual} instead of ${wanted}`);
}

describe('the model of a large migration', () => {
  it('takes the work divided by the pods without kills', () => {
    assertNear(secondsOf({}), 25);
    assertNear(secondsOf({ pods: 1 }), 100);
    assertNear(secondsOf({ pods: 20 }), 5);
  });

  it('gains nothing from more pods than stretches', () => assertNear(secondsOf({ pods: 40 }), 5));

  it('is limited by each side, whatever the number of pods', () => {
    assertNear(secondsOf({ destinationRate: 2000 }), 50);
    assertNear(secondsOf({ sourceRate: 1000, pods: 10 }), 100);
  });

  it('is limited by round trips if a pod has few writes in flight', () => {
    // Ten writes a window: five after the other, or one.
    assertNear(secondsOf({ roundTripS: 1, writesInFlight: 2 }), 125);
    assertNear(secondsOf({ roundTripS: 1, writesInFlight: 10 }), 25);
  });

  it('starts each process once and each stretch once without kills', () =>
    assertNear(secondsOf({ processStartS: 7, stretchStartS: 2 }), 25 + 7 + 5 * 2));

  it('counts requests, marks and writes to the API server', () => {
    const { marks, sourceReads, destinationWrites, destinationReads, apiWrites, apiWritesPerMinute } = simulate(FREE);
    assert.deepEqual(
      { marks, sourceReads, destinationWrites, destinationReads },
      { marks: 100, sourceReads: 100, destinationWrites: 100 * 11, destinationReads: 20 * 3 + 3 },
    );
    // The pods, a status every ten seconds, the lease every two.
    assert.equal(apiWrites, 4 * 6 + 3 + 13);
    assertNear(apiWritesPerMinute, (40 / 25) * 60);
  });

  it('reads the ledger in a time that grows with its marks and their counts', () => {
    const inputs = { ...FREE, markReadS: 1e-6, samplesPerMark: 5 };
    assertNear(ledgerSeconds(1e6, inputs), 5);
    assertNear(simulate(inputs).resumeS, 100 * 5e-6);
  });

  it('loses with a kill what was not marked, and the time until the pod is back', () => {
    // One kill, in the middle of the 61st window of a single pod.
    const inputs = { ...FREE, pods: 1, killEveryS: 60.5, windowsInFlight: 3 };
    const result = simulate({ ...inputs, firstBackOffS: 10, longestBackOffS: 360, podStartS: 5 });
    assert.equal(result.kills, 1);
    assertNear(result.hours * 3600, 100 + 0.5 + 15);
    assertNear(result.podHoursLost * 3600, 0.5 + 15);
    // It was the first window of its stretch, and the next two were being read.
    assertNear(result.samplesReadAgain, 2500);
    assert.equal(result.marks, 100);
  });

  it('waits longer for each failure of the same pod, up to the limit', () => {
    const inputs = { ...FREE, pods: 1, killEveryS: 40, firstBackOffS: 10, longestBackOffS: 25 };
    const { kills, hours } = simulate(inputs);
    assert.equal(kills, 3);
    assertNear(hours * 3600, 100 + 10 + 20 + 25);
  });

  it('copies every sample once, in no less time than the destination needs, and gives the same result again', () => {
    const inputs = fc.record({
      seed: fc.nat(),
      pods: fc.integer({ min: 1, max: 12 }),
      killEveryS: fc.integer({ min: 3, max: 40 }),
      windowsInFlight: fc.integer({ min: 1, max: 4 }),
      podStartS: fc.nat(2),
      destinationRate: fc.integer({ min: 1000, max: 20_000 }),
    });
    fc.assert(
      fc.property(inputs, (change) => {
        const all = { ...FREE, ...change };
        const result = simulate(all);
        assertNear(result.samplesCopied, all.samples);
        assert.equal(result.marks, 100);
        assert.ok(result.hours * 3600 >= all.samples / all.destinationRate - 1e-6);
        assert.ok(result.samplesReadAgain <= result.kills * all.windowsInFlight * all.windowSamples);
        assert.deepEqual(simulate(all), result);
      }),
      { numRuns: 50 },
    );
  });
});

describe('the model of 10^12 samples over 32 pods', () => {
  const { samples, destinationRate, pods } = LARGE_MIGRATION;
  const result = simulate(LARGE_MIGRATION);

  it('is limited by the destination, and not by the kills', () => {
    const leastHours = samples / destinationRate / 3600;
    assert.ok(result.kills > 0);
    assert.ok(
      result.hours >= leastHours && result.hours < 1.02 * leastHours,
      `${result.hours} h, at least ${leastHours}`,
    );
    assert.ok(simulate({ ...LARGE_MIGRATION, pods: 2 * pods }).hours > 0.99 * result.hours);
  });

  it('reads the ledger of a million marks, with their counts, within ten seconds', () =>
    assert.ok(ledgerSeconds(1e6, LARGE_MIGRATION) <= 10));

  it('writes to the API server at most once a second', () => assert.ok(result.apiWritesPerMinute <= 60));
});
