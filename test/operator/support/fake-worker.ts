// A thread that the test controls.

import type { MigrationEvent, MigrationProgress, MigrationResult } from '../../../src/migration/report/observer.ts';
import type { FromWorker } from '../../../src/execute/worker-messages.ts';
import type { ToWorker, WorkerJob } from '../../../src/execute/to-worker.ts';
import type { WorkerHandle } from '../../../src/execute/worker-pool.ts';
import { progressOf } from './migrations.ts';

export class FakeWorker implements WorkerHandle {
  readonly job: WorkerJob;
  readonly received: ToWorker[] = [];
  terminated = false;
  gone = false;
  tell: (message: FromWorker) => void = () => {};
  fail: (error: unknown) => void = () => {};
  #exit: (code: number) => void = () => {};

  constructor(job: WorkerJob) {
    this.job = job;
  }

  post(message: ToWorker): void {
    this.received.push(message);
  }
  onMessage(listener: (message: FromWorker) => void): void {
    this.tell = listener;
  }
  onError(listener: (error: unknown) => void): void {
    this.fail = listener;
  }
  onExit(listener: (code: number) => void): void {
    this.#exit = listener;
  }
  terminate(): void {
    this.terminated = true;
    this.exit(1);
  }

  exit(code: number): void {
    if (this.gone) return;
    this.gone = true;
    this.#exit(code);
  }

  report(progress: Partial<MigrationProgress>, ...events: MigrationEvent[]): void {
    this.tell({ type: 'report', progress: progressOf(progress), events });
  }

  /** Ends like the engine. */
  end(
    phase: MigrationProgress['phase'],
    error?: MigrationResult['error'],
    progress: Partial<MigrationProgress> = {},
  ): void {
    const result = { progress: progressOf({ ...progress, phase }), ...(error !== undefined && { error }) };
    this.tell({ type: 'ended', result });
    this.exit(0);
  }
}
