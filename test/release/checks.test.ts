import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  licenceProblems,
  publicationProblems,
  type ReleaseState,
  versionProblems,
} from '../../scripts/release-checks.ts';
import { writeReleaseFiles } from '../../scripts/release-files.ts';
import { manifestsOf } from '../../scripts/release-manifests.ts';
import { type Sbom, shippedSbom, uuidOf } from '../../scripts/release-sbom.ts';

const STATE: ReleaseState = {
  version: '1.2.3',
  lockVersions: ['1.2.3', '1.2.3'],
  chart: { version: '1.2.3', appVersion: '1.2.3' },
  dockerfile: 'FROM a\nARG VERSION=1.2.3\n',
  changelog: '# C\n\n## 1.2.3 (2026-11-28)\n\n- A.\n',
};
const CHECKOUT = { changes: '', tags: ['v1.2.3'], workflowRepository: 'a/b' };

describe('the checks of a release', () => {
  it('keep a directory that has other files', async () => {
    const output = mkdtempSync(join(tmpdir(), 'not-a-release-'));
    writeFileSync(join(output, 'notes.txt'), 'mine');
    await assert.rejects(writeReleaseFiles({ version: '1.2.3', epochSeconds: 0, output }), /has other files/);
    assert.ok(existsSync(join(output, 'notes.txt')));
    rmSync(output, { recursive: true });
  });

  it('pass if everything agrees', () => {
    assert.deepEqual(versionProblems(STATE), []);
    assert.deepEqual(publicationProblems(STATE, 'a/b', CHECKOUT), []);
  });

  const states: [string, Partial<ReleaseState>, RegExp][] = [
    ['the lock file', { lockVersions: ['1.2.3', '1.2.2'] }, /package-lock\.json is 1\.2\.2/],
    ['the chart', { chart: { version: '1.2.2', appVersion: '1.2.3' } }, /version of the chart is 1\.2\.2/],
    ['the appVersion', { chart: { version: '1.2.3', appVersion: '1' } }, /appVersion of the chart is 1/],
    ['the Dockerfile', { dockerfile: '' }, /Dockerfile is missing/],
    ['the changelog', { changelog: '## 1.2.2 (2026-11-28)\n' }, /no section 1\.2\.3/],
    ['the form of the version', { version: 'v1' }, /v1 is not a version/],
  ];
  for (const [name, change, expected] of states)
    it(`find another version in ${name}`, () =>
      assert.match(versionProblems({ ...STATE, ...change }).join('\n'), expected));

  const checkouts: [string, Partial<typeof CHECKOUT>, RegExp][] = [
    ['changes', { changes: ' M a' }, /not committed/],
    ['no tag', { tags: ['v1.2.2'] }, /no tag v1\.2\.3/],
    ['another repository', { workflowRepository: 'c/b' }, /this is c\/b, and package\.json publishes a\/b/],
  ];
  for (const [name, change, expected] of checkouts)
    it(`find ${name} before publishing`, () =>
      assert.match(publicationProblems(STATE, 'a/b', { ...CHECKOUT, ...change }).join('\n'), expected));

  it('find a changelog that is not finished', () => {
    const changelog = '## Unreleased\n\n- B.\n\n## 1.2.3 (unreleased)\n';
    const found = publicationProblems({ ...STATE, changelog }, 'a/b', CHECKOUT);
    assert.equal(found.length, 2);
  });

  it('find licences that are not allowed', () => {
    const packages = ['MIT', 'GPL-3.0-only'].map((licence) => ({ name: 'a', version: '1', licence }));
    assert.deepEqual(licenceProblems(packages).length, 1);
  });
});

describe('install.yaml', () => {
  const crd = 'kind: CustomResourceDefinition\nmetadata:\n  labels:\n    helm.sh/chart: a-1\n    a: b\n';
  const other = 'kind: Role\nmetadata:\n  labels:\n    app.kubernetes.io/managed-by: Helm\n    a: b\n';

  it('begins with the namespace and the definition, and knows nothing of helm', () => {
    const made = manifestsOf(`---\n# Source: x\n${other}---\n# Source: y\n${crd}`, '1.2.3');
    assert.deepEqual(
      [...made.install.matchAll(/^kind: (.*)$/gm)].map(([, kind]) => kind),
      ['Namespace', 'CustomResourceDefinition', 'Role'],
    );
    assert.doesNotMatch(made.install, /helm/i);
    assert.match(made.crd, /^# prom-migrator 1\.2\.3/);
  });

  it('is not made if something of helm is left, or there is no definition', () => {
    assert.throws(() => manifestsOf(`---\n${crd}---\nkind: A\nhelm: b\n`, '1'), /names helm/);
    assert.throws(() => manifestsOf('---\nkind: A\n', '1'), /no CustomResourceDefinition/);
  });
});

describe('the bill of materials', () => {
  const component = (name: string) => ({
    ...{ 'bom-ref': `${name}@1`, name, version: '1', scope: 'optional' },
    externalReferences: [{ type: 'distribution', url: 'https://registry.example.com/a' }],
  });
  const all = {
    serialNumber: 'random',
    metadata: { timestamp: 'now', component: component('product') },
    components: ['a', 'b', 'c'].map(component),
    dependencies: [{ ref: 'a@1', dependsOn: ['b@1', 'c@1'] }, { ref: 'c@1' }],
  } as Sbom;
  const shipped = (...names: string[]) =>
    shippedSbom(
      all,
      names.map((name) => ({ name, version: '1' })),
      60,
    );

  it('has what is in the bundle, and no registry', () => {
    const { components, dependencies, metadata } = shipped('a', 'b');
    assert.deepEqual(
      components.map(({ name, scope }) => [name, scope]),
      [
        ['a', 'required'],
        ['b', 'required'],
      ],
    );
    assert.deepEqual(dependencies, [
      { ref: 'product@1', dependsOn: ['a@1', 'b@1'] },
      { ref: 'a@1', dependsOn: ['b@1'] },
    ]);
    assert.equal(metadata.timestamp, '1970-01-01T00:01:00.000Z');
    assert.doesNotMatch(JSON.stringify(shipped('a')), /example/);
    assert.throws(() => shipped('d'), /npm sbom does not list d 1/);
  });

  it('has a serial number that depends on its content', () => {
    assert.equal(shipped('a').serialNumber, shipped('a').serialNumber);
    assert.notEqual(shipped('a').serialNumber, shipped('b').serialNumber);
    assert.match(uuidOf('x'), /^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
  });
});
