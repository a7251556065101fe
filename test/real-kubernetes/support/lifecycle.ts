// An operator installed with the chart, a store with fault injection, and a namespace of migrations from and to it, on a real API server.

import assert from 'node:assert/strict';
import { type Cluster, startCluster } from '../../support/kubernetes/cluster.ts';
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

export interface TimeRange {
  readonly startMs: number;
  readonly endMs: number;
}

export const DAY = { startMs: Date.UTC(2025, 4, 1), endMs: Date.UTC(2025, 4, 2) };
export const HOUR = { startMs: DAY.startMs, endMs: DAY.startMs + 3_600_000 };
/** With two samples a minute and windows of ten minutes: one window per second. */
export const SLOW = { window: { max: '10m' }, limits: { samplesPerSecond: 20 } };

export async function startLifecycle(): Promise<Lifecycle> {
  await using started = new AsyncDisposableStack();
  const cluster = started.use(await startCluster());
  const store = started.use(await startFakeStore());
  const chart = await installChart(cluster, { maxMigrations: 12 });
  const migrations = await MigrationObjects.inNamespace(cluster, 'team-a');
  const operator = started.use(await startOperator({ chart }));
  await untilReady(operator);
  started.move();
  return new Lifecycle({ cluster, chart, store, migrations, operator });
}

export class Lifecycle implements AsyncDisposable {
  readonly cluster: Cluster;
  readonly chart: InstalledChart;
  readonly store: FakeStore;
  readonly migrations: MigrationObjects;
  /** The running operator: a test that starts another one assigns it here. */
  operator: OperatorProcess;

  constructor(parts: Pick<Lifecycle, 'cluster' | 'chart' | 'store' | 'migrations' | 'operator'>) {
    this.cluster = parts.cluster;
    this.chart = parts.chart;
    this.store = parts.store;
    this.migrations = parts.migrations;
    this.operator = parts.operator;
  }

  async startSlow(name: string, spec: object = {}): Promise<void> {
    await this.migrations.create(name, { ...this.store.spec(name, DAY), ...SLOW, ...spec });
    await eventually(`${name} has written`, () => this.store.storedSamples(name) >= 40);
  }

  assertAllThereOnce(tenant: string, range: TimeRange): void {
    assert.equal(this.store.storedSamples(tenant), this.store.expectedSamples(range));
    assert.equal(this.store.repeated.get(tenant) ?? 0, 0, 'nothing was written twice');
  }

  logOf(name: string): Record<string, unknown>[] {
    return this.operator.logLines().filter(({ migration }) => migration === name);
  }

  countLog(name: string, message: string): number {
    return this.logOf(name).filter((line) => line['message'] === message).length;
  }

  async reasonsOf(name: string): Promise<string[]> {
    return (await this.migrations.events(name)).map(({ reason }) => reason);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.operator[Symbol.asyncDispose]();
    await this.store[Symbol.asyncDispose]();
    await this.cluster[Symbol.asyncDispose]();
  }
}
