// The ConfigMap and the Indexed Job that copy the stretches of one division, one index for each. Pure.

import type { PromMigration } from '../../api/prom-migration.ts';
import type { DividedRange } from '../../execute/worker-messages.ts';
import { stretchFileText } from '../../migration/stretches/stretch-file.ts';
import { jobKeyOf } from '../judge/job-key.ts';
import {
  CONTAINER,
  JOB_FROZEN_END,
  JOB_IMAGE,
  JOB_KEY,
  JOB_STARTS,
  jobNameOf,
  labelsOf,
  startsText,
} from './job-names.ts';
import type { ConfigMap, Job, NewJob } from './job-objects.ts';
import { MANIFEST_KEY, type PodOptions, podTemplate, STRETCHES_KEY } from './pod-template.ts';

/**
 * So many stretches may fail before the others are stopped. status.stretches.failed shows all of them, and settings that every stretch fails
 * with do not start hundreds of pods.
 */
const MAX_FAILED_INDEXES = 9;
/** Only a user can remove the reason: `run` has ended with a refusal, or with an invalid manifest. */
const PERMANENT_EXIT_CODES = [1, 2];

/** What the ConfigMap of a Job contains. */
export type Settings = ConfigMap['data'];

/** @param migration with its defaults */
export function buildJob(
  migration: PromMigration,
  divided: DividedRange,
  options: PodOptions,
): { readonly job: NewJob; readonly settings: Settings } {
  const { spec } = migration;
  // A Job starts its indexes in ascending order.
  const ordered = spec.execution.order === 'NewestFirst' ? divided.stretches.toReversed() : divided.stretches;
  const { frozenEndMs } = divided;
  const name = jobNameOf(migration);
  const { parallelism, job } = spec.execution;
  return {
    settings: {
      [MANIFEST_KEY]: manifestOf(migration),
      [STRETCHES_KEY]: stretchFileText({ ...divided, stretches: ordered }),
    },
    job: {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: {
        name,
        namespace: migration.metadata.namespace ?? 'default',
        labels: labelsOf(migration),
        ownerReferences: [ownerOf(migration)],
        annotations: {
          [JOB_KEY]: jobKeyOf(spec),
          [JOB_STARTS]: startsText(ordered),
          [JOB_IMAGE]: options.image,
          ...(frozenEndMs !== undefined && { [JOB_FROZEN_END]: new Date(frozenEndMs).toISOString() }),
        },
      },
      spec: {
        completionMode: 'Indexed',
        completions: divided.stretches.length,
        parallelism,
        suspend: spec.suspend,
        podReplacementPolicy: 'Failed',
        backoffLimitPerIndex: job.backoffLimitPerIndex,
        maxFailedIndexes: mostFailed(migration, divided),
        podFailurePolicy: {
          rules: [
            { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
            {
              action: 'FailIndex',
              onExitCodes: { containerName: CONTAINER, operator: 'In', values: PERMANENT_EXIT_CODES },
            },
          ],
        },
        template: podTemplate(migration, name, options),
      },
    },
  };
}

/**
 * The ConfigMap of a Job. The Job owns it, so that Kubernetes deletes it with the Job, and one that an earlier Job has left is not taken for it.
 * @param uid of the Job
 */
export function buildSettings({ metadata }: Job, uid: string, data: Settings): ConfigMap {
  const { name, namespace, labels } = metadata;
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name,
      ...(namespace !== undefined && { namespace }),
      ...(labels !== undefined && { labels }),
      ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name, uid, controller: true }],
    },
    immutable: true,
    data,
  };
}

/** What lies behind newer samples would be rejected by a destination that takes samples only in order. */
function mostFailed({ spec }: PromMigration, { stretches }: DividedRange): number {
  return spec.destination.ordering === 'InOrder' ? 0 : Math.min(MAX_FAILED_INDEXES, stretches.length);
}

function ownerOf({ apiVersion, kind, metadata: { name, uid = '' } }: PromMigration) {
  return { apiVersion, kind, name, uid, controller: true };
}

/** JSON is valid YAML. */
function manifestOf({ apiVersion, kind, metadata: { name, namespace }, spec }: PromMigration): string {
  return `${JSON.stringify({ apiVersion, kind, metadata: { name, namespace }, spec }, undefined, 2)}\n`;
}
