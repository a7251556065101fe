// Linux' resource usage of a process. For the tools it is exact, from start to end (`bench-data measure` waits for them with wait4). For
// the servers it is the difference between two reads of /proc.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findBenchData } from './programs.ts';
import { interrupted, makeScratch } from './scratch.ts';

export interface ToolUsage {
  wallMs: number;
  /** User and system time of all its threads. */
  cpuMs: number;
  userMs: number;
  systemMs: number;
  peakRssBytes: number;
}

export interface Command {
  program: string;
  args: readonly string[];
}

/** Runs the command. Throws with the end of its output when it fails, and when the bench is interrupted. */
export async function runMeasured({ program, args }: Command): Promise<{ usage: ToolUsage; stdout: string }> {
  await using scratch = await makeScratch();
  const report = join(scratch.path, 'usage.json');
  // The user's own settings of Node must not affect the tools. Reading a file of authorities takes 25 ms of a start.
  const { NODE_OPTIONS: _, NODE_EXTRA_CA_CERTS: __, ...env } = process.env;
  const child = spawn(await findBenchData(), ['measure', report, program, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env,
    signal: interrupted,
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout = (stdout + text).slice(-1_000_000);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-4_000);
  });
  const closed = once(child, 'close');
  const [code] = (await closed) as [number | null];
  interrupted.throwIfAborted();
  if (code !== 0) throw new Error(`${program} ${args[0] ?? ''} failed: ${stderr}\n${stdout.slice(-2_000)}`);
  return { usage: JSON.parse(await readFile(report, 'utf8')) as ToolUsage, stdout };
}

/** Linux' USER_HZ, the unit of /proc, is 100 on every architecture that Node supports. */
const TICK_MS = 10;

/** User and system time of a running process so far, including threads that have exited. */
export async function cpuMsOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The name, in parentheses, may contain spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** The bytes that the process has read with read(2) from sockets and files. */
export async function readBytesOf(pid: number): Promise<number> {
  return Number(/rchar: (\d+)/.exec(await readFile(`/proc/${pid}/io`, 'utf8'))?.[1] ?? 0);
}
