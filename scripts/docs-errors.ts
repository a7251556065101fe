// Writes the tables of docs/errors.md and docs/guides/plan.md from the catalogues in src/: `node scripts/docs-errors.ts`. A test fails if a page is out of date.

import { readFileSync, writeFileSync } from 'node:fs';
import { withErrorTables, withFindings } from '../src/cli/error-codes.ts';

const page = new URL('../docs/errors.md', import.meta.url);
writeFileSync(page, withErrorTables(readFileSync(page, 'utf8')));

const plan = new URL('../docs/guides/plan.md', import.meta.url);
writeFileSync(plan, withFindings(readFileSync(plan, 'utf8')));
