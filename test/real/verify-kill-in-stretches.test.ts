// `verify` with several stretches at once is killed again and again: its result is that of a verification that was never interrupted.
import assert from 'node:assert/strict';
import { drawFor } from '../../storm/random.ts';
import type { Scenario } from '../../verify-faults/scenario.ts';
import { Stores } from '../../verify-faults/stores.ts';
import { assertSameResult, type Survived, surviveKills } from './support/killed-verification.ts';
import type { Kill } from './support/verification.ts';

const KILLS = 6;
/** A mark is written about every ten seconds. These runs are killed after the first one, the others at any moment before this. */
const AFTER_MARK: readonly number[] = [0, 2];
const LATEST_MARK_MS = 100_000;
const LATEST_AFTER_MARK_MS = 1500;
const LATEST_KILL_MS = 4_000;
/** A whole verification takes longer than all runs that are killed. */
const SAMPLES_PER_SECOND = 3_500;
/** So that there are marks before them. */
const FAULTS_FROM = 0.65;

const CASES = [
  { title: 'Prometheus', store: 'prometheus', outOfOrderWindow: '100y' },
  { title: 'VictoriaMetrics', store: 'victoria-metrics' },
] as const;

const BASE: Omit<Scenario, 'store'> = {
  seed: 1,
  size: 'small',
  shape: 'plain',
  readMode: 'Auto',
  destinationVersion: '3.5',
  cleansTombstones: false,
  window: { max: '5m' },
  memory: '128Mi',
  parallelism: 4,
  faults: ['sample-dropped', 'sample-dropped', 'value-altered', 'timestamp-moved', 'sample-extra'],
};

describe(`verify in stretches, killed ${KILLS} times at random moments`, function () {
  this.timeout(300_000);
  const stores = { prometheus: new Stores(), 'victoria-metrics': new Stores() };
  const running = new Map<string, Promise<Survived>>();

  // In parallel: most of the time they wait for the rate limit.
  before(async () => {
    for (const { title, store, ...others } of CASES) {
      const scenario: Scenario = { ...BASE, store, ...others };
      await stores[store].get(scenario);
      const draw = drawFor('stretch-kill-moments', title);
      const kills = Array.from({ length: KILLS }, (_, index): Kill => {
        const afterMark = { atMs: LATEST_MARK_MS, afterMarkMs: draw.integer(0, LATEST_AFTER_MARK_MS) };
        const any = { atMs: draw.integer(200, LATEST_KILL_MS) };
        return AFTER_MARK.includes(index) ? afterMark : any;
      });
      const survived = surviveKills(stores[store], {
        ...{ title, scenario, kills },
        faultsFrom: FAULTS_FROM,
        samplesPerSecond: SAMPLES_PER_SECOND,
      });
      survived.catch(() => {});
      running.set(title, survived);
    }
  });

  after(async () => {
    await Promise.allSettled(running.values());
    for (const one of Object.values(stores)) await one[Symbol.asyncDispose]();
  });

  for (const { title } of CASES) {
    it(`has the result of a verification without interruption: ${title}`, async () => {
      const survived = await running.get(title);
      assert.ok(survived !== undefined);
      assertSameResult(survived);
      const { last } = survived;
      assert.match(last.stderr, /resuming the verification/);
      const samplesBefore = Number(/ samplesBefore=(\d+)/.exec(last.stderr)?.[1]);
      assert.ok(samplesBefore > 0);
      process.stdout.write(
        `      ${KILLS} kills, the last run resumed behind ${samplesBefore} samples and took ${last.seconds.toFixed(1)} s, ` +
          `${last.differences.length} differences\n`,
      );
    });
  }
});
