// What the tests of verified migrations have in common: settings, reports of a comparison, controllers that have finished a copy.

import assert from 'node:assert/strict';
import type { MigrationProgress } from '../../../src/migration/report/observer.ts';
import type { Difference, VerificationProgress } from '../../../src/migration/report/verification.ts';
import { someVerification } from '../../migration/support/verification.ts';
import { running, Stage } from './controller-stage.ts';
import { endMs, startMs } from './migrations.ts';
import { hourMs } from './statuses.ts';

/** A run that has copied everything. */
export const copied = { watermarkMs: endMs, samplesRead: 10, samplesWritten: 10, windows: 3 };
export const full = { mode: 'Full', onDifference: 'Fail', onExtra: 'Report', settle: '30s' } as const;
export const off = { ...full, mode: 'Off' } as const;
export const lost: Difference = {
  labels: 'up{job="node"}',
  timestampMs: startMs + 17,
  kind: 'missing',
  source: '1',
  destination: undefined,
};

function comparing(changes: Partial<VerificationProgress> = {}): Partial<MigrationProgress> {
  const reachedMs = changes.throughMs ?? startMs;
  const verification = someVerification({ startMs, endMs, throughMs: startMs, reachedMs, ...changes });
  return { ...copied, phase: 'Verifying', work: 'CopyAndVerify', verification };
}

export const through = (hours: number, changes: Partial<VerificationProgress> = {}) =>
  comparing({ throughMs: startMs + hours * hourMs, samplesCompared: hours, equal: hours, ...changes });
export const matching = () => through(24, { finished: true });
export const differing = () => through(24, { finished: true, equal: 23, missing: 1, first: [lost] });

/** The engine's end of a copy whose verification is over. */
export function endWith(stage: Stage, progress: Partial<MigrationProgress>): void {
  stage.worker('copy').report({ ...progress, phase: 'Succeeded' });
  stage.worker('copy').end('Succeeded', undefined, progress);
}

/** A migration that was copied without a verification. */
export async function finished(spec: Record<string, unknown> = {}): Promise<Stage> {
  const stage = await running({ spec });
  stage.worker('copy').report({ ...copied, phase: 'Succeeded' });
  stage.worker('copy').end('Succeeded', undefined, copied);
  await stage.pass(1_000);
  assert.equal(stage.phase('copy'), 'Succeeded');
  return stage;
}

/** A controller that finds what the one before it has left in the API server. */
export async function restarted(before: Stage): Promise<Stage> {
  const stage = new Stage();
  stage.put(before.resource('copy'));
  await stage.lead();
  return stage;
}
