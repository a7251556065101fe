// The case `start`: what the program costs when there is nothing to do, beside a Node without a program. A finished migration is run again,
// with the launcher of an installation and without it, as the image runs; an operator without migrations waits at a real API server.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startCluster } from '../test/support/kubernetes/cluster.ts';
import { startPrometheus, startVictoriaMetrics } from '../test/support/servers.ts';
import { CASES } from './cases.ts';
import type { Goal } from './goals.ts';
import { type Command, runMeasured, type ToolUsage } from './process-usage.ts';
import { PROMETHEUS_VERSION } from './programs.ts';
import { spread } from './results.ts';
import { makeScratch } from './scratch.ts';
import { asInTheImage, manifestOf } from './tools.ts';

const ROUNDS = 11;
/** After this time an operator has listed, has become the leader and does nothing more than renew its lease. */
const IDLE_AFTER_MS = 40_000;
const MB = 1e6;

export interface StartFigures {
  readonly rows: Readonly<Record<string, readonly ToolUsage[]>>;
  readonly operatorIdleRssBytes: number;
}

/** Alternates the rows, so that other load on the machine affects all of them. */
export async function measureStart(dist: string, rounds = ROUNDS): Promise<StartFigures> {
  await using scratch = await makeScratch();
  await using source = await startPrometheus({ version: PROMETHEUS_VERSION });
  await using destination = await startVictoriaMetrics();
  const [scenario] = CASES['standard'] ?? [];
  if (scenario === undefined) throw new Error('there is no case standard');
  const file = join(scratch.path, 'migration.json');
  const sides = { sourceUrl: source.url, destinationUrl: destination.url };
  await writeFile(file, JSON.stringify(manifestOf(scenario, sides)));
  const empty = join(scratch.path, 'empty.mjs');
  await writeFile(empty, '');
  const run = ['run', '-f', file, '--output', 'json'];
  const launcher = join(dist, '..', 'bin', 'prom-migrator.mjs');
  const commands: Readonly<Record<string, Command>> = {
    'an empty Node': { program: process.execPath, args: [empty] },
    'run, as in the image': asInTheImage([launcher, ...run]),
    'run, as installed': { program: process.execPath, args: [launcher, ...run] },
    '--version, as installed': { program: process.execPath, args: [launcher, '--version'] },
  };
  // Leaves the mark with which the measured runs find that nothing is left to do.
  await runMeasured({ program: process.execPath, args: [launcher, ...run] });
  const rows: Record<string, ToolUsage[]> = {};
  for (let round = 0; round < rounds; round++) {
    for (const [name, command] of Object.entries(commands)) {
      const { usage, stdout } = await runMeasured(command);
      if (command.args.includes('run') && JSON.parse(stdout).resumedFrom === null)
        throw new Error(`the run had something to do: ${stdout}`);
      rows[name] = [...(rows[name] ?? []), usage];
    }
  }
  return { rows, operatorIdleRssBytes: await idleOperator(launcher) };
}

async function idleOperator(launcher: string): Promise<number> {
  await using cluster = await startCluster();
  await cluster.applyCrd();
  await cluster.waitForCrd();
  const args = [launcher, 'operator', '--kubeconfig', cluster.kubeconfig, '--metrics-address', '127.0.0.1:0'];
  const child = spawn(process.execPath, [...args, '--lease-namespace', 'default'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  try {
    await sleep(IDLE_AFTER_MS);
    const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
  } finally {
    const ended = once(child, 'close');
    child.kill('SIGTERM');
    await ended;
  }
}

export function startText({ rows, operatorIdleRssBytes }: StartFigures): string {
  const lines = Object.entries(rows).map(([name, usages]) => {
    const of = (pick: (usage: ToolUsage) => number) => {
      const { median, min, max } = spread(usages.map(pick));
      return `${median.toFixed(0)} (${min.toFixed(0)}–${max.toFixed(0)})`.padStart(16);
    };
    const figures = [of((one) => one.cpuMs), of((one) => one.peakRssBytes / MB), of((one) => one.wallMs)];
    return `  ${name.padEnd(26)}${figures.join('')}`;
  });
  const head = `  ${''.padEnd(26)}${['CPU ms', 'peak RSS MB', 'wall ms'].map((title) => title.padStart(16)).join('')}`;
  const operator = `  operator, idle: RSS ${(operatorIdleRssBytes / MB).toFixed(0)} MB`;
  return ['\nstart: a run with nothing to do', head, ...lines, operator].join('\n');
}

export function startGoals({ rows, operatorIdleRssBytes }: StartFigures): Goal[] {
  const of = (pick: (usage: ToolUsage) => number) => spread((rows['run, as in the image'] ?? []).map(pick)).median;
  const atMost = (name: string, value: number, bound: number, unit: string): Goal => {
    return { name: `start: ${name}`, value, sense: 'at most', bound, unit };
  };
  return [
    atMost(
      'CPU of a run with nothing to do',
      of((one) => one.cpuMs),
      250,
      ' ms',
    ),
    atMost(
      'peak RSS of a run with nothing to do',
      of((one) => one.peakRssBytes / MB),
      75,
      ' MB',
    ),
    atMost(
      'wall time of a run with nothing to do',
      of((one) => one.wallMs),
      300,
      ' ms',
    ),
    atMost('RSS of an idle operator', operatorIdleRssBytes / MB, 90, ' MB'),
  ];
}
