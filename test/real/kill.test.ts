// Repeated SIGKILLs at random moments, and a comparison of both sides at the end: nothing is missing, nothing is duplicated.
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { generateDataset } from '../support/dataset.ts';
import { pushSamples } from '../support/load.ts';
import { exportVictoriaMetrics } from '../support/readers.ts';
import { compareSeries, keptByVictoriaMetrics } from '../support/series-comparison.ts';
import { countSamples } from '../support/series-set.ts';
import { startVictoriaMetrics } from '../support/servers.ts';
import { type MigrationRun, type MigrationSpec, runMigration, startMigration } from './support/migration.ts';
import {
  type CopyOptions,
  type Destination,
  PROMETHEUS,
  PROMETHEUS_BY_PROMQL,
  SlowCopy,
  START_MS,
  VICTORIA_METRICS,
} from './support/slow-copy.ts';
import { assertTotal } from './support/expectations.ts';

type Moment = 'start-up' | 'settling' | 'copying';

const MOMENTS: readonly Moment[] = ['start-up', 'settling', 'copying'];

interface Scenario {
  readonly title: string;
  readonly destination: Destination;
  readonly kills: Readonly<Record<Moment, number>>;
  readonly options?: CopyOptions;
}

/** Short enough that some windows are complete before a kill. */
const HALF_HOURS: CopyOptions = { windowMax: '30m' };

const SCENARIOS: readonly Scenario[] = [
  {
    title: 'VictoriaMetrics by PromQL',
    destination: VICTORIA_METRICS,
    kills: { 'start-up': 5, settling: 4, copying: 11 },
    options: HALF_HOURS,
  },
  {
    title: 'Prometheus by RemoteRead',
    destination: PROMETHEUS,
    kills: { 'start-up': 4, settling: 4, copying: 12 },
    options: HALF_HOURS,
  },
  {
    title: 'Prometheus by PromQL',
    destination: PROMETHEUS_BY_PROMQL,
    kills: { 'start-up': 5, settling: 4, copying: 11 },
    options: HALF_HOURS,
  },
  {
    title: 'VictoriaMetrics in any order',
    destination: VICTORIA_METRICS,
    kills: { 'start-up': 0, settling: 0, copying: 8 },
    options: { ordering: 'Any', windowMax: '20m' },
  },
];

interface Survived {
  readonly resumedFrom: string | null;
  readonly alreadyPresent: number;
  readonly samples: number;
  readonly seconds: number;
}

let copy: SlowCopy;
before(async () => {
  copy = await SlowCopy.start(16);
});
after(() => copy[Symbol.asyncDispose]());

/** Runs the migration and kills it at a random moment of this phase. */
async function killed(spec: MigrationSpec, moment: Moment): Promise<MigrationRun> {
  await using migration = await startMigration(spec, { args: ['--log-level', 'debug'] });
  if (moment === 'settling') await migration.saying(/ request .*side=progress/);
  if (moment === 'copying') await migration.saying(/ migration started /);
  await sleep(randomInt({ 'start-up': 600, settling: 4500, copying: 1500 }[moment]));
  migration.child.kill('SIGKILL');
  return migration.ended;
}

async function survive({ destination, kills, options }: Scenario): Promise<Survived> {
  const startedMs = Date.now();
  await using server = await destination.start();
  // Slow enough for kills in the middle of windows: half an hour of data takes a second.
  const spec = copy.spec(destination, server, { ...options, samplesPerSecond: 10_000 });
  const moments = MOMENTS.flatMap((moment) => Array<Moment>(kills[moment]).fill(moment));
  moments.sort(() => Math.random() - 0.5);
  for (const [index, moment] of moments.entries()) {
    const { exitSignal, exitCode, stderr } = await killed(spec, moment);
    const story = () => `run ${index + 1} ended by itself with ${exitCode} during ${moment}:\n${stderr}`;
    assert.equal(exitSignal, 'SIGKILL', exitSignal === 'SIGKILL' ? '' : story());
  }
  const last = await runMigration(copy.spec(destination, server, options));
  assert.equal(last.exitCode, 0, last.stderr);
  const samples = await copy.assertAllThereOnce(destination, server);
  assertTotal(last.result, copy.countCopied(destination));
  return {
    resumedFrom: last.result.resumedFrom,
    alreadyPresent: last.result.samplesAlreadyPresent,
    samples,
    seconds: (Date.now() - startedMs) / 1000,
  };
}

describe('a migration that is killed at random moments', () => {
  // In parallel: most of the time they wait for the destination to settle, or for the rate limit.
  const running = new Map<string, Promise<Survived>>();

  before(() => {
    for (const scenario of SCENARIOS) {
      const survived = survive(scenario);
      survived.catch(() => {});
      running.set(scenario.title, survived);
    }
  });

  after(() => Promise.allSettled(running.values()));

  it('fails the check if it writes a sample twice: VictoriaMetrics shows an equal sample as often as it was written', async () => {
    await using victoria = await startVictoriaMetrics();
    const few = generateDataset({ series: 11, startMs: START_MS, endMs: START_MS + 600_000 });
    const expected = keptByVictoriaMetrics(few);
    await pushSamples(`${victoria.url}/api/v1/write`, few);
    await sleep(1500);
    await pushSamples(`${victoria.url}/api/v1/write`, few);
    const actual = await exportVictoriaMetrics(victoria.url);
    assert.equal(compareSeries(expected, actual, { values: 'relative-1e-11' }).differences, countSamples(expected));
  });

  for (const { title, kills } of SCENARIOS) {
    const times = kills['start-up'] + kills.settling + kills.copying;
    it(`${times} times loses nothing and writes nothing twice: ${title}`, async () => {
      const survived = await running.get(title);
      assert.notEqual(survived?.resumedFrom ?? null, null, 'the last run went on at a mark');
      process.stdout.write(
        `      ${title}: ${times} kills, ${survived?.samples} samples compared, 0 differences, ` +
          `${survived?.alreadyPresent} found present by the last run, ${survived?.seconds.toFixed(1)} s\n`,
      );
    });
  }
});
