// The tables of docs/from-prom-migrator.md and docs/from-vmctl.md. A test fails if a page differs.

import { flagRows } from './old-flags.ts';
import { TIMESCALE_FLAGS } from './timescale-flags.ts';
import { GLOBAL_VMCTL_FLAGS, REMOTE_READ_FLAGS, SNAPSHOT_FLAGS, VM_FLAGS, VM_NATIVE_FLAGS } from './vmctl-flags.ts';

export const FLAG_PAGES = ['docs/from-prom-migrator.md', 'docs/from-vmctl.md'] as const;

/** By their place in the pages. */
const TABLES: Readonly<Record<string, () => string>> = {
  'timescale flags': () => flagRows(TIMESCALE_FLAGS, '-'),
  'remote-read flags': () => flagRows(REMOTE_READ_FLAGS, '--'),
  'vm flags': () => flagRows(VM_FLAGS, '--'),
  'vm-native flags': () => flagRows(VM_NATIVE_FLAGS, '--'),
  'snapshot flags': () => flagRows(SNAPSHOT_FLAGS, '--'),
  'global flags': () => flagRows(GLOBAL_VMCTL_FLAGS, '--'),
};

/** The page with the content between each `<!-- NAME -->` and `<!-- end of NAME -->` replaced by the current table. */
export function withFlagTables(page: string): string {
  return page.replace(/<!-- ([\w -]+) -->\n[\s\S]*?<!-- end of \1 -->/g, (text, name: string) => {
    const table = TABLES[name];
    return table === undefined ? text : `<!-- ${name} -->\n${table()}\n<!-- end of ${name} -->`;
  });
}
