// Starts the two tools in the way that their users start them.

import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { memoryVariables, nodeFlags } from '../bin/node-settings.mjs';
import { bundle } from '../scripts/bundle.ts';
import type { Scenario } from './cases.ts';
import type { Command } from './process-usage.ts';
import { findVmctl } from './programs.ts';

const ROOT = resolve(import.meta.dirname, '..');

/** The addresses of both sides, which may be those of a proxy. */
export interface Sides {
  readonly sourceUrl: string;
  readonly destinationUrl: string;
}

/**
 * Exactly the manifest that examples/ recommends for the pair of systems: ordering Any into VictoriaMetrics
 * (prometheus-to-victoriametrics.yaml), the defaults into an empty Prometheus (prometheus-to-prometheus.yaml).
 */
export function manifestOf(
  scenario: Scenario,
  { sourceUrl, destinationUrl }: Sides,
  verification?: { readonly mode: 'Full' },
): Record<string, unknown> {
  const destination =
    scenario.destination === 'victoria-metrics'
      ? { ordering: 'Any', progress: { protocol: 'PromQL', url: destinationUrl } }
      : { ordering: 'InOrder', progress: { protocol: 'RemoteRead', url: `${destinationUrl}/api/v1/read` } };
  return {
    apiVersion: 'prom-migrator.io/v1alpha1',
    kind: 'PromMigration',
    metadata: { name: 'bench' },
    spec: {
      source: {
        ...(scenario.protocol === undefined
          ? { url: `${sourceUrl}/api/v1/read` }
          : { protocol: scenario.protocol, url: addressOf(scenario.protocol, sourceUrl) }),
        ...(scenario.readMode === undefined ? {} : { readMode: scenario.readMode }),
      },
      destination: { url: `${destinationUrl}/api/v1/write`, ...destination },
      timeRange: { start: new Date(scenario.startMs).toISOString(), end: new Date(scenario.endMs).toISOString() },
      ...(scenario.parallelism === undefined ? {} : { execution: { parallelism: scenario.parallelism } }),
      ...(scenario.inFlightWrites === undefined ? {} : { limits: { inFlightWrites: scenario.inFlightWrites } }),
      ...(verification === undefined ? {} : { verification }),
    },
  };
}

/** The store of the bench has gRPC and HTTP at the same port. */
function addressOf(protocol: Scenario['protocol'], url: string): string {
  return protocol === 'ThanosStore' ? url.replace(/^http:/, 'grpc:') : url;
}

/** `run`; `verify`, which compares what a run has copied; or `run` with `spec.verification.mode: Full`, which does both. */
export type Action = 'run' | 'verify' | 'run-and-verify';

export interface CommandPlace {
  readonly scratch: string;
  readonly dist: string;
  /** For profiles. */
  readonly nodeOptions?: readonly string[];
  /** `run` by default. */
  readonly action?: Action;
}

/** `prom-migrator run -f FILE` or `verify -f FILE` from a built package. */
export async function ourCommand(scenario: Scenario, sides: Sides, place: CommandPlace): Promise<Command> {
  const file = join(place.scratch, 'migration.json');
  const { action = 'run' } = place;
  const verification = action === 'run-and-verify' ? ({ mode: 'Full' } as const) : undefined;
  await writeFile(file, JSON.stringify(manifestOf(scenario, sides, verification), undefined, 2));
  if (scenario.migrations !== undefined) {
    if (place.dist !== BUILT) throw new Error(`${scenario.name} measures this checkout: it takes no --dist`);
    const directory = join(place.scratch, 'many');
    await bundle({ many: 'bench/many.ts', 'worker-thread': 'src/execute/worker-thread.ts' }, directory);
    return asInTheImage([join(directory, 'many.js'), file, String(scenario.migrations)]);
  }
  const launcher = join(place.dist, '..', 'bin', 'prom-migrator.mjs');
  return {
    program: process.execPath,
    args: [
      ...(place.nodeOptions ?? []),
      launcher,
      action === 'verify' ? 'verify' : 'run',
      '-f',
      file,
      '--output',
      'json',
    ],
  };
}

/** Node with the flags and variables of the image, which the launcher of an installation would set in a second start of Node. */
export function asInTheImage(args: readonly string[]): Command {
  const variables = Object.entries(memoryVariables).map(([name, value]) => `${name}=${value}`);
  return { program: '/usr/bin/env', args: [...variables, process.execPath, ...nodeFlags, ...args] };
}

/** The build that the package would contain. */
export const BUILT = join(ROOT, 'dist');

/**
 * vmctl's settings besides the addresses and the range: the fastest of those tried on the case `standard` (two cores, medians of three rounds,
 * wall and CPU time of vmctl):
 *
 *   defaults                                            15.1 s  15.2 s
 *   --vm-compress=false                                 13.0 s  12.4 s
 *   --vm-compress=false --vm-batch-size=500000          12.0 s  11.5 s
 *   --vm-compress=false --vm-concurrency=4              11.9 s  11.4 s
 *   --vm-compress=false --remote-read-concurrency=4     12.1 s  11.5 s
 *
 * The last three differ by less than two runs of one of them; reading in parallel is what helps over a long line and across empty years. With
 * compression, batches of 20,000 and 50,000, one or four writers and two readers were no better than the defaults.
 */
export const VMCTL_SETTINGS: readonly string[] = [
  '--remote-read-step-interval=hour',
  '--remote-read-concurrency=4',
  '--vm-compress=false',
];

export async function vmctlCommand(scenario: Scenario, sides: Sides): Promise<Command> {
  return {
    program: await findVmctl(),
    args: [
      'remote-read',
      '-s',
      '--disable-progress-bar',
      `--remote-read-src-addr=${sides.sourceUrl}`,
      `--remote-read-filter-time-start=${new Date(scenario.startMs).toISOString()}`,
      `--remote-read-filter-time-end=${new Date(scenario.endMs).toISOString()}`,
      ...(scenario.vmctl === 'stream' ? ['--remote-read-use-stream'] : []),
      `--vm-addr=${sides.destinationUrl}`,
      ...VMCTL_SETTINGS,
    ],
  };
}
