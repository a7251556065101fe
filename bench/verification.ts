// What `verify` costs, beside the copy that it verifies and beside its floor: reading both sides at once, and nothing else.

import type { ServerProcess } from '../test/support/server-process.ts';
import type { FloorFigures } from './floor.ts';
import {
  measureCopy,
  measureRun,
  measureUse,
  type RunFigures,
  type Servers,
  type Stage,
  startDestination,
} from './measurement.ts';
import { cpuMsOf, runMeasured } from './process-usage.ts';
import { blockWindows, discard, nativeExportOf, remoteRead } from './reading.ts';
import type { ScenarioResult } from './results.ts';
import { type Action, ourCommand } from './tools.ts';

/** One round in its order: the copy, its verification and the floor on the same destination, then a run that does both on another one. */
export async function measureVerifications(
  stage: Stage,
  result: ScenarioResult,
  options: { readonly rounds: number | undefined; readonly floor: boolean },
): Promise<void> {
  const { scenario, source, data } = stage;
  const rounds = options.rounds ?? scenario.rounds;
  for (let round = 1; round <= rounds; round++) {
    const note = (what: string, wallMs: number) =>
      process.stderr.write(`${scenario.name}, round ${round}: ${what} ${(wallMs / 1000).toFixed(1)} s\n`);
    {
      await using destination = await startDestination(scenario);
      const servers = { scenario, source, destination };
      const copied = await measureCopy(servers, data, toolOf(stage, 'run'));
      result.runs['prom-migrator'].push(copied);
      note('prom-migrator', copied.wallMs);
      const verified = await verifyCopied(stage, servers);
      result.runs.verify.push(verified);
      note('verify', verified.wallMs);
      if (options.floor) {
        const floor = await measureReading(stage, destination);
        result.floors.push(floor);
        note('floor', floor.wallMs);
      }
    }
    const both = await measureRun(scenario, source, data, toolOf(stage, 'run-and-verify'));
    result.runs['run with Full'].push(both);
    note('run with Full', both.wallMs);
  }
}

/** Copies, then verifies. The Node options are those of the verification. */
export async function measureOneVerification(stage: Stage, nodeOptions: readonly string[]): Promise<RunFigures> {
  const { scenario, source, data } = stage;
  await using destination = await startDestination(scenario);
  const servers = { scenario, source, destination };
  await measureCopy(servers, data, toolOf(stage, 'run'));
  return await verifyCopied(stage, servers, nodeOptions);
}

function toolOf({ scenario, place }: Stage, action: Action, nodeOptions: readonly string[] = []) {
  return async (sides: Parameters<typeof ourCommand>[1]) =>
    runMeasured(await ourCommand(scenario, sides, { ...place, action, nodeOptions }));
}

/** Samples that were not compared count as lost: then the verification is not a result. */
async function verifyCopied(stage: Stage, servers: Servers, nodeOptions: readonly string[] = []): Promise<RunFigures> {
  const figures = await measureUse(servers, toolOf(stage, 'verify', nodeOptions));
  const { samplesCompared, extra } = JSON.parse(figures.stdout) as { samplesCompared: number; extra: number };
  let samples = 0;
  for (const { plain, stale } of stage.data.expected.values()) samples += plain + stale;
  const lost = Math.max(0, samples - samplesCompared);
  const surplus = Math.max(0, samplesCompared - samples) + extra;
  return { ...figures, lost, staleLost: 0, surplus, seriesLacking: 0 };
}

/** Reads both sides at once, and discards the bytes. */
async function measureReading({ scenario, source, place }: Stage, destination: ServerProcess): Promise<FloorFigures> {
  const cpuBefore = [await cpuMsOf(source.pid), await cpuMsOf(destination.pid)] as const;
  const exports = scenario.destination === 'victoria-metrics';
  const windows = blockWindows(scenario);
  const { wallMs, bytes } = await discard(
    [
      windows.map((window) => remoteRead(source.url, window, true)),
      exports
        ? [nativeExportOf(destination.url, scenario)]
        : windows.map((window) => remoteRead(destination.url, window, true)),
    ],
    place.scratch,
  );
  return {
    bothMs: wallMs,
    wallMs,
    readBytes: bytes,
    sourceCpuMs: (await cpuMsOf(source.pid)) - cpuBefore[0],
    destinationCpuMs: (await cpuMsOf(destination.pid)) - cpuBefore[1],
  };
}
