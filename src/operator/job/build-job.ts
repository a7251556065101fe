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
import type { ConfigMap, NewJob } from './job-objects.ts';
import { MANIFEST_KEY, type PodOptions, podTemplate, STRETCHES_KEY } from './pod-template.ts';

/**
 * So many stretches may fail before the others are stopped. status.stretches.failed shows all of them, and settings that every stretch fails
 * with do not start hundreds of pods.
 */
const MAX_FAILED_INDEXES = 9;
/** Only a user can remove the reason: `run` has ended with a refusal, or with an invalid manifest. */
const PERMANENT_EXIT_CODES = [1, 2];

/** @param migration with its defaults */
export function buildJob(
  migration: PromMigration,
  divided: DividedRange,
  options: PodOptions,
): { readonly configMap: ConfigMap; readonly job: NewJob } {
  const { spec } = migration;
  const key = jobKeyOf(spec);
  // A Job starts its indexes in ascending order.
  const ordered = spec.execution.order === 'NewestFirst' ? divided.stretches.toReversed() : divided.stretches;
  const stretches = stretchFileText({ ...divided, stretches: ordered });
  const name = jobNameOf(migration, `${key} ${stretches}`);
  const metadata = {
    name,
    namespace: migration.metadata.namespace ?? 'default',
    labels: labelsOf(migration),
    ownerReferences: [ownerOf(migration)],
  };
  const { parallelism, job } = spec.execution;
  return {
    configMap: {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata,
      immutable: true,
      data: { [MANIFEST_KEY]: manifestOf(migration), [STRETCHES_KEY]: stretches },
    },
    job: {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { ...metadata, annotations: annotationsOf(key, { ...divided, stretches: ordered }, options) },
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

function annotationsOf(key: string, { frozenEndMs, stretches }: DividedRange, { image }: PodOptions) {
  return {
    [JOB_KEY]: key,
    [JOB_STARTS]: startsText(stretches),
    [JOB_IMAGE]: image,
    ...(frozenEndMs !== undefined && { [JOB_FROZEN_END]: new Date(frozenEndMs).toISOString() }),
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
