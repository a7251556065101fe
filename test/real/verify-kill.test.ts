// `verify` is killed again and again, and started again with the same command: its result is that of a verification that was never interrupted.
import assert from 'node:assert/strict';
import { drawFor } from '../../storm/random.ts';
import { checkDestination } from '../../verify-faults/destination-content.ts';
import { alterationOf, KEEPS_EVERYTHING, VICTORIA_METRICS } from '../../verify-faults/edits.ts';
import { type FaultKind, type PlantedFault, Planter } from '../../verify-faults/faults.ts';
import { judge } from '../../verify-faults/judge.ts';
import { type Scenario, specOf } from '../../verify-faults/scenario.ts';
import { type LoadedData, Stores } from '../../verify-faults/stores.ts';
import { request } from '../support/http.ts';
import type { ServerProcess } from '../support/server-process.ts';
import type { MigrationSpec } from './support/migration.ts';
import { killVerification, runVerification, type VerificationRun } from './support/verification.ts';

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

interface Survived {
  readonly planted: readonly PlantedFault[];
  readonly loaded: LoadedData;
  readonly expected: Record<string, number>;
  /** Without a limit, before the first kill: it takes seconds and writes no mark. */
  readonly uninterrupted: VerificationRun;
  readonly last: VerificationRun;
  /** The time of the latest mark after each kill, before the last run. */
  readonly marksMs: readonly (number | undefined)[];
}

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

async function survive(stores: Stores, { title, store, outOfOrderWindow }: Case): Promise<Survived> {
  const scenario: Scenario = { ...BASE, store, ...(outOfOrderWindow !== undefined && { outOfOrderWindow }) };
  const loaded = await stores.get(scenario);
  const { wanted: set, startMs, endMs } = loaded.data;
  const keeping = store === 'prometheus' ? KEEPS_EVERYTHING : VICTORIA_METRICS;
  const faultsFromMs = startMs + FAULTS_FROM * (endMs - startMs);
  const alterBy = store === 'prometheus' ? 0 : 1e-9;
  const planter = new Planter({ set, keeping, alterBy, startMs, endMs, faultsFromMs }, drawFor('kill', title));
  for (const kind of FAULTS) planter.plant(kind);
  const { planted } = planter;
  await using destination = await stores.destination(loaded, scenario, alterationOf(planter.edited(), keeping));
  const { readMode } = scenario;
  const expected = await checkDestination(destination, loaded.data, { planted, readMode });

  const unlimited = specOf(scenario, loaded.data, { source: loaded.source.url, destination: destination.url });
  const uninterrupted = await runVerification(unlimited);
  const limits = { ...unlimited.limits, samplesPerSecond: SAMPLES_PER_SECOND };
  const spec: MigrationSpec = { ...unlimited, limits };
  const draw = drawFor('kill-moments', title);
  const marksMs: (number | undefined)[] = [];
  for (let kill = 0; kill < KILLS; kill++) {
    const afterMarkMs = draw.integer(0, LATEST_AFTER_MARK_MS);
    const any = { atMs: draw.integer(200, LATEST_KILL_MS) };
    await killVerification(spec, kill % 2 === 0 ? { atMs: LATEST_KILL_MS, afterMarkMs } : any);
    marksMs.push(await latestMarkMs(destination, loaded.data));
  }
  const last = await runVerification(spec, { timeoutMs: 240_000 });
  return { planted, loaded, expected, uninterrupted, last, marksMs };
}

/** The latest mark of a verification, by a query of the destination itself. */
async function latestMarkMs(
  { url }: ServerProcess,
  { startMs, endMs }: { startMs: number; endMs: number },
): Promise<number | undefined> {
  const query = `prom_migrator_progress{id=~".+-verification-.+"}[${endMs - startMs}ms]`;
  const parameters = new URLSearchParams({ query, time: String(endMs / 1000), nocache: '1' });
  const { status, body } = await request(`${url}/api/v1/query?${parameters}`);
  assert.equal(status, 200, body.toString('utf8'));
  const { data } = JSON.parse(body.toString('utf8')) as { data: { result: { values: [number, string][] }[] } };
  const timesMs = data.result.flatMap(({ values }) => values.map(([seconds]) => Math.round(seconds * 1000)));
  return timesMs.length === 0 ? undefined : Math.max(...timesMs);
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

  for (const { title, store, takesMarks } of CASES)
    it(`has the result of a verification without interruption: ${title}`, async () => {
      const survived = await running.get(title);
      assert.ok(survived !== undefined);
      const { planted, loaded, expected, uninterrupted, last, marksMs } = survived;
      for (const run of [uninterrupted, last]) {
        const facts = { run, planted, samples: loaded.samples, expected, showsBits: store === 'prometheus' };
        assert.deepEqual(judge(facts).findings, [], run.stderr);
      }
      const counts = ({ result }: VerificationRun) => {
        const { bytesRead, durationSeconds, seriesCompared, ...others } = result;
        return others;
      };
      assert.deepEqual(counts(last), counts(uninterrupted));
      const linesOf = ({ differences }: VerificationRun) => differences.map((one) => JSON.stringify(one)).sort();
      assert.deepEqual(linesOf(last), linesOf(uninterrupted));

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
