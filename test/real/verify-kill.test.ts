// `verify` is killed again and again, and started again with the same command: its result is that of a verification that was never interrupted.
import assert from 'node:assert/strict';
import { drawFor } from '../../storm/random.ts';
import type { FaultKind } from '../../verify-faults/faults.ts';
import type { Scenario } from '../../verify-faults/scenario.ts';
import { Stores } from '../../verify-faults/stores.ts';
import { assertSameResult, type Survived, surviveKills } from './support/killed-verification.ts';
import type { Kill } from './support/verification.ts';

const KILLS = 10;
/** A mark is written about every ten seconds. Every other run is killed soon after one, the others at any moment before this. */
const LATEST_KILL_MS = 18_000;
const LATEST_AFTER_MARK_MS = 1500;
/** A whole verification takes longer than a minute, and the part with the differences longer than the latest kill. */
const SAMPLES_PER_SECOND = 3000;
const FAULTS_FROM = 0.65;

const FAULTS: readonly FaultKind[] = [
  'sample-dropped',
  'sample-dropped',
  'value-altered',
  'value-altered',
  'timestamp-moved',
  'sample-extra',
];

interface Case {
  readonly title: string;
  readonly store: Scenario['store'];
  readonly outOfOrderWindow?: string;
  readonly takesMarks: boolean;
}

const CASES: readonly Case[] = [
  {
    title: 'Prometheus with an out-of-order window, which takes marks',
    store: 'prometheus',
    outOfOrderWindow: '100y',
    takesMarks: true,
  },
  { title: 'Prometheus in order, which rejects marks of that age', store: 'prometheus', takesMarks: false },
  { title: 'VictoriaMetrics, which takes marks', store: 'victoria-metrics', takesMarks: true },
];

const BASE: Omit<Scenario, 'store'> = {
  seed: 1,
  size: 'small',
  shape: 'plain',
  readMode: 'Auto',
  destinationVersion: '3.5',
  cleansTombstones: false,
  window: { max: '5m' },
  memory: '64Mi',
  faults: FAULTS,
};

function survive(stores: Stores, { title, store, outOfOrderWindow }: Case): Promise<Survived> {
  const draw = drawFor('kill-moments', title);
  const kills = Array.from({ length: KILLS }, (_, index): Kill => {
    const afterMarkMs = draw.integer(0, LATEST_AFTER_MARK_MS);
    const any = { atMs: draw.integer(200, LATEST_KILL_MS) };
    return index % 2 === 0 ? { atMs: LATEST_KILL_MS, afterMarkMs } : any;
  });
  const scenario: Scenario = { ...BASE, store, ...(outOfOrderWindow !== undefined && { outOfOrderWindow }) };
  return surviveKills(stores, {
    ...{ title, scenario, kills },
    faultsFrom: FAULTS_FROM,
    samplesPerSecond: SAMPLES_PER_SECOND,
  });
}

describe(`verify, killed ${KILLS} times at random moments`, function () {
  this.timeout(600_000);
  const stores = { prometheus: new Stores(), 'victoria-metrics': new Stores() };
  const running = new Map<string, Promise<Survived>>();

  // In parallel: most of the time they wait for the rate limit.
  before(async () => {
    for (const store of ['prometheus', 'victoria-metrics'] as const) await stores[store].get({ ...BASE, store });
    for (const one of CASES) {
      const survived = survive(stores[one.store], one);
      survived.catch(() => {});
      running.set(one.title, survived);
    }
  });

  after(async () => {
    await Promise.allSettled(running.values());
    for (const one of Object.values(stores)) await one[Symbol.asyncDispose]();
  });

  for (const { title, takesMarks } of CASES)
    it(`has the result of a verification without interruption: ${title}`, async () => {
      const survived = await running.get(title);
      assert.ok(survived !== undefined);
      const { planted, loaded, last, marksMs } = survived;
      assertSameResult(survived);

      const firstMs = Math.min(...planted.flatMap(({ truths }) => truths.map(({ timeMs }) => timeMs)));
      const latestMs = marksMs.at(-1);
      const { startMs, endMs } = loaded.data;
      const through = ((latestMs ?? startMs) - startMs) / (endMs - startMs);
      if (takesMarks) {
        assert.ok(latestMs !== undefined && through > 0.3, `the last mark is at ${through} of the range`);
        assert.ok(latestMs < firstMs, 'no mark is behind a difference');
        // The first line of the progress comes after ten seconds. A run that starts over does not get as far until then.
        const firstThrough = / through=(\S+)/.exec(last.stderr)?.[1] ?? '';
        assert.ok(Date.parse(firstThrough) > latestMs, `the last run resumed at the mark:\n${last.stderr}`);
      } else {
        assert.deepEqual(new Set(marksMs), new Set([undefined]));
        assert.match(last.stderr, /verification-not-resumable/);
      }
      process.stdout.write(
        `      ${KILLS} kills, the last run began at ${Math.round(through * 100)} % and took ${last.seconds.toFixed(1)} s, ` +
          `${last.differences.length} differences\n`,
      );
    });
});
