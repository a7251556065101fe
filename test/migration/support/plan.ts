// Plans, contexts and observers for the tests of the engine.

import assert from 'node:assert/strict';
import { migrate } from '../../../src/migration/migrate.ts';
import type { MigrationPlan } from '../../../src/migration/plan/migration-plan.ts';
import {
  initialProgress,
  type MigrationEvent,
  type MigrationObserver,
  type MigrationProgress,
  type MigrationResult,
} from '../../../src/migration/report/observer.ts';
import type { Counts } from '../../../src/migration/report/counts.ts';
import type { Endpoint } from '../../../src/remote/http/endpoint.ts';
import type { Side } from '../../../src/remote/meaning/side.ts';
import { SecretUrl } from '../../../src/telemetry/secret.ts';
import { FastClock } from './fake-clock.ts';

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;

/** 2024-01-01: the start of all test data. */
export const epochMs = Date.UTC(2024, 0, 1);

export function emptyProgress(): MigrationProgress {
  return initialProgress(0, 0);
}

export function endpoint(side: Side, url: string, changes: Partial<Endpoint> = {}): Endpoint {
  return {
    side,
    url: new SecretUrl(url),
    headers: {},
    auth: { kind: 'none' },
    tls: { insecureSkipVerify: false, minVersion: 'TLSv1.2' },
    // The clock of the runs is a thousand times faster than the servers.
    timeouts: { connectMs: 1_000_000, firstByteMs: 10_000_000, silenceMs: 10_000_000 },
    ...changes,
  };
}

type Changes = Partial<Omit<MigrationPlan, 'source' | 'destination' | 'window' | 'limits' | 'progress'>> & {
  readonly source?: Partial<MigrationPlan['source']>;
  readonly destination?: Partial<MigrationPlan['destination']>;
  readonly window?: Partial<MigrationPlan['window']>;
  readonly limits?: Partial<MigrationPlan['limits']>;
  readonly protocol?: 'RemoteRead' | 'PromQL' | 'None';
};

/** The addresses of the two sides of a plan, as provided by fake-source.ts and fake-destination.ts. */
export interface Sides {
  readonly source: { readonly readUrl: string };
  readonly destination: { readonly writeUrl: string; readonly readUrl: string; readonly queryUrl: string };
}

/** One hour from `epochMs`, everything selected, progress by remote_read. */
export function planFor(sides: Sides, changes: Changes = {}): MigrationPlan {
  const { source, destination, window, limits, protocol = 'RemoteRead', ...others } = changes;
  const progressUrl = protocol === 'PromQL' ? sides.destination.queryUrl : sides.destination.readUrl;
  return {
    migration: 'test/copy',
    id: 'abc123',
    source: {
      ...endpoint('source', sides.source.readUrl),
      protocol: 'RemoteRead',
      readMode: 'Auto',
      maxFrameBytes: 50 * 1024 * 1024,
      replicaLabels: [],
      ...source,
    },
    destination: { ...endpoint('destination', sides.destination.writeUrl), ordering: 'InOrder', ...destination },
    progress: protocol === 'None' ? { protocol } : { protocol, endpoint: endpoint('progress', progressUrl) },
    progressLabels: {},
    preflight: 'Warn',
    stretch: undefined,
    selectors: [[{ kind: '=~', name: '__name__', value: '.+' }]],
    startMs: epochMs,
    endMs: epochMs + hourMs,
    lagMs: minuteMs,
    window: {
      minMs: 1000,
      maxMs: 30 * minuteMs,
      comparedMaxMs: window?.maxMs ?? 30 * minuteMs,
      targetSamples: 1_000_000,
      ...window,
    },
    limits: {
      memoryBytes: 32 * 1024 * 1024,
      samplesPerSecond: undefined,
      bytesPerSecond: undefined,
      inFlightWrites: 2,
      samplesPerWrite: 1000,
      ...limits,
    },
    execution: { mode: 'InProcess', parallelism: 1, stretchMs: undefined, order: 'OldestFirst' },
    rejectedSamples: 'Fail',
    externalLabels: {},
    relabelings: [],
    verification: { mode: 'Off', onDifference: 'Fail', onExtra: 'Report', settleMs: 30_000 },
    ...others,
  };
}

export class RecordingObserver implements MigrationObserver {
  readonly events: MigrationEvent[] = [];
  onEvent: (event: MigrationEvent) => void = () => {};
  onProgress: (progress: Readonly<MigrationProgress>) => void = () => {};
  mostInFlightBytes = 0;

  progress(progress: Readonly<MigrationProgress>): void {
    this.mostInFlightBytes = Math.max(this.mostInFlightBytes, progress.inFlightBytes);
    this.onProgress(progress);
  }

  event(event: MigrationEvent): void {
    this.events.push(event);
    this.onEvent(event);
  }

  all<Type extends MigrationEvent['type']>(type: Type): Extract<MigrationEvent, { type: Type }>[] {
    return this.events.filter((event): event is Extract<MigrationEvent, { type: Type }> => event.type === type);
  }

  warnings(): string[] {
    return this.all('warning').map(({ code }) => code);
  }
}

export interface RunOptions {
  readonly clock?: FastClock;
  readonly stop?: AbortSignal;
  readonly abort?: AbortSignal;
  readonly observer?: RecordingObserver;
  readonly startupDeadlineMs?: number;
}

export type Run = MigrationResult & { readonly observer: RecordingObserver; readonly clock: FastClock };

/** migrate() with a fast clock a month after the data and everything recorded. */
export async function run(plan: MigrationPlan, options: RunOptions = {}): Promise<Run> {
  const clock = options.clock ?? new FastClock({ nowMs: epochMs + 30 * dayMs });
  const observer = options.observer ?? new RecordingObserver();
  const result = await migrate(plan, {
    clock,
    random: () => 0.5,
    stop: options.stop ?? new AbortController().signal,
    abort: options.abort ?? new AbortController().signal,
    observer,
    startupDeadlineMs: options.startupDeadlineMs ?? 10 * minuteMs,
    // Overwritten, so that a use after return is detected.
    onBufferGivenBack: (memory) => memory.fill(0xdd),
  });
  return { ...result, observer, clock };
}

/** read = written + filtered + already present + conflicting + rejected. */
export function unaccounted(counts: Counts): number {
  const rejected = Object.values(counts.samplesRejected).reduce((sum, samples) => sum + samples, 0);
  const { samplesRead, samplesWritten, samplesFiltered, samplesAlreadyPresent, samplesConflicting } = counts;
  return samplesRead - samplesWritten - samplesFiltered - samplesAlreadyPresent - samplesConflicting - rejected;
}

/** It ended without an error, and every sample that was read is accounted for. */
export function assertSucceeded({ progress, error }: Run): void {
  assert.equal(error, undefined);
  assert.equal(progress.phase, 'Succeeded');
  assert.equal(unaccounted(progress), 0);
}
