// `prom-migrator plan`: looks at both sides, and prints what it found. A signal ends it at once: it leaves nothing unfinished.

import { formatProblem } from '../api/problem.ts';
import { type PreflightResult, verdictOf } from '../migration/preflight/preflight-result.ts';
import { escapeControl, presentableText, printableJson } from '../telemetry/log-text.ts';
import { EXIT, type ExitStatus } from './exit-codes.ts';
import { PLAN_COMMAND } from './flags.ts';
import type { CommandIo } from './io.ts';
import { BAD_MANIFEST, type RunEngine } from './job.ts';
import { parseArguments } from './parse-arguments.ts';
import { refusedPlan, toPlanResult } from './plan-result.ts';
import { planText } from './plan-text.ts';
import { prepare } from './run-command.ts';
import { readManifestOptions } from './run-options.ts';

/**
 * Runs the command and returns its exit code.
 * @throws UsageError for a command line that cannot be parsed
 */
export async function planCommand(
  argv: readonly string[],
  io: CommandIo,
  loadEngine: () => Promise<RunEngine>,
): Promise<ExitStatus> {
  const flags = parseArguments(PLAN_COMMAND, argv);
  const options = await readManifestOptions(flags, PLAN_COMMAND.name);
  const engine = await loadEngine();
  const { stdin, clock, random } = io;
  const say = (line: string) => io.stderr.write(`${escapeControl(line)}\n`);
  const prepared = await prepare({ stdin, clock, random, say }, options, engine, { command: PLAN_COMMAND });
  if ('problems' in prepared) {
    const lines = prepared.problems.map((problem) => escapeControl(presentableText(formatProblem(problem))));
    io.stderr.write(`${lines.join('\n')}\n`);
    const refused = refusedPlan(BAD_MANIFEST, lines.join('\n'));
    if (options.output === 'json') io.stdout.write(`${printableJson(refused)}\n`);
    return EXIT.usage;
  }
  const probeWrite = flags.has('probe-write');
  const context = { clock, random, signal: new AbortController().signal, probeWrite };
  const result = await engine.preflight(prepared.plan, context);
  const output = options.output === 'json' ? printableJson(toPlanResult(result)) : planText(result);
  io.stdout.write(`${output}\n`);
  return planExitCode(result);
}

function planExitCode(result: PreflightResult): ExitStatus {
  const codes = { ready: EXIT.done, blocked: EXIT.blocked, 'not-judged': EXIT.failed } as const;
  return codes[verdictOf(result)];
}
