// The metrics of one process: a registry of its own (nothing global), filled by whoever watches migrations, read by the HTTP server.
// This room knows no migration; the totals below are the part of a migration's progress that is exposed.

import { performance } from 'node:perf_hooks';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { completedRatio } from './completion.ts';
import { METRICS, type MetricDefinition } from './metric-catalogue.ts';
import { VERSION } from './version.ts';

/** Counts since the migration's run began; times in milliseconds since 1970. */
export interface MigrationTotals {
  readonly phase: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly watermarkMs: number;
  readonly reachedMs: number;
  readonly samplesRead: number;
  readonly samplesWritten: number;
  readonly samplesFiltered: number;
  readonly samplesAlreadyPresent: number;
  readonly samplesConflicting: number;
  readonly samplesRejected: Readonly<Record<string, number>>;
  readonly samplesReadPlain: number;
  readonly samplesAlteredAtMost: number;
  /** Of the newest finished window. */
  readonly windowSeries: number;
  readonly windows: number;
  readonly windowMs: number;
  readonly inFlightBytes: number;
  readonly inFlightWrites: number;
}

export interface RequestObservation {
  readonly side: string;
  /** The HTTP status, or a code such as ECONNREFUSED. */
  readonly code: number | string;
  readonly seconds: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

type Instruments = {
  readonly [Key in keyof typeof METRICS]: (typeof METRICS)[Key]['type'] extends 'counter'
    ? Counter
    : (typeof METRICS)[Key]['type'] extends 'gauge'
      ? Gauge
      : Histogram;
};

function createInstruments(registry: Registry): Instruments {
  const instruments: Record<string, Counter | Gauge | Histogram> = {};
  const definitions: readonly [string, MetricDefinition][] = Object.entries(METRICS);
  for (const [key, { name, help, type, labels, buckets }] of definitions) {
    const configuration = { name, help, labelNames: labels, registers: [registry] };
    if (type === 'counter') instruments[key] = new Counter(configuration);
    else if (type === 'gauge') instruments[key] = new Gauge(configuration);
    else instruments[key] = new Histogram({ ...configuration, buckets: [...(buckets ?? [])] });
  }
  return instruments as Instruments;
}

// A code comes from a server or an error: what does not look like one would make a series of its own for each text.
function boundedCode(code: number | string): string {
  const text = String(code);
  return /^[A-Za-z0-9_-]{1,60}$/.test(text) ? text : 'other';
}

export class MigrationMetrics {
  readonly #registry = new Registry();
  readonly #instruments = createInstruments(this.#registry);
  /** What each counter that follows a total has seen of it so far. */
  readonly #seen = new Map<string, number>();
  readonly #phases = new Map<string, string>();
  readonly #leaving = new Set<string>();
  #forgetting: Promise<void> | undefined;
  readonly #refreshers = new Set<() => void>();
  #cpuSeconds = 0;
  #loopAtScrape = performance.eventLoopUtilization();

  constructor() {
    this.#instruments.buildInfo.set({ version: VERSION, node_version: process.versions.node }, 1);
    this.#instruments.processStart.set(performance.timeOrigin / 1000);
  }

  /** Calls `refresh` before each scrape, so that totals need not be pushed at every batch; the response ends that. */
  beforeScrape(refresh: () => void): () => void {
    this.#refreshers.add(refresh);
    return () => this.#refreshers.delete(refresh);
  }

  /** Takes over the totals of one migration. Totals that went back are those of a new run: the counters go on from there. */
  update(migration: string, totals: MigrationTotals): void {
    const metrics = this.#instruments;
    const labels = { migration };
    this.#follow(metrics.samplesRead, 'read', labels, totals.samplesRead);
    this.#follow(metrics.samplesWritten, 'written', labels, totals.samplesWritten);
    this.#follow(metrics.samplesFiltered, 'filtered', labels, totals.samplesFiltered);
    this.#follow(metrics.samplesAlreadyPresent, 'present', labels, totals.samplesAlreadyPresent);
    this.#follow(metrics.samplesConflicting, 'conflicting', labels, totals.samplesConflicting);
    this.#follow(metrics.samplesReadPlain, 'plain', labels, totals.samplesReadPlain);
    this.#follow(metrics.samplesAlteredAtMost, 'altered', labels, totals.samplesAlteredAtMost);
    this.#follow(metrics.windows, 'windows', labels, totals.windows);
    for (const [reason, samples] of Object.entries(totals.samplesRejected)) {
      this.#follow(metrics.samplesRejected, 'rejected', { migration, reason: boundedCode(reason) }, samples);
    }
    metrics.windowLength.set(labels, totals.windowMs / 1000);
    metrics.windowSeries.set(labels, totals.windowSeries);
    metrics.inFlightBytes.set(labels, totals.inFlightBytes);
    metrics.inFlightWrites.set(labels, totals.inFlightWrites);
    if (totals.endMs > totals.startMs) {
      metrics.rangeStart.set(labels, totals.startMs / 1000);
      metrics.rangeEnd.set(labels, totals.endMs / 1000);
      metrics.watermark.set(labels, totals.watermarkMs / 1000);
      metrics.completed.set(labels, completedRatio(totals));
    }
    const phaseBefore = this.#phases.get(migration);
    if (phaseBefore !== undefined) metrics.phase.set({ migration, phase: phaseBefore }, 0);
    metrics.phase.set({ migration, phase: totals.phase }, 1);
    this.#phases.set(migration, totals.phase);
  }

  /** One HTTP request that has ended, well or not. */
  request(migration: string, request: RequestObservation): void {
    const { side } = request;
    this.#instruments.requests.inc({ migration, side, code: boundedCode(request.code) });
    this.#instruments.requestDuration.observe({ migration, side }, request.seconds);
    this.#instruments.sentBytes.inc({ migration, side }, request.sentBytes);
    this.#instruments.receivedBytes.inc({ migration, side }, request.receivedBytes);
  }

  retry(migration: string, side: string, reason: string): void {
    this.#instruments.retries.inc({ migration, side, reason: boundedCode(reason) });
  }

  windowFinished(migration: string, seconds: number): void {
    this.#instruments.windowDuration.observe({ migration }, seconds);
  }

  windowSplit(migration: string, by: string): void {
    this.#instruments.windowSplits.inc({ migration, by });
  }

  warning(migration: string, code: string): void {
    this.#instruments.warnings.inc({ migration, code: boundedCode(code) });
  }

  memoryBudget(migration: string, bytes: number): void {
    this.#instruments.memoryBudget.set({ migration }, bytes);
  }

  /** Takes all series of one migration away. Calls that come together share one pass over everybody's series: an operator may let go of a thousand. */
  forget(migration: string): Promise<void> {
    this.#leaving.add(migration);
    this.#forgetting ??= this.#forgetLeaving().finally(() => {
      this.#forgetting = undefined;
    });
    return this.#forgetting;
  }

  async #forgetLeaving(): Promise<void> {
    // Not before those are known that leave in the same breath.
    await Promise.resolve();
    while (this.#leaving.size > 0) {
      const gone = new Set(this.#leaving);
      this.#leaving.clear();
      for (const migration of gone) this.#phases.delete(migration);
      for (const key of this.#seen.keys()) {
        const [, labels] = JSON.parse(key) as [string, { migration: string }];
        if (gone.has(labels.migration)) this.#seen.delete(key);
      }
      for (const [key, definition] of Object.entries(METRICS) as [keyof Instruments, MetricDefinition][]) {
        if (!definition.labels.includes('migration')) continue;
        const instrument: Counter | Gauge | Histogram = this.#instruments[key];
        const { values } = await instrument.get();
        for (const { labels } of values) {
          if (!gone.has(String(labels['migration']))) continue;
          // Without `le`, which the buckets of a histogram have besides.
          instrument.remove(Object.fromEntries(definition.labels.map((name) => [name, labels[name] ?? ''])));
        }
      }
    }
  }

  /** The exposition in Prometheus' text format 0.0.4. */
  async exposition(): Promise<{ readonly contentType: string; readonly body: string }> {
    for (const refresh of this.#refreshers) refresh();
    this.#updateProcess();
    return { contentType: this.#registry.contentType, body: await this.#registry.metrics() };
  }

  #follow(counter: Counter, name: string, labels: Readonly<Record<string, string>>, total: number): void {
    const key = JSON.stringify([name, labels]);
    const before = this.#seen.get(key);
    this.#seen.set(key, total);
    counter.inc(labels, before === undefined || total < before ? total : total - before);
  }

  #updateProcess(): void {
    const metrics = this.#instruments;
    const { user, system } = process.cpuUsage();
    const cpuSeconds = (user + system) / 1e6;
    metrics.processCpu.inc(Math.max(0, cpuSeconds - this.#cpuSeconds));
    this.#cpuSeconds = cpuSeconds;
    const memory = process.memoryUsage();
    metrics.processMemory.set(memory.rss);
    metrics.heapUsed.set(memory.heapUsed);
    metrics.externalMemory.set(memory.external);
    const loop = performance.eventLoopUtilization();
    metrics.eventLoopUtilization.set(performance.eventLoopUtilization(loop, this.#loopAtScrape).utilization);
    this.#loopAtScrape = loop;
  }
}
