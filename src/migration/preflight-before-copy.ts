// The look at both sides before a copy (spec.preflight), shorter than that of `plan`: its estimate is not shown. It writes nothing.

import { CredentialPool } from '../remote/credentials/credential-pool.ts';
import { Deadline } from '../telemetry/deadline.ts';
import { BufferPool } from './limits/buffer-pool.ts';
import type { MigrationPlan } from './plan/migration-plan.ts';
import { type PreflightContext, preflight } from './preflight.ts';
import { openDestinationLook } from './preflight/destination-look.ts';
import type { Finding, Unjudged } from './preflight/preflight-result.ts';
import { markMatchers } from './progress/progress-mark.ts';

/** What was found; nothing of a copy that has begun. */
export interface BeforeCopy {
  readonly findings: readonly Finding[];
  readonly unjudged: readonly Unjudged[];
}

/** How long the windows of the source may be read. */
const PROBE_MS = 2_000;
const MARK_MS = 10_000;
/** The look itself has a limit for each request. Many slow responses must not hold up the copy. */
const LONGEST_MS = 60_000;

/**
 * A copy that has a mark in the destination has begun: it is not looked at again.
 * @throws the signal's reason
 */
export async function preflightBeforeCopy(plan: MigrationPlan, context: PreflightContext): Promise<BeforeCopy> {
  if (await hasMark(plan, context)) return { findings: [], unjudged: [] };
  using deadline = new Deadline(context.signal);
  deadline.start(context.clock, LONGEST_MS, new Error('the look takes too long'));
  try {
    return await preflight(plan, { ...context, probeMs: PROBE_MS, signal: deadline.signal });
  } catch (error) {
    context.signal.throwIfAborted();
    if (!deadline.expired) throw error;
    const message = `both sides were looked at for ${LONGEST_MS / 1000} s without a result: responses are slow`;
    return { findings: [], unjudged: [{ side: 'source', code: 'unreachable', message, hint: undefined }] };
  }
}

/** False if it is not known: the look says why the destination cannot be read. */
async function hasMark(plan: MigrationPlan, { clock, signal }: PreflightContext): Promise<boolean> {
  if (plan.progress.protocol === 'None') return false;
  const buffers = new BufferPool();
  const credentials = new CredentialPool(clock);
  const look = openDestinationLook(plan.progress, { clock, buffers, credentials, request: () => undefined });
  using deadline = new Deadline(signal);
  deadline.start(clock, MARK_MS, new Error('no response in time'));
  try {
    const untilMs = Math.max(plan.endMs ?? 0, clock.now());
    return untilMs > plan.startMs && (await look.has(markMatchers(plan), plan.startMs, untilMs, deadline.signal));
  } catch {
    signal.throwIfAborted();
    return false;
  } finally {
    look.close();
    credentials.close();
    buffers.close();
  }
}
