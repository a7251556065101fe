// PromMigrations with a status of every phase, as an operator writes them.

import type { Condition, PromMigrationStatus } from '../../../src/api/prom-migration-status.ts';
import type { PromMigration } from '../../../src/api/prom-migration.ts';
import type { CoreEvent } from '../../../src/kubectl/text/migration-view.ts';
import { migrationOf, nowMs } from '../../operator/support/migrations.ts';

/** The time of `minutes` before the current time of the tests. */
export const before = (minutes: number) => new Date(nowMs - minutes * 60_000).toISOString().replace('.000', '');

type Told = readonly [type: string, status: Condition['status'], reason: string, message?: string];

export function conditionsOf(...told: readonly Told[]): Condition[] {
  return told.map(([type, status, reason, message = '']) => ({
    ...{ type, status, reason, message, observedGeneration: 2, lastTransitionTime: before(12) },
  }));
}

const ACCEPTED: Told = ['Accepted', 'True', 'Valid'];
const AS_EXPECTED: Told = ['Degraded', 'False', 'AsExpected'];
const NOT_REQUESTED: Told = ['Verified', 'Unknown', 'NotRequested', 'spec.verification.mode is Off'];

const PROGRESS: PromMigrationStatus['progress'] = {
  ...{ percent: 41, display: '41.3%', through: '2025-01-01T09:54:00Z', samples: '12.4M' },
  ...{
    samplesRead: 12_512_000,
    samplesWritten: 12_400_000,
    samplesAlreadyPresent: 112_000,
    series: 1_204,
    windows: 60,
  },
  ...{ bytesRead: 31_457_280, bytesWritten: 28_311_552, retries: 3 },
};
const MOVING = {
  ...PROGRESS,
  samplesPerSecond: 180_000,
  rate: '180.0k/s',
  remaining: '1h12m',
  destinationLimit: 200_000,
};
const COMMON = {
  observedGeneration: 2,
  id: '0123456789abcdef',
  startTime: before(34),
  lastProgressTime: before(1),
  range: { start: '2025-01-01T00:00:00Z', end: '2025-01-02T00:00:00Z' },
};
const FULL = { verification: { mode: 'Full' } };

interface Case {
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly generation?: number;
  readonly status?: PromMigrationStatus;
  readonly events?: readonly CoreEvent[];
}

const CASES = {
  new: {},
  pending: {
    status: {
      ...{ observedGeneration: 2, phase: 'Pending' },
      conditions: conditionsOf(
        ['Accepted', 'False', 'SecretNotFound', 'spec.source.basicAuth.password: there is no Secret "login" in team'],
        ['Progressing', 'False', 'NotAccepted', 'see the condition Accepted'],
        AS_EXPECTED,
        ['Succeeded', 'Unknown', 'SecretNotFound', 'there is no Secret "login" in team'],
        NOT_REQUESTED,
      ),
    },
  },
  running: {
    spec: {
      source: { url: 'http://source:8086/api/v1/prom/read?db=prometheus&p=hunter2' },
      destination: {
        url: 'http://destination/write',
        ordering: 'Any',
        progress: { protocol: 'RemoteRead', url: 'http://destination/read' },
      },
      execution: { parallelism: 4 },
    },
    status: {
      ...{ ...COMMON, phase: 'Running', progress: MOVING, resumedFrom: '2025-01-01T03:00:00Z' },
      stretches: { total: 48, finished: 18, running: 4 },
      conditions: conditionsOf(
        ACCEPTED,
        ['Progressing', 'True', 'Retrying', 'requests are retried until they succeed'],
        ['Degraded', 'True', 'SourceFailing', 'unavailable: the source responded with 503: overloaded'],
        ['Succeeded', 'Unknown', 'SourceFailing', 'unavailable: the source responded with 503: overloaded'],
        NOT_REQUESTED,
        ['SomethingNew', 'True', 'ByALaterVersion', 'not known to this version'],
      ),
      recentErrors: [
        {
          ...{ time: before(1), side: 'source', code: 'unauthorized', count: 5 },
          message: 'http://source:8086/api/v1/prom/read?db=prometheus: 401 Unauthorized: you sent Basic ***',
        },
        { time: before(90), code: 'worker-crashed', message: 'the worker crashed: out of memory' },
      ],
    },
    events: [
      {
        metadata: { name: 'a', creationTimestamp: before(34) },
        ...{
          type: 'Normal',
          reason: 'Started',
          message: 'copying started at 2025-01-01T00:00:00Z',
          eventTime: before(34),
        },
      },
      {
        metadata: { name: 'b' },
        ...{
          type: 'Warning',
          reason: 'AttemptFailed',
          message: 'the worker crashed: out of memory; lower spec.limits.memory or spec.window.targetSamples',
        },
        series: { count: 3, lastObservedTime: before(5) },
      },
    ],
  },
  verifying: {
    spec: FULL,
    status: {
      ...{
        ...COMMON,
        phase: 'Verifying',
        progress: { ...PROGRESS, percent: 75, display: '75.0%', remaining: '9m', rate: '1.2M/s' },
      },
      verification: {
        settings: { onDifference: 'Fail', onExtra: 'Report', settle: '30s' },
        ...{ through: '2025-01-01T12:00:00Z', samplesCompared: 6_200_000, seriesCompared: 1_204 },
        ...{ missing: 0, different: 0, repeated: 0, extra: 0, repaired: 0, expected: {} },
      },
      conditions: conditionsOf(
        ACCEPTED,
        ['Progressing', 'True', 'Verifying', 'source and destination are compared'],
        AS_EXPECTED,
        ['Succeeded', 'Unknown', 'Verifying', 'source and destination are compared'],
        ['Verified', 'Unknown', 'Running', 'source and destination are being compared'],
      ),
    },
  },
  suspended: {
    spec: { suspend: true },
    generation: 3,
    status: {
      ...{ ...COMMON, phase: 'Suspended', progress: PROGRESS },
      conditions: conditionsOf(
        ACCEPTED,
        ['Progressing', 'False', 'Suspended', 'spec.suspend is true'],
        AS_EXPECTED,
        ['Succeeded', 'Unknown', 'Suspended', 'spec.suspend is true'],
        NOT_REQUESTED,
      ),
    },
  },
  stalled: {
    status: {
      ...{ ...COMMON, phase: 'Stalled', lastProgressTime: before(31), progress: MOVING },
      conditions: conditionsOf(
        ACCEPTED,
        ['Progressing', 'False', 'AReasonOfALaterVersion', 'no window was finished for 31m'],
        AS_EXPECTED,
        ['Succeeded', 'Unknown', 'AReasonOfALaterVersion', 'no window was finished for 31m'],
        NOT_REQUESTED,
      ),
    },
  },
  succeeded: {
    spec: FULL,
    status: {
      ...{
        ...COMMON,
        phase: 'Succeeded',
        completionTime: before(2),
        progress: { ...PROGRESS, percent: 100, display: '100.0%', through: '2025-01-02T00:00:00Z' },
      },
      verification: {
        ...{ through: '2025-01-02T00:00:00Z', samplesCompared: 12_512_000, seriesCompared: 1_204 },
        ...{ missing: 0, different: 0, repeated: 0, extra: 7, repaired: 2, expected: { rejected: 4 } },
      },
      conditions: conditionsOf(
        ACCEPTED,
        ['Progressing', 'False', 'Finished', 'see the condition Succeeded'],
        AS_EXPECTED,
        ['Succeeded', 'True', 'Completed', 'everything is in the destination'],
        ['Verified', 'True', 'Matching', '12,512,000 samples compared, all of them equal'],
      ),
    },
  },
  failed: {
    spec: { ...FULL, execution: { mode: 'Job', parallelism: 8 } },
    status: {
      ...{ ...COMMON, phase: 'Failed', completionTime: before(2), progress: PROGRESS },
      stretches: {
        ...{ total: 48, finished: 47, running: 0, job: 'copy-0123456789' },
        failed: [
          {
            ...{ stretch: '2025-01-01T05:30:00Z', reason: 'out-of-memory' },
            message: 'the container was killed: OOMKilled, exit code 137',
          },
        ],
      },
      verification: {
        ...{ through: '2025-01-02T00:00:00Z', samplesCompared: 12_512_000, seriesCompared: 1_204 },
        ...{ missing: 3, different: 1, repeated: 0, extra: 0 },
        first: [
          {
            ...{ labels: 'up{job="node",instance="10.0.0.1:9100"}', time: '2025-01-01T05:31:00Z', kind: 'different' },
            ...{ source: '1', destination: '0' },
          },
        ],
      },
      conditions: conditionsOf(
        ACCEPTED,
        ['Progressing', 'False', 'Finished', 'see the condition Succeeded'],
        AS_EXPECTED,
        [
          'Succeeded',
          'False',
          'DifferencesFound',
          '3 samples are missing in the destination, 1 has another value there',
        ],
        [
          'Verified',
          'False',
          'DifferencesFound',
          '12,512,000 samples compared: 3 missing in the destination, 1 with another value there',
        ],
      ),
    },
  },
  terminating: {
    status: {
      ...{ ...COMMON, phase: 'Terminating', progress: PROGRESS },
      conditions: conditionsOf(
        ACCEPTED,
        [
          ...(['Progressing', 'False', 'Deleting'] as const),
          'the resource is being deleted, and its worker has stopped; metadata.finalizers names the controllers that keep it',
        ],
        AS_EXPECTED,
        NOT_REQUESTED,
      ),
    },
  },
} as const satisfies Record<string, Case>;

export type CaseName = keyof typeof CASES;
export const CASE_NAMES = Object.keys(CASES) as readonly CaseName[];

export function objectOf(name: CaseName): { readonly migration: PromMigration; readonly events: readonly CoreEvent[] } {
  const { spec = {}, generation = 2, status, events = [] }: Case = CASES[name];
  return { migration: migrationOf({ spec, generation, ...(status && { status }) }), events };
}
