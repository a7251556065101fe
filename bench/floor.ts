// The floor: the cost of reading and writing without processing anything in between. The range is read in the windows that cost the source least,
// whatever our tool plans. For writing, the bench records the requests of one run of our tool and sends them again.

import { cpus } from 'node:os';
import { join } from 'node:path';
import { run } from '../test/support/child-output.ts';
import type { ServerProcess } from '../test/support/server-process.ts';
import type { Scenario } from './cases.ts';
import { startDestination } from './measurement.ts';
import { cpuMsOf, runMeasured } from './process-usage.ts';
import { findBenchData } from './programs.ts';
import { type Recording, startRecordingProxy } from './recording-proxy.ts';
import { blockWindows, discard, remoteRead } from './reading.ts';
import { interrupted } from './scratch.ts';
import { ourCommand } from './tools.ts';

/** The default number of connections of our tool (limits.inFlightWrites). */
const WRITE_CONNECTIONS = 8;

/** Runs our tool once, without measurement, and saves its write requests in a file in `scratch`. */
export async function recordRequests(
  scenario: Scenario,
  source: ServerProcess,
  place: { scratch: string; dist: string },
): Promise<Recording> {
  interrupted.throwIfAborted();
  await using destination = await startDestination(scenario);
  await using writes = await startRecordingProxy(destination.url, '/api/v1/write', join(place.scratch, 'writes.bin'));
  const sides = { sourceUrl: source.url, destinationUrl: writes.url };
  await runMeasured(await ourCommand(scenario, sides, place));
  await writes.close();
  return writes.recording;
}

export interface FloorFigures {
  readMs?: number;
  sourceCpuMs?: number;
  readBytes?: number;
  writeMs?: number;
  destinationCpuMs?: number;
  /** Reading the source and the destination at once: the floor of a verification. */
  bothMs?: number;
  /** The number of request groups without common series, when their order matters. */
  lanes?: number;
  /** No tool can transfer these bytes in these requests faster. */
  wallMs: number;
}

interface Replayed {
  wallMs: number;
  responseBytes: number;
  lanes: number;
}

/** Reads, and writes into a new destination, depending on the halves that the scenario selects. */
export async function measureFloor(
  scenario: Scenario,
  source: ServerProcess,
  { writes, scratch }: { writes: Recording; scratch: string },
): Promise<FloorFigures> {
  const figures: FloorFigures = { wallMs: 0 };
  if (scenario.floor.includes('read')) {
    const before = await cpuMsOf(source.pid);
    const streamed = scenario.readMode !== 'Samples';
    const requests = blockWindows(scenario).map((window) => remoteRead(source.url, window, streamed));
    const { wallMs, bytes } = await discard([requests], scratch);
    figures.readMs = wallMs;
    figures.readBytes = bytes;
    figures.sourceCpuMs = (await cpuMsOf(source.pid)) - before;
  }
  if (scenario.floor.includes('write')) {
    await using destination = await startDestination(scenario);
    const before = await cpuMsOf(destination.pid);
    const kind = scenario.destination === 'prometheus' ? 'write-in-order' : 'write';
    const url = `${destination.url}/api/v1/write`;
    const replayed = await replay(kind, writes.file, url, WRITE_CONNECTIONS);
    figures.writeMs = replayed.wallMs;
    figures.destinationCpuMs = (await cpuMsOf(destination.pid)) - before;
    if (replayed.lanes > 0) figures.lanes = replayed.lanes;
  }
  const { readMs = 0, writeMs = 0, sourceCpuMs = 0, destinationCpuMs = 0 } = figures;
  figures.wallMs = Math.max(readMs, writeMs, (sourceCpuMs + destinationCpuMs) / cpus().length);
  return figures;
}

async function replay(kind: string, file: string, url: string, connections: number): Promise<Replayed> {
  const args = ['replay', kind, file, url, String(connections)];
  const { stdout } = await runMeasured({ program: await findBenchData(), args });
  return JSON.parse(stdout) as Replayed;
}

export interface SnappySizes {
  requests: number;
  rawBytes: number;
  ourBytes: number;
  nativeBytes: number;
}

/** The size of the same requests with the native snappy library. */
export async function compareSnappy({ file }: Recording): Promise<SnappySizes> {
  return JSON.parse(await run(await findBenchData(), ['snappy', file])) as SnappySizes;
}
