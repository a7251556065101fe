// Runs `prom-migrator verify` as a user does, and reads what it writes: its result, and every line of --differences. Called by the tests of this
// room and by the planted faults (verify-faults/).

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseDifference, type ReportedDifference } from '../../../verify-faults/verification-output.ts';
import { type MigrationOptions, type MigrationSpec, runMigration, startMigration } from './migration.ts';

/** What `verify --output json` prints, as documented. */
interface VerificationResult {
  readonly migration: string;
  readonly phase: string;
  readonly through: string | null;
  readonly seriesCompared: number;
  readonly samplesCompared: number;
  readonly equal: number;
  readonly missing: number;
  readonly extra: number;
  readonly different: number;
  readonly repeated: number;
  readonly expected: Readonly<Record<string, number>>;
  readonly repaired: number;
  readonly first: readonly { labels: string; timestampMs: number; kind: string }[];
  readonly bytesRead: number;
  readonly durationSeconds: number;
  readonly error: { readonly code: string; readonly message: string; readonly side?: string } | null;
}

export interface VerificationRun {
  readonly exitCode: number | null;
  readonly result: VerificationResult;
  /** The lines of --differences. */
  readonly differences: readonly ReportedDifference[];
  readonly stderr: string;
  readonly seconds: number;
  readonly peakRssBytes: number | undefined;
}

export interface Kill {
  /** After the start of the process. */
  readonly atMs: number;
  /** Instead, this long after the destination has responded to a mark, if that is earlier. */
  readonly afterMarkMs?: number;
}

/**
 * Starts a verification and kills it.
 * @throws Error if it has ended before
 */
export async function killVerification(spec: MigrationSpec, { atMs, afterMarkMs }: Kill): Promise<void> {
  const kill = { signal: 'SIGKILL', afterMs: atMs } as const;
  await using verification = await startMigration(spec, { command: 'verify', args: ['--log-level', 'debug'], kill });
  if (afterMarkMs !== undefined) {
    const marked = verification.saying(/ request side=destination /).then(() => sleep(afterMarkMs));
    await Promise.race([marked, verification.ended]).catch(() => undefined);
    verification.child.kill('SIGKILL');
  }
  const { exitSignal, exitCode, stdout, stderr } = await verification.ended;
  if (exitSignal !== 'SIGKILL')
    throw new Error(`verify ended with ${exitCode} within ${atMs} ms and printed ${stdout}:\n${stderr}`);
}

/** Verifies to the end. Any exit code resolves; a process that prints no result rejects. */
export async function runVerification(spec: MigrationSpec, options: MigrationOptions = {}): Promise<VerificationRun> {
  const directory = await mkdtemp(join(tmpdir(), 'prom-migrator-differences-'));
  try {
    const file = join(directory, 'differences.jsonl');
    const args = ['--differences', file, ...(options.args ?? [])];
    const run = await runMigration(spec, { ...options, command: 'verify', args });
    const { exitCode, exitSignal, stdout, stderr, seconds, peakRssBytes } = run;
    let result: VerificationResult;
    try {
      result = JSON.parse(stdout) as VerificationResult;
    } catch {
      throw new Error(`verify ended with ${exitCode ?? exitSignal} and printed ${JSON.stringify(stdout)}:\n${stderr}`);
    }
    const lines = (await readFile(file, 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');
    return { exitCode, result, differences: lines.map(parseDifference), stderr, seconds, peakRssBytes };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
