// What the operator as a whole is doing, as one state per line, and the transitions between the states. Pure.

export type Life =
  /** Another process leads, or none does. `listed`: whether all PromMigrations are known here. */
  | { readonly kind: 'standby'; readonly listed: boolean }
  /** Holds the lease, and does nothing yet: otherwise whichever migration is listed first would start first. */
  | { readonly kind: 'waitingForList' }
  /** Reconciles migrations, runs workers, writes statuses. */
  | { readonly kind: 'leading' }
  /** Has lost the lease: its workers are ending, and nothing is written. `stopping`: it was asked to stop as well. */
  | { readonly kind: 'abandoning'; readonly stopping: boolean }
  /** Was asked to stop while it led: the windows in flight may finish, then the last statuses are written. */
  | { readonly kind: 'draining' }
  /** Starts nothing new. Only the release of the lease is left. */
  | { readonly kind: 'stopped' };

export type LifeEvent =
  /** The lease is held. */
  | 'elected'
  /** The lease is lost, or given back. */
  | 'deposed'
  /** All PromMigrations are known. */
  | 'listed'
  /** After `deposed`: no worker is left. */
  | 'workersGone'
  /** The process was asked to stop. */
  | 'stop'
  /** After `stop`: the workers have ended, and the last statuses are written. */
  | 'drained';

/** The state after an event; the same state if the event changes nothing. */
export function nextLife(life: Life, event: LifeEvent): Life {
  switch (life.kind) {
    case 'standby':
      if (event === 'elected') return life.listed ? { kind: 'leading' } : { kind: 'waitingForList' };
      if (event === 'listed' && !life.listed) return { kind: 'standby', listed: true };
      return event === 'stop' ? { kind: 'stopped' } : life;
    case 'waitingForList':
      if (event === 'listed') return { kind: 'leading' };
      if (event === 'deposed') return { kind: 'standby', listed: false };
      return event === 'stop' ? { kind: 'stopped' } : life;
    case 'leading':
      if (event === 'deposed') return { kind: 'abandoning', stopping: false };
      return event === 'stop' ? { kind: 'draining' } : life;
    case 'abandoning':
      if (event === 'workersGone') return life.stopping ? { kind: 'stopped' } : { kind: 'standby', listed: true };
      return event === 'stop' && !life.stopping ? { kind: 'abandoning', stopping: true } : life;
    case 'draining':
      if (event === 'deposed') return { kind: 'abandoning', stopping: true };
      return event === 'drained' ? { kind: 'stopped' } : life;
    case 'stopped':
      return life;
  }
}

/** What may be done to migrations now. */
export type Permission =
  /** Everything. */
  | 'work'
  /** No new worker; only the last status of the workers that ran. */
  | 'lastStatus'
  | 'nothing';

export function permissionOf({ kind }: Life): Permission {
  if (kind === 'leading') return 'work';
  return kind === 'draining' ? 'lastStatus' : 'nothing';
}

/** Whether this process is the one that others are on standby for. */
export function leads({ kind }: Life): boolean {
  return kind === 'waitingForList' || kind === 'leading' || kind === 'draining';
}

export function isStopping(life: Life): boolean {
  return life.kind === 'draining' || life.kind === 'stopped' || (life.kind === 'abandoning' && life.stopping);
}
