// A real Kubernetes API for tests and the demo: `await using cluster = await startCluster()` starts etcd and kube-apiserver, and optionally
// the controllers, on the loopback, and stops them at the end of the block. There are no nodes, so no Pod runs: a Deployment is accepted and
// never becomes ready. Install charts without `--wait`. kubelet/kubelet.ts adds nodes that run Pods as local processes.

import { rmSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';
import { request } from '../http.ts';
import { type FoundServer, findServer } from '../install.ts';
import type { ServerProcess } from '../server-process.ts';
import { KUBERNETES } from '../server-sources.ts';
import { type CommandOptions, type CommandResult, execute } from './command.ts';
import {
  type ControlPlane,
  prepareControlPlane,
  startApiServer,
  startControllerManager,
  startEtcd,
} from './control-plane.ts';
import { checkVersion } from './expected-version.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import type { AuditEvent } from './audit-events.ts';

export interface ClusterOptions {
  /**
   * Whether Kubernetes' own controllers run. Without them the aggregated roles (view, edit, admin) are not updated, namespaces and
   * dependents are not deleted, and a namespace has no default service account.
   */
  controllerManager?: boolean;
  /** Whether the API server logs all requests with their users: see `auditEvents`. */
  audit?: boolean;
}

interface CustomResourceDefinition {
  metadata: { name: string };
  spec: { group: string; names: { kind: string }; versions: { name: string }[] };
}

interface OpenApiIndex {
  paths: Record<string, { serverRelativeURL: string }>;
}

const CRD_FILE = join(import.meta.dirname, '../../../crds/prommigrations.prom-migrator.io.yaml');

/**
 * Starts a cluster of Kubernetes (the usual version, or the version in KUBEBUILDER_ASSETS). Installs missing programs first, which may take minutes;
 * throws with the end of a server's log on failure.
 */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const programs: Programs = {
    etcd: await findServer('etcd', '3.5'),
    apiServer: await findServer('kube-apiserver', KUBERNETES),
  };
  if (options.controllerManager) programs.controllerManager = await findServer('kube-controller-manager', KUBERNETES);
  for (let attempt = 1; ; attempt++) {
    const directory = await mkdtemp(join(tmpdir(), 'prom-migrator-kubernetes-'));
    const plane = await prepareControlPlane(directory, options.audit ?? false);
    const kubeconfig = await writeKubeconfig(join(directory, 'admin.kubeconfig'), {
      ...plane,
      user: 'admin',
      token: plane.adminToken,
    });
    const cluster = new Cluster(plane, programs, kubeconfig);
    try {
      await cluster.start();
      const { body } = await cluster.request('GET', '/version');
      checkVersion((body as { gitVersion?: string }).gitVersion);
      return cluster;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      if (attempt === 3 || !/address already in use/i.test(String(error))) throw error;
    }
  }
}

interface Programs {
  etcd: FoundServer;
  apiServer: FoundServer;
  controllerManager?: FoundServer;
}

type ProcessName = 'etcd' | 'kube-apiserver' | 'kube-controller-manager';

/** A running cluster. Stopped parts keep their data and ports and can be started again. */
export class Cluster implements AsyncDisposable {
  readonly url: string;
  /** Path of the administrator's kubeconfig. */
  readonly kubeconfig: string;
  readonly caFile: string;
  readonly adminToken: string;
  /** The version of the API server: `1.36.3`. */
  readonly version: string;
  readonly #plane: ControlPlane;
  readonly #programs: Programs;
  readonly #processes = new Map<ProcessName, ServerProcess>();
  #earlierLog = '';
  #files = 0;

  constructor(plane: ControlPlane, programs: Programs, kubeconfig: string) {
    this.#plane = plane;
    this.#programs = programs;
    this.url = plane.url;
    this.kubeconfig = kubeconfig;
    this.caFile = plane.caFile;
    this.adminToken = plane.adminToken;
    this.version = programs.apiServer.version;
    temporaryDirectories.add(plane.directory);
  }

  async start(): Promise<void> {
    await this.startEtcd();
    await this.startApiServer();
    const { controllerManager } = this.#programs;
    if (controllerManager) {
      this.#processes.set('kube-controller-manager', await startControllerManager(this.#plane, controllerManager));
    }
  }

  /** Resolves when etcd is ready; the API server reconnects within ten seconds. */
  async startEtcd(): Promise<void> {
    this.#processes.set('etcd', await startEtcd(this.#plane, this.#programs.etcd));
  }

  /** SIGKILL by default, like a crash; with SIGTERM it waits seconds for the API server to disconnect. */
  stopEtcd(signal: 'SIGTERM' | 'SIGKILL' = 'SIGKILL'): Promise<void> {
    return this.#stop('etcd', signal);
  }

  /** Resolves when it is ready; Kubernetes' own controllers may take a minute to reconnect. */
  async startApiServer(): Promise<void> {
    this.#processes.set('kube-apiserver', await startApiServer(this.#plane, this.#programs.apiServer));
  }

  /** SIGKILL closes every connection immediately; after SIGTERM it accepts no new ones, and watches may continue for ten seconds. */
  stopApiServer(signal: 'SIGTERM' | 'SIGKILL' = 'SIGKILL'): Promise<void> {
    return this.#stop('kube-apiserver', signal);
  }

  /** Process ids of the running programs, for measurements. */
  pids(): Partial<Record<ProcessName, number>> {
    return Object.fromEntries([...this.#processes].map(([name, { pid }]) => [name, pid]));
  }

  /** The end of the output of each process, including stopped ones. */
  log(): string {
    const running = [...this.#processes].map(([name, server]) => `== ${name}\n${server.log()}`);
    return [this.#earlierLog, ...running].join('\n');
  }

  /** Runs kubectl as the administrator; `input` is its standard input (`apply -f -`). Never throws for an exit code. */
  async kubectl(args: readonly string[], input?: string, options: CommandOptions = {}): Promise<CommandResult> {
    const { path } = await findServer('kubectl', KUBERNETES);
    return execute(path, args, { ...options, input, env: this.environment(options.kubeconfig) });
  }

  /** Runs helm as the administrator, with separate caches and repositories. `--wait` would never finish, because no Pods run. */
  async helm(args: readonly string[], input?: string, options: CommandOptions = {}): Promise<CommandResult> {
    const { path } = await findServer('helm', '4');
    return execute(path, args, { ...options, input, env: this.environment(options.kubeconfig) });
  }

  /** The environment for kubectl and helm: this cluster, and none of the user's own settings. */
  environment(kubeconfig = this.kubeconfig): NodeJS.ProcessEnv {
    const home = join(this.#plane.directory, 'home');
    const others = Object.entries(process.env).filter(([name]) => !/^(HELM|KUBE)/.test(name));
    return {
      ...Object.fromEntries(others),
      HOME: home,
      XDG_CACHE_HOME: home,
      XDG_CONFIG_HOME: home,
      XDG_DATA_HOME: home,
      KUBECONFIG: kubeconfig,
    };
  }

  /** A request to the API as the administrator; `body` is sent as JSON unless `contentType` says otherwise. */
  async request(
    method: string,
    path: string,
    body?: unknown,
    contentType = 'application/json',
  ): Promise<{ status: number; body: unknown }> {
    const response = await request(`${this.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${this.adminToken}`, 'content-type': contentType, accept: 'application/json' },
      identity: { ca: this.#plane.ca },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = response.body.toString('utf8');
    // Independent of its Content-Type: the OpenAPI index is text/plain.
    return { status: response.status, body: text.startsWith('{') ? JSON.parse(text) : text };
  }

  /** A token of the service account from TokenRequest, valid for this many seconds (at least 600). */
  async serviceAccountToken(namespace: string, name: string, seconds = 3_600): Promise<string> {
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
    const wish = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: seconds } };
    const { status, body } = await this.request('POST', path, wish);
    const token = (body as { status?: { token?: string } } | undefined)?.status?.token;
    if (status !== 201 || !token) {
      throw new Error(`no token for service account ${namespace}/${name}: ${status} ${JSON.stringify(body)}`);
    }
    return token;
  }

  /** Path of a kubeconfig with such a token and this namespace: it has exactly the permissions of the service account. */
  async serviceAccountKubeconfig(namespace: string, name: string): Promise<string> {
    const token = await this.serviceAccountToken(namespace, name);
    const path = join(this.#plane.directory, `service-account-${++this.#files}.kubeconfig`);
    return writeKubeconfig(path, {
      url: this.url,
      caFile: this.caFile,
      user: `${namespace}-${name}`,
      token,
      namespace,
    });
  }

  /** Applies crds/, or the file given, and waits for it as `waitForCrd` does. */
  async applyCrd(file = CRD_FILE): Promise<void> {
    await this.#mustKubectl(['apply', '--server-side', '-f', file]);
    await this.waitForCrd(file);
  }

  /**
   * Waits until the API server serves and describes the kind of this CRD, whoever applied it, such as helm. The first object that is
   * created within two seconds takes two seconds: the API server waits for its peers to know the kind too.
   */
  async waitForCrd(file = CRD_FILE): Promise<void> {
    const { spec, metadata } = parse(await readFile(file, 'utf8')) as CustomResourceDefinition;
    await this.#mustKubectl(['wait', '--for=condition=Established', '--timeout=30s', `crd/${metadata.name}`]);
    // Established comes first. The storage of the kind still returns 429 for a moment.
    await this.#mustKubectl(['get', metadata.name, '--all-namespaces']);
    const deadlineMs = Date.now() + 30_000;
    for (const { name } of spec.versions) {
      while (!(await this.#describes(`apis/${spec.group}/${name}`, spec.names.kind))) {
        if (Date.now() > deadlineMs) throw new Error(`the API server does not describe ${metadata.name} after 30 s`);
        await sleep(100);
      }
    }
    // kubectl caches the OpenAPI index, and requests a newer one by a date in whole seconds: it would never see a change within the same
    // second.
    await rm(join(this.#plane.directory, 'home/.kube/cache'), { recursive: true, force: true });
  }

  /** Whether the OpenAPI index, which kubectl uses, lists the kind: it is updated about a second later than the documents. */
  async #describes(groupVersion: string, kind: string): Promise<boolean> {
    const { body } = await this.request('GET', '/openapi/v3');
    const address = (body as OpenApiIndex).paths[groupVersion]?.serverRelativeURL;
    if (!address) return false;
    return JSON.stringify((await this.request('GET', address)).body).includes(`"kind":"${kind}"`);
  }

  /** The requests completed so far, oldest first; requires the option `audit`. */
  async auditEvents(): Promise<AuditEvent[]> {
    const file = this.#plane.auditLog;
    if (!file) throw new Error('the cluster was started without the option audit');
    const lines = (await readFile(file, 'utf8')).split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as AuditEvent);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop('kube-controller-manager');
    await this.#stop('kube-apiserver');
    await this.#stop('etcd');
    await rm(this.#plane.directory, { recursive: true, force: true });
    temporaryDirectories.delete(this.#plane.directory);
  }

  async #mustKubectl(args: readonly string[]): Promise<void> {
    const { code, stderr } = await this.kubectl(args);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')} ended with ${code}: ${stderr}`);
  }

  async #stop(name: ProcessName, signal: 'SIGTERM' | 'SIGKILL' = 'SIGKILL'): Promise<void> {
    const server = this.#processes.get(name);
    if (!server) return;
    this.#processes.delete(name);
    if (signal === 'SIGKILL') process.kill(server.pid, signal);
    await server.stop();
    this.#earlierLog = `${this.#earlierLog}== ${name}, stopped\n${server.log()}\n`.slice(-200_000);
    await server[Symbol.asyncDispose]();
  }
}

const temporaryDirectories = new Set<string>();

process.on('exit', () => {
  for (const directory of temporaryDirectories) rmSync(directory, { recursive: true, force: true });
});
