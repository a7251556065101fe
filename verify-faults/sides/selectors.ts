// The selector of one series, in words that both stores understand: quoted label names are a newer thing, and not the same in both. Pure.

import type { Label } from '../../test/support/series-set.ts';

/** The names' first part and the instance identify a series of the data sets (data-sets.ts). */
export function exactSelectors(labels: readonly Label[]): string {
  const all = new Map(labels);
  const prefix = /^[a-z]+/.exec(all.get('__name__') ?? '')?.[0] ?? '';
  const by = all.has('instance') ? 'instance' : 'host';
  const value = all.get(by);
  if (prefix === '' || value === undefined) throw new Error(`${JSON.stringify(labels)}: what identifies it?`);
  return `{__name__=~"${prefix}[^a-z].*",${by}="${value}"}`;
}
