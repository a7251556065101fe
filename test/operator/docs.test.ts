// The pages about the operator match the code: generated parts are current, and every reason and alert has its remedy.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { operatorPages, pagePath, withOperatorParts } from '../../scripts/docs-operator.ts';
import { CONDITION_REASONS, CONDITION_TYPES } from '../../src/operator/judge/conditions.ts';
import { PHASES } from '../../src/operator/judge/status.ts';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const operations = read('docs/operations.md');

/** The text under a heading, up to the next one. */
function section(title: string): string {
  const [, text] = operations.split(`\n### ${title}\n`);
  assert.ok(text !== undefined, `docs/operations.md has no part ${title}`);
  return text.split(/\n##+ /)[0] ?? '';
}

const namesInFirstColumn = (text: string) => [...text.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
const isTakenOver = (meaning: string) => meaning.startsWith('Unknown: as for ');

describe('the documentation of the operator', () => {
  for (const page of operatorPages) {
    it(`has the current generated parts of docs/${page} (node scripts/docs-operator.ts writes them)`, () => {
      const text = readFileSync(pagePath(page), 'utf8');
      assert.equal(text, withOperatorParts(page, text));
    });
  }

  it('reports a generated part that the page has no place for', () => {
    assert.throws(
      () => withOperatorParts('conditions.md', '<!-- conditions -->\n'),
      /no place for the part conditions/,
    );
  });

  it('describes every column of kubectl get like the CRD', () => {
    const [, table = ''] = read('docs/conditions.md').split('| column | from | meaning |\n|---|---|---|\n');
    const documented = new Map<string, string>();
    for (const [, columns = '', from = '', meaning = ''] of table.matchAll(/^\| (.+?) \| (.+?) \| (.+) \|$/gm)) {
      for (const [, column = ''] of columns.matchAll(/`(\w+)`/g)) documented.set(column, `${from} ${meaning}`);
    }
    const crd = parse(read('crds/prommigrations.prom-migrator.io.yaml')) as {
      spec: { versions: { additionalPrinterColumns: { name: string; jsonPath: string }[] }[] };
    };
    for (const { name, jsonPath } of crd.spec.versions[0]!.additionalPrinterColumns) {
      const words = documented.get(name.toUpperCase());
      assert.ok(words !== undefined, `${name} is not explained`);
      const condition = /@\.type=="(\w+)"/.exec(jsonPath)?.[1];
      const expected = condition === undefined ? `\`${jsonPath.slice(1)}\`` : `condition \`${condition}\``;
      assert.ok(words.includes(expected), `${name} shows ${jsonPath}, not: ${words}`);
    }
  });

  it('explains every phase', () => {
    const [, table = ''] = read('docs/conditions.md').split('| phase | meaning |\n|---|---|\n');
    assert.deepEqual(namesInFirstColumn(table.split('\n\n')[0] ?? ''), [...PHASES]);
  });

  for (const type of CONDITION_TYPES) {
    it(`has a remedy for every reason of ${type}, and for no others`, () => {
      const own = Object.entries(CONDITION_REASONS[type]).filter(([, meaning]) => !isTakenOver(meaning));
      assert.deepEqual(
        namesInFirstColumn(section(type)),
        own.map(([reason]) => reason),
      );
    });
  }

  it('has a runbook for every alert of the chart, and for no others', () => {
    const alerts = [...read('charts/prom-migrator/templates/_alerts.tpl').matchAll(/^- alert: (\w+)$/gm)];
    const runbooks = [...operations.matchAll(/^### (PromMigrator\w+)$/gm)];
    assert.ok(alerts.length > 0);
    assert.deepEqual(
      runbooks.map(([, name]) => name),
      alerts.map(([, name]) => name),
    );
  });

  it('has no broken links', () => {
    for (const page of ['docs/operations.md', 'docs/conditions.md']) {
      const text = read(page);
      for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
        const [path = '', anchor] = target.split('#');
        const linked = path === '' ? text : readFileSync(new URL(`../../docs/${path}`, import.meta.url), 'utf8');
        if (anchor === undefined) continue;
        const anchors = [...linked.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) => anchorOf(title));
        assert.ok(anchors.includes(anchor), `${page} links to ${target}`);
      }
    }
  });
});

/** The anchor that GitHub generates for a heading. */
function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');
}
