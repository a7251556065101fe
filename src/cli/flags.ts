// The commands and their flags as data, for the parser and for --help.

import { LOG_FORMATS, LOG_LEVELS } from '../telemetry/log-options.ts';
import { EXIT_CODES, type ExitCode, PLAN_EXIT_CODES, VERIFY_EXIT_CODES } from './exit-codes.ts';

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

/** What a migration is, for those who have no manifest. */
export const END_FLAGS: readonly Flag[] = [
  { name: 'source', placeholder: 'URL', help: 'where to read: a remote_read URL, or the address of a server alone' },
  {
    name: 'destination',
    placeholder: 'URL',
    help: 'where to write: a remote_write URL, or the address of a server alone',
  },
  {
    name: 'progress',
    placeholder: 'URL',
    help: 'where the destination is read, if that is not known from its address: a remote_read URL or the base of a query API; none: without a resume point',
  },
  { name: 'start', placeholder: 'TIME', help: 'the first sample to copy; RFC 3339 or Unix seconds' },
  {
    name: 'end',
    placeholder: 'TIME',
    help: 'the end of the copy, exclusive; RFC 3339 or Unix seconds; default five minutes ago',
  },
  {
    name: 'selector',
    placeholder: 'SELECTOR',
    multiple: true,
    help: 'which series, such as \'{job="node"}\'; repeatable; default all',
  },
  {
    name: 'name',
    placeholder: 'NAME',
    help: 'name of the migration, by which it finds its progress; default the hosts and ports of both URLs',
  },
];

/** The flags of the commands that read a manifest. */
const MANIFEST_FLAGS: readonly Flag[] = [
  {
    name: 'filename',
    short: 'f',
    placeholder: 'FILE',
    multiple: true,
    help: 'YAML or JSON with the PromMigration and the objects that it refers to; - reads stdin; repeatable',
  },
  ...END_FLAGS,
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
  summary: 'run one migration from a manifest or from flags',
  synopsis: 'prom-migrator run -f FILE [-f FILE…] [flags]',
  description:
    'Runs the PromMigration in the files, with the Secrets and ConfigMaps that it refers to. Progress and log go to stderr, ' +
    'the result goes to stdout. Run the command again to resume: the resume point is in the destination. ' +
    'Instead of -f, --source, --destination and --start describe a migration without credentials; the servers are asked what they are.',
  flags: [...JOB_FLAGS, ...POD_FLAGS, ...GLOBAL_FLAGS],
  exitCodes: EXIT_CODES,
  examples: [
    'prom-migrator run -f migration.yaml',
    'prom-migrator run -f migration.yaml --secrets-dir ./secrets --output json > result.json',
    'prom-migrator run -f migration.yaml --report report.html',
    'prom-migrator run --source http://prom:9090 --destination http://vm:8428 --start 1767225600',
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
    {
      name: 'from',
      placeholder: 'TIME',
      help: 'compare from this time on; RFC 3339 or Unix seconds; default spec.timeRange.start',
    },
    {
      name: 'to',
      placeholder: 'TIME',
      help: 'compare to this time, exclusive; RFC 3339 or Unix seconds; default the end of the copy',
    },
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
