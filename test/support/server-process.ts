// The life cycle of one server process: started on a free loopback port, awaited until ready, stopped by its id, its directory removed.
import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** starting → running → stopped; a process that exits by itself is stopped as well. */
export interface ServerProcess extends AsyncDisposable {
  readonly url: string;
  readonly dataDir: string;
  /** The actual version, as named by its origin. */
  readonly version: string;
  readonly pid: number;
  /** Stops the process (SIGTERM, after ten seconds SIGKILL) and keeps its data directory until the server is disposed of. */
  stop(): Promise<void>;
  /** Pauses the process while `action` runs, so that its files are in the state of a crash. */
  paused<T>(action: () => Promise<T>): Promise<T>;
  /** The end of the standard output and standard error of the process. */
  log(): string;
}

export interface ServerSpecification {
  name: string;
  path: string;
  version: string;
  /** The data directory; a temporary one, removed on disposal, when undefined. */
  dataDir?: string | undefined;
  /** The number of free ports that it needs; the first is the one in `url`. */
  ports?: number;
  /** The command line, called for each attempt because ports differ. May write configuration files into `directory`. */
  args(ports: number[], dataDir: string, directory: string): Promise<string[]>;
  url(port: number): string;
  /**
   * Whether it accepts requests; a rejection means no. `dataDir` distinguishes it from a server of another process that may have taken the
   * port meanwhile.
   */
  ready(url: string, dataDir: string): Promise<boolean>;
}

const READY_DEADLINE_MS = 60_000;
const STOP_GRACE_MS = 10_000;
const ATTEMPTS = 4;

/** Starts the server and waits until it is ready; throws with the end of its log when it is not ready after a minute, or exits. */
export async function startServer(specification: ServerSpecification): Promise<ServerProcess> {
  const directory = await mkdtemp(join(tmpdir(), `prom-migrator-${specification.name}-`));
  temporaryDirectories.add(directory);
  const dataDir = specification.dataDir ?? join(directory, 'data');
  for (let attempt = 1; ; attempt++) {
    const ports = await freePorts(specification.ports ?? 1);
    const args = await specification.args(ports, dataDir, directory);
    const url = specification.url(ports[0] ?? 0);
    const running = new RunningProcess(specification, args, { url, dataDir, directory });
    try {
      await running.becomeReady();
      return running;
    } catch (error) {
      await running.stop();
      if (attempt < ATTEMPTS && /address already in use/i.test(running.log())) continue;
      await running[Symbol.asyncDispose]();
      throw error;
    }
  }
}

class RunningProcess implements ServerProcess {
  readonly url: string;
  readonly dataDir: string;
  readonly version: string;
  readonly #specification: ServerSpecification;
  readonly #directory: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #log = '';
  #state: 'running' | 'stopped' = 'running';

  constructor(
    specification: ServerSpecification,
    args: string[],
    place: { url: string; dataDir: string; directory: string },
  ) {
    this.#specification = specification;
    this.url = place.url;
    this.dataDir = place.dataDir;
    this.version = specification.version;
    this.#directory = place.directory;
    this.#child = spawn(specification.path, args, { stdio: ['ignore', 'pipe', 'pipe'], cwd: place.directory });
    if (this.#child.pid !== undefined) guard('+', this.#child.pid);
    const append = (text: string) => {
      this.#log = (this.#log + text).slice(-64_000);
    };
    this.#child.stdout?.setEncoding('utf8').on('data', append);
    this.#child.stderr?.setEncoding('utf8').on('data', append);
    this.#ended = new Promise((resolve) => {
      const end = () => {
        this.#state = 'stopped';
        if (this.#child.pid !== undefined) guard('-', this.#child.pid);
        resolve();
      };
      this.#child.on('error', (error) => {
        append(`${error}\n`);
        end();
      });
      this.#child.on('close', end);
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  log(): string {
    return this.#log;
  }

  async becomeReady(): Promise<void> {
    const deadlineMs = Date.now() + READY_DEADLINE_MS;
    while (this.#state === 'running' && Date.now() < deadlineMs) {
      if (await this.#specification.ready(this.url, this.dataDir).catch(() => false)) return;
      await Promise.race([sleep(50), this.#ended]);
    }
    const what = this.#state === 'running' ? `was not ready after ${READY_DEADLINE_MS / 1000} s` : 'ended at its start';
    const tail = this.#log.trim().split('\n').slice(-20).join('\n');
    throw new Error(`${this.#specification.name} ${this.version} ${what}; the end of its log:\n${tail}`);
  }

  async stop(): Promise<void> {
    if (this.#state === 'running') {
      this.#child.kill('SIGTERM');
      const kill = setTimeout(() => this.#child.kill('SIGKILL'), STOP_GRACE_MS);
      await this.#ended;
      clearTimeout(kill);
    }
  }

  async paused<T>(action: () => Promise<T>): Promise<T> {
    if (this.#state !== 'running') return action();
    this.#child.kill('SIGSTOP');
    try {
      return await action();
    } finally {
      this.#child.kill('SIGCONT');
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await rm(this.#directory, { recursive: true, force: true });
    temporaryDirectories.delete(this.#directory);
  }
}

/** Currently unused loopback ports. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve, reject) => {
        server.on('error', reject).listen(0, '127.0.0.1', resolve);
      });
      return server;
    }),
  );
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === 'object' && address ? address.port : 0;
  });
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

const temporaryDirectories = new Set<string>();
let guardian: ChildProcess | undefined;

process.on('exit', () => {
  for (const directory of temporaryDirectories) rmSync(directory, { recursive: true, force: true });
});

/**
 * Notifies the guardian of a server that started (+) or exited (-); a negative id is a process group. The guardian is a shell that waits
 * until this process closes its pipe, however it dies, including SIGKILL, and kills the remaining servers.
 */
export function guard(change: '+' | '-', pid: number): void {
  if (!guardian) {
    const script = `trap '' INT TERM HUP; left=' '
      while read -r change pid; do
        case $change in +) left="$left$pid " ;; -) left="\${left%% $pid *} \${left#* $pid }" ;; esac
      done
      for pid in $left; do kill -9 "$pid"; done 2>/dev/null`;
    guardian = spawn('/bin/sh', ['-c', script], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
    guardian.unref();
    guardian.on('error', () => {});
    const pipe = guardian.stdin as (NodeJS.WritableStream & { unref?: () => void }) | null;
    pipe?.on('error', () => {});
    pipe?.unref?.();
  }
  guardian.stdin?.write(`${change} ${pid}\n`);
}
