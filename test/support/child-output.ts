// Runs a command to its end and gives its output back, or an error that carries the end of what it said. Called by the installers and
// the readers.
import { spawn } from 'node:child_process';

export interface RunOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
}

/** The standard output of the command; throws with its exit code and the last lines of its standard error when it fails. */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const output: Buffer[] = [];
  await runStreaming(command, args, (chunk) => void output.push(chunk), options);
  return Buffer.concat(output).toString('utf8');
}

/** Like `run`, but hands the standard output on piece by piece. */
export async function runStreaming(
  command: string,
  args: readonly string[],
  onOutput: (chunk: Buffer) => void,
  options: RunOptions = {},
): Promise<void> {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stdout.on('data', onOutput);
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-8_000);
  });
  const code = await new Promise<number | string>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode, signal) => resolve(exitCode ?? signal ?? 'unknown'));
  });
  if (code !== 0) {
    const tail = said.trim().split('\n').slice(-15).join('\n');
    throw new Error(`${[command, ...args].join(' ')} ended with ${code}:\n${tail}`);
  }
}
