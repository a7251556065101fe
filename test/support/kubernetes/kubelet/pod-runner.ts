// Runs one pod that is bound to a node, as its kubelet does: each `sync` compares the pod in the API with its process, and does what is
// missing. An error of the API server is therefore repaired by the next sync.
import { mkdir, open, rm } from 'node:fs/promises';
import type { V1Container, V1ContainerState, V1ContainerStateTerminated, V1Pod } from '@kubernetes/client-node';
import { type KubeletApi, podPath } from './api.ts';
import { type PodDirectory, pathRewriter } from './container-paths.ts';
import { type ContainerExit, ContainerProcess } from './container-process.ts';
import { environmentOf, expanded } from './environment.ts';
import { isTerminal, podStatus } from './pod-status.ts';
import { StartFailure } from './start-failure.ts';
import { writeVolumes } from './volumes.ts';

export interface PodRunnerOptions {
  readonly api: KubeletApi;
  readonly directory: PodDirectory;
  readonly ip: string;
  readonly entrypoint: (container: V1Container) => readonly string[];
  /** The reason why an image cannot be pulled, by image. */
  readonly refusedImages: ReadonlyMap<string, string>;
}

export type KillReason = 'Error' | 'OOMKilled';

const MAX_MESSAGE_BYTES = 4_096;
const MAX_LOG_MESSAGE_CHARACTERS = 2_048;
const MAX_RESTART_DELAY_MS = 300_000;

export class PodRunner {
  readonly #options: PodRunnerOptions;
  readonly #startTime = new Date();
  #pod: V1Pod;
  #process: ContainerProcess | undefined;
  #state: V1ContainerState = { waiting: { reason: 'ContainerCreating' } };
  #lastState: V1ContainerState | undefined;
  #restarts = 0;
  #restartAtMs = 0;
  #graceSeconds = Number.POSITIVE_INFINITY;
  #killReason: KillReason = 'Error';
  #reported = '';
  #warned = '';
  #removed: Promise<void> | undefined;

  constructor(pod: V1Pod, options: PodRunnerOptions) {
    this.#pod = pod;
    this.#options = options;
  }

  get pod(): V1Pod {
    return this.#pod;
  }

  get output(): string {
    return this.#process?.output ?? '';
  }

  /** Whether its process is alive, whatever the API says. */
  get isRunning(): boolean {
    return this.#process !== undefined && this.#process.exit === undefined;
  }

  /** Undefined when the pod is no longer in the API, for example because someone deleted it with `--force`. */
  async sync(pod: V1Pod | undefined): Promise<void> {
    if (!pod) {
      this.#terminate();
      if (!this.#process || this.#process.exit) await this.#removeDirectory();
      return;
    }
    this.#pod = pod;
    await this.#observe();
    if (pod.metadata?.deletionTimestamp || isTerminal(pod.status?.phase)) this.#terminate();
    else if (this.#state.waiting) await this.#start();
    await this.#report();
  }

  /** Resolves when the process has ended; the next sync reports it. */
  async kill(reason: KillReason = 'Error'): Promise<void> {
    this.#killReason = reason;
    this.#process?.kill();
    await this.#process?.ended;
  }

  /** Ends the process and removes its directory; reports nothing. */
  async stop(): Promise<void> {
    await this.kill();
    await this.#removeDirectory();
  }

  #removeDirectory(): Promise<void> {
    this.#removed ??= rm(this.#options.directory.path, { recursive: true, force: true });
    return this.#removed;
  }

  async #start(): Promise<void> {
    if (Date.now() < this.#restartAtMs) return;
    try {
      this.#process = await this.#startProcess();
      this.#state = { running: { startedAt: this.#process.startedAt } };
    } catch (error) {
      if (!(error instanceof StartFailure)) throw error;
      const { waiting: reason, message, event } = error;
      this.#state = { waiting: reason === 'ContainerCreating' ? { reason } : { reason, message } };
      if (this.#warned === message) return;
      this.#warned = message;
      await this.#options.api.warn(this.#pod, event, message);
    }
  }

  async #startProcess(): Promise<ContainerProcess> {
    const { api, directory, ip, entrypoint, refusedImages } = this.#options;
    const [container, another] = this.#pod.spec?.containers ?? [];
    if (!container || another || this.#pod.spec?.initContainers?.length) {
      throw new StartFailure('CreateContainerConfigError', 'the test kubelet runs pods with exactly one container');
    }
    const pod = { ...this.#pod, status: { ...this.#pod.status, podIP: ip } };
    for (const path of [directory.volumes, directory.work]) await mkdir(path, { recursive: true });
    await writeVolumes(pod, api, directory.volumes);
    const refusal = refusedImages.get(container.image ?? '');
    if (refusal !== undefined) {
      throw new StartFailure(
        'ImagePullBackOff',
        `Back-off pulling image "${container.image}": ErrImagePull: ${refusal}`,
      );
    }
    const env = await environmentOf(pod, container, api);
    const local = pathRewriter(container, directory);
    await rm(directory.terminationMessage, { force: true });
    const variables = Object.entries(env).map(([name, value]): [string, string] => [name, local(value)]);
    return new ContainerProcess({
      argv: [...entrypoint(container), ...(container.args ?? []).map((arg) => local(expanded(arg, env)))],
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: directory.work,
        HOSTNAME: pod.metadata?.name ?? '',
        ...Object.fromEntries(variables),
      },
      directory: directory.work,
    });
  }

  /** SIGTERM, and SIGKILL after the grace period. A second deletion may shorten it. */
  #terminate(): void {
    const { metadata, spec } = this.#pod;
    const grace = Math.max(metadata?.deletionGracePeriodSeconds ?? spec?.terminationGracePeriodSeconds ?? 30, 1);
    if (this.#state.running && grace < this.#graceSeconds) {
      this.#graceSeconds = grace;
      this.#process?.terminate(grace * 1_000);
    }
    if (!this.#state.waiting) return;
    // Its container never started, or is between two starts.
    const message = 'The container could not be located when the pod was terminated';
    this.#state = { terminated: { exitCode: 137, reason: 'ContainerStatusUnknown', message } };
  }

  async #observe(): Promise<void> {
    const exit = this.#process?.exit;
    if (!exit || !this.#state.running) return;
    const terminated = await this.#terminated(exit);
    const { restartPolicy = 'Always' } = this.#pod.spec ?? {};
    const restarts = restartPolicy === 'Always' || (restartPolicy === 'OnFailure' && exit.exitCode !== 0);
    if (!restarts || this.#pod.metadata?.deletionTimestamp) {
      this.#state = { terminated };
      return;
    }
    // The first restart is immediate, the next after 10 s, 20 s, and so on.
    const delayMs = this.#restarts === 0 ? 0 : Math.min(10_000 * 2 ** (this.#restarts - 1), MAX_RESTART_DELAY_MS);
    this.#restartAtMs = Date.now() + delayMs;
    this.#restarts++;
    this.#lastState = { terminated };
    this.#state = { waiting: { reason: 'CrashLoopBackOff', message: `back-off ${delayMs / 1_000}s restarting` } };
  }

  async #terminated(exit: ContainerExit): Promise<V1ContainerStateTerminated> {
    const { startError, ...times } = exit;
    if (startError !== undefined) return { ...times, reason: 'StartError', message: startError };
    const message = await this.#terminationMessage(exit.exitCode);
    const failed = this.#killReason;
    return { ...times, reason: exit.exitCode === 0 ? 'Completed' : failed, ...(message ? { message } : {}) };
  }

  async #terminationMessage(exitCode: number): Promise<string> {
    const message = await readStart(this.#options.directory.terminationMessage, MAX_MESSAGE_BYTES);
    const policy = this.#pod.spec?.containers[0]?.terminationMessagePolicy;
    if (message !== '' || exitCode === 0 || policy !== 'FallbackToLogsOnError') return message;
    return this.output.slice(-MAX_LOG_MESSAGE_CHARACTERS);
  }

  async #report(): Promise<void> {
    const { api, ip } = this.#options;
    const { metadata } = this.#pod;
    const [state, lastState, restarts] = [this.#state, this.#lastState, this.#restarts];
    const content = JSON.stringify([state, restarts]);
    if (content !== this.#reported) {
      const status = podStatus(this.#pod, { state, lastState, restarts, ip, startTime: this.#startTime });
      await api.patch(`${podPath(this.#pod)}/status`, { metadata: { uid: metadata?.uid }, status });
      this.#reported = content;
    } else if (state.terminated && metadata?.deletionTimestamp && metadata.deletionGracePeriodSeconds !== 0) {
      await api.delete(podPath(this.#pod), { gracePeriodSeconds: 0, preconditions: { uid: metadata.uid } });
    }
  }
}

/** The first bytes of the file, or '' when it does not exist. */
async function readStart(path: string, maxBytes: number): Promise<string> {
  const file = await open(path).catch(() => undefined);
  if (!file) return '';
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(maxBytes), 0, maxBytes, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}
