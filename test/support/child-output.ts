// Runs a command and returns its output, or an error with the end of its output.
import { spawn } from 'node:child_process';

export interface RunOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Called for every line of standard error; progress lines are omitted from the error. */
  isProgress?(line: string): boolean;
}

/** The standard output of the command; throws with its exit code and the last lines of its standard error when it fails. */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const output: Buffer[] = [];
  await runStreaming(command, args, (chunk) => void output.push(chunk), options);
  return Buffer.concat(output).toString('utf8');
}

/** Like `run`, but yields the standard output in pieces. */
export async function runStreaming(
  command: string,
  args: readonly string[],
  onOutput: (chunk: Buffer) => void,
  options: RunOptions = {},
): Promise<void> {
  const { isProgress, ...settings } = options;
  const child = spawn(command, args, { ...settings, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  let line = '';
  child.stdout.on('data', onOutput);
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    const lines = (line + text).split('\n');
    line = lines.pop() ?? '';
    for (const whole of lines) if (!isProgress?.(whole)) said = `${said}${whole}\n`.slice(-8_000);
  });
  const code = await new Promise<number | string>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode, signal) => resolve(exitCode ?? signal ?? 'unknown'));
  });
  if (code !== 0) {
    const tail = (said + line).trim().split('\n').slice(-15).join('\n');
    throw new Error(`${[command, ...args].join(' ')} ended with ${code}:\n${tail}`);
  }
}
