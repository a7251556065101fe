import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { PMIG_EXIT_CODES } from '../../src/cli/pmig-flags.ts';
import { exitCodesTable, STRETCH_EXIT_CODES, PLAN_EXIT_CODES, VERIFY_EXIT_CODES } from '../../src/cli/exit-codes.ts';

describe('docs/exit-codes.md', () => {
  it('has the current table of exit codes', () => {
    const text = readFileSync(new URL('../../docs/exit-codes.md', import.meta.url), 'utf8');
    assert.ok(text.includes(`\n${exitCodesTable()}\n`), `the table should be:\n${exitCodesTable()}`);
  });

  it('has the current exit codes of one stretch', () => {
    const text = readFileSync(new URL('../../docs/exit-codes.md', import.meta.url), 'utf8');
    const section = text.slice(text.indexOf('\n## One stretch\n'), text.indexOf('\n## plan\n'));
    const rows = [...section.matchAll(/^\| (\d+) \| (.+) \| (.+) \|$/gm)].map(([, code, meaning, consequence]) => ({
      code: Number(code),
      meaning,
      consequence,
    }));
    assert.deepEqual(rows, STRETCH_EXIT_CODES);
  });

  it('has the current exit codes of verify', () => {
    const text = readFileSync(new URL('../../docs/exit-codes.md', import.meta.url), 'utf8');
    const section = text.slice(text.indexOf('\n## verify\n'), text.indexOf('\n## pmig\n'));
    const rows = [...section.matchAll(/^\| (\d+) \| (.+) \|$/gm)].map(([, code, meaning]) => ({
      code: Number(code),
      meaning,
    }));
    assert.deepEqual(rows, VERIFY_EXIT_CODES);
  });

  it('has the current exit codes of plan', () => {
    const text = readFileSync(new URL('../../docs/exit-codes.md', import.meta.url), 'utf8');
    const section = text.slice(text.indexOf('\n## plan\n'), text.indexOf('\n## verify\n'));
    const rows = [...section.matchAll(/^\| (\d+) \| (.+) \|$/gm)].map(([, code, meaning]) => ({
      code: Number(code),
      meaning,
    }));
    assert.deepEqual(rows, PLAN_EXIT_CODES);
  });

  it('has the current exit codes of pmig', () => {
    const text = readFileSync(new URL('../../docs/exit-codes.md', import.meta.url), 'utf8');
    const section = text.slice(text.indexOf('\n## pmig\n'));
    const rows = [...section.matchAll(/^\| (\d+) \| (.+) \|$/gm)].map(([, code, meaning]) => ({
      code: Number(code),
      meaning,
    }));
    assert.deepEqual(rows, PMIG_EXIT_CODES);
  });
});
