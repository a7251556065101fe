// Writes the tables of docs/errors.md, docs/guides/plan.md and the pages about other tools from the catalogues in src/: `node scripts/docs-errors.ts`. A test fails if a page is out of date.

import { readFileSync, writeFileSync } from 'node:fs';
import { withErrorTables, withFindings } from '../src/cli/error-codes.ts';
import { FLAG_PAGES, withFlagTables } from '../src/cli/other-tools/flag-pages.ts';

const page = new URL('../docs/errors.md', import.meta.url);
writeFileSync(page, withErrorTables(readFileSync(page, 'utf8')));

const plan = new URL('../docs/guides/plan.md', import.meta.url);
writeFileSync(plan, withFindings(readFileSync(plan, 'utf8')));

for (const name of FLAG_PAGES) {
  const flags = new URL(`../${name}`, import.meta.url);
  writeFileSync(flags, withFlagTables(readFileSync(flags, 'utf8')));
}
