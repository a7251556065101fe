// `kubectl pmig suspend NAME` and `resume NAME`: sets spec.suspend, and waits for the operator if asked to.

import type { PromMigration } from '../api/prom-migration.ts';
import { Deadline } from '../telemetry/deadline.ts';
import type { ActionContext, PmigOutcome } from './action-context.ts';
import { hasSucceeded, viewOf } from './text/migration-view.ts';

export async function suspendAction(context: ActionContext, name: string, suspend: boolean): Promise<PmigOutcome> {
  const { api, io, namespace, options } = context;
  const say = (text: string) => io.stdout.write(`${namespace}/${name}: ${text}\n`);
  const before = await api.get(namespace, name);
  const view = viewOf(before, { events: [] });
  if (view.ended) {
    say(`has ended (${view.phase}), so there is nothing to ${suspend ? 'suspend' : 'resume'}`);
    // Without --wait, the exit code is about the field only.
    return options.waitMs === undefined || hasSucceeded(view) ? 'done' : 'ended';
  }
  let migration = before;
  if (before.spec.suspend === suspend) say(suspend ? 'spec.suspend is already true' : 'spec.suspend is already false');
  else {
    migration = await api.setSuspend(namespace, name, suspend);
    say(
      suspend
        ? 'spec.suspend is true: the operator finishes the window under way, and stops'
        : 'spec.suspend is false: the operator resumes where the migration stopped',
    );
  }
  if (options.waitMs === undefined) return 'done';
  return await settled(context, migration, options.waitMs);
}

/** Waits until the status follows the spec. */
async function settled(
  { api, io, signal, clock, namespace }: ActionContext,
  { metadata: { name, generation = 0 }, spec: { suspend } }: PromMigration,
  waitMs: number,
): Promise<PmigOutcome> {
  const say = (text: string) => io.stdout.write(`${namespace}/${name}: ${text}\n`);
  using deadline = new Deadline(signal);
  deadline.start(clock, waitMs, new Error('late'));
  const onFault = (reason: string) => io.stderr.write(`the watch was interrupted: ${reason}\n`);
  let last = 'not seen';
  for await (const migration of api.follow(namespace, name, { signal: deadline.signal, onFault })) {
    if (migration === undefined) {
      say('was deleted');
      return 'ended';
    }
    const view = viewOf(migration, { events: [] });
    last = view.phase;
    if ((migration.status?.observedGeneration ?? 0) < generation) continue;
    if (view.ended) {
      say(`has ended: ${view.phase}`);
      return hasSucceeded(view) ? 'done' : 'ended';
    }
    const progressing = view.conditions.find(({ type }) => type === 'Progressing');
    if (suspend ? view.phase === 'Suspended' : progressing?.status === 'True') {
      say(view.phase);
      return 'done';
    }
  }
  if (!deadline.expired) signal.throwIfAborted();
  io.stderr.write(
    `pmig: after the time of --timeout ${namespace}/${name} is still ${last}\n  do: kubectl pmig status ${name} -n ${namespace}\n`,
  );
  return 'late';
}
