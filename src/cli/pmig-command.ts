// `prom-migrator pmig`, which kubectl runs as `kubectl pmig`: turns flags into the options of an action, and its outcome into an exit code.

import { parseDuration } from '../api/duration.ts';
import { ACTIONS, type PmigIo, type PmigOptions, type PmigOutcome } from '../kubectl/action-context.ts';
import { EXIT, type ExitStatus } from './exit-codes.ts';
import type { CommandIo } from './io.ts';
import { type ParsedFlags, parseArguments } from './parse-arguments.ts';
import { PMIG_COMMAND } from './pmig-flags.ts';
import { UsageError } from './usage-error.ts';

/** The part of kubectl/ that the command needs. */
export interface PmigRuntime {
  runPmig(options: PmigOptions, io: PmigIo): Promise<PmigOutcome>;
}

const EXIT_CODES: Readonly<Record<PmigOutcome, ExitStatus>> = {
  ...{ done: EXIT.done, failed: EXIT.failed, ended: EXIT.migrationFailed, late: EXIT.temporary },
};

/** The actions that a flag is for; the others are for all. */
const ONLY_FOR: Readonly<Record<string, readonly string[]>> = {
  ...{ 'all-namespaces': ['status'], output: ['status'], wait: ['suspend', 'resume'], timeout: ['suspend', 'resume'] },
  ...{ to: ['report'], 'operator-namespace': ['report'] },
};

const usage = (message: string) => new UsageError(message, PMIG_COMMAND.name);

function readOptions(flags: ParsedFlags): PmigOptions {
  const action = ACTIONS.find((name) => name === flags.argument);
  if (action === undefined) throw usage(`no action given: ${ACTIONS.join(', ')}`);
  for (const [flag, actions] of Object.entries(ONLY_FOR))
    if (flags.has(flag) && !actions.includes(action))
      throw usage(`--${flag} is for ${actions.join(' and ')}, not for ${action}`);
  // As kubectl takes it.
  const name = flags.operand?.replace(/^(?:pmig|prommigrations?(?:\.prom-migrator\.io)?)\//, '');
  if (name === undefined && action !== 'status') throw usage(`${action} needs the name of a PromMigration`);
  if (name !== undefined && !/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(name))
    throw usage(`${JSON.stringify(name)} is not a name of an object: lower-case letters, digits, - and .`);
  const allNamespaces = flags.has('all-namespaces');
  if (allNamespaces && (name !== undefined || flags.has('namespace')))
    throw usage('--all-namespaces lists all migrations: neither a name nor --namespace goes with it');
  const waitMs = parseDuration(flags.value('timeout') ?? '');
  if (waitMs === undefined) throw usage('--timeout takes a duration such as 30s, 5m or 1h30m');
  return {
    ...{ action, name, allNamespaces },
    namespace: flags.value('namespace'),
    kubeconfig: flags.value('kubeconfig'),
    context: flags.value('context'),
    output: flags.value('output') === 'json' ? 'json' : 'text',
    waitMs: flags.has('wait') ? waitMs : undefined,
    to: flags.value('to'),
    operatorNamespace: flags.value('operator-namespace') ?? '',
  };
}

/**
 * Runs the command and returns its exit code. A signal ends it at once: it leaves nothing unfinished.
 * @throws UsageError
 */
export async function pmigCommand(
  argv: readonly string[],
  io: CommandIo,
  loadRuntime: () => Promise<PmigRuntime> = () => import('../kubectl/pmig.ts'),
): Promise<ExitStatus> {
  const options = readOptions(parseArguments(PMIG_COMMAND, argv));
  const { runPmig } = await loadRuntime();
  const { stdout, stderr, env, clock, random } = io;
  const signal = new AbortController().signal;
  return EXIT_CODES[await runPmig(options, { stdout, stderr, env, clock, random, signal })];
}
