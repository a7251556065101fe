// The table of `kubectl pmig status` without a name: one line for each migration. Pure.

import { cut, shown, table } from './lines.ts';
import type { MigrationView } from './migration-view.ts';

/** The longest text of a column that other people write. */
const MAX_NAME = 40;

export function listText(views: readonly MigrationView[], withNamespace: boolean): string {
  const heads = [...(withNamespace ? ['NAMESPACE'] : []), 'NAME', 'PHASE', 'DONE', 'RATE', 'LEFT', 'NEWS'];
  const sorted = views.toSorted((one, other) => order(one).localeCompare(order(other)));
  const rows = sorted.map((view) => [
    ...(withNamespace ? [cut(view.namespace, MAX_NAME)] : []),
    cut(view.name, MAX_NAME),
    view.phase,
    view.progress.display ?? '-',
    view.progress.rate ?? '-',
    view.progress.remaining ?? '-',
    newsOf(view),
  ]);
  return `${table([heads, ...rows]).join('\n')}\n`;
}

const order = ({ namespace, name }: MigrationView) => `${namespace}/${name}`;

/** Why it waits or has ended, in one word. */
function newsOf({ attention, ended, conditions }: MigrationView): string {
  const first = attention[0]?.reason;
  if (first !== undefined) return shown(first);
  const type = ended ? 'Succeeded' : 'Progressing';
  return shown(conditions.find((condition) => condition.type === type)?.reason ?? '-');
}
