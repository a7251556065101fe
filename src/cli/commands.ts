// All commands of the program, and those that only print something.

import { PRINT_EXIT_CODES } from './exit-codes.ts';
import { type Command, GLOBAL_FLAGS, PLAN_COMMAND, RUN_COMMAND, VERIFY_COMMAND } from './flags.ts';
import { INIT_COMMAND } from './init-flags.ts';
import { OPERATOR_COMMAND } from './operator-flags.ts';
import { PMIG_COMMAND } from './pmig-flags.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;

export const CRDS_COMMAND: Command = {
  name: 'crds',
  summary: 'print the CustomResourceDefinition',
  synopsis: 'prom-migrator crds',
  description:
    'Prints the CustomResourceDefinition of PromMigration, of exactly this version. It is larger than the annotation of a client-side apply.',
  flags: GLOBAL_FLAGS,
  exitCodes: PRINT_EXIT_CODES,
  examples: ['prom-migrator crds | kubectl apply --server-side -f -'],
};

export const COMPLETION_COMMAND: Command = {
  name: 'completion',
  summary: 'print a script that completes commands and flags in a shell',
  synopsis: `prom-migrator completion ${SHELLS.join('|')}`,
  description:
    'Prints a script for the shell: it completes the commands, their flags, and the values of flags that have a list of them.',
  flags: GLOBAL_FLAGS,
  argument: { name: 'shell', choices: SHELLS },
  exitCodes: PRINT_EXIT_CODES,
  examples: [
    'source <(prom-migrator completion bash)',
    'prom-migrator completion zsh > ~/.zsh/completions/_prom-migrator',
    'prom-migrator completion fish > ~/.config/fish/completions/prom-migrator.fish',
  ],
};

export const COMMANDS: readonly Command[] = [
  RUN_COMMAND,
  PLAN_COMMAND,
  VERIFY_COMMAND,
  INIT_COMMAND,
  OPERATOR_COMMAND,
  PMIG_COMMAND,
  CRDS_COMMAND,
  COMPLETION_COMMAND,
];
