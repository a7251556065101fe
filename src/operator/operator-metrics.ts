// The metrics of the operator itself, in addition to the engine's for each migration: what /metrics serves.

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { PromMigration } from '../api/prom-migration.ts';
import type { Grade } from '../migration/preflight/finding-codes.ts';
import type { Finding } from '../migration/preflight/preflight-result.ts';
import { observeIntoMetrics } from '../migration/report/metrics-observer.ts';
import type { MetricDefinition } from '../telemetry/metric-catalogue.ts';
import { MigrationMetrics } from '../telemetry/metrics.ts';
import type { RequestReport } from './kube/kube-client.ts';
import { keyOf } from './kube/kube-objects.ts';
import { PHASES } from './judge/status.ts';
import type { FromWorker } from '../execute/worker-messages.ts';

export const OPERATOR_METRICS = {
  leader: {
    name: 'prom_migrator_operator_leader',
    type: 'gauge',
    help: '1 while this process is the leader, 0 while it is on standby.',
    labels: [],
  },
  watchLastEvent: {
    name: 'prom_migrator_operator_watch_last_event_timestamp_seconds',
    type: 'gauge',
    help: 'When the API server last sent something about PromMigrations: an event, a bookmark or a list.',
    labels: [],
  },
  watchReconnects: {
    name: 'prom_migrator_operator_watch_reconnects_total',
    type: 'counter',
    help: 'Lists and watches of PromMigrations that failed and were restarted, and changes that only the regular list found (cause relist_miss).',
    labels: ['cause'],
  },
  reconciles: {
    name: 'prom_migrator_operator_reconcile_total',
    type: 'counter',
    help: 'Reconciles of a PromMigration, by result: success or error.',
    labels: ['result'],
  },
  reconcileDuration: {
    name: 'prom_migrator_operator_reconcile_duration_seconds',
    type: 'histogram',
    help: 'Duration of a reconcile, including requests to the API server.',
    labels: [],
    buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10],
  },
  queueDepth: {
    name: 'prom_migrator_operator_queue_depth',
    type: 'gauge',
    help: 'PromMigrations that wait to be reconciled.',
    labels: [],
  },
  queueRetries: {
    name: 'prom_migrator_operator_queue_retries_total',
    type: 'counter',
    help: 'Reconciles that failed and are retried.',
    labels: [],
  },
  statusWrites: {
    name: 'prom_migrator_operator_status_writes_total',
    type: 'counter',
    help: 'Status writes by result: success, conflict, gone or error.',
    labels: ['result'],
  },
  eventLoopLag: {
    name: 'prom_migrator_operator_event_loop_lag_seconds',
    type: 'gauge',
    help: 'Longest delay of the main thread since the last scrape.',
    labels: [],
  },
  apiRequests: {
    name: 'prom_migrator_operator_api_requests_total',
    type: 'counter',
    help: 'Requests to the API server by verb, resource and HTTP status, or by error code if there was no response.',
    labels: ['verb', 'resource', 'code'],
  },
  migrations: {
    name: 'prom_migrator_operator_migrations',
    type: 'gauge',
    help: 'PromMigrations by phase, as seen by the leader.',
    labels: ['phase'],
  },
  preflightFindings: {
    name: 'prom_migrator_operator_preflight_findings',
    type: 'gauge',
    help: 'Findings of the last look at both sides before the copy (spec.preflight), by grade: blocks, warns or informs. Only since this process leads.',
    labels: ['migration', 'grade'],
  },
  condition: {
    name: 'prom_migrator_operator_condition',
    type: 'gauge',
    help: 'Always 1; the labels carry the state of a condition of a migration, as seen by the leader.',
    labels: ['migration', 'type', 'status', 'reason'],
  },
} as const satisfies Record<string, MetricDefinition>;

/** The catalogue as the Markdown table of docs/metrics.md. */
export function operatorMetricsTable(): string {
  const definitions: readonly MetricDefinition[] = Object.values(OPERATOR_METRICS);
  const rows = definitions.map(
    ({ name, type, labels, help }) =>
      `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`,
  );
  return ['| metric | type | labels | meaning |', '|---|---|---|---|', ...rows].join('\n');
}

/** Values that are looked up at each scrape. */
export interface Scraped {
  readonly leading: () => boolean;
  readonly queueDepth: () => number;
  readonly resources: () => readonly PromMigration[];
  readonly monotonicMs: () => number;
}

const GRADES: readonly Grade[] = ['blocks', 'warns', 'informs'];

/** How long the engine's series of an ended migration are kept: a thousand of them would make every scrape slow. */
const ENDED_MS = 15 * 60_000;

export class OperatorMetrics {
  readonly #registry = new Registry();
  readonly #migrations = new MigrationMetrics();
  readonly #observers = new Map<string, ReturnType<typeof observeIntoMetrics>>();
  readonly #endedAtMs = new Map<string, number>();
  readonly #loopDelay = monitorEventLoopDelay({ resolution: 20 });
  readonly #counters: {
    readonly [Key in 'watchReconnects' | 'reconciles' | 'queueRetries' | 'statusWrites' | 'apiRequests']: Counter;
  };
  readonly #gauges: {
    readonly [Key in
      | 'leader'
      | 'watchLastEvent'
      | 'queueDepth'
      | 'eventLoopLag'
      | 'migrations'
      | 'preflightFindings'
      | 'condition']: Gauge;
  };
  readonly #reconcileDuration: Histogram;
  readonly #scraped: Scraped;

  constructor(scraped: Scraped) {
    this.#scraped = scraped;
    const configuration = ({ name, help, labels }: MetricDefinition) => ({
      name,
      help,
      labelNames: labels,
      registers: [this.#registry],
    });
    const counter = (key: keyof typeof OPERATOR_METRICS) => new Counter(configuration(OPERATOR_METRICS[key]));
    const gauge = (key: keyof typeof OPERATOR_METRICS) => new Gauge(configuration(OPERATOR_METRICS[key]));
    this.#counters = {
      watchReconnects: counter('watchReconnects'),
      reconciles: counter('reconciles'),
      queueRetries: counter('queueRetries'),
      statusWrites: counter('statusWrites'),
      apiRequests: counter('apiRequests'),
    };
    this.#gauges = {
      leader: gauge('leader'),
      watchLastEvent: gauge('watchLastEvent'),
      queueDepth: gauge('queueDepth'),
      eventLoopLag: gauge('eventLoopLag'),
      migrations: gauge('migrations'),
      preflightFindings: gauge('preflightFindings'),
      condition: gauge('condition'),
    };
    const { buckets } = OPERATOR_METRICS.reconcileDuration;
    this.#reconcileDuration = new Histogram({
      ...configuration(OPERATOR_METRICS.reconcileDuration),
      buckets: [...buckets],
    });
    this.#loopDelay.enable();
  }

  apiRequest({ verb, resource, code }: RequestReport): void {
    this.#counters.apiRequests.inc({ verb, resource, code: String(code) });
  }

  watchActivity(nowMs: number): void {
    this.#gauges.watchLastEvent.set(nowMs / 1000);
  }

  watchReconnect(cause: 'failure' | 'relist_miss', count = 1): void {
    this.#counters.watchReconnects.inc({ cause }, count);
  }

  statusWrite(result: string): void {
    this.#counters.statusWrites.inc({ result });
  }

  reconciled(result: 'success' | 'error', seconds: number): void {
    this.#counters.reconciles.inc({ result });
    this.#reconcileDuration.observe(seconds);
    if (result === 'error') this.#counters.queueRetries.inc();
  }

  /** Feeds a worker's report into the engine's metrics as if the migration ran in this thread. */
  report(key: string, { progress, events }: FromWorker & { type: 'report' }): void {
    this.#endedAtMs.delete(key);
    let observer = this.#observers.get(key);
    if (observer === undefined) {
      observer = observeIntoMetrics(key, this.#migrations);
      this.#observers.set(key, observer);
    }
    observer.progress(progress);
    for (const event of events) observer.event(event);
  }

  preflight(migration: string, findings: readonly Pick<Finding, 'grade'>[]): void {
    for (const grade of GRADES) {
      const value = findings.filter((finding) => finding.grade === grade).length;
      this.#gauges.preflightFindings.set({ migration, grade }, value);
    }
  }

  ended(key: string): void {
    this.#endedAtMs.set(key, this.#scraped.monotonicMs());
  }

  forget(key: string): void {
    this.#endedAtMs.delete(key);
    for (const grade of GRADES) this.#gauges.preflightFindings.remove({ migration: key, grade });
    const observer = this.#observers.get(key);
    if (observer === undefined) return;
    observer.close();
    this.#observers.delete(key);
    this.#migrations.forget(key).catch(() => undefined);
  }

  /** Another process leads now: its work must not be reported twice. */
  forgetAll(): void {
    for (const key of [...this.#observers.keys()]) this.forget(key);
    this.#gauges.preflightFindings.reset();
  }

  async exposition(): Promise<{ readonly contentType: string; readonly body: string }> {
    this.#refresh();
    const migrations = await this.#migrations.exposition();
    const own = await this.#registry.metrics();
    return { contentType: migrations.contentType, body: `${migrations.body}\n${own}` };
  }

  close(): void {
    this.#loopDelay.disable();
    for (const observer of this.#observers.values()) observer.close();
  }

  #refresh(): void {
    const { leading, queueDepth, resources, monotonicMs } = this.#scraped;
    for (const [key, endedAtMs] of this.#endedAtMs) if (monotonicMs() - endedAtMs >= ENDED_MS) this.forget(key);
    const { leader, migrations, condition, eventLoopLag } = this.#gauges;
    leader.set(leading() ? 1 : 0);
    this.#gauges.queueDepth.set(queueDepth());
    // The delay monitor's timer fires every 20 ms at best; anything beyond that is lag.
    eventLoopLag.set(Math.max(0, this.#loopDelay.max / 1e9 - 0.02));
    this.#loopDelay.reset();
    condition.reset();
    const counts = new Map<string, number>(PHASES.map((phase) => [phase, 0]));
    for (const resource of leading() ? resources() : []) {
      const phase = resource.status?.phase ?? 'Pending';
      counts.set(phase, (counts.get(phase) ?? 0) + 1);
      for (const { type, status, reason } of resource.status?.conditions ?? []) {
        condition.set({ migration: keyOf(resource), type, status, reason }, 1);
      }
    }
    migrations.reset();
    for (const [phase, count] of counts) if (leading() || count > 0) migrations.set({ phase }, count);
  }
}
