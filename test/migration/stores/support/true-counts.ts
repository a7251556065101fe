// Migrations into a fake store, and checks of their counts against the contents of the store.

import assert from 'node:assert/strict';
import type { MigrationPlan } from '../../../../src/migration/plan/migration-plan.ts';
import { type FakeStore, startFakeStore, type StoreRequest } from '../../../support/stores/fake-store.ts';
import type { Fault } from '../../../support/stores/faults.ts';
import { prometheus } from '../../../support/stores/prometheus.ts';
import { FastClock } from '../../support/fake-clock.ts';
import { dayMs, epochMs, hourMs, minuteMs, planFor, type Run, run, unaccounted } from '../../support/plan.ts';
import { bitsOf, keyOf, type Series } from '../../support/remote-messages.ts';

export type Changes = NonNullable<Parameters<typeof planFor>[1]>;

const stepMs = 15_000;

export function seriesOf(count: number, fromMs: number, toMs: number, name = 'metric'): Series[] {
  return Array.from({ length: count }, (_, i) => ({
    labels: [
      ['__name__', name],
      ['instance', `host-${i}`],
    ] as const,
    samples: Array.from({ length: (toMs - fromMs) / stepMs }, (_, k) => ({
      timeMs: fromMs + k * stepMs,
      bits: bitsOf(i * 1_000_000 + (fromMs - epochMs) / stepMs + k),
    })),
    histograms: [],
  }));
}

export const data = seriesOf(6, epochMs, epochMs + hourMs);
export const samples = 6 * 240;

export async function sourceWith(series: readonly Series[] = data): Promise<FakeStore> {
  const source = await startFakeStore(prometheus());
  source.put(series);
  return source;
}

export function migrate(
  sides: { source: FakeStore; destination: FakeStore },
  changes: Changes = {},
  clock: FastClock = new FastClock({ nowMs: epochMs + 30 * dayMs }),
): Promise<Run> {
  const { limits, ...others } = changes;
  const plan: MigrationPlan = planFor(sides, {
    window: { maxMs: hourMs / 4 },
    limits: { samplesPerWrite: 200, ...limits },
    ...others,
  });
  return run(plan, { clock });
}

/** The number of samples to copy that the store does not have. */
export function missingIn(destination: FakeStore, due: readonly Series[] = data): number {
  const times = new Map(
    destination
      .series()
      .map(({ labels, samples: own, histograms = [] }) => [
        keyOf(labels),
        new Set([...own, ...histograms].map(({ timeMs }) => timeMs)),
      ]),
  );
  let missing = 0;
  for (const { labels, samples: own, histograms = [] } of due) {
    const present = times.get(keyOf(labels));
    for (const { timeMs } of [...own, ...histograms]) if (present?.has(timeMs) !== true) missing++;
  }
  return missing;
}

export function rejected({ progress }: Run): number {
  return Object.values(progress.samplesRejected).reduce((sum, count) => sum + count, 0);
}

export function assertTrueCounts(result: Run, destination: FakeStore, due: readonly Series[] = data): void {
  const { progress, error } = result;
  assert.equal(error, undefined);
  assert.equal(progress.phase, 'Succeeded');
  assert.equal(unaccounted(progress), 0);
  assert.equal(rejected(result), missingIn(destination, due), 'rejected is what is really missing');
  assert.equal(progress.samplesRejectedUnproven, 0);
  assert.deepEqual(destination.failures, []);
}

/** The same fault for every third write of samples. */
export function everyThird(
  destination: FakeStore,
  fault: Fault,
  of: (request: StoreRequest) => boolean = isSamples,
): void {
  let writes = 0;
  destination.onRequest = (request) => (of(request) && ++writes % 3 === 1 ? fault : undefined);
}
export const isSamples = ({ kind, isMark }: StoreRequest) => kind === 'write' && !isMark;
export const isMark = (request: StoreRequest) => request.kind === 'write' && request.isMark;

/** Some series of the store have samples newer than part of the source data. */
export function withNewer(destination: FakeStore): void {
  destination.put(seriesOf(2, epochMs + 20 * minuteMs, epochMs + 20 * minuteMs + stepMs));
}
