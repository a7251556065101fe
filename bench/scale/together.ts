// Runs several commands at the same time and measures what they need together.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from '../process-usage.ts';
import { interrupted } from '../scratch.ts';

export interface JointUsage {
  /** From the start of the first to the end of the last. */
  readonly wallMs: number;
  /** Of all together. */
  readonly cpuMs: number;
  /** Of the largest. */
  readonly peakRssBytes: number;
}

const LOOK_EVERY_MS = 500;
/** As in process-usage.ts. */
const TICK_MS = 10;

/** Nothing else that this process has started may end meanwhile. Throws with the output of a command that fails. */
export async function runTogether(commands: readonly Command[]): Promise<JointUsage> {
  const cpuBefore = await endedChildrenCpuMs();
  const startedMs = performance.now();
  const failed = new AbortController();
  const signal = AbortSignal.any([interrupted, failed.signal]);
  let peakRssBytes = 0;
  const runOne = async (command: Command) => {
    for await (const rssBytes of running(command, signal)) peakRssBytes = Math.max(peakRssBytes, rssBytes);
  };
  // The first failure is the cause of the others.
  const runs = commands.map((command) => runOne(command).catch((error: unknown) => failed.abort(error)));
  await Promise.all(runs);
  signal.throwIfAborted();
  const wallMs = performance.now() - startedMs;
  return { wallMs, cpuMs: (await endedChildrenCpuMs()) - cpuBefore, peakRssBytes };
}

/** Yields the process's peak of resident memory now and then until it has ended. */
async function* running({ program, args }: Command, signal: AbortSignal): AsyncGenerator<number> {
  const { NODE_OPTIONS: _, NODE_EXTRA_CA_CERTS: __, ...env } = process.env;
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env, signal });
  let output = '';
  const append = (text: string) => {
    output = (output + text).slice(-4_000);
  };
  child.stdout.setEncoding('utf8').on('data', append);
  child.stderr.setEncoding('utf8').on('data', append);
  const closed = once(child, 'close') as Promise<[number | null]>;
  let ended = false;
  const end = closed.then(
    () => (ended = true),
    () => (ended = true),
  );
  while (!ended) {
    const timer = new AbortController();
    await Promise.race([end, sleep(LOOK_EVERY_MS, undefined, { signal: timer.signal }).catch(() => undefined)]);
    timer.abort();
    yield await peakRssOf(child.pid);
  }
  const [code] = await closed;
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} failed:\n${output}`);
}

async function peakRssOf(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}

/** User and system time of all children of this process that have ended. */
async function endedChildrenCpuMs(): Promise<number> {
  const stat = await readFile('/proc/self/stat', 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[13]) + Number(fields[14])) * TICK_MS;
}
