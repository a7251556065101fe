// The command `init` and its flags.

import { EXIT, type ExitCode } from './exit-codes.ts';
import { type Command, END_FLAGS, GLOBAL_FLAGS } from './flags.ts';

const INIT_EXIT_CODES: readonly ExitCode[] = [
  { code: EXIT.done, meaning: 'the manifest was written' },
  { code: EXIT.failed, meaning: 'an end did not respond, or the file could not be written' },
  { code: EXIT.usage, meaning: 'bad usage, or something has to be chosen that the ends do not show' },
];

export const INIT_COMMAND: Command = {
  name: 'init',
  summary: 'write a manifest for two servers',
  synopsis: 'prom-migrator init --source URL --destination URL [flags]',
  description:
    'Asks both servers what they are and writes a manifest with comments: protocols, ordering and how the progress is read. What was found and what was guessed ' +
    'is in the comments and on stderr. Nothing is written to the servers.',
  flags: [
    ...END_FLAGS.map((flag) =>
      flag.name === 'start'
        ? { ...flag, help: `${flag.help}; default the oldest sample, if the source shows it` }
        : flag,
    ),
    {
      name: 'output',
      short: 'o',
      placeholder: 'FILE',
      help: 'write to this file instead of stdout; it must not exist',
    },
    { name: 'force', help: 'overwrite the file of --output' },
    { name: 'offline', help: 'ask nothing, and guess by hosts and ports' },
    ...GLOBAL_FLAGS,
  ],
  exitCodes: INIT_EXIT_CODES,
  examples: [
    'prom-migrator init --source http://prom:9090 --destination http://vm:8428 -o migration.yaml',
    'prom-migrator init --source http://old:9090 --destination http://new:9090 | prom-migrator run -f -',
  ],
};
