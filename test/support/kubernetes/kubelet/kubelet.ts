// A scheduler and kubelets for the tests' clusters, which have no container runtime: the pods with a label are bound to nodes and each
// runs its container as a local process. `await using kubelet = await startKubelet({...})` stops all of them at the end of the block.
//
// Pods have one container, no probes and no limits. Arguments and environment with the paths of volumes are rewritten: container-paths.ts.
import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { V1Container, V1Pod, V1PodList } from '@kubernetes/client-node';
import type { Cluster } from '../cluster.ts';
import { KubeletApi, podPath } from './api.ts';
import { PodDirectory } from './container-paths.ts';
import { TestNode } from './node.ts';
import { type KillReason, PodRunner } from './pod-runner.ts';
import { isTerminal } from './pod-status.ts';
import { schedulePods } from './scheduler.ts';

export interface KubeletOptions {
  readonly cluster: Cluster;
  /** Selects the pods, in all namespaces: `app.kubernetes.io/component=worker`. */
  readonly selector: string;
  /** The local program, instead of the image or of the container's `command`, before the container's `args`. */
  readonly entrypoint: (container: V1Container) => readonly string[];
  /** 1 by default. */
  readonly nodes?: number;
  /** 110 by default. */
  readonly maxPodsPerNode?: number;
}

const POLL_MS = 200;
const MAX_LOG_CHARACTERS = 16_000;
/** Runners of deleted pods are kept for their output. */
const MAX_RUNNERS = 200;

/** Throws when the nodes cannot be registered. Requires a cluster with the controller manager, which makes new nodes schedulable. */
export async function startKubelet(options: KubeletOptions): Promise<Kubelet> {
  const directory = await mkdtemp(join(tmpdir(), 'prom-migrator-kubelet-'));
  temporaryDirectories.add(directory);
  const kubelet = new Kubelet(options, directory);
  await kubelet.start();
  return kubelet;
}

export class Kubelet implements AsyncDisposable {
  /** Images that cannot be pulled, each with the error message of its registry. */
  readonly refusedImages = new Map<string, string>();
  /** When set, no further pod is scheduled, for this reason. */
  unschedulable: string | undefined;
  maxPodsPerNode: number;
  readonly #options: KubeletOptions;
  readonly #directory: string;
  readonly #api: KubeletApi;
  readonly #nodes: ReadonlyMap<string, TestNode>;
  readonly #runners = new Map<string, PodRunner>();
  readonly #closing = new AbortController();
  #running: Promise<void> | undefined;
  #addresses = 0;
  #log = '';

  constructor(options: KubeletOptions, directory: string) {
    this.#options = options;
    this.#directory = directory;
    this.maxPodsPerNode = options.maxPodsPerNode ?? 110;
    this.#api = new KubeletApi(options.cluster);
    const names = Array.from({ length: options.nodes ?? 1 }, (_, index) => `node-${index}`);
    this.#nodes = new Map(names.map((name) => [name, new TestNode(name, this.#api)]));
  }

  async start(): Promise<void> {
    for (const node of this.#nodes.values()) await node.register(this.maxPodsPerNode);
    this.#running = this.#run();
  }

  /** SIGKILL to the processes of the pod; OOMKilled as if it had exceeded its memory limit. */
  kill(podName: string, reason: KillReason = 'Error'): Promise<void> {
    return this.#runner(podName).kill(reason);
  }

  /** Through the eviction API, as `kubectl drain` does: the API server adds the condition DisruptionTarget, and deletes the pod. */
  async evict(podName: string): Promise<void> {
    const { pod } = this.#runner(podName);
    await this.#api.create(`${podPath(pod)}/eviction`, { metadata: { name: podName } });
  }

  /**
   * From now on nothing of the node is reported: its pods stay as they are in the API. Its processes are killed, or continue as in a network
   * partition. `detected` declares it unreachable now, not after 50 s.
   */
  async loseNode(name: string, how: { processes: 'killed' | 'running'; detected?: boolean }): Promise<void> {
    await this.#node(name).lose(how.detected ?? false);
    const runners = [...this.#runners.values()].filter(({ pod }) => pod.spec?.nodeName === name);
    if (how.processes === 'killed') await Promise.all(runners.map((runner) => runner.kill()));
  }

  /** The node reports again: pods that were deleted meanwhile are stopped. */
  recoverNode(name: string): Promise<void> {
    return this.#node(name).recover();
  }

  /** The end of the output of the last container of the pod, also after its deletion. */
  output(podName: string): string {
    return this.#runner(podName).output;
  }

  /** Whether the process of the pod is alive, also if its node is lost. */
  isRunning(podName: string): boolean {
    return this.#runner(podName).isRunning;
  }

  /** For error messages: every pod with its phase and the end of its output, and errors of the kubelet itself. */
  report(): string {
    const pods = [...this.#runners.values()].map(({ pod, output }) => {
      return `== ${pod.metadata?.name} on ${pod.spec?.nodeName}: ${pod.status?.phase}\n${output.slice(-2_000)}`;
    });
    return [...pods, `== kubelet\n${this.#log}`].join('\n');
  }

  /** Ends all processes and removes the nodes and temporary directories. The pods stay in the API. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#running;
    await Promise.all([...this.#runners.values()].map((runner) => runner.stop()));
    // The cluster may have been stopped before.
    for (const node of this.#nodes.values()) await node.remove().catch(() => {});
    await rm(this.#directory, { recursive: true, force: true });
    temporaryDirectories.delete(this.#directory);
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      await this.#sync().catch((error) => this.#note(error));
      await sleep(POLL_MS, undefined, { signal }).catch(() => {});
    }
  }

  async #sync(): Promise<void> {
    const selector = encodeURIComponent(this.#options.selector);
    const list = await this.#api.get<V1PodList>(`/api/v1/pods?labelSelector=${selector}`);
    const pods = list?.items ?? [];
    const alive = [...this.#nodes.values()].filter(({ state }) => state === 'alive');
    for (const node of alive) await node.heartbeat();
    await schedulePods(pods, {
      api: this.#api,
      nodes: alive.map(({ name }) => name),
      maxPodsPerNode: this.maxPodsPerNode,
      unschedulable: this.unschedulable,
    });
    const present = new Map(pods.map((pod) => [pod.metadata?.uid ?? '', pod]));
    for (const [uid, pod] of present) if (!this.#runners.has(uid) && this.#isMine(pod)) this.#add(uid, pod);
    const syncs = [...this.#runners].map(async ([uid, runner]) => {
      if (this.#nodes.get(runner.pod.spec?.nodeName ?? '')?.state === 'lost') return;
      await runner.sync(present.get(uid)).catch((error) => this.#note(error));
    });
    await Promise.all(syncs);
    for (const uid of this.#runners.keys()) {
      if (this.#runners.size > MAX_RUNNERS && !present.has(uid)) this.#runners.delete(uid);
    }
  }

  #isMine({ spec, status }: V1Pod): boolean {
    return this.#nodes.has(spec?.nodeName ?? '') && !isTerminal(status?.phase);
  }

  #add(uid: string, pod: V1Pod): void {
    // All of 127.0.0.0/8 is the loopback of Linux: pods can listen on the same port.
    const address = ++this.#addresses;
    const { entrypoint } = this.#options;
    const runner = new PodRunner(pod, {
      api: this.#api,
      directory: new PodDirectory(join(this.#directory, uid)),
      ip: `127.1.${address >> 8}.${address & 255}`,
      entrypoint,
      refusedImages: this.refusedImages,
    });
    this.#runners.set(uid, runner);
  }

  /** The last one of that name. */
  #runner(podName: string): PodRunner {
    const runner = [...this.#runners.values()].findLast(({ pod }) => pod.metadata?.name === podName);
    if (!runner) throw new Error(`no pod ${podName} has run\n${this.report()}`);
    return runner;
  }

  #node(name: string): TestNode {
    const node = this.#nodes.get(name);
    if (!node) throw new Error(`no node ${name}: there are ${[...this.#nodes.keys()].join(', ')}`);
    return node;
  }

  /** During an outage every poll fails in the same way: once is enough. */
  #note(error: unknown): void {
    if (this.#log.endsWith(` ${error}\n`)) return;
    this.#log = `${this.#log}${new Date().toISOString()} ${error}\n`.slice(-MAX_LOG_CHARACTERS);
  }
}

const temporaryDirectories = new Set<string>();

process.on('exit', () => {
  for (const directory of temporaryDirectories) rmSync(directory, { recursive: true, force: true });
});
