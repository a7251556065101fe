// `prom-migrator run`: from the files of the command line to the result on stdout and the exit code. The engine is passed in, so that this
// file knows nothing about servers and its tests need none.

import { formatProblem, type Problem } from '../api/problem.ts';
import { observeIntoMetrics } from '../migration/report/metrics-observer.ts';
import type { MigrationPlan } from '../migration/plan/migration-plan.ts';
import type { MigrationObserver, MigrationResult } from '../migration/report/observer.ts';
import { countsOfAllRuns, rejectedSamples } from '../migration/report/counts.ts';
import { INTERRUPTED, type TerminationMessage } from '../migration/report/termination-message.ts';
import { formatDuration, formatTime } from '../telemetry/format.ts';
import { livez, startHttpServer } from '../telemetry/http-server.ts';
import { escapeControl, presentableText, printableJson } from '../telemetry/log-text.ts';
import type { LogFormat } from '../telemetry/log-options.ts';
import { createLogger, type Logger } from '../telemetry/logger.ts';
import { EXIT, type ExitStatus, exitCodeOf, interruptExitCode } from './exit-codes.ts';
import { RUN_COMMAND } from './flags.ts';
import { type Interrupts, watchInterrupts } from './interrupt.ts';
import type { CommandIo } from './io.ts';
import { BAD_MANIFEST, type Job, type RunEngine } from './job.ts';
import { type FileHash, readManifestFiles, secretsDirProblem } from './manifest-files.ts';
import { RunReporter } from './observer.ts';
import { type ParsedFlags, parseArguments } from './parse-arguments.ts';
import type { ProgressBar } from './progress-bar.ts';
import { checkReportFile, startReport, writeReport } from './report-flag.ts';
import type { Report } from './report/report.ts';
import { failedBeforeStart, summaryText, toRunResult } from './result.ts';
import { readOptions, type RunOptions } from './run-options.ts';
import { withStretchFlags } from './stretch-flags.ts';
import { terminationOf, writeTermination } from './termination-log.ts';

const RUN_JOB: Job = {
  command: RUN_COMMAND,
  work: (engine, plan, context) => engine.migrate(plan, context),
  log: logRun,
  json: toRunResult,
  text: (migration, result, durationMs) => summaryText(toRunResult(migration, result, durationMs)),
  refused: (message) => failedBeforeStart(BAD_MANIFEST, message),
  exitStatus: exitCodeOf,
};

function wantsUnicode(env: CommandIo['env']): boolean {
  if (process.platform === 'win32' || process.platform === 'darwin') return true;
  return /utf-?8/i.test(env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || '');
}

async function makeBar(io: CommandIo, logFormat: LogFormat, colour: boolean): Promise<ProgressBar | undefined> {
  if (!io.stderr.isTTY || io.env['TERM'] === 'dumb' || logFormat === 'json') return undefined;
  // Loads a table of the width of every character.
  const { ProgressBar } = await import('./progress-bar.ts');
  return new ProgressBar(io.stderr, { colour, unicode: wantsUnicode(io.env) });
}

/** @param end undefined after a success */
function reportEnd({ terminationLog }: RunOptions, logger: Logger, end: TerminationMessage | undefined): void {
  if (terminationLog === undefined || end === undefined) return;
  const problem = writeTermination(terminationLog, end);
  if (problem !== undefined) logger.warn(problem, { file: terminationLog });
}

function refuse(
  io: CommandIo,
  options: RunOptions,
  logger: Logger,
  job: Job,
  problems: readonly Problem[],
): ExitStatus {
  const lines = problems.map((problem) => escapeControl(presentableText(formatProblem(problem))));
  for (const line of lines) {
    // For the user who edits the manifest: without time and level, as a compiler prints its errors.
    if (options.logFormat === 'json') logger.error(line, { code: BAD_MANIFEST });
    else io.stderr.write(`${line}\n`);
  }
  if (options.output === 'json') io.stdout.write(`${printableJson(job.refused(lines.join('\n')))}\n`);
  reportEnd(options, logger, { code: BAD_MANIFEST, message: lines.join('\n') });
  return EXIT.usage;
}

/** How long a user waits for a side that does not respond, with a command that has no --startup-deadline. */
const USER_WAIT_MS = 5_000;

/** The text of the manifest: from the files, or made of the flags. */
async function manifestTexts(
  io: PrepareIo,
  { files, ends, startupDeadlineMs: waitMs = USER_WAIT_MS }: PrepareOptions,
  command: string,
): ReturnType<typeof readManifestFiles> {
  if (ends === undefined) return await readManifestFiles(files, io.stdin);
  const { flagManifest } = await import('./flag-manifest.ts');
  return await flagManifest(ends, { ...io, waitMs, command });
}

interface PrepareIo extends Pick<CommandIo, 'stdin' | 'clock' | 'random'> {
  /** For what was chosen instead of the user. */
  readonly say: (line: string) => void;
}

type PrepareOptions = Pick<RunOptions, 'files' | 'ends' | 'secretsDir'> &
  Partial<Pick<RunOptions, 'startupDeadlineMs'>>;

/**
 * Reads the files or flags, and makes a plan of them.
 * @throws UsageError and EndError, only with flags instead of files
 */
export async function prepare(
  io: PrepareIo,
  options: PrepareOptions,
  engine: Pick<RunEngine, 'prepare'>,
  job: Pick<Job, 'partOf'> & { readonly command: Pick<Job['command'], 'name'> },
): Promise<
  { readonly plan: MigrationPlan; readonly hashes: readonly FileHash[] } | { readonly problems: readonly Problem[] }
> {
  const { files, problems, hashes } = await manifestTexts(io, options, job.command.name);
  const directoryProblem = options.secretsDir === undefined ? undefined : await secretsDirProblem(options.secretsDir);
  const all = directoryProblem === undefined ? problems : [...problems, directoryProblem];
  if (all.length > 0) return { problems: all };
  const whole = engine.prepare(files, options.secretsDir);
  if ('problems' in whole) return whole;
  const prepared = job.partOf === undefined ? whole : await job.partOf(whole.plan, io.stdin);
  return 'problems' in prepared ? prepared : { plan: prepared.plan, hashes };
}

function logRun(logger: Logger, result: MigrationResult, interrupts: Interrupts): void {
  const { progress, error } = result;
  if (progress.phase === 'Failed') {
    logger.error(`migration failed: ${error?.message ?? 'no reason given'}`, {
      code: error?.code,
      side: error?.side,
      hint: error?.hint,
      through: progress.endMs > progress.startMs ? formatTime(progress.watermarkMs) : undefined,
    });
  } else if (progress.phase === 'Interrupted') {
    logger.warn('migration interrupted; run the same command again to resume', {
      signal: interrupts.received(),
      through: progress.endMs > progress.startMs ? formatTime(progress.watermarkMs) : undefined,
    });
  } else logger.info('migration finished', { samplesWritten: progress.samplesWritten, windows: progress.windows });

  const counts = countsOfAllRuns(progress) ?? progress;
  const rejected = rejectedSamples(counts);
  if (rejected > 0) {
    logger.warn('samples are missing in the destination because it rejected them', {
      samples: rejected,
      ...counts.samplesRejected,
      ...(counts.samplesRejectedUnproven > 0 && { ofThesePossiblyThere: counts.samplesRejectedUnproven }),
    });
  }
  if (progress.samplesConflicting > 0) {
    logger.warn('the source returned several samples for the same series and time; one of each was kept', {
      leftOut: progress.samplesConflicting,
    });
  }
}

interface Run {
  readonly options: RunOptions;
  readonly engine: RunEngine;
  readonly plan: MigrationPlan;
  readonly logger: Logger;
  readonly bar: ProgressBar | undefined;
  readonly job: Job;
  readonly report: Report | undefined;
}

/** Runs a migration with signals, progress, metrics and report. */
async function runMigration(
  io: CommandIo,
  { options, engine, plan, logger, bar, job, report }: Run,
): Promise<ExitStatus> {
  const { clock } = io;
  const others: MigrationObserver[] = report === undefined ? [] : [report.observer];
  let closeServer = () => Promise.resolve();
  if (options.metricsAddress !== undefined) {
    // Imported here because it loads prom-client, which nothing else needs.
    const { MigrationMetrics } = await import('../telemetry/metrics.ts');
    const metrics = new MigrationMetrics();
    others.push(observeIntoMetrics(plan.migration, metrics));
    const server = await startHttpServer(options.metricsAddress, {
      '/metrics': () => metrics.exposition(),
      '/livez': livez,
    });
    logger.info('serving /metrics and /livez', { url: server.url });
    closeServer = server.close;
  }
  const reporter = new RunReporter({ logger, clock, others, ...(bar === undefined ? {} : { bar }) });
  const interrupts = watchInterrupts({
    signals: io.signals,
    clock,
    graceMs: options.graceMs,
    onFirst: (signal) =>
      logger.warn(`${signal}: finishing the current window; send the signal again to exit immediately`, {
        grace: formatDuration(options.graceMs),
      }),
    onGraceOver: (signal) => logger.warn(`${signal}: the grace period is over, aborting the window in flight`),
    onSecond: (signal) => {
      reporter.stop();
      logger.warn('exiting immediately; run the same command again to resume at the mark in the destination');
      reportEnd(options, logger, INTERRUPTED);
      io.exit(interruptExitCode(signal));
    },
  });
  const reporting = reporter.run();
  const startedMs = clock.monotonicMs();
  try {
    const result = await job.work(engine, plan, {
      clock,
      random: io.random,
      stop: interrupts.stop,
      abort: interrupts.abort,
      observer: reporter,
      startupDeadlineMs: options.startupDeadlineMs,
    });
    reporter.stop();
    job.log(logger, result, interrupts);
    const durationMs = clock.monotonicMs() - startedMs;
    const { migration } = plan;
    const isJson = options.output === 'json';
    const output = isJson
      ? printableJson(job.json(migration, result, durationMs))
      : job.text(migration, result, durationMs);
    io.stdout.write(`${output}\n`);
    reportEnd(options, logger, terminationOf(result));
    const exitStatus = job.exitStatus(result, interrupts.received());
    const isReported = report === undefined || (await writeReport(report, result, logger));
    return exitStatus === EXIT.done && !isReported ? EXIT.failed : exitStatus;
  } finally {
    reporter.stop();
    interrupts.dispose();
    await reporting;
    await closeServer();
  }
}

/**
 * Runs the command and returns its exit code.
 * @throws UsageError for a command line that cannot be parsed
 * @throws ListenError if the process cannot listen on --metrics-address
 */
export async function runCommand(
  argv: readonly string[],
  io: CommandIo,
  loadEngine: () => Promise<RunEngine>,
): Promise<ExitStatus> {
  const flags = parseArguments(RUN_COMMAND, argv);
  return await runJob(flags, withStretchFlags(RUN_JOB, flags, io.env), io, loadEngine);
}

/** Runs a command of that kind. Throws the same errors as `runCommand`. */
export async function runJob(
  flags: ParsedFlags,
  job: Job,
  io: CommandIo,
  loadEngine: () => Promise<RunEngine>,
): Promise<ExitStatus> {
  const options = await readOptions(flags, job.command.name);
  if (options.report !== undefined) await checkReportFile(options.report, job.command.name);
  const colour = io.stderr.isTTY && !io.env['NO_COLOR'] && io.env['TERM'] !== 'dumb';
  const bar = await makeBar(io, options.logFormat, colour);
  const logger = createLogger({
    level: options.logLevel,
    format: options.logFormat,
    colour,
    clock: io.clock,
    write: (line) => (bar === undefined ? io.stderr.write(`${line}\n`) : bar.printAbove(line)),
  });
  const engine = await loadEngine();
  const { stdin, clock, random } = io;
  const prepared = await prepare({ stdin, clock, random, say: (line) => logger.info(line) }, options, engine, job);
  if ('problems' in prepared) return refuse(io, options, logger, job, prepared.problems);
  const { plan, hashes } = prepared;
  const report = await startReport(options.report, plan, hashes, io.clock);
  return await runMigration(io, { options, engine, plan, logger, bar, job, report });
}
