import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { COMMAND_CODES, withErrorTables, withFindings } from '../../src/cli/error-codes.ts';
import { FINDING_CODES } from '../../src/migration/preflight/finding-codes.ts';
import { MigrationError } from '../../src/migration/report/migration-error.ts';
import { MIGRATION_CODES, WARNING_CODES, type WarningCode } from '../../src/migration/report/migration-codes.ts';
import { RESPONSE_CODES, type RemoteCode } from '../../src/remote/meaning/response-codes.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const sources = globSync('src/**/*.ts', { cwd: root }).map((path) => readFileSync(`${root}/${path}`, 'utf8'));

function inSources(pattern: RegExp): string[] {
  return sources.flatMap((text) => [...text.matchAll(pattern)].map((match) => match[1] ?? ''));
}

describe('docs/errors.md', () => {
  it('has the current tables of codes (node scripts/docs-errors.ts writes them)', () => {
    const page = readFileSync(`${root}/docs/errors.md`, 'utf8');
    assert.equal(withErrorTables(page), page);
  });

  it('describes every code that compiles', () => {
    // @ts-expect-error: a misspelt code
    const error = new MigrationError('sample-rejected', 'misspelt');
    // @ts-expect-error: a misspelt code
    const warning: WarningCode = 'at-last-once';
    // @ts-expect-error: a code of the engine itself, which no response has
    const retry: RemoteCode = 'samples-rejected';
    for (const code of [error.code, warning, retry]) assert.ok(!(code in RESPONSE_CODES));
  });

  it('describes no code that the engine does not throw', () => {
    const thrown = inSources(/new MigrationError\(\s*'([^']+)'/g);
    assert.deepEqual(
      Object.keys(MIGRATION_CODES).filter((code) => !code.startsWith('bad-response-') && !thrown.includes(code)),
      [],
    );
  });

  it('describes no warning that does not occur', () => {
    const told = [...inSources(/type: 'warning', code: '([^']+)'/g), ...inSources(/warning: \{\s*code: '([^']+)'/g)];
    assert.deepEqual([...new Set(told)].sort(), Object.keys(WARNING_CODES).sort());
  });

  it('gives each code one meaning', () => {
    const all = [COMMAND_CODES, MIGRATION_CODES, RESPONSE_CODES, WARNING_CODES].flatMap((codes) => Object.keys(codes));
    const shared = all.filter((code, index) => all.indexOf(code) !== index);
    // One code for a side without a route and for one that never responded for another reason: the second message names the first cause.
    assert.deepEqual(shared, ['unreachable']);
  });
});

describe('docs/guides/plan.md', () => {
  it('has the current table of findings (node scripts/docs-errors.ts writes it)', () => {
    const page = readFileSync(`${root}/docs/guides/plan.md`, 'utf8');
    assert.equal(withFindings(page), page);
  });

  it('describes no finding that is never made', () => {
    const made = inSources(/finding\(\s*'([^']+)'/g);
    assert.deepEqual(
      Object.keys(FINDING_CODES).filter((code) => !made.includes(code)),
      [],
    );
  });
});
