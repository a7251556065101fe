// Every limit that a page of docs/systems marks as checked by `plan` is named by it, before anything is copied.

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { FINDING_CODES } from '../../../src/migration/preflight/finding-codes.ts';
import { STORE_LIMITS } from './store-limits.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const pages = globSync('docs/systems/*.md', { cwd: ROOT }).map((path) => ({
  page: basename(path),
  text: readFileSync(resolve(ROOT, path), 'utf8'),
}));

interface MarkedLimit {
  readonly settings: readonly string[];
  readonly marks: readonly string[];
}

/** The rows of the tables whose last column is headed `plan`. */
function markedLimits(text: string): MarkedLimit[] {
  const found: MarkedLimit[] = [];
  let isMarked = false;
  for (const line of text.split('\n')) {
    const cells = line.startsWith('|') ? line.split(/(?<!\\)\|/).slice(1, -1) : [];
    const [first = '', last = ''] = [cells[0], cells.at(-1)].map((cell) => cell?.trim());
    if (cells.length === 0) isMarked = false;
    else if (/plan/.test(last) && !isMarked && !/^-+$/.test(first) && /^\[?`plan`/.test(last)) isMarked = true;
    else if (isMarked && !/^-+$/.test(first)) found.push({ settings: [first], marks: codesIn(last) });
  }
  return found;
}

function codesIn(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
}

describe('the limits of the stores', () => {
  for (const { page, setting, code, findings } of STORE_LIMITS) {
    it(`${page}: ${setting} is found as ${code}`, async () => {
      const found = await findings();
      const shown = found.filter((finding) => finding.code === code);
      assert.ok(shown.length > 0, `found ${found.map((finding) => finding.code).join(', ')}`);
      const texts = shown.map((finding) => Object.values(finding).join(' ')).join(' ');
      assert.ok(texts.includes(setting) || code === 'age-exceeds-limit' || code === 'ha-tracker', texts);
    });
  }
});

describe('the pages of the systems', () => {
  it('have tables of limits that plan checks', () => {
    const marked = pages.filter(({ text }) => markedLimits(text).length > 0).map(({ page }) => page);
    assert.deepEqual(
      [...new Set(STORE_LIMITS.map(({ page }) => page))].filter((page) => !marked.includes(page)),
      [],
    );
  });

  for (const { page, text } of pages) {
    for (const { settings, marks } of markedLimits(text)) {
      for (const mark of marks) {
        it(`${page}: ${settings.join(', ')} is marked with a finding that exists and is tested: ${mark}`, () => {
          assert.ok(Object.hasOwn(FINDING_CODES, mark), mark);
          const tested = STORE_LIMITS.filter((row) => row.page === page && row.code === mark);
          assert.ok(
            tested.some(({ setting }) => settings.some((name) => name.includes(setting))),
            `no test of ${settings.join(', ')}`,
          );
        });
      }
    }
  }

  it('mark every limit that is tested', () => {
    const unmarked = STORE_LIMITS.filter(({ page, setting, code }) => {
      const text = pages.find((other) => other.page === page)?.text ?? '';
      return !markedLimits(text).some(
        ({ settings, marks }) => marks.includes(code) && settings.some((name) => name.includes(setting)),
      );
    });
    assert.deepEqual(
      unmarked.map(({ page, setting, code }) => `${page}: ${setting} ${code}`),
      [],
    );
  });
});
