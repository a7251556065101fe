// `kubectl pmig watch NAME`: the status, drawn again whenever a watch reports a change, until the migration has ended.

import type { ActionContext, PmigIo, PmigOutcome } from './action-context.ts';
import { changeLines } from './text/change-line.ts';
import { timeText } from './text/lines.ts';
import { hasSucceeded, type MigrationView, viewOf } from './text/migration-view.ts';
import { statusText } from './text/status-text.ts';

export async function watchAction({ api, io, signal, namespace }: ActionContext, name: string): Promise<PmigOutcome> {
  // Errors of a name, a right or the cluster are reported here, and not retried.
  await api.get(namespace, name);
  const screen = io.stdout.isTTY ? new Screen(io) : undefined;
  const onFault = (reason: string) => io.stderr.write(`the watch was interrupted: ${reason}\n`);
  let before: MigrationView | undefined;
  for await (const migration of api.follow(namespace, name, { signal, onFault })) {
    if (migration === undefined) {
      io.stdout.write(`${namespace}/${name} was deleted\n`);
      return 'ended';
    }
    const view = viewOf(migration, screen === undefined ? { events: [] } : await api.eventsOf(migration));
    if (screen === undefined) {
      const time = timeText(new Date(io.clock.now()).toISOString());
      for (const line of changeLines(before, view)) io.stdout.write(`${time}  ${line}\n`);
    } else screen.draw(view);
    before = view;
    if (view.ended) return hasSucceeded(view) ? 'done' : 'ended';
  }
  return 'ended';
}

/** Draws over what it has drawn before. */
class Screen {
  readonly #io: PmigIo;
  #lines = 0;

  constructor(io: PmigIo) {
    this.#io = io;
  }

  /** At the end everything is shown, even if it is longer than the terminal. */
  draw(view: MigrationView): void {
    const { stdout, clock } = this.#io;
    const all = statusText(view, clock.now()).trimEnd().split('\n');
    // A line that the terminal wraps would be counted as one.
    const cut = all.map((line) => line.slice(0, Math.max(1, stdout.columns() - 1)));
    const lines = view.ended ? all : cut.slice(0, Math.max(1, stdout.rows() - 1));
    const up = this.#lines === 0 ? '' : `\u001b[${this.#lines}A`;
    stdout.write(`${up}\r\u001b[J${lines.join('\n')}\n`);
    this.#lines = lines.length;
  }
}
