import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { exitCodesTable } from '../../src/cli/exit-codes.ts';

describe('docs/exit-codes.md', () => {
  it('has the current table of exit codes', () => {
    const text = readFileSync(new URL('../../docs/exit-codes.md', import.meta.url), 'utf8');
    assert.ok(text.includes(`\n${exitCodesTable()}\n`), `the table should be:\n${exitCodesTable()}`);
  });
});
