// The process of one container, in its own process group.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { guard } from '../../server-process.ts';

export interface ContainerCommand {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly directory: string;
}

const MAX_OUTPUT_CHARACTERS = 32_000;
/** Of a program that cannot be started, as containerd reports it. */
const START_ERROR = 128;

export interface ContainerExit {
  /** 128 + the number of the signal, like in a shell. */
  readonly exitCode: number;
  readonly startedAt: Date;
  readonly finishedAt: Date;
  readonly startError?: string;
}

export class ContainerProcess {
  readonly startedAt = new Date();
  readonly ended: Promise<ContainerExit>;
  readonly #pid: number | undefined;
  #output = '';
  #exit: ContainerExit | undefined;
  #killTimer: NodeJS.Timeout | undefined;

  constructor({ argv: [program = '', ...args], env, directory }: ContainerCommand) {
    const child = spawn(program, args, { env, cwd: directory, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    this.#pid = child.pid;
    if (this.#pid !== undefined) guard('+', -this.#pid);
    const append = (text: string) => {
      this.#output = (this.#output + text).slice(-MAX_OUTPUT_CHARACTERS);
    };
    child.stdout.setEncoding('utf8').on('data', append);
    child.stderr.setEncoding('utf8').on('data', append);
    this.ended = new Promise((resolve) => {
      const end = (exitCode: number, error: { startError?: string } = {}) => {
        clearTimeout(this.#killTimer);
        this.#exit ??= { exitCode, startedAt: this.startedAt, finishedAt: new Date(), ...error };
        if (this.#pid !== undefined) guard('-', -this.#pid);
        resolve(this.#exit);
      };
      child.on('error', (error) => end(START_ERROR, { startError: error.message }));
      // The end of its first process ends a container.
      child.on('exit', () => this.#signalGroup('SIGKILL'));
      child.on('close', (code, signal) => end(code ?? 128 + constants.signals[signal ?? 'SIGKILL']));
    });
  }

  /** The end of its standard output and standard error. */
  get output(): string {
    return this.#output;
  }

  get exit(): ContainerExit | undefined {
    return this.#exit;
  }

  /** SIGTERM to the first process, as a container runtime does, and SIGKILL to all after the grace period. A later call may only shorten it. */
  terminate(graceMs: number): void {
    if (this.#exit || this.#pid === undefined) return;
    if (this.#killTimer === undefined) {
      try {
        process.kill(this.#pid, 'SIGTERM');
      } catch {
        // It has just ended.
      }
    }
    clearTimeout(this.#killTimer);
    this.#killTimer = setTimeout(() => this.kill(), graceMs);
  }

  kill(): void {
    if (!this.#exit) this.#signalGroup('SIGKILL');
  }

  #signalGroup(signal: NodeJS.Signals): void {
    try {
      if (this.#pid !== undefined) process.kill(-this.#pid, signal);
    } catch {
      // No process of the group is left.
    }
  }
}
