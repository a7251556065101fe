// The commands and their flags as data: parse-arguments.ts reads the command line by it, help.ts prints it.

import { LOG_FORMATS, LOG_LEVELS } from '../telemetry/logger.ts';

export interface Flag {
  readonly name: string;
  readonly short?: string;
  /** What stands for the value in --help; absent: the flag takes none. */
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
  readonly examples: readonly string[];
}

const HELP_FLAG: Flag = { name: 'help', short: 'h', help: 'print this text and exit' };
const VERSION_FLAG: Flag = { name: 'version', short: 'V', help: 'print the version and exit' };

export const GLOBAL_FLAGS: readonly Flag[] = [HELP_FLAG, VERSION_FLAG];

export const RUN_COMMAND: Command = {
  name: 'run',
  summary: 'run one migration from a manifest, here and now',
  synopsis: 'prom-migrator run -f FILE [-f FILE…] [flags]',
  description:
    'Runs the PromMigration that the files hold, with the Secrets and ConfigMaps that it refers to. Progress and log go to stderr, ' +
    'the result goes to stdout. Run it again to go on where it stopped: the resume point is in the destination.',
  flags: [
    {
      name: 'filename',
      short: 'f',
      placeholder: 'FILE',
      multiple: true,
      help: 'YAML or JSON with the PromMigration and what it refers to; - reads stdin; may be given several times',
    },
    {
      name: 'secrets-dir',
      placeholder: 'DIR',
      help: 'read a referenced Secret or ConfigMap from DIR/NAME/KEY when it is not in the files',
    },
    {
      name: 'output',
      short: 'o',
      placeholder: 'FORMAT',
      choices: ['text', 'json'],
      default: 'text',
      help: 'format of the result on stdout',
    },
    {
      name: 'metrics-address',
      placeholder: 'HOST:PORT',
      help: 'serve /metrics and /livez there while it runs; IPv6 in brackets, :PORT for all interfaces, port 0 for a free one',
    },
    {
      name: 'grace',
      placeholder: 'DURATION',
      default: '10s',
      help: 'how long the window in flight may go on after SIGINT or SIGTERM; a second signal ends at once',
    },
    {
      name: 'startup-deadline',
      placeholder: 'DURATION',
      default: '5m',
      help: 'how long a side that cannot be reached is retried before it has answered once; none for ever',
    },
    {
      name: 'log-level',
      placeholder: 'LEVEL',
      choices: LOG_LEVELS,
      default: 'info',
      help: 'least important level to log',
    },
    {
      name: 'log-format',
      placeholder: 'FORMAT',
      choices: LOG_FORMATS,
      default: 'text',
      help: 'format of the log lines; json also turns the progress bar off',
    },
    ...GLOBAL_FLAGS,
  ],
  examples: [
    'prom-migrator run -f migration.yaml',
    'prom-migrator run -f migration.yaml --secrets-dir ./secrets --output json > result.json',
    'cat migration.yaml secret.yaml | prom-migrator run -f - --metrics-address 127.0.0.1:9464',
  ],
};

export const COMMANDS: readonly Command[] = [RUN_COMMAND];
