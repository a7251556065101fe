// The commands and their flags as data, for the parser and for --help.

import { LOG_FORMATS, LOG_LEVELS } from '../telemetry/log-options.ts';
import { EXIT_CODES, type ExitCode, OPERATOR_EXIT_CODES, PLAN_EXIT_CODES, VERIFY_EXIT_CODES } from './exit-codes.ts';

/** Those of Kubernetes. */
export const IMAGE_PULL_POLICIES = ['Always', 'IfNotPresent', 'Never'] as const;

export interface Flag {
  readonly name: string;
  readonly short?: string;
  /** The placeholder for the value in --help. Absent if the flag takes no value. */
  readonly placeholder?: string;
  readonly choices?: readonly string[];
  readonly multiple?: boolean;
  readonly default?: string;
  readonly help: string;
}

export interface Command {
  readonly name: string;
  readonly summary: string;
  readonly synopsis: string;
  readonly description: string;
  readonly flags: readonly Flag[];
  /** One word beside the flags, which is one of these. */
  readonly argument?: { readonly name: string; readonly choices: readonly string[] };
  /** The name of a word of any value after the argument. */
  readonly operand?: string;
  readonly exitCodes: readonly ExitCode[];
  readonly examples: readonly string[];
}

const HELP_FLAG: Flag = { name: 'help', short: 'h', help: 'print this text and exit' };
const VERSION_FLAG: Flag = { name: 'version', short: 'V', help: 'print the version and exit' };

export const GLOBAL_FLAGS: readonly Flag[] = [HELP_FLAG, VERSION_FLAG];

/** The flags of the commands that read a manifest. */
const MANIFEST_FLAGS: readonly Flag[] = [
  {
    name: 'filename',
    short: 'f',
    placeholder: 'FILE',
    multiple: true,
    help: 'YAML or JSON with the PromMigration and the objects that it refers to; - reads stdin; repeatable',
  },
  {
    name: 'secrets-dir',
    placeholder: 'DIR',
    help: 'read a referenced Secret or ConfigMap from DIR/NAME/KEY if it is not in the files; DIR/Secret/NAME/KEY and DIR/ConfigMap/NAME/KEY take precedence',
  },
  {
    name: 'output',
    short: 'o',
    placeholder: 'FORMAT',
    choices: ['text', 'json'],
    default: 'text',
    help: 'format of the result on stdout',
  },
];

/** The flags of the commands that run one migration to its end. */
const JOB_FLAGS: readonly Flag[] = [
  ...MANIFEST_FLAGS,
  {
    name: 'report',
    placeholder: 'FILE',
    help: 'write an HTML page about the run to this file at its end, also if it fails or is interrupted',
  },
  {
    name: 'metrics-address',
    placeholder: 'HOST:PORT',
    help: 'serve /metrics and /livez on this address during the run; IPv6 in brackets, :PORT for all interfaces, port 0 for a free port',
  },
  {
    name: 'grace',
    placeholder: 'DURATION',
    default: '10s',
    help: 'how long the window in flight may continue after SIGINT or SIGTERM; a second signal exits immediately',
  },
  {
    name: 'startup-deadline',
    placeholder: 'DURATION',
    default: '5m',
    help: 'how long to retry a side that has not responded yet; none: retry forever',
  },
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
    default: 'text',
    help: 'format of the log lines; json also disables the progress bar',
  },
];

/** The flags that the operator sets in the pods of a Job. */
const POD_FLAGS: readonly Flag[] = [
  {
    name: 'stretches',
    placeholder: 'FILE',
    help: 'copy one stretch of the migration: an entry of this file, which the operator writes for the pods of a Job',
  },
  {
    name: 'stretch-index',
    placeholder: 'NUMBER',
    help: 'which entry, from 0; default JOB_COMPLETION_INDEX, which Kubernetes sets',
  },
  {
    name: 'termination-log',
    placeholder: 'FILE',
    help: 'write why the run failed to this file, as a JSON object of at most 4096 bytes; nothing after a success',
  },
];

export const RUN_COMMAND: Command = {
  name: 'run',
  summary: 'run one migration from a manifest',
  synopsis: 'prom-migrator run -f FILE [-f FILE…] [flags]',
  description:
    'Runs the PromMigration in the files, with the Secrets and ConfigMaps that it refers to. Progress and log go to stderr, ' +
    'the result goes to stdout. Run the command again to resume: the resume point is in the destination.',
  flags: [...JOB_FLAGS, ...POD_FLAGS, ...GLOBAL_FLAGS],
  exitCodes: EXIT_CODES,
  examples: [
    'prom-migrator run -f migration.yaml',
    'prom-migrator run -f migration.yaml --secrets-dir ./secrets --output json > result.json',
    'prom-migrator run -f migration.yaml --report report.html',
    'cat migration.yaml secret.yaml | prom-migrator run -f - --metrics-address 127.0.0.1:9464',
  ],
};

export const PLAN_COMMAND: Command = {
  name: 'plan',
  summary: 'look at both sides of a migration before it is run, and write nothing',
  synopsis: 'prom-migrator plan -f FILE [-f FILE…] [flags]',
  description:
    'Checks whether both sides of the PromMigration in the files are reachable, authorized and configured for it, and estimates its size and ' +
    'duration from a few short windows of the source. Without --probe-write it sends no write request. What blocks the migration comes first, each with the setting to change.',
  flags: [
    ...MANIFEST_FLAGS,
    {
      name: 'probe-write',
      help: 'write a few samples of prom_migrator_progress{probe="plan"} into the destination, to find out what it accepts; they stay there',
    },
    ...GLOBAL_FLAGS,
  ],
  exitCodes: PLAN_EXIT_CODES,
  examples: [
    'prom-migrator plan -f migration.yaml',
    'prom-migrator plan -f migration.yaml --secrets-dir ./secrets --output json > plan.json',
    'prom-migrator plan -f migration.yaml --probe-write',
    'prom-migrator plan -f migration.yaml && prom-migrator run -f migration.yaml',
  ],
};

export const VERIFY_COMMAND: Command = {
  name: 'verify',
  summary: 'compare both sides of a migration, sample by sample',
  synopsis: 'prom-migrator verify -f FILE [-f FILE…] [flags]',
  description:
    'Reads both sides of the PromMigration in the files and compares every sample, bit for bit. It needs no progress marks, so it verifies ' +
    'what another tool has copied as well. The result goes to stdout. Without --repair, only progress marks of its own are written.',
  flags: [
    { name: 'repair', help: 'write the samples that are missing in the destination, then compare them again' },
    {
      name: 'differences',
      placeholder: 'FILE',
      help: 'write every difference to this file, one JSON object a line',
    },
    { name: 'from', placeholder: 'TIME', help: 'compare from this time on; RFC 3339; default spec.timeRange.start' },
    { name: 'to', placeholder: 'TIME', help: 'compare to this time, exclusive; RFC 3339; default the end of the copy' },
    ...JOB_FLAGS,
    ...GLOBAL_FLAGS,
  ],
  exitCodes: VERIFY_EXIT_CODES,
  examples: [
    'prom-migrator verify -f migration.yaml --report report.html',
    'prom-migrator verify -f migration.yaml --differences differences.jsonl --output json',
    'prom-migrator verify -f migration.yaml --repair --from 2026-01-01T00:00:00Z --to 2026-02-01T00:00:00Z',
  ],
};

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
