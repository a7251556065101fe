// Writes the tables of docs/errors.md from the catalogues in src/: `node scripts/docs-errors.ts`. A test fails if the page is out of date.

import { readFileSync, writeFileSync } from 'node:fs';
import { withErrorTables } from '../src/cli/error-codes.ts';

const page = new URL('../docs/errors.md', import.meta.url);
writeFileSync(page, withErrorTables(readFileSync(page, 'utf8')));
