// The commands that print something about the program and do nothing else: `crds` and `completion`.

import { COMMANDS, COMPLETION_COMMAND, CRDS_COMMAND, SHELLS } from './commands.ts';
import { completionScript } from './completion.ts';
import { EXIT, type ExitStatus } from './exit-codes.ts';
import type { CommandIo } from './io.ts';
import { parseArguments } from './parse-arguments.ts';
import { UsageError } from './usage-error.ts';

/** @throws UsageError */
export async function crdsCommand(argv: readonly string[], { stdout }: CommandIo): Promise<ExitStatus> {
  parseArguments(CRDS_COMMAND, argv);
  // A quarter of a megabyte that nothing else needs.
  const { CRD_TEXT } = await import('../api/crd-text.ts');
  stdout.write(CRD_TEXT);
  return EXIT.done;
}

/** @throws UsageError */
export function completionCommand(argv: readonly string[], { stdout }: CommandIo): ExitStatus {
  const { argument } = parseArguments(COMPLETION_COMMAND, argv);
  const shell = SHELLS.find((name) => name === argument);
  if (shell === undefined) throw new UsageError(`no shell given: ${SHELLS.join(', ')}`, COMPLETION_COMMAND.name);
  stdout.write(completionScript(shell, COMMANDS));
  return EXIT.done;
}
