// The metrics of one process, in a registry of its own (nothing global). This file knows nothing about migrations. The totals below are the
// part of a migration's progress that is exposed.

import { performance } from 'node:perf_hooks';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { completedRatio, type RangeProgress, type WorkProgress } from './completion.ts';
import { METRICS, type MetricDefinition } from './metric-catalogue.ts';
import { VERSION } from './version.ts';

/** Counts since the migration's run began; times in milliseconds since 1970. */
/** Of a verification, since its beginning. */
export interface VerificationTotals extends RangeProgress {
  readonly throughMs: number;
  readonly samplesCompared: number;
  readonly repaired: number;
  readonly missing: number;
  readonly extra: number;
  readonly different: number;
  readonly repeated: number;
  readonly expected: Readonly<Record<string, number | undefined>>;
}

export interface MigrationTotals extends WorkProgress {
  readonly verification: VerificationTotals | undefined;
  /** Undefined if the range is not divided. */
  readonly stretches:
    | { readonly total: number; readonly finished: number; readonly running: readonly unknown[] }
    | undefined;
  readonly phase: string;
  readonly watermarkMs: number;
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
  /** Undefined if no rate limit holds the migration back. */
  readonly heldBy: { readonly samplesPerSecond: number } | undefined;
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

// A code comes from a server or an error: each text that does not look like a code would create its own series.
function boundedCode(code: number | string): string {
  const text = String(code);
  return /^[A-Za-z0-9_-]{1,60}$/.test(text) ? text : 'other';
}

export class MigrationMetrics {
  readonly #registry = new Registry();
  readonly #instruments = createInstruments(this.#registry);
  /** The part of each total that its counter already includes. */
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

  /** Calls `refresh` before each scrape, so that totals need not be pushed with every batch. The returned function removes it. */
  beforeScrape(refresh: () => void): () => void {
    this.#refreshers.add(refresh);
    return () => this.#refreshers.delete(refresh);
  }

  /** Takes the totals of one migration. Totals that decreased are those of a new run: the counters continue from their current values. */
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
    if (totals.verification !== undefined) this.#verified(migration, totals.verification);
    metrics.windowLength.set(labels, totals.windowMs / 1000);
    metrics.windowSeries.set(labels, totals.windowSeries);
    metrics.inFlightBytes.set(labels, totals.inFlightBytes);
    metrics.inFlightWrites.set(labels, totals.inFlightWrites);
    if (totals.heldBy === undefined) metrics.destinationLimit.remove(labels);
    else metrics.destinationLimit.set(labels, totals.heldBy.samplesPerSecond);
    if (totals.endMs > totals.startMs) {
      metrics.rangeStart.set(labels, totals.startMs / 1000);
      metrics.rangeEnd.set(labels, totals.endMs / 1000);
      metrics.watermark.set(labels, totals.watermarkMs / 1000);
      metrics.completed.set(labels, completedRatio(totals));
    }
    this.#divided(migration, totals.stretches);
    const phaseBefore = this.#phases.get(migration);
    if (phaseBefore !== undefined) metrics.phase.set({ migration, phase: phaseBefore }, 0);
    metrics.phase.set({ migration, phase: totals.phase }, 1);
    this.#phases.set(migration, totals.phase);
  }

  #divided(migration: string, stretches: MigrationTotals['stretches']): void {
    const { stretches: total, stretchesFinished: finished, stretchesRunning: running } = this.#instruments;
    const labels = { migration };
    // A migration that was divided may start again in one piece.
    if (stretches === undefined) for (const gauge of [total, finished, running]) gauge.remove(labels);
    else {
      total.set(labels, stretches.total);
      finished.set(labels, stretches.finished);
      running.set(labels, stretches.running.length);
    }
  }

  #verified(migration: string, totals: VerificationTotals): void {
    const metrics = this.#instruments;
    const labels = { migration };
    this.#follow(metrics.samplesCompared, 'compared', labels, totals.samplesCompared);
    this.#follow(metrics.samplesRepaired, 'repaired', labels, totals.repaired);
    for (const kind of ['missing', 'extra', 'different', 'repeated'] as const) {
      metrics.verificationDifferences.set({ migration, kind }, totals[kind]);
    }
    for (const [reason, samples = 0] of Object.entries(totals.expected)) {
      metrics.verificationExpectedChanges.set({ migration, reason: boundedCode(reason) }, samples);
    }
    metrics.verifiedThrough.set(labels, totals.throughMs / 1000);
  }

  /** Records one HTTP request that has ended, successfully or not. */
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

  /**
   * Removes all series of one migration. Simultaneous calls share one pass over the series of all migrations: an operator may remove a
   * thousand at once.
   */
  forget(migration: string): Promise<void> {
    this.#leaving.add(migration);
    this.#forgetting ??= this.#forgetLeaving().finally(() => {
      this.#forgetting = undefined;
    });
    return this.#forgetting;
  }

  async #forgetLeaving(): Promise<void> {
    // Wait until all calls of the same tick are known.
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
          // Without `le`, the additional label of a histogram's buckets.
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
