// A verification that is killed again and again, between real servers with planted faults: what it finds at last, and what it should have found.
import assert from 'node:assert/strict';
import { drawFor } from '../../../storm/random.ts';
import { checkDestination } from '../../../verify-faults/destination-content.ts';
import { alterationOf, KEEPS_EVERYTHING, VICTORIA_METRICS } from '../../../verify-faults/edits.ts';
import { type PlantedFault, Planter } from '../../../verify-faults/faults.ts';
import { judge } from '../../../verify-faults/judge.ts';
import { type Scenario, specOf } from '../../../verify-faults/scenario.ts';
import type { LoadedData, Stores } from '../../../verify-faults/stores.ts';
import { request } from '../../support/http.ts';
import type { ServerProcess } from '../../support/server-process.ts';
import type { MigrationSpec } from './migration.ts';
import { type Kill, killVerification, runVerification, type VerificationRun } from './verification.ts';

export interface KilledVerification {
  /** Seeds what is planted. */
  readonly title: string;
  readonly scenario: Scenario;
  /** The faults lie behind this fraction of the range. */
  readonly faultsFrom: number;
  readonly samplesPerSecond: number;
  readonly kills: readonly Kill[];
}

export interface Survived {
  readonly planted: readonly PlantedFault[];
  readonly loaded: LoadedData;
  readonly expected: Record<string, number>;
  /** Without a limit, before the first kill: it takes seconds. */
  readonly uninterrupted: VerificationRun;
  readonly last: VerificationRun;
  /** The time of the latest mark after each kill, before the last run. */
  readonly marksMs: readonly (number | undefined)[];
}

export async function surviveKills(
  stores: Stores,
  { title, scenario, faultsFrom, samplesPerSecond, kills }: KilledVerification,
): Promise<Survived> {
  const loaded = await stores.get(scenario);
  const { wanted: set, startMs, endMs } = loaded.data;
  const { store, faults } = scenario;
  const keeping = store === 'prometheus' ? KEEPS_EVERYTHING : VICTORIA_METRICS;
  const faultsFromMs = startMs + faultsFrom * (endMs - startMs);
  const alterBy = store === 'prometheus' ? 0 : 1e-9;
  const planter = new Planter({ set, keeping, alterBy, startMs, endMs, faultsFromMs }, drawFor('kill', title));
  for (const kind of faults) planter.plant(kind);
  const { planted } = planter;
  await using destination = await stores.destination(loaded, scenario, alterationOf(planter.edited(), keeping));
  const { readMode } = scenario;
  const expected = await checkDestination(destination, loaded.data, { planted, readMode });

  const unlimited = specOf(scenario, loaded.data, { source: loaded.source.url, destination: destination.url });
  const uninterrupted = await runVerification(unlimited);
  const limits = { ...unlimited.limits, samplesPerSecond };
  const spec: MigrationSpec = { ...unlimited, limits };
  const marksMs: (number | undefined)[] = [];
  for (const kill of kills) {
    await killVerification(spec, kill);
    marksMs.push(await latestMarkMs(destination, loaded.data));
  }
  const last = await runVerification(spec, { timeoutMs: 240_000 });
  return { planted, loaded, expected, uninterrupted, last, marksMs };
}

/** Both runs find exactly what was planted, and report the same. */
export function assertSameResult({ planted, loaded, expected, uninterrupted, last }: Survived): void {
  for (const run of [uninterrupted, last]) {
    const showsBits = loaded.data.store === 'prometheus';
    assert.deepEqual(judge({ run, planted, samples: loaded.samples, expected, showsBits }).findings, [], run.stderr);
  }
  const counts = ({ result }: VerificationRun) => {
    const { bytesRead, durationSeconds, seriesCompared, ...others } = result;
    return others;
  };
  assert.deepEqual(counts(last), counts(uninterrupted));
  const linesOf = ({ differences }: VerificationRun) => differences.map((one) => JSON.stringify(one)).sort();
  assert.deepEqual(linesOf(last), linesOf(uninterrupted));
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
