// Every relative link in the Markdown pages leads to an existing file and heading, and every named file exists.

import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..');
const pages = globSync('{*.md,docs/**/*.md,charts/**/*.md,.github/**/*.md}', { cwd: ROOT }).sort();
const read = (page: string) => readFileSync(join(ROOT, page), 'utf8');

/** The anchor that GitHub generates for a heading. */
function anchorOf(heading: string): string {
  const text = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
  return text.replaceAll(/[^\p{L}\p{N}_\- ]/gu, '').replaceAll(' ', '-');
}

function brokenLinks(page: string, text: string): string[] {
  const links = [...text.replaceAll(/```[\s\S]*?```/g, '').matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
  return links.filter((link) => {
    if (/^https?:/.test(link)) return false;
    const [path = '', anchor] = link.split('#');
    const file = path === '' ? page : normalize(join(dirname(page), path));
    if (!existsSync(join(ROOT, file))) return true;
    return (
      anchor !== undefined &&
      ![...read(file).matchAll(/^#+ (.+)$/gm)].some(([, title = '']) => anchorOf(title) === anchor)
    );
  });
}

/** The project files that a page names in backticks and that do not exist. */
function missingFiles(text: string): string[] {
  const paths = [
    ...text.matchAll(/`((?:src|test|scripts|bench|storm|verify-faults|docs|charts|crds|examples)\/[\w./-]*)`/g),
  ];
  return paths.map(([, path = '']) => path).filter((path) => !existsSync(join(ROOT, path)));
}

describe('the documentation', () => {
  it('has pages to check', () => assert.ok(pages.length > 30));

  for (const page of pages) {
    it(`has no broken link in ${page}`, () => assert.deepEqual(brokenLinks(page, read(page)), []));
  }

  for (const page of pages) {
    it(`names only files that exist in ${page}`, () => assert.deepEqual(missingFiles(read(page)), []));
  }

  it('fails the check when it names a missing file', () =>
    assert.deepEqual(missingFiles('`src/main.ts`, `docs/`, `test/none.test.ts`'), ['test/none.test.ts']));

  it('fails the check when it has a broken link', () => {
    const text =
      '[a](resume.md) [b](resume.md#counts) [c](resume.md#no-such-part) [d](none.md) [e](https://example.com/x)';
    assert.deepEqual(brokenLinks('docs/README.md', text), ['resume.md#no-such-part', 'none.md']);
  });
});
