// Migrations in mode Job on a real API server, with the real Job controller and the test kubelet: the operator and each pod are processes of
// their own.
import { resolve } from 'node:path';
import type { V1Job, V1Pod } from '@kubernetes/client-node';
import { JOB_SELECTOR } from '../../../src/operator/job/job-names.ts';
import { type Cluster, startCluster } from '../../support/kubernetes/cluster.ts';
import { type Kubelet, startKubelet } from '../../support/kubernetes/kubelet/kubelet.ts';
import { type FakeStore, startFakeStore } from './fake-store.ts';
import { MigrationObjects } from './migration-objects.ts';
import {
  eventually,
  type InstalledChart,
  installChart,
  type OperatorProcess,
  startOperator,
  untilReady,
} from './operator.ts';

const MAIN = resolve(import.meta.dirname, '../../../src/main.ts');
const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2025, 4, 1);

export interface JobStageOptions {
  /** The program of the pods, instead of prom-migrator. */
  readonly entrypoint?: readonly string[];
  /** Values of the chart. */
  readonly values?: object;
}

export class JobStage implements AsyncDisposable {
  readonly cluster: Cluster;
  readonly kubelet: Kubelet;
  readonly chart: InstalledChart;
  readonly store: FakeStore;
  readonly migrations: MigrationObjects;
  operator: OperatorProcess;

  private constructor(parts: Pick<JobStage, 'cluster' | 'kubelet' | 'chart' | 'store' | 'migrations' | 'operator'>) {
    this.cluster = parts.cluster;
    this.kubelet = parts.kubelet;
    this.chart = parts.chart;
    this.store = parts.store;
    this.migrations = parts.migrations;
    this.operator = parts.operator;
  }

  static async start(namespace: string, options: JobStageOptions = {}): Promise<JobStage> {
    const { entrypoint = [process.execPath, MAIN], values } = options;
    const cluster = await startCluster({ controllerManager: true, audit: true });
    const kubelet = await startKubelet({
      cluster,
      selector: JOB_SELECTOR,
      entrypoint: () => entrypoint,
      nodes: 2,
    });
    const store = await startFakeStore();
    const chart = await installChart(cluster, values);
    const migrations = await MigrationObjects.inNamespace(cluster, namespace);
    const restricted = 'pod-security.kubernetes.io/enforce=restricted';
    await cluster.kubectl(['label', 'namespace', namespace, restricted]);
    const operator = await startOperator({ chart });
    await untilReady(operator);
    return new JobStage({ cluster, kubelet, chart, store, migrations, operator });
  }

  range(hours: number) {
    return { startMs: START_MS, endMs: START_MS + hours * HOUR_MS };
  }

  /** The `spec` of a migration of `hours` hours, in stretches of two. */
  spec(tenant: string, hours: number, execution: object = {}, query?: string) {
    const { destination, ...spec } = this.store.spec(tenant, this.range(hours), query);
    return {
      ...spec,
      destination: { ...destination, ordering: 'Any' },
      execution: { mode: 'Job', parallelism: 2, stretch: '2h', ...execution },
    };
  }

  async jobs(name: string): Promise<V1Job[]> {
    const { namespace } = this.migrations;
    const selector = encodeURIComponent(`prom-migrator.io/migration=${name}`);
    const path = `/apis/batch/v1/namespaces/${namespace}/jobs?labelSelector=${selector}`;
    return ((await this.cluster.request('GET', path)).body as { items: V1Job[] }).items;
  }

  async pods(name: string): Promise<V1Pod[]> {
    const { namespace } = this.migrations;
    const selector = encodeURIComponent(`prom-migrator.io/migration=${name}`);
    const path = `/api/v1/namespaces/${namespace}/pods?labelSelector=${selector}`;
    return ((await this.cluster.request('GET', path)).body as { items: V1Pod[] }).items;
  }

  async runningPods(name: string): Promise<string[]> {
    const pods = (await this.pods(name)).filter(({ status }) => status?.phase === 'Running');
    return pods.flatMap(({ metadata }) => metadata?.name ?? []);
  }

  /** Fails with what everyone has said. */
  async eventually(what: string, holds: () => Promise<boolean> | boolean, withinMs = 90_000): Promise<void> {
    await eventually(what, holds, withinMs, () => this.report());
  }

  async report(): Promise<string> {
    const objects = (await this.migrations.list()).map(({ metadata, status }) => ({ name: metadata.name, status }));
    const log = this.operator.log().slice(-6_000);
    return `${JSON.stringify(objects, undefined, 1)}\n${log}\n${this.kubelet.report().slice(-8_000)}`;
  }

  /** As after a crash; the next one takes over. */
  async restartOperator(): Promise<void> {
    await this.operator.kill();
    this.operator = await startOperator({ chart: this.chart });
    await untilReady(this.operator);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.operator[Symbol.asyncDispose]();
    await this.kubelet[Symbol.asyncDispose]();
    await this.store[Symbol.asyncDispose]();
    await this.cluster[Symbol.asyncDispose]();
  }
}
