// Runs the command line with any arguments and files, for cases other than a successful migration: an invalid manifest, an unreachable
// server.
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

const MAIN = resolve(import.meta.dirname, '../../../src/main.ts');

export interface CommandOptions {
  /** Files by path in the working directory of the command. */
  files?: Readonly<Record<string, string>>;
  stdin?: string;
  /** Called with each text on standard error; the command counts as ended only after the returned promise. */
  onStderr?: (text: string) => void;
}

export interface CommandRun {
  exitCode: number | null;
  stdout: string;
  stderr: string;
  seconds: number;
}

/** Runs `prom-migrator` in an empty directory until it exits. Killed after a minute. */
export async function runCommand(args: readonly string[], options: CommandOptions = {}): Promise<CommandRun> {
  const directory = await mkdtemp(join(tmpdir(), 'prom-migrator-command-'));
  try {
    for (const [name, text] of Object.entries(options.files ?? {})) {
      await mkdir(dirname(join(directory, name)), { recursive: true });
      await writeFile(join(directory, name), text);
    }
    const startedMs = Date.now();
    const child = spawn(process.execPath, [MAIN, ...args], { cwd: directory, timeout: 60_000, killSignal: 'SIGKILL' });
    child.stdin.on('error', () => {});
    child.stdin.end(options.stdin ?? '');
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
      options.onStderr?.(text);
    });
    const exitCode = await new Promise<number | null>((done, failed) => {
      child.on('error', failed);
      child.on('close', done);
    });
    return { exitCode, stdout, stderr, seconds: (Date.now() - startedMs) / 1000 };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
