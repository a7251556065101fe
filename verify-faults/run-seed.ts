// One seed from its start to its verdict: a destination with planted faults, the verification, and what it should have said.

import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { drawFor } from '../storm/random.ts';
import { runVerification, type VerificationRun } from '../test/real/support/verification.ts';
import { checkDestination } from './destination-content.ts';
import { alterationOf, KEEPS_EVERYTHING, VICTORIA_METRICS } from './edits.ts';
import { type PlantedFault, Planter } from './faults.ts';
import { judge, type Verdict } from './judge.ts';
import { type Scenario, specOf, WIDE_MAX_RSS_BYTES } from './scenario.ts';
import type { LoadedData, Stores } from './stores.ts';

export interface SeedReport {
  readonly scenario: Scenario;
  readonly planted: readonly PlantedFault[];
  readonly run: VerificationRun;
  readonly verdict: Verdict;
  /** Where the evidence of a failing seed is. */
  readonly logs: string | undefined;
}

const TIME_LIMIT_MS = 600_000;
const WIDE_TIME_LIMIT_MS = 3_600_000;

export async function runSeed(scenario: Scenario, stores: Stores): Promise<SeedReport> {
  const loaded = await stores.get(scenario);
  const planter = plant(scenario, loaded);
  const { planted } = planter;
  const keeping = scenario.store === 'prometheus' ? KEEPS_EVERYTHING : VICTORIA_METRICS;
  const alteration = alterationOf(planter.edited(), keeping);
  await using destination = await stores.destination(loaded, scenario, alteration);
  const expected = await checkDestination(destination, loaded.data, { planted, readMode: scenario.readMode });
  const spec = specOf(scenario, loaded.data, { source: loaded.source.url, destination: destination.url });
  // The bound of the memory is that of the package, whose launcher sets flags of Node.
  const packaged = scenario.size === 'wide';
  const timeoutMs = packaged ? WIDE_TIME_LIMIT_MS : TIME_LIMIT_MS;
  const run = await runVerification(spec, { timeoutMs, args: ['--log-level', 'debug'], packaged });
  const { samples } = loaded;
  const facts = { run, planted, samples, expected, showsBits: scenario.store === 'prometheus' };
  const verdict = judge({ ...facts, ...(packaged && { maxRssBytes: WIDE_MAX_RSS_BYTES }) });
  const logs =
    verdict.findings.length === 0 ? undefined : await keepEvidence({ scenario, spec, planted, run, verdict });
  return { scenario, planted, run, verdict, logs };
}

function plant({ seed, store, faults }: Scenario, { data }: LoadedData): Planter {
  const isExact = store === 'prometheus';
  const planter = new Planter(
    {
      set: data.wanted,
      keeping: isExact ? KEEPS_EVERYTHING : VICTORIA_METRICS,
      alterBy: isExact ? 0 : 1e-9,
      startMs: data.startMs,
      endMs: data.endMs,
    },
    drawFor('faults', seed),
  );
  for (const kind of faults) planter.plant(kind);
  return planter;
}

async function keepEvidence(evidence: Omit<SeedReport, 'logs'> & { spec: object }): Promise<string> {
  const { scenario, spec, planted, run, verdict } = evidence;
  const directory = await mkdtemp(join(tmpdir(), `prom-migrator-verify-faults-${scenario.seed}-`));
  const text = (value: unknown) =>
    JSON.stringify(value, (_, item) => (typeof item === 'bigint' ? `0x${item.toString(16)}` : item), 2);
  await writeFile(join(directory, 'verify.log'), run.stderr);
  await writeFile(
    join(directory, 'scenario.json'),
    text({ scenario, spec, result: run.result, exitCode: run.exitCode }),
  );
  await writeFile(join(directory, 'planted.json'), text(planted));
  await writeFile(join(directory, 'reported.json'), text(run.differences));
  await writeFile(join(directory, 'verdict.txt'), `${verdict.findings.join('\n')}\n`);
  return directory;
}
