// Checks of the status of a migration that has copied everything.

import assert from 'node:assert/strict';
import type { PromMigrationStatus } from '../../../src/api/prom-migration-status.ts';

const RFC3339_SECONDS = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

export function assertFinished(status: PromMigrationStatus | undefined, generation: number): void {
  assert.ok(status?.progress);
  assert.equal(status.phase, 'Succeeded');
  assert.equal(status.observedGeneration, generation);
  const stands = status.conditions?.map(({ type, status: stand, reason }) => `${type}=${stand} ${reason}`);
  assert.deepEqual(stands, [
    'Accepted=True Valid',
    'Progressing=False Finished',
    'Degraded=False AsExpected',
    'Succeeded=True Completed',
    'Verified=Unknown NotRequested',
    'Ready=True Succeeded',
    'Reconciling=False Finished',
    'Stalled=False NotFailed',
  ]);
  for (const condition of status.conditions ?? []) {
    assert.equal(condition.observedGeneration, generation, condition.type);
    assert.match(condition.lastTransitionTime, RFC3339_SECONDS);
  }
}

export function assertCopiedAll(status: PromMigrationStatus | undefined, start: string, end: string): void {
  assert.ok(status?.progress);
  const { samplesRead, samplesWritten, samplesFiltered, samplesAlreadyPresent } = status.progress;
  assert.ok((samplesRead ?? 0) > 50_000 && samplesRead === samplesWritten, JSON.stringify(status.progress));
  assert.deepEqual([samplesFiltered ?? 0, samplesAlreadyPresent ?? 0], [0, 0]);
  assert.ok((status.progress.windows ?? 0) >= 1 && (status.progress.bytesWritten ?? 0) > 0);
  assert.deepEqual(
    [status.range?.start, status.range?.end].map((time) => Date.parse(time ?? '')),
    [Date.parse(start), Date.parse(end)],
  );
  const times = [status.startTime, status.lastProgressTime, status.completionTime];
  for (const time of times) assert.match(time ?? '', RFC3339_SECONDS);
  assert.deepEqual(times.toSorted(), times);
}
