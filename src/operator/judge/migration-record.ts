// What this process knows about one migration in addition to its resource: its worker, its timeline, the last check, the reported notices. One
// record per object while this operator is the leader.

import type { PromMigration } from '../../api/prom-migration.ts';
import type { VerificationSettings } from '../../api/prom-migration-status.ts';
import type { Moment } from '../../telemetry/clock.ts';
import { type ErrorCode, isLastLook, judgeEnd, type Outcome, type StopCause, type Verdict } from './attempt.ts';
import { parallelismOf, ratesOf } from './adopted-limits.ts';
import type { Check } from './check-result.ts';
import type { Timeline } from './decide.ts';
import { restartKeyOf } from './restart-key.ts';
import { failureOfJob } from './job-facts.ts';
import { jobKeyOf } from './job-key.ts';
import { JobRecord } from './job-record.ts';
import { type MigrationNotice, TOPIC_MS } from './migration-events.ts';
import { MigrationTrack } from './migration-track.ts';
import { PreflightRecord, type PreflightState, preflightState } from './preflight-record.ts';
import { rejectedSamples } from '../../migration/report/counts.ts';
import type { Side } from '../../remote/meaning/side.ts';
import { isVerificationDue, wantedVerification } from './verification-settings.ts';
import type { WorkerState } from './worker-state.ts';
import type { FromWorker, Rates, WorkerEnd } from '../../execute/worker-messages.ts';

/** How long a migration that cannot be reconciled lets others go first; shorter than the pause before its next reconcile. */
const BACK_OFF_MS = 500;

export class MigrationRecord {
  readonly uid: string | undefined;
  readonly track: MigrationTrack;
  readonly job = new JobRecord();
  readonly preflight = new PreflightRecord();
  #worker: WorkerState = { kind: 'idle', failures: undefined };
  /** Of the spec that the worker was started with, or that was last seen. */
  #generation: number;
  #checked: { readonly generation: number; readonly check: Check; readonly failures: number } | undefined;
  readonly #reportedAtMs = new Map<string, number>();
  #signature = '';
  #backedOffUntilMs = 0;
  #verifiesLater = false;

  constructor(resource: PromMigration, now: Moment) {
    this.uid = resource.metadata.uid;
    this.track = new MigrationTrack(resource, now);
    this.#generation = generationOf(resource);
  }

  get worker(): WorkerState {
    return this.#worker;
  }

  get timeline(): Timeline {
    const { lastProgressMs, tryingSinceMs, throughMs, range } = this.track;
    const startedMs = this.#hasSucceeded ? undefined : this.track.startedMs;
    return { startedMs, lastProgressMs, tryingSinceMs, throughMs, endMs: range?.endMs };
  }

  /** Undefined: this generation was not checked. */
  checkOf(resource: PromMigration): Check | undefined {
    return this.#checked?.generation === generationOf(resource) ? this.#checked.check : undefined;
  }

  /** How many checks in a row have failed. */
  get checkFailures(): number {
    return this.#checked?.failures ?? 0;
  }

  /** @returns whether the result has changed */
  checked(resource: PromMigration, check: Check): boolean {
    const before = this.#checked?.check;
    const failures = check.ok ? 0 : this.checkFailures + 1;
    this.#checked = { generation: generationOf(resource), check, failures };
    return !check.ok && (before === undefined || before.ok || before.message !== check.message);
  }

  /** An edited spec justifies an attempt before the pause is over. A verification that is no longer wanted is made again when it is. */
  seen(resource: PromMigration): void {
    if (this.#worker.kind !== 'running' && wantedVerification(resource.spec) === undefined) {
      this.track.verification.forget();
      if (this.#worker.kind === 'ended') this.#worker = { ...this.#worker, verified: undefined };
    }
    const generation = generationOf(resource);
    if (this.#worker.kind !== 'idle' || generation === this.#generation) return;
    this.#generation = generation;
    this.#worker = { kind: 'idle', failures: undefined };
  }

  /** @param follows whether it only follows a Job: a verification comes later, in a worker that copies */
  started(resource: PromMigration, now: Moment, follows = false): void {
    const { spec } = resource;
    const failures = this.#worker.kind === 'idle' ? this.#worker.failures : undefined;
    const restartKey = follows ? jobKeyOf(spec) : restartKeyOf(spec);
    const [rates, parallelism] = [ratesOf(spec), parallelismOf(spec)];
    const verification = follows ? undefined : wantedVerification(spec);
    this.#verifiesLater = follows && wantedVerification(spec) !== undefined;
    this.job.started();
    // The copy is over. Its verification is a new start, from which the deadline counts.
    if (this.#hasSucceeded) this.track.suspended();
    const stopping = undefined;
    const settings = { restartKey, rates, parallelism, verification };
    this.#worker = { kind: 'running', follows, looks: false, ...settings, stopping, failures };
    this.#generation = generationOf(resource);
    this.track.attemptStarted(spec, now, follows);
  }

  /** A worker looks at both sides. */
  looking(resource: PromMigration): void {
    const { spec } = resource;
    const failures = this.#worker.kind === 'idle' ? this.#worker.failures : undefined;
    const settings = { restartKey: restartKeyOf(spec), rates: ratesOf(spec), parallelism: parallelismOf(spec) };
    const [verification, stopping] = [undefined, undefined];
    this.#worker = { kind: 'running', follows: false, looks: true, ...settings, verification, stopping, failures };
    this.preflight.started(resource);
  }

  /** @param hasJob whether it has a Job, which was created after a look */
  preflightState(resource: PromMigration, hasJob: boolean, nowMs: number): PreflightState {
    const hasBegun = hasJob || this.#hasSucceeded || this.track.lastProgressTimeMs !== undefined;
    return preflightState(resource, this.preflight.lookAt(resource), { hasBegun, nowMs });
  }

  stopping(cause: StopCause): void {
    if (this.#worker.kind === 'running') this.#worker = { ...this.#worker, stopping: cause };
  }

  rates(rates: Rates): void {
    if (this.#worker.kind === 'running') this.#worker = { ...this.#worker, rates };
  }

  parallelism(parallelism: number): void {
    if (this.#worker.kind === 'running') this.#worker = { ...this.#worker, parallelism };
  }

  /** @returns whether the conditions may have changed */
  report({ progress, events }: FromWorker & { type: 'report' }, now: Moment): boolean {
    const finishedWindow = this.track.report(progress, events, now);
    if (finishedWindow && this.#worker.kind === 'running') this.#worker = { ...this.#worker, failures: undefined };
    const before = this.#signature;
    const failing = this.track.failing(now.monotonicMs);
    const { copying, verifying } = this.track;
    this.#signature = `${copying} ${verifying} ${failing?.side} ${rejectedSamples(this.track) > 0}`;
    return this.#signature !== before;
  }

  workerEnded(end: WorkerEnd, { wallMs, monotonicMs }: Moment): Verdict | undefined {
    if (this.#worker.kind !== 'running') return undefined;
    const { stopping: cause, failures: earlier, verification, looks } = this.#worker;
    if (looks) {
      this.preflight.ended(cause, `the look has ended without a result: ${failureOfEnd(end)}`, monotonicMs);
      this.#worker = { kind: 'idle', failures: earlier };
      return undefined;
    }
    if (end.kind === 'result') this.track.verification.report(end.result.progress.verification);
    const samplesRejected = rejectedSamples(this.track);
    const verifies = verification !== undefined;
    const { facts: job, exhausted: exhaustedJobs } = this.job;
    const jobProgressed = job !== undefined && (this.track.lastProgressTimeMs ?? 0) > job.createdMs;
    const attempt = { end, cause, earlier, verifies, samplesRejected, job, jobProgressed, exhaustedJobs };
    const verdict = judgeEnd(attempt, monotonicMs);
    this.track.attemptEnded();
    if (isLastLook(cause)) this.job.exhausted = job?.end === 'Failed' && jobProgressed ? exhaustedJobs + 1 : 0;
    if (verdict.kind === 'outcome' && verdict.outcome.succeeded && this.#verifiesLater) {
      this.job.copied = true;
      this.#worker = { kind: 'idle', failures: undefined };
      return undefined;
    }
    if (verdict.kind === 'outcome' || isLastLook(cause) || cause === 'job-replaced') this.job.ended();
    if (verdict.kind === 'outcome') {
      this.ended(verdict.outcome, this.#generation, wallMs, verification);
      if (!verdict.outcome.succeeded) this.#noteError(end, verdict.outcome.message, wallMs);
    } else {
      const failures = verdict.kind === 'again' ? verdict.failures : undefined;
      this.#worker = { kind: 'idle', failures };
      if (failures !== undefined) this.#noteError(end, failures.message, wallMs);
    }
    return verdict;
  }

  /** @param verified the settings of its verification, if that is over */
  ended(outcome: Outcome, generation: number, atMs: number, verified?: VerificationSettings): void {
    this.#worker = { kind: 'ended', outcome, generation, atMs, verified };
    this.track.paused();
  }

  /** Whether the topic was not reported recently. `nowMs`, here and below, is on the monotonic clock. */
  hasChanged({ topic }: MigrationNotice, nowMs: number): boolean {
    if (topic === undefined) return true;
    const reportedAtMs = this.#reportedAtMs.get(topic);
    if (reportedAtMs !== undefined && nowMs - reportedAtMs < TOPIC_MS) return false;
    this.#reportedAtMs.set(topic, nowMs);
    return true;
  }

  /** The API server did not allow it to be reconciled. */
  backedOff(nowMs: number): void {
    this.#backedOffUntilMs = nowMs + BACK_OFF_MS;
  }

  /** Whether it would run if it had a slot. */
  wantsSlot(resource: PromMigration, nowMs: number): boolean {
    const worker = this.#worker;
    if (nowMs < this.#backedOffUntilMs) return false;
    if (worker.kind === 'running' || this.checkOf(resource)?.ok === false) return false;
    if (this.preflightState(resource, false, nowMs).kind === 'held') return false;
    if (worker.kind === 'ended') {
      if (worker.outcome.succeeded) return isVerificationDue(resource.spec, worker.verified);
      return worker.generation !== generationOf(resource);
    }
    return worker.failures === undefined || nowMs >= worker.failures.retryAtMs;
  }

  get #hasSucceeded(): boolean {
    return this.#worker.kind === 'ended' && this.#worker.outcome.succeeded;
  }

  #noteError(end: WorkerEnd, message: string, timeMs: number): void {
    const error = end.kind === 'result' ? (end.result.error ?? this.#jobError) : undefined;
    this.track.noteError(error?.side, error?.code ?? `worker-${end.kind}`, message, timeMs);
  }

  /** What the pods of a Job said. */
  get #jobError(): { readonly code: ErrorCode; readonly side: Side | undefined } | undefined {
    const failure = this.job.facts && failureOfJob(this.job.facts);
    return failure && { code: failure.code ?? 'pod-failed', side: failure.side };
  }
}

function failureOfEnd(end: WorkerEnd): string {
  if (end.kind === 'crashed') return `${end.message} (${end.code})`;
  return end.kind === 'hung' ? 'it did not respond' : 'it was terminated';
}

export function generationOf({ metadata }: PromMigration): number {
  return metadata.generation ?? 0;
}
