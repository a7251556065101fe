// What Artifact Hub and helm read about the chart: https://artifacthub.io/docs/topics/annotations/helm/

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { changelogSections, plainText } from '../../scripts/changelog.ts';
import { chartYaml } from '../../scripts/chart-metadata.ts';
import { publicationOf, readPublication } from '../../scripts/publication.ts';
import { validateMigration } from '../../src/api/validate.ts';
import { readChartFile } from './support/chart.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const CHART = parse(readChartFile('Chart.yaml'));
const annotation = (name: string) => parse(CHART.annotations[`artifacthub.io/${name}`]);

describe('the metadata of the chart', () => {
  it('has texts as annotations, and lists in them as YAML', () => {
    for (const value of Object.values(CHART.annotations)) assert.equal(typeof value, 'string');
    for (const name of ['links', 'images', 'crds', 'crdsExamples', 'changes']) {
      assert.ok(Array.isArray(annotation(name)), name);
      assert.ok(annotation(name).length > 0, name);
    }
    assert.equal(CHART.annotations['artifacthub.io/operator'], 'true');
  });

  it('names the image that the chart installs', () => {
    const { image, version } = readPublication();
    assert.deepEqual(annotation('images'), [{ name: 'prom-migrator', image: `${image}:${version}` }]);
    assert.equal(parse(readChartFile('values.yaml')).image.repository, image);
  });

  it('points to files that exist', () => {
    const { home, fileUrl } = readPublication();
    const [icon, base] = [CHART.icon as string, fileUrl('')];
    assert.ok(icon.startsWith(base) && existsSync(join(ROOT, icon.slice(base.length))), icon);
    const links: { url: string }[] = annotation('links');
    for (const { url } of links) {
      const path = /\/(?:tree|blob)\/v[^/]+\/(.*)$/.exec(url)?.[1];
      assert.ok(url.startsWith(home) && existsSync(join(ROOT, path ?? '')), url);
    }
  });

  it('shows a resource that the schema accepts', () => {
    const [example] = annotation('crdsExamples');
    const [crd] = annotation('crds');
    assert.deepEqual([example.kind, example.apiVersion], [crd.kind, `prom-migrator.io/${crd.version}`]);
    assert.ok('migration' in validateMigration(example, Date.UTC(2026, 0, 1)));
  });

  it('requires the oldest Kubernetes that is tested', () => {
    const pinned = /k8s\.io\/kubernetes v(1\.\d+)(\.\d+)/.exec(
      readFileSync(join(ROOT, 'test/support/go/kubernetes-oldest/go.mod'), 'utf8'),
    );
    assert.equal(CHART.kubeVersion, `>=${pinned?.[1]}.0-0`);
    const versions = readFileSync(join(ROOT, 'docs/guides/versions.md'), 'utf8');
    assert.ok(versions.includes(`| Kubernetes | ${pinned?.[1]} or newer | `));
    assert.ok(versions.includes(`${pinned?.[1]}${pinned?.[2]} with a part of the tests`));
  });

  it('lists the changes of the version, as plain text', () => {
    const sources = { changelog: '## 2.0.0 (x)\n\n- **A** [b](c.md)\n  d ([e](f.md)).\n\n## 1.0.0\n\n- Old.\n' };
    const other = { ...readPublication(), version: '2.0.0' };
    const crd = 'metadata: {name: a}\nspec: {names: {kind: A}, versions: []}';
    const made = parse(chartYaml(other, { ...sources, crd, example: 'a: 1' }));
    assert.deepEqual(parse(made.annotations['artifacthub.io/changes']), ['A b d.']);
    assert.equal(made.appVersion, '2.0.0');
  });
});

describe('the place of publication', () => {
  const manifest = { version: '1.2.3', license: 'MIT', description: '', engines: { node: '>=1' } };

  it('follows from the repository in package.json', () => {
    const url = 'git+https://github.com/Some-One/Copy.git';
    const { home, image, charts, fileUrl } = publicationOf({ ...manifest, repository: { url } });
    assert.deepEqual(
      [home, image, charts, fileUrl('a/b')],
      [
        'https://github.com/Some-One/Copy',
        'ghcr.io/some-one/copy',
        'ghcr.io/some-one/charts',
        'https://raw.githubusercontent.com/Some-One/Copy/v1.2.3/a/b',
      ],
    );
  });

  it('must be known', () => {
    assert.throws(
      () => publicationOf({ ...manifest, repository: { url: 'https://example.com/a/b' } }),
      /repository\.url/,
    );
  });
});

describe('the changelog', () => {
  it('has sections with a date and entries', () => {
    const text = '# C\n\n## Unreleased\n\n- A\n  b.\n- C.\n\n## 0.1.0 (2026-01-02)\n\n- D.\n';
    assert.deepEqual(changelogSections(text), [
      { name: 'Unreleased', date: undefined, entries: ['A b.', 'C.'] },
      { name: '0.1.0', date: '2026-01-02', entries: ['D.'] },
    ]);
    assert.equal(plainText('**A**: [b](c) ([d](e))'), 'A: b');
  });
});
