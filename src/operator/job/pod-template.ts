// The pods of a migration in mode Job: each runs the stretch of its index. They pass the restricted pod security standard, have no right on the
// API, and write nothing but the destination and their termination message. Pure.

import type { PromMigration } from '../../api/prom-migration.ts';
import { parseQuantity } from '../../api/quantity.ts';
import type { LogFormat, LogLevel } from '../../telemetry/log-options.ts';
import { CONTAINER, labelsOf } from './job-names.ts';
import type { PodTemplate } from './job-objects.ts';
import { secretFiles } from './secret-files.ts';

/** What the pods of all migrations run. */
export interface PodOptions {
  readonly image: string;
  readonly imagePullPolicy: string | undefined;
  /** As of the operator. */
  readonly log: { readonly level: LogLevel; readonly format: LogFormat };
}

export const MANIFEST_KEY = 'migration.yaml';
export const STRETCHES_KEY = 'stretches.json';

const SETTINGS_DIR = '/etc/prom-migrator/settings';
const SECRETS_DIR = '/etc/prom-migrator/secrets';
const TERMINATION_LOG = '/dev/termination-log';
/** Longer than --grace, so that a pod that is stopped can finish its windows in flight. */
const GRACE_SECONDS = 60;
const MIB = 2 ** 20;
/** What a process needs besides spec.limits.memory. */
const OWN_MEMORY_MIB = 150;
const DEFAULT_MODE = 0o444;

/** @param settings the name of the ConfigMap with the manifest and the stretches */
export function podTemplate(migration: PromMigration, settings: string, options: PodOptions): PodTemplate {
  const { job } = migration.spec.execution;
  const { podLabels, podAnnotations, resources, ttlSecondsAfterFinished, backoffLimitPerIndex, ...scheduling } = job;
  const secrets = secretFiles(migration);
  return {
    metadata: {
      labels: { ...podLabels, ...labelsOf(migration) },
      ...(podAnnotations !== undefined && { annotations: podAnnotations }),
    },
    spec: {
      ...scheduling,
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: GRACE_SECONDS,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: CONTAINER,
          image: options.image,
          ...(options.imagePullPolicy !== undefined && { imagePullPolicy: options.imagePullPolicy }),
          args: argumentsOf(secrets.length > 0, options),
          resources: resources ?? defaultResources(migration),
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
          terminationMessagePath: TERMINATION_LOG,
          volumeMounts: [
            { name: 'settings', mountPath: SETTINGS_DIR, readOnly: true },
            ...(secrets.length > 0 ? [{ name: 'secrets', mountPath: SECRETS_DIR, readOnly: true }] : []),
          ],
        },
      ],
      volumes: [
        { name: 'settings', configMap: { name: settings, defaultMode: DEFAULT_MODE } },
        ...(secrets.length > 0
          ? [{ name: 'secrets', projected: { sources: secrets, defaultMode: DEFAULT_MODE } }]
          : []),
      ],
    },
  };
}

function argumentsOf(hasSecrets: boolean, { log }: PodOptions): string[] {
  return [
    'run',
    `--filename=${SETTINGS_DIR}/${MANIFEST_KEY}`,
    ...(hasSecrets ? [`--secrets-dir=${SECRETS_DIR}`] : []),
    `--stretches=${SETTINGS_DIR}/${STRETCHES_KEY}`,
    `--termination-log=${TERMINATION_LOG}`,
    // As in the operator: an outage has no deadline.
    '--startup-deadline=none',
    `--log-level=${log.level}`,
    `--log-format=${log.format}`,
  ];
}

function defaultResources({ spec }: PromMigration): object {
  const memory = `${Math.ceil((parseQuantity(spec.limits.memory) ?? 0) / MIB) + OWN_MEMORY_MIB}Mi`;
  return { requests: { memory }, limits: { memory } };
}
