// The command `pmig`, which kubectl runs as its plugin: flags, exit codes and help as data.

import { ACTIONS, DEFAULT_OPERATOR_NAMESPACE } from '../kubectl/action-context.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { type Command, GLOBAL_FLAGS } from './flags.ts';

export const PMIG_EXIT_CODES: readonly ExitCode[] = [
  {
    code: EXIT.done,
    meaning: 'done; watch: the migration has succeeded; report: written, even if something is missing in it',
  },
  { code: EXIT.failed, meaning: 'not done: no cluster, a missing right, an unknown name; the message has the cure' },
  { code: EXIT.usage, meaning: 'bad usage; no request was sent' },
  { code: EXIT.migrationFailed, meaning: 'watch, --wait: the migration has failed, or was deleted' },
  { code: EXIT.temporary, meaning: 'suspend and resume with --wait: not within --timeout' },
  { code: EXIT.sigint, meaning: 'interrupted by SIGINT (Ctrl-C)' },
  { code: EXIT.sigterm, meaning: 'interrupted by SIGTERM' },
];

export const PMIG_COMMAND: Command = {
  name: 'pmig',
  summary: 'show and control the PromMigrations of a cluster, also as kubectl pmig',
  synopsis: `kubectl pmig ${ACTIONS.join('|')} [NAME] [flags]`,
  description:
    'Works with your kubeconfig and your rights. status: where a migration is, how fast, what it waits for and what to do, or all migrations without ' +
    'a name. watch: the same, again after each change, until the migration has ended. suspend, resume: set spec.suspend. report: a redacted bundle for a bug report.',
  argument: { name: 'action', choices: ACTIONS },
  operand: 'NAME',
  flags: [
    {
      name: 'namespace',
      short: 'n',
      placeholder: 'NAME',
      help: "namespace of the migration; default the kubeconfig's",
    },
    { name: 'all-namespaces', short: 'A', help: 'status without a name: list the migrations of all namespaces' },
    {
      name: 'output',
      short: 'o',
      placeholder: 'FORMAT',
      choices: ['text', 'json'],
      default: 'text',
      help: 'format of status',
    },
    { name: 'wait', help: 'suspend, resume: wait until the migration has stopped, or works again' },
    { name: 'timeout', placeholder: 'DURATION', default: '5m', help: 'how long --wait waits' },
    {
      name: 'to',
      placeholder: 'FILE',
      help: 'report: write it to this new directory, or to this new file ending in .tar.gz; default a file in this directory',
    },
    {
      name: 'operator-namespace',
      placeholder: 'NAME',
      default: DEFAULT_OPERATOR_NAMESPACE,
      help: 'report: where the operator runs, whose log lines and metrics are read',
    },
    {
      name: 'kubeconfig',
      placeholder: 'FILE',
      help: "kubeconfig to use; default KUBECONFIG, the pod's service account, ~/.kube/config",
    },
    { name: 'context', placeholder: 'NAME', help: 'context of the kubeconfig; default its current context' },
    ...GLOBAL_FLAGS,
  ],
  exitCodes: PMIG_EXIT_CODES,
  examples: [
    'kubectl pmig status -A',
    'kubectl pmig status move -n team-a',
    'kubectl pmig watch move -n team-a && echo succeeded',
    'kubectl pmig suspend move -n team-a --wait',
    'kubectl pmig report move -n team-a --to report.tar.gz',
  ],
};
