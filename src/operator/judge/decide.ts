// Decides what to do about one PromMigration, from everything that is known about it. Pure and level-based: it considers the current state,
// never the history that led to it, and is called again after every change.

import type { PromMigration } from '../../api/prom-migration.ts';
import type { Moment } from '../../telemetry/clock.ts';
import { parallelismOf, ratesOf } from './adopted-limits.ts';
import { isLastLook, type Outcome, type StopCause } from './attempt.ts';
import type { Check } from './check-result.ts';
import { jobKeyOf } from './job-key.ts';
import { type End, endOf, lacksReadiness, showsUnstopped } from './migration-end.ts';
import { looking, type PreflightState, rejected } from './preflight-record.ts';
import { restartKeyOf } from './restart-key.ts';
import type { Situation } from './situation.ts';
import type { WorkerState } from './worker-state.ts';
import type { Rates, ResumePoint } from '../../execute/worker-messages.ts';

/** The timeline of the migration that decisions need. `startedMs`, `lastProgressMs` and `tryingSinceMs` are on the monotonic clock. */
export interface Timeline {
  /** When it was first started. A start before this process is derived from the timestamp in the status. */
  readonly startedMs: number | undefined;
  /** When this process last saw that a window was finished, or samples written or compared. */
  readonly lastProgressMs: number | undefined;
  /** Since when it is being tried without an intended pause. */
  readonly tryingSinceMs: number | undefined;
  readonly throughMs: number | undefined;
  readonly endMs: number | undefined;
}

export interface DecideInput {
  readonly resource: PromMigration;
  /** Undefined: this generation was not checked yet. */
  readonly check: Check | undefined;
  /** Whether the Secrets were read just now: a start needs current ones. */
  readonly checkIsFresh: boolean;
  readonly worker: WorkerState;
  readonly timeline: Timeline;
  /** Whether a worker may be started for this migration now. */
  readonly slotFree: boolean;
  readonly preflight: PreflightState;
  /** Whether pods of a Job may still be writing that this migration no longer has, or that is suspended because of an edit. */
  readonly podsEnding: boolean;
  /** Whether a Job copies that must not, and that the operator cannot stop. */
  readonly jobUnstopped: boolean;
  readonly now: Moment;
}

export type Action =
  /** Validate, read the Secrets, and decide again. */
  | { readonly type: 'check' }
  /** Start a worker that looks at both sides. */
  | { readonly type: 'look' }
  | { readonly type: 'start'; readonly resume: ResumePoint | undefined }
  | { readonly type: 'stop'; readonly how: 'drain' | 'abort'; readonly cause: StopCause }
  | { readonly type: 'rates'; readonly rates: Rates }
  | { readonly type: 'parallelism'; readonly parallelism: number }
  /** Ends a migration permanently that no worker runs. */
  | { readonly type: 'end'; readonly outcome: Outcome }
  | { readonly type: 'status'; readonly situation: Situation }
  | { readonly type: 'delete' };

export interface Decision {
  readonly actions: readonly Action[];
  /** When to decide again even if nothing has changed. */
  readonly againInMs?: number;
}

/** How often the status of a running migration is checked. */
const STATUS_EVERY_MS = 10_000;
/** Fallback poll in case a wake-up for a free slot is missed. */
const WAITING_EVERY_MS = 30_000;
/** How often a migration tries to be looked at while others are. */
const LOOK_EVERY_MS = 5_000;

const COMPLETED: Outcome = {
  succeeded: true,
  reason: 'Completed',
  message: 'the whole range is in the destination, according to the status of an earlier attempt',
};

export function decide(input: DecideInput): Decision {
  const { resource, worker } = input;
  const nowMs = input.now.monotonicMs;
  if (resource.metadata.deletionTimestamp !== undefined) return whileDeleted(input);
  const ended = endOf(input);
  if (ended !== undefined) return afterEnd(input, ended);
  if (resource.spec.suspend) {
    if (worker.kind !== 'running') return { actions: [status({ kind: 'suspended' })] };
    return { actions: [...stop(worker, 'drain', 'suspend'), status(running(input))], againInMs: STATUS_EVERY_MS };
  }
  const deadlineMs = activeDeadlineMs(input);
  if (deadlineMs !== undefined && nowMs >= deadlineMs) return overDeadline(input);
  const decision = worker.kind === 'running' ? whileRunning(input, worker) : whileIdle(input, worker);
  return deadlineMs === undefined
    ? decision
    : { ...decision, againInMs: earlier(decision.againInMs, deadlineMs - nowMs) };
}

/** The object is usually gone immediately. While a finalizer keeps it, its status must be true. */
function whileDeleted(input: DecideInput): Decision {
  const { worker } = input;
  if (worker.kind === 'running') return { actions: stop(worker, 'abort', 'deleted') };
  const ended = endOf(input);
  if (ended === undefined) return { actions: [status({ kind: 'deleting' })] };
  const { outcome, atMs } = ended;
  return { actions: outcome === undefined ? [] : [status({ kind: 'ended', outcome, atMs })] };
}

/** An abort shortens a drain. A last look can take as long as an outage, so it does not delay a stop. */
function stop({ stopping }: WorkerState & { kind: 'running' }, how: 'drain' | 'abort', cause: StopCause): Action[] {
  const more = stopping === undefined || isLastLook(stopping) || (how === 'abort' && stopping !== cause);
  return more ? [{ type: 'stop', how, cause }] : [];
}

function status(situation: Situation): Action {
  return { type: 'status', situation };
}

/** By timestamps, as Kubernetes does for a Job: people see them, and they survive a restart of this process. */
function afterEnd({ resource, jobUnstopped, now }: DecideInput, end: End): Decision {
  const nowMs = now.wallMs;
  const { outcome, atMs } = end;
  const { ttlSecondsAfterFinished } = resource.spec;
  const deleteAtMs = ttlSecondsAfterFinished === undefined ? undefined : atMs + ttlSecondsAfterFinished * 1000;
  if (deleteAtMs !== undefined && nowMs >= deleteAtMs) return { actions: [{ type: 'delete' }] };
  const actions: Action[] = [];
  if (outcome !== undefined) actions.push(status({ kind: 'ended', outcome, atMs }));
  else {
    const isCurrent = end.generation === resource.metadata.generation && jobUnstopped === showsUnstopped(resource);
    if (!isCurrent || lacksReadiness(resource)) actions.push(status({ kind: 'unchanged' }));
  }
  return { actions, ...(deleteAtMs !== undefined && { againInMs: deleteAtMs - nowMs }) };
}

function activeDeadlineMs({ resource, timeline }: DecideInput): number | undefined {
  const { activeDeadlineSeconds } = resource.spec;
  if (activeDeadlineSeconds === undefined || timeline.startedMs === undefined) return undefined;
  return timeline.startedMs + activeDeadlineSeconds * 1000;
}

function overDeadline(input: DecideInput): Decision {
  const { worker, resource } = input;
  if (worker.kind === 'running') {
    return { actions: [...stop(worker, 'abort', 'deadline'), status(running(input))], againInMs: STATUS_EVERY_MS };
  }
  const message = `not finished ${resource.spec.activeDeadlineSeconds} s after its start (spec.activeDeadlineSeconds)`;
  return { actions: [{ type: 'end', outcome: { succeeded: false, reason: 'DeadlineExceeded', message } }] };
}

function stalledMs({ resource, timeline, now }: DecideInput): number | undefined {
  // With parallelism 0 nothing is expected.
  if (timeline.tryingSinceMs === undefined || parallelismOf(resource.spec) === 0) return undefined;
  const silentMs =
    now.monotonicMs - Math.max(timeline.tryingSinceMs, timeline.lastProgressMs ?? timeline.tryingSinceMs);
  return silentMs >= resource.spec.progressDeadlineSeconds * 1000 ? silentMs : undefined;
}

function running(input: DecideInput): Situation {
  if (input.worker.kind === 'running' && input.worker.looks) return looking(input.preflight);
  return { kind: 'running', stalledMs: stalledMs(input) };
}

function whileRunning(input: DecideInput, worker: WorkerState & { kind: 'running' }): Decision {
  const { spec } = input.resource;
  const actions: Action[] = [];
  const restartKey = worker.follows ? jobKeyOf(spec) : restartKeyOf(spec);
  const isEdited = worker.restartKey !== restartKey;
  if (worker.follows && isEdited) return whileEdited(input, worker);
  if (isEdited) actions.push(...stop(worker, 'drain', 'spec-changed'));
  if (worker.follows || worker.looks) {
    return { actions: [...actions, status(running(input))], againInMs: STATUS_EVERY_MS };
  }
  const rates = ratesOf(spec);
  const ratesChanged =
    rates.samplesPerSecond !== worker.rates.samplesPerSecond || rates.bytesPerSecond !== worker.rates.bytesPerSecond;
  if (ratesChanged) actions.push({ type: 'rates', rates });
  const parallelism = parallelismOf(spec);
  if (parallelism !== worker.parallelism) actions.push({ type: 'parallelism', parallelism });
  // An edited spec may fail the checks. The worker continues with its current spec until it is stopped.
  return { actions: [...actions, status(running(input))], againInMs: STATUS_EVERY_MS };
}

/** Of one that follows: an edit that is not accepted suspends its Job, which is followed until its pods are gone. */
function whileEdited(input: DecideInput, worker: WorkerState & { kind: 'running' }): Decision {
  const { check, podsEnding } = input;
  if (isCheckDue(input)) return { actions: [{ type: 'check' }] };
  if (check?.ok !== false) {
    return { actions: [...stop(worker, 'drain', 'spec-changed'), status(running(input))], againInMs: STATUS_EVERY_MS };
  }
  const actions = podsEnding ? [] : stop(worker, 'drain', 'spec-changed');
  const { reason, message } = check;
  return { actions: [...actions, status({ kind: 'rejected', reason, message })], againInMs: STATUS_EVERY_MS };
}

function isCheckDue({ check, checkIsFresh, now }: DecideInput): boolean {
  return check === undefined || (!check.ok && !checkIsFresh && now.monotonicMs >= check.retryAtMs);
}

function whileIdle(input: DecideInput, worker: Exclude<WorkerState, { kind: 'running' }>): Decision {
  const { check, checkIsFresh, slotFree, podsEnding, preflight } = input;
  const nowMs = input.now.monotonicMs;
  if (check === undefined || isCheckDue(input)) return { actions: [{ type: 'check' }] };
  if (!check.ok) {
    const { reason, message } = check;
    return { actions: [status({ kind: 'rejected', reason, message })], againInMs: check.retryAtMs - nowMs };
  }
  const failures = worker.kind === 'idle' ? worker.failures : undefined;
  if (failures !== undefined && nowMs < failures.retryAtMs) {
    const situation: Situation = { kind: 'pausing', failures, stalledMs: stalledMs(input) };
    return { actions: [status(situation)], againInMs: Math.min(failures.retryAtMs - nowMs, STATUS_EVERY_MS) };
  }
  const resume = resumeOf(input);
  // The engine would report the rest of the range as empty.
  if (resume !== undefined && resume.fromMs >= resume.endMs) return { actions: [{ type: 'end', outcome: COMPLETED }] };
  if (preflight.kind === 'held') {
    return { actions: [status(rejected(preflight))], againInMs: preflight.retryAtMs - nowMs };
  }
  if (podsEnding) return { actions: [status({ kind: 'waitingForPods' })], againInMs: STATUS_EVERY_MS };
  if (!slotFree) return withoutSlot(input);
  if (!checkIsFresh) return { actions: [{ type: 'check' }] };
  if (preflight.kind === 'due') {
    return { actions: [{ type: 'look' }, status(looking(preflight))], againInMs: STATUS_EVERY_MS };
  }
  return {
    actions: [{ type: 'start', resume }, status({ kind: 'running', stalledMs: stalledMs(input) })],
    againInMs: STATUS_EVERY_MS,
  };
}

/** A Job needs no slot, except for a look before it. */
function withoutSlot({ resource, preflight }: DecideInput): Decision {
  const waitsForLook = resource.spec.execution?.mode === 'Job' && preflight.kind === 'due';
  if (waitsForLook) return { actions: [status(looking(preflight))], againInMs: LOOK_EVERY_MS };
  const held = preflight.kind === 'due' ? preflight.held : undefined;
  return { actions: [status(held === undefined ? { kind: 'waiting' } : rejected(held))], againInMs: WAITING_EVERY_MS };
}

/** The status may provide the resume point only if the destination stores no mark. */
function resumeOf({ resource, timeline }: DecideInput): ResumePoint | undefined {
  if (resource.spec.destination.progress.protocol !== 'None') return undefined;
  if (timeline.throughMs === undefined || timeline.endMs === undefined) return undefined;
  return { fromMs: timeline.throughMs, endMs: timeline.endMs };
}

function earlier(a: number | undefined, b: number): number {
  return a === undefined ? b : Math.min(a, b);
}
