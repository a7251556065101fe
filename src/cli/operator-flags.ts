// The command `operator` and its flags.

import { LOG_FORMATS, LOG_LEVELS } from '../telemetry/log-options.ts';
import { OPERATOR_EXIT_CODES } from './exit-codes.ts';
import { type Command, GLOBAL_FLAGS } from './flags.ts';

/** Those of Kubernetes. */
export const IMAGE_PULL_POLICIES = ['Always', 'IfNotPresent', 'Never'] as const;

export const OPERATOR_COMMAND: Command = {
  name: 'operator',
  summary: 'run the PromMigrations of a Kubernetes cluster',
  synopsis: 'prom-migrator operator [flags]',
  description:
    'Watches PromMigration resources, runs them and writes their status, until SIGTERM or SIGINT. Every flag can also be set by an ' +
    'environment variable: --log-level by PROM_MIGRATOR_LOG_LEVEL. POD_NAME and POD_NAMESPACE identify the pod.',
  flags: [
    {
      name: 'watch-namespaces',
      placeholder: 'NAMES',
      help: 'namespaces to watch, separated by commas; default all',
    },
    {
      name: 'metrics-address',
      placeholder: 'HOST:PORT',
      default: ':8080',
      help: 'serve /metrics, /livez and /readyz on this address; IPv6 in brackets, :PORT for all interfaces, port 0 for a free port',
    },
    {
      name: 'leader-elect',
      help: 'run migrations only while holding the Lease, so that several replicas can run; this is the default',
    },
    { name: 'no-leader-elect', help: 'run migrations without a Lease: there must be no second operator' },
    {
      name: 'lease-namespace',
      placeholder: 'NAME',
      help: "namespace of the Lease; default POD_NAMESPACE, or the kubeconfig's",
    },
    { name: 'lease-name', placeholder: 'NAME', default: 'prom-migrator', help: 'name of the Lease' },
    {
      name: 'lease-duration',
      placeholder: 'DURATION',
      default: '15s',
      help: 'how long the other replicas wait for a leader that does not renew the Lease',
    },
    {
      name: 'renew-deadline',
      placeholder: 'DURATION',
      default: '10s',
      help: 'how long a leader that cannot renew the Lease continues to work; shorter than the lease duration by the time needed to stop',
    },
    {
      name: 'retry-period',
      placeholder: 'DURATION',
      default: '2s',
      help: 'pause between two attempts to acquire or renew the Lease',
    },
    {
      name: 'max-migrations',
      placeholder: 'NUMBER',
      help: 'how many migrations run at once, the others wait; default the number of cores, at least 2',
    },
    {
      name: 'jobs',
      help: 'copy the migrations with spec.execution.mode Job in the pods of Jobs; this is the default',
    },
    {
      name: 'no-jobs',
      help: 'create no Jobs, and need no right to: migrations with spec.execution.mode Job are not accepted',
    },
    {
      name: 'job-image',
      placeholder: 'IMAGE',
      help: "image of the pods of Jobs, this version's; without it, migrations with spec.execution.mode Job are not accepted",
    },
    {
      name: 'job-image-pull-policy',
      placeholder: 'POLICY',
      choices: IMAGE_PULL_POLICIES,
      help: 'pull policy of that image; default the one of Kubernetes',
    },
    {
      name: 'ambient-credentials',
      help: "let migrations use the identity of the operator's pod: sigv4 without keys, azureAd with a managed or workload identity",
    },
    {
      name: 'grace',
      placeholder: 'DURATION',
      default: '20s',
      help: 'how long stopping may take after SIGINT or SIGTERM; a second signal exits immediately',
    },
    {
      name: 'kubeconfig',
      placeholder: 'FILE',
      help: "kubeconfig to use; default KUBECONFIG, the pod's service account, ~/.kube/config",
    },
    { name: 'context', placeholder: 'NAME', help: 'context of the kubeconfig; default its current context' },
    {
      name: 'log-level',
      placeholder: 'LEVEL',
      choices: LOG_LEVELS,
      default: 'info',
      help: 'minimum level to log',
    },
    {
      name: 'log-format',
      placeholder: 'FORMAT',
      choices: LOG_FORMATS,
      help: 'format of the log lines; default json in a cluster, text elsewhere',
    },
    ...GLOBAL_FLAGS,
  ],
  exitCodes: OPERATOR_EXIT_CODES,
  examples: [
    'prom-migrator operator',
    'prom-migrator operator --watch-namespaces monitoring,team-a --max-migrations 4',
    'prom-migrator operator --kubeconfig ~/.kube/config --context staging --no-leader-elect',
  ],
};
