// Runs kubectl and helm with optional standard input, and returns their output and exit code.
import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';

export interface CommandResult {
  code: number;
  stdout: string;
  stderr: string;
}

export interface CommandOptions {
  /** A kubeconfig other than the administrator's. */
  kubeconfig?: string;
  /** Interrupts the command like Ctrl-C: for `get --watch`. */
  signal?: AbortSignal;
  /** Called with the standard output as it arrives. */
  onOutput?: (text: string) => void;
}

/** Throws only when the program cannot be started. */
export async function execute(
  path: string,
  args: readonly string[],
  options: CommandOptions & { input: string | undefined; env: NodeJS.ProcessEnv },
): Promise<CommandResult> {
  await mkdir(options.env['HOME'] ?? '', { recursive: true });
  const child = spawn(path, args, { env: options.env, stdio: ['pipe', 'pipe', 'pipe'] });
  const interrupt = () => child.kill('SIGINT');
  options.signal?.addEventListener('abort', interrupt);
  if (options.signal?.aborted) interrupt();
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    options.onOutput?.(text);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  // A command that does not read its input may close it before everything is written.
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');
  try {
    // An interrupted command has no exit code: 130, like in a shell.
    return await new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => resolve({ code: code ?? 130, stdout, stderr }));
    });
  } finally {
    options.signal?.removeEventListener('abort', interrupt);
  }
}
