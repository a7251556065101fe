// Runs a migration like a user: a manifest file, `prom-migrator run` as a separate process, and its result from standard output.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { RunResult } from '../../../src/cli/result.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const MAIN = join(ROOT, 'src/main.ts');
/** Replaces itself with Node and the flags that keep memory small. */
const LAUNCHER = join(ROOT, 'bin/prom-migrator.mjs');

/** The `spec` of a PromMigration. */
export type MigrationSpec = Record<string, unknown>;

export interface MigrationOptions {
  /** `metadata.name`, `test` by default. */
  name?: string;
  /** Additional documents of the manifest: Secrets, ConfigMaps. */
  documents?: readonly object[];
  /** `run` by default. */
  command?: 'run' | 'verify';
  /** Additional flags of the command. */
  args?: readonly string[];
  env?: Record<string, string>;
  /** Runs the package, which must have been built, and not the sources. */
  packaged?: boolean;
  /** Sent to the process after this delay, unless it has exited by then. */
  kill?: { signal: NodeJS.Signals; afterMs: number };
  /** SIGKILL after this time, so that a hanging migration fails the test. Two minutes by default. */
  timeoutMs?: number;
}

export interface MigrationRun {
  /** Null when a signal ended the process. */
  exitCode: number | null;
  exitSignal: NodeJS.Signals | null;
  /** The parsed output of `--output json`. A killed process has none: reading it throws an error with the output of the process. */
  readonly result: RunResult;
  stdout: string;
  stderr: string;
  seconds: number;
  /** The peak resident size of the process, where available (Linux); sampled every 25 ms. */
  peakRssBytes: number | undefined;
}

export interface RunningMigration extends AsyncDisposable {
  readonly child: ChildProcess;
  /** Never rejects, however the process ended. */
  readonly ended: Promise<MigrationRun>;
  /** Its standard error so far. */
  stderr(): string;
  /** Resolves as soon as its standard error matches; rejects when it exits first. */
  saying(pattern: RegExp): Promise<void>;
}

/** Runs the migration until it exits. Resolves for every exit code. */
export async function runMigration(spec: MigrationSpec, options: MigrationOptions = {}): Promise<MigrationRun> {
  const migration = await startMigration(spec, options);
  return migration.ended;
}

/** Starts the migration and returns the process; disposing of it kills a process that is still running. */
export async function startMigration(spec: MigrationSpec, options: MigrationOptions = {}): Promise<RunningMigration> {
  const directory = await mkdtemp(join(tmpdir(), 'prom-migrator-run-'));
  const file = join(directory, 'migration.yaml');
  // JSON is valid YAML.
  const documents = [manifestOf(spec, options.name), ...(options.documents ?? [])];
  await writeFile(file, documents.map((document) => JSON.stringify(document, null, 2)).join('\n---\n'));
  const startedMs = Date.now();
  const program = options.packaged === true ? LAUNCHER : MAIN;
  const args = [program, options.command ?? 'run', '-f', file, '--output', 'json', ...(options.args ?? [])];
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
  });
  let stdout = '';
  let stderr = '';
  const listeners = new Set<() => void>();
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    for (const listener of listeners) listener();
  });
  let peakRssBytes: number | undefined;
  const watch = setInterval(async () => {
    peakRssBytes = (await highWaterMark(child.pid)) ?? peakRssBytes;
  }, 25);
  const timeout = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? 120_000);
  const { kill } = options;
  const killing = kill && setTimeout(() => child.kill(kill.signal), kill.afterMs);
  const killChild = () => child.kill('SIGKILL');
  process.once('exit', killChild);
  const ended = new Promise<MigrationRun>((done, failed) => {
    child.on('error', failed);
    child.on('close', (exitCode, exitSignal) => {
      const seconds = (Date.now() - startedMs) / 1000;
      done({
        exitCode,
        exitSignal,
        get result() {
          return parseResult(stdout, stderr, exitCode ?? exitSignal);
        },
        stdout,
        stderr,
        seconds,
        peakRssBytes,
      });
    });
  }).finally(async () => {
    clearInterval(watch);
    clearTimeout(timeout);
    clearTimeout(killing);
    process.off('exit', killChild);
    await rm(directory, { recursive: true, force: true });
  });
  return {
    child,
    ended,
    stderr: () => stderr,
    saying: (pattern) =>
      new Promise((done, failed) => {
        const listener = () => {
          if (!pattern.test(stderr)) return;
          listeners.delete(listener);
          done();
        };
        listeners.add(listener);
        listener();
        ended.then(() => failed(new Error(`the migration ended without saying ${pattern}:\n${stderr}`)), failed);
      }),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** The complete manifest for a spec. */
export function manifestOf(spec: MigrationSpec, name = 'test'): object {
  return { apiVersion: 'prom-migrator.io/v1alpha1', kind: 'PromMigration', metadata: { name }, spec };
}

function parseResult(stdout: string, stderr: string, end: number | string | null): RunResult {
  try {
    return JSON.parse(stdout) as RunResult;
  } catch {
    throw new Error(`the migration ended with ${end} and printed no result, but ${JSON.stringify(stdout)}:\n${stderr}`);
  }
}

async function highWaterMark(pid: number | undefined): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
}
