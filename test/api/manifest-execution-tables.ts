// Manifests with an execution, and all errors of those that are wrong; part of the tables of manifest-tables.ts.

import type { Changes } from './manifests.ts';

const any: Changes = { 'spec.destination.ordering': 'Any' };
const years: Changes = { 'spec.timeRange': { start: '2022-01-01T00:00:00Z', end: '2024-01-02T00:00:00Z' } };
const none: Changes = { ...any, 'spec.destination.progress': { protocol: 'None' } };

const tooManyInOrder =
  'must not be more than 1 with destination.ordering InOrder: a destination that takes samples only in order needs the stretches one ' +
  'after the other; set destination.ordering to Any if the destination accepts old samples, or execution.parallelism to 1';
const newestInOrder =
  'must be OldestFirst with destination.ordering InOrder: a destination that takes samples only in order rejects older samples after ' +
  'newer ones; set destination.ordering to Any if the destination accepts old samples';
const withoutMarks =
  'with destination.progress.protocol None: which stretches are finished is known only from the progress marks; set ' +
  'destination.progress.protocol to RemoteRead or PromQL, and destination.progress.url';
const zero = 'must be at least 1 with mode InProcess; to pause the migration, set spec.suspend to true';
const notBlocks =
  'must be a positive multiple of 2h, because a stretch consists of whole blocks of the source; the nearest is';
const duration = 'must be a Prometheus duration such as 2h, 1d12h or 4w (units y, w, d, h, m, s, ms)';
const quantity = 'must be a quantity that is not negative, such as 2, 500m or 1Gi';
const objectName = 'must be the name of a Kubernetes object: lower case letters, digits, dashes and dots';

export const badExecutions: readonly (readonly [Changes, readonly string[]])[] = [
  [
    { ...any, 'spec.execution': { mode: 'job', parallelism: 1025, order: 'Newest', threads: 4 } },
    [
      'spec.execution.mode: "job": must be one of InProcess, Job; did you mean Job?',
      'spec.execution.order: "Newest": must be one of OldestFirst, NewestFirst',
      'spec.execution.parallelism: 1025: must be from 0 to 1024',
      'spec.execution.threads: unknown field; known fields: mode, parallelism, stretch, order, job',
    ],
  ],
  [{ 'spec.execution.parallelism': 0 }, [`spec.execution.parallelism: 0: ${zero}`]],
  [{ 'spec.execution.parallelism': 2 }, [`spec.execution.parallelism: 2: ${tooManyInOrder}`]],
  [{ 'spec.execution': { mode: 'Job', parallelism: 2 } }, [`spec.execution.parallelism: 2: ${tooManyInOrder}`]],
  [{ 'spec.execution.order': 'NewestFirst' }, [`spec.execution.order: "NewestFirst": ${newestInOrder}`]],
  [
    { ...none, 'spec.execution': { mode: 'Job', parallelism: 2, order: 'NewestFirst' } },
    [
      `spec.execution.mode: "Job": must be InProcess ${withoutMarks}`,
      `spec.execution.order: "NewestFirst": must be OldestFirst ${withoutMarks}`,
      `spec.execution.parallelism: 2: must be 1 ${withoutMarks}`,
    ],
  ],
  [
    { ...none, 'spec.execution': { mode: 'Job', parallelism: 0 } },
    [
      `spec.execution.mode: "Job": must be InProcess ${withoutMarks}`,
      `spec.execution.parallelism: 0: must be 1 ${withoutMarks}`,
    ],
  ],
  // The length of a stretch.
  [{ 'spec.execution.stretch': '2 h' }, [`spec.execution.stretch: "2 h": ${duration}`]],
  [{ 'spec.execution.stretch': 7200 }, ['spec.execution.stretch: 7200: must be a string; put it in quotes']],
  [{ 'spec.execution.stretch': '0' }, [`spec.execution.stretch: "0": ${notBlocks} 2h`]],
  [{ 'spec.execution.stretch': '30m' }, [`spec.execution.stretch: "30m": ${notBlocks} 2h`]],
  [{ 'spec.execution.stretch': '1d1h1ms' }, [`spec.execution.stretch: "1d1h1ms": ${notBlocks} 26h`]],
  [{ 'spec.execution.stretch': '4h59m' }, [`spec.execution.stretch: "4h59m": ${notBlocks} 4h`]],
  [
    { ...years, 'spec.execution.stretch': '2h' },
    [
      'spec.execution.stretch: "2h": divides the time range into 8772 stretches, and at most 4096 are possible; set at least 6h, or remove it to let it be chosen',
    ],
  ],
  // The settings of a Job.
  [
    { 'spec.execution.job': { image: 'x', backoffLimitPerIndex: -1, ttlSecondsAfterFinished: -1 } },
    [
      'spec.execution.job.backoffLimitPerIndex: -1: must be from 0 to 2147483647',
      'spec.execution.job.image: unknown field; known fields: resources, nodeSelector, tolerations, affinity, topologySpreadConstraints, serviceAccountName, imagePullSecrets, priorityClassName, podLabels, podAnnotations, ttlSecondsAfterFinished, backoffLimitPerIndex',
      'spec.execution.job.ttlSecondsAfterFinished: -1: must be from 0 to 2147483647',
    ],
  ],
  [
    { 'spec.execution.job.resources': { limits: { memory: '1GB', cpu: 1.5 }, requests: { cpu: -1 } } },
    [
      `spec.execution.job.resources.limits.cpu: 1.5: ${quantity}`,
      `spec.execution.job.resources.limits.memory: "1GB": ${quantity}`,
      `spec.execution.job.resources.requests.cpu: -1: ${quantity}`,
    ],
  ],
  [
    { 'spec.execution.job.nodeSelector': { arm: true } },
    ['spec.execution.job.nodeSelector.arm: true: must be a string; put it in quotes'],
  ],
  [
    {
      'spec.execution.job.tolerations': [
        { value: 'batch', effect: 'NoSchedule' },
        { operator: 'Exists', value: 'batch', tolerationSeconds: 60 },
      ],
    },
    [
      'spec.execution.job.tolerations[0].operator: must be Exists without a key',
      'spec.execution.job.tolerations[1].tolerationSeconds: 60: can be used only with effect NoExecute',
      'spec.execution.job.tolerations[1].value: "batch": cannot be used with operator Exists',
    ],
  ],
  [
    { 'spec.execution.job.tolerations': [{ key: 'a', operator: 'Is', effect: 'NoRun' }] },
    [
      'spec.execution.job.tolerations[0].effect: "NoRun": must be one of NoSchedule, PreferNoSchedule, NoExecute',
      'spec.execution.job.tolerations[0].operator: "Is": must be one of Equal, Exists',
    ],
  ],
  [
    { 'spec.execution.job.affinity': { nodeAfinity: {}, podAffinity: [] } },
    [
      'spec.execution.job.affinity.nodeAfinity: unknown field; did you mean nodeAffinity?',
      'spec.execution.job.affinity.podAffinity: must be an object with fields',
    ],
  ],
  [
    { 'spec.execution.job.topologySpreadConstraints': [{ maxSkew: 0, topologyKey: 'zone' }] },
    [
      'spec.execution.job.topologySpreadConstraints[0].maxSkew: 0: must be from 1 to 2147483647',
      'spec.execution.job.topologySpreadConstraints[0].whenUnsatisfiable: is required: DoNotSchedule lets a pod wait; ScheduleAnyway only prefers the domains with fewer pods',
    ],
  ],
  [
    {
      'spec.execution.job': {
        serviceAccountName: 'A',
        imagePullSecrets: [{ name: 'a_b' }],
        priorityClassName: '-',
      },
    },
    [
      `spec.execution.job.imagePullSecrets[0].name: "a_b": ${objectName}`,
      `spec.execution.job.priorityClassName: "-": ${objectName}`,
      `spec.execution.job.serviceAccountName: "A": ${objectName}`,
    ],
  ],
  [
    { 'spec.execution.job.imagePullSecrets': [{}] },
    ['spec.execution.job.imagePullSecrets[0].name: is required: Name of the Secret'],
  ],
  [
    { 'spec.execution.job': { podLabels: { 'a b': 'x', c: '-' }, podAnnotations: { '/a': '' } } },
    [
      'spec.execution.job.podAnnotations: annotation names must be letters, digits, dashes, underscores and dots, after an optional prefix such as example.com/',
      'spec.execution.job.podLabels: label names must be letters, digits, dashes, underscores and dots, after an optional prefix such as example.com/',
      'spec.execution.job.podLabels: label values must be letters, digits, dashes, underscores and dots, and start and end with a letter or digit',
    ],
  ],
  [
    {
      'spec.execution.job': {
        podLabels: { 'job-name': 'x' },
        podAnnotations: { 'batch.kubernetes.io/job-completion-index': '3' },
      },
    },
    [
      'spec.execution.job.podAnnotations: must not contain annotations of prom-migrator.io or of the Job controller: they are set by these',
      'spec.execution.job.podLabels: must not contain labels of prom-migrator.io or of the Job controller: they are set by these',
    ],
  ],
];

/** Names, and changes to the smallest manifest. */
export const goodExecutions: readonly (readonly [string, Changes])[] = [
  ['several stretches at once', { ...any, 'spec.execution': { parallelism: 4, stretch: '1d12h' } }],
  ['the newest stretches first', { ...any, 'spec.execution': { parallelism: 1024, order: 'NewestFirst' } }],
  ['one stretch at a time in order, in a Job', { 'spec.execution': { mode: 'Job', stretch: '2h' } }],
  ['the shortest stretches of two years', { ...years, 'spec.execution.stretch': '6h' }],
  ['a Job that starts nothing', { 'spec.execution': { mode: 'Job', parallelism: 0 } }],
  ['an empty execution', { 'spec.execution': {} }],
  ['null for unset fields of a Job', { 'spec.execution': { stretch: null, job: { affinity: null, resources: {} } } }],
  [
    'every setting of a Job',
    {
      ...any,
      'spec.execution': {
        mode: 'Job',
        parallelism: 50,
        job: {
          resources: { requests: { cpu: 1, memory: '300Mi' }, limits: { cpu: '2', memory: 1073741824 } },
          nodeSelector: { 'kubernetes.io/arch': 'arm64', empty: '' },
          tolerations: [
            { operator: 'Exists' },
            { key: 'batch', operator: 'Equal', value: 'true', effect: 'NoSchedule' },
            { key: 'a', value: 'b', effect: 'NoExecute', tolerationSeconds: 60 },
          ],
          affinity: {
            nodeAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: {
                nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'In', values: ['b'] }] }],
              },
            },
            podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: {} }] },
          },
          topologySpreadConstraints: [
            {
              maxSkew: 1,
              topologyKey: 'topology.kubernetes.io/zone',
              whenUnsatisfiable: 'ScheduleAnyway',
              labelSelector: { matchLabels: { app: 'copy' } },
              matchLabelKeys: ['app'],
              nodeTaintsPolicy: 'Honor',
            },
          ],
          serviceAccountName: 'copy',
          imagePullSecrets: [{ name: 'registry' }],
          priorityClassName: 'low',
          podLabels: { app: 'copy', 'example.com/team': 'a' },
          podAnnotations: { 'sidecar.istio.io/inject': 'false' },
          ttlSecondsAfterFinished: 0,
          backoffLimitPerIndex: 0,
        },
      },
    },
  ],
];
