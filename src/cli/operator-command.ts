// `prom-migrator operator`: turns flags and environment into the operator's options, and signals into its shutdown. The operator itself is
// in operator/.

import { availableParallelism, hostname } from 'node:os';
import { parseDuration } from '../api/duration.ts';
import type { JobOptions, OperatorContext, OperatorOptions } from '../operator/operator-options.ts';
import { parseListenAddress } from '../telemetry/http-server.ts';
import { escapeControl, presentableText } from '../telemetry/log-text.ts';
import { LOG_FORMATS, LOG_LEVELS } from '../telemetry/log-options.ts';
import { createLogger } from '../telemetry/logger.ts';
import { keepHeapSmall } from '../telemetry/small-heap.ts';
import { EXIT, type ExitStatus, interruptExitCode } from './exit-codes.ts';
import { IMAGE_PULL_POLICIES, OPERATOR_COMMAND } from './operator-flags.ts';
import { watchInterrupts } from './interrupt.ts';
import type { CommandIo } from './io.ts';
import { type ParsedFlags, parseArguments } from './parse-arguments.ts';
import { UsageError } from './usage-error.ts';

/** The part of operator/ that the command needs. */
export interface OperatorRuntime {
  runOperator(options: OperatorOptions, context: OperatorContext): Promise<void>;
}

/** Added to the grace period. After that, the process ends even if work is still running. */
const HARD_END_MS = 8_000;

/** For example, `log-level` becomes PROM_MIGRATOR_LOG_LEVEL. */
function environmentName(flag: string): string {
  return `PROM_MIGRATOR_${flag.toUpperCase().replaceAll('-', '_')}`;
}

/** The command line, with the environment as a fallback. */
class Settings {
  readonly #flags: ParsedFlags;
  readonly #env: CommandIo['env'];

  constructor(flags: ParsedFlags, env: CommandIo['env']) {
    this.#flags = flags;
    this.#env = env;
  }

  text(name: string): string | undefined {
    const value = this.#env[environmentName(name)];
    if (this.#flags.has(name) || value === undefined || value === '') return this.#flags.value(name);
    try {
      return parseArguments(OPERATOR_COMMAND, [`--${name}=${value}`]).value(name);
    } catch (error) {
      throw error instanceof UsageError
        ? new UsageError(`${environmentName(name)}: ${error.message}`, 'operator')
        : error;
    }
  }

  on(name: string): boolean | undefined {
    if (this.#flags.has(name)) return true;
    const value = this.#env[environmentName(name)];
    if (value === undefined || value === '') return undefined;
    if (value !== 'true' && value !== 'false') {
      throw new UsageError(`${environmentName(name)} must be true or false, not ${JSON.stringify(value)}`, 'operator');
    }
    return value === 'true';
  }

  durationMs(name: string): number {
    const text = this.text(name) ?? '';
    const durationMs = parseDuration(text);
    if (durationMs === undefined || durationMs <= 0 || durationMs > 2 ** 31 - 1) {
      throw new UsageError(`--${name} takes a duration such as 15s or 1m30s, not ${JSON.stringify(text)}`, 'operator');
    }
    return durationMs;
  }
}

/** A pair of flags such as --jobs and --no-jobs. On by default. */
function isOn(settings: Settings, name: string): boolean {
  const [on, off] = [settings.on(name), settings.on(`no-${name}`)];
  if (on === true && off === true) {
    throw new UsageError(`--${name} and --no-${name} cannot be used together`, 'operator');
  }
  return off === true ? false : (on ?? true);
}

function logOptions(settings: Settings, env: CommandIo['env']): OperatorOptions['log'] {
  const inCluster = env['KUBERNETES_SERVICE_HOST'] !== undefined && env['KUBERNETES_SERVICE_HOST'] !== '';
  return {
    level: LOG_LEVELS.find((name) => name === settings.text('log-level')) ?? 'info',
    format: LOG_FORMATS.find((name) => name === settings.text('log-format')) ?? (inCluster ? 'json' : 'text'),
  };
}

function jobOptions(settings: Settings): JobOptions {
  const image = settings.text('job-image');
  // A mistake would otherwise appear only in the pods of the first Job.
  if (image !== undefined && /\s/.test(image)) {
    throw new UsageError(`--job-image takes an image reference, not ${JSON.stringify(image)}`, 'operator');
  }
  const policy = settings.text('job-image-pull-policy');
  return {
    enabled: isOn(settings, 'jobs'),
    image,
    imagePullPolicy: IMAGE_PULL_POLICIES.find((name) => name === policy),
  };
}

function namespaces(settings: Settings): string[] {
  const names = (settings.text('watch-namespaces') ?? '').split(',').map((name) => name.trim());
  const given = [...new Set(names.filter((name) => name !== ''))];
  for (const name of given) {
    if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name)) {
      throw new UsageError(`--watch-namespaces: ${JSON.stringify(name)} is not a valid namespace name`, 'operator');
    }
  }
  return given;
}

function maxMigrations(settings: Settings): number {
  const text = settings.text('max-migrations');
  if (text === undefined) return Math.max(2, availableParallelism());
  const count = Number(text);
  if (!/^\d+$/.test(text) || count < 1 || count > 10_000) {
    throw new UsageError(`--max-migrations takes an integer from 1 to 10000, not ${JSON.stringify(text)}`, 'operator');
  }
  return count;
}

function readOptions(settings: Settings, env: CommandIo['env']): OperatorOptions {
  const address = settings.text('metrics-address') ?? '';
  const metricsAddress = parseListenAddress(address);
  if (metricsAddress === undefined) {
    const allowed = 'HOST:PORT, [IPv6]:PORT or :PORT';
    throw new UsageError(`--metrics-address takes ${allowed}, not ${JSON.stringify(address)}`, 'operator');
  }
  const options: OperatorOptions = {
    kubeconfig: settings.text('kubeconfig'),
    context: settings.text('context'),
    watchNamespaces: namespaces(settings),
    metricsAddress,
    leaderElect: isOn(settings, 'leader-elect'),
    leaseNamespace: settings.text('lease-namespace') ?? (env['POD_NAMESPACE'] || undefined),
    leaseName: settings.text('lease-name') ?? '',
    leaseDurationMs: settings.durationMs('lease-duration'),
    renewDeadlineMs: settings.durationMs('renew-deadline'),
    retryPeriodMs: settings.durationMs('retry-period'),
    maxMigrations: maxMigrations(settings),
    jobs: jobOptions(settings),
    log: logOptions(settings, env),
    ambientCredentials: settings.on('ambient-credentials') ?? false,
    graceMs: settings.durationMs('grace'),
    podName: env['POD_NAME'] || hostname(),
  };
  // The lease elector requires this too. Here the error can use the words of the command line.
  if (options.renewDeadlineMs >= options.leaseDurationMs) {
    throw new UsageError('--renew-deadline must be shorter than --lease-duration', 'operator');
  }
  if (options.retryPeriodMs * 1.2 >= options.renewDeadlineMs) {
    throw new UsageError('--renew-deadline must be longer than 1.2 times --retry-period', 'operator');
  }
  return options;
}

/**
 * Runs the command and returns its exit code: 0 after a signal, which is the normal end of an operator.
 * @throws UsageError, ListenError
 */
export async function operatorCommand(
  argv: readonly string[],
  io: CommandIo,
  loadOperator: () => Promise<OperatorRuntime> = () => import('../operator/operator.ts'),
): Promise<ExitStatus> {
  const { env, clock, random, stderr } = io;
  const settings = new Settings(parseArguments(OPERATOR_COMMAND, argv), env);
  const options = readOptions(settings, env);
  const logger = createLogger({
    ...options.log,
    colour: stderr.isTTY && !env['NO_COLOR'] && env['TERM'] !== 'dumb',
    clock,
    write: (line) => stderr.write(`${line}\n`),
  });
  const { runOperator } = await loadOperator();
  keepHeapSmall();
  const interrupts = watchInterrupts({
    signals: io.signals,
    clock,
    graceMs: options.graceMs + HARD_END_MS,
    onFirst: (signal) => logger.warn(`${signal}: stopping; send the signal again to exit immediately`),
    onGraceOver: (signal) => {
      logger.error(`${signal}: stopping took too long, exiting immediately`);
      io.exit(EXIT.failed);
    },
    onSecond: (signal) => io.exit(interruptExitCode(signal)),
  });
  try {
    await runOperator(options, { clock, random, logger, stop: interrupts.stop });
    return EXIT.done;
  } catch (error) {
    if (error instanceof Error && error.name === 'ListenError') throw error;
    logger.error(
      `the operator stopped with an error: ${escapeControl(presentableText(error instanceof Error ? error.message : String(error)))}`,
    );
    return EXIT.failed;
  } finally {
    interrupts.dispose();
  }
}
