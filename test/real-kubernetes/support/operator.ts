// The operator as a cluster runs it: the chart installed by helm on a real API server, and a separate process with exactly the arguments,
// the environment and the permissions that the chart rendered. There is no kubelet, so the tests start what a Pod would run.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from '../../support/http.ts';
import type { Cluster } from '../../support/kubernetes/cluster.ts';
import type { CommandResult } from '../../support/kubernetes/command.ts';
import { giveLeaseBack } from './released-lease.ts';

const MAIN = resolve(import.meta.dirname, '../../../src/main.ts');
export const CHART = resolve(import.meta.dirname, '../../../charts/prom-migrator');
export const OPERATOR_NAMESPACE = 'prom-migrator-system';
/** A process may start slowly on a loaded machine. */
const START_DEADLINE_MS = 60_000;
const LOG_BYTES = 32 * 2 ** 20;

/** The parts of an installed release that a process needs to run as the operator. */
export interface InstalledChart {
  readonly cluster: Cluster;
  readonly release: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  /** Uses the service account, and so has exactly the permissions that the chart grants. */
  readonly kubeconfig: string;
  /** The arguments of the Deployment's container, without the metrics address, which belongs to a Pod. */
  readonly args: readonly string[];
  /** The environment of the Deployment's container; `startOperator` sets what a Pod would have filled in. */
  readonly env: Readonly<Record<string, string>>;
}

export interface ChartOptions {
  release?: string;
  namespace?: string;
  /** By default the Lease exists and is released: without one the first operator waits for a lease duration. */
  lease?: 'given back' | 'none';
}

interface Deployment {
  spec: {
    template: {
      spec: {
        serviceAccountName: string;
        containers: { name: string; args: string[]; env?: { name: string; value?: string }[] }[];
      };
    };
  };
}

/** Installs the chart with its CRD and these values, and waits until the API server serves PromMigrations. */
export async function installChart(
  cluster: Cluster,
  values: object = {},
  { release = 'prom-migrator', namespace = OPERATOR_NAMESPACE, lease = 'given back' }: ChartOptions = {},
): Promise<InstalledChart> {
  const directory = await mkdtemp(join(tmpdir(), 'prom-migrator-chart-'));
  try {
    // JSON is valid YAML.
    const file = join(directory, 'values.yaml');
    await writeFile(file, JSON.stringify(values));
    succeeded(await cluster.helm(['install', release, CHART, '-n', namespace, '--create-namespace', '--values', file]));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
  if (lease === 'given back') await giveLeaseBack(cluster, namespace);
  return installedOperator(cluster, { release, namespace });
}

/** What a process needs to run as the operator of a release that is installed, however that was done. */
export async function installedOperator(
  cluster: Cluster,
  { release = 'prom-migrator', namespace = OPERATOR_NAMESPACE }: Pick<ChartOptions, 'release' | 'namespace'> = {},
): Promise<InstalledChart> {
  await cluster.waitForCrd();
  const selector = `app.kubernetes.io/instance=${release}`;
  const list = succeeded(await cluster.kubectl(['get', 'deployments', '-n', namespace, '-l', selector, '-o', 'json']));
  const pod = (JSON.parse(list) as { items: Deployment[] }).items[0]?.spec.template.spec;
  const container = pod?.containers.find(({ name }) => name === 'operator');
  assert.ok(pod && container, `the chart made no Deployment of an operator: ${list}`);
  const env = (container.env ?? []).flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]]));
  return {
    cluster,
    release,
    namespace,
    serviceAccount: pod.serviceAccountName,
    kubeconfig: await cluster.serviceAccountKubeconfig(namespace, pod.serviceAccountName),
    args: container.args.filter((arg) => flagOf(arg) !== '--metrics-address'),
    env: Object.fromEntries(env),
  };
}

export interface OperatorProcessOptions {
  chart: InstalledChart;
  /** The program; by default the one of the checkout. */
  main?: string;
  /** The POD_NAME; unique by default. */
  podName?: string;
  /** Flags that replace those of the chart (`--max-migrations=4`), and additional ones. */
  args?: readonly string[];
  env?: Readonly<Record<string, string>>;
  /** Replaces that of the service account: for an API server behind a proxy. */
  kubeconfig?: string;
}

export interface OperatorProcess extends AsyncDisposable {
  readonly pid: number;
  readonly podName: string;
  /** The base URL of /metrics, /livez and /readyz. */
  readonly url: string;
  /** Sends the signal and waits: returns the exit code, null when a signal ended it. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
  /** Sends SIGKILL; resolves when the process has exited. */
  kill(): Promise<void>;
  /** Its whole log so far, at most the last 32 MiB. */
  log(): string;
  /** Its log lines; lines of Node itself, which are not JSON, are omitted. */
  logLines(): Record<string, unknown>[];
  /** Resolves as soon as its log matches; rejects when it exits first, or after the timeout. */
  saying(pattern: RegExp, withinMs?: number): Promise<void>;
  running(): boolean;
  metrics(): Promise<string>;
}

let pods = 0;

/** Starts the operator like the chart's Pod, and returns as soon as it serves its metrics. It may not lead yet: see `untilReady`. */
export async function startOperator(options: OperatorProcessOptions): Promise<OperatorProcess> {
  const { chart, main = MAIN, podName = `${chart.release}-${++pods}`, args: own = [] } = options;
  const replaced = new Set(own.map(flagOf));
  const args = [
    ...chart.args.filter((arg) => !replaced.has(flagOf(arg))),
    ...(replaced.has('--metrics-address') ? [] : ['--metrics-address=127.0.0.1:0']),
    ...own,
  ];
  const child = spawn(process.execPath, [main, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...chart.cluster.environment(options.kubeconfig ?? chart.kubeconfig),
      POD_NAME: podName,
      POD_NAMESPACE: chart.namespace,
      ...chart.env,
      ...options.env,
    },
  });
  const operator = new RunningOperator(child, podName);
  try {
    await operator.saying(/"url":"http:[^"]+"|url=http:\S+/, START_DEADLINE_MS);
    const url = /(?:"url":"|url=)http:\/\/[^":]*(?:\[[^\]]*\])?:(\d+)/.exec(operator.log())?.[1];
    assert.ok(url, `no port in what the operator said:\n${operator.log()}`);
    operator.url = `http://127.0.0.1:${url}`;
    return operator;
  } catch (error) {
    await operator.kill();
    throw error;
  }
}

class RunningOperator implements OperatorProcess {
  readonly podName: string;
  url = '';
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;
  readonly #listeners = new Set<() => void>();
  #running = true;
  #log = '';

  constructor(child: ChildProcess, podName: string) {
    this.podName = podName;
    this.#child = child;
    const append = (text: string) => {
      this.#log = (this.#log + text).slice(-LOG_BYTES);
      for (const listener of this.#listeners) listener();
    };
    child.stdout?.setEncoding('utf8').on('data', append);
    child.stderr?.setEncoding('utf8').on('data', append);
    const killChild = () => child.kill('SIGKILL');
    process.once('exit', killChild);
    this.#ended = new Promise((done) => {
      const end = (code: number | null) => {
        this.#running = false;
        process.off('exit', killChild);
        for (const listener of this.#listeners) listener();
        done(code);
      };
      child.on('error', (error) => {
        append(`${error}\n`);
        end(null);
      });
      child.on('close', end);
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  running(): boolean {
    return this.#running;
  }

  stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.#child.kill(signal);
    return this.#ended;
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  log(): string {
    return this.#log;
  }

  logLines(): Record<string, unknown>[] {
    return this.#log.split('\n').flatMap((line) => {
      try {
        return [JSON.parse(line) as Record<string, unknown>];
      } catch {
        return [];
      }
    });
  }

  saying(pattern: RegExp, withinMs = 60_000): Promise<void> {
    return new Promise((done, failed) => {
      const settle = (error?: Error) => {
        this.#listeners.delete(listener);
        clearTimeout(timeout);
        if (error) failed(error);
        else done();
      };
      const fail = (how: string) => {
        settle(new Error(`the operator ${how} without saying ${pattern}; the end of its log:\n${this.#tail()}`));
      };
      const listener = () => {
        if (pattern.test(this.#log)) settle();
        else if (!this.#running) fail('ended');
      };
      const timeout = setTimeout(() => fail(`has run ${withinMs} ms`), withinMs);
      this.#listeners.add(listener);
      listener();
    });
  }

  async metrics(): Promise<string> {
    const response = await request(`${this.url}/metrics`);
    assert.equal(response.status, 200, response.body.toString('utf8'));
    return response.body.toString('utf8');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  #tail(): string {
    return this.#log.split('\n').slice(-40).join('\n');
  }
}

/** Waits until the operator is ready, like a readiness probe. */
export async function untilReady(operator: OperatorProcess, withinMs = START_DEADLINE_MS): Promise<void> {
  await eventually(
    'the operator is ready',
    async () => (await request(`${operator.url}/readyz`).catch(() => undefined))?.status === 200,
    withinMs,
    () => operator.log().slice(-4_000),
  );
}

/** Polls until the condition holds; fails with `state` after the timeout. */
export async function eventually(
  what: string,
  holds: () => Promise<boolean> | boolean,
  withinMs = 60_000,
  state: () => Promise<string> | string = () => '',
): Promise<void> {
  const deadlineMs = Date.now() + withinMs;
  while (!(await holds())) {
    if (Date.now() > deadlineMs) assert.fail(`not within ${withinMs} ms: ${what}\n${await state()}`);
    await sleep(100);
  }
}

/** The standard output of the command; fails with its error output otherwise. */
export function succeeded(result: CommandResult): string {
  assert.equal(result.code, 0, result.stderr || result.stdout);
  return result.stdout;
}

function flagOf(arg: string): string {
  return arg.split('=', 1)[0] ?? arg;
}
