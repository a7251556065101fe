import assert from 'node:assert/strict';
import { describePath, microTime, resourcePath } from '../../../src/operator/kube/kube-objects.ts';

describe('an API path', () => {
  it('cannot leave its namespace through a name', () => {
    const secret = { group: '', version: 'v1', namespace: 'mine', resource: 'secrets' };
    assert.equal(
      resourcePath({ ...secret, name: '../../yours/a?b' }),
      '/api/v1/namespaces/mine/secrets/..%2F..%2Fyours%2Fa%3Fb',
    );
    assert.throws(() => resourcePath({ ...secret, name: '..' }), RangeError);
    assert.throws(() => resourcePath({ ...secret, name: '' }), RangeError);
  });

  const cases: [path: string, resource: string, named: boolean][] = [
    ['/api/v1/namespaces/n/secrets/s', 'secrets', true],
    ['/api/v1/namespaces/n/secrets', 'secrets', false],
    ['/api/v1/namespaces/n', 'namespaces', true],
    ['/apis/prom-migrator.io/v1alpha1/prommigrations', 'prommigrations', false],
    ['/apis/prom-migrator.io/v1alpha1/namespaces/n/prommigrations/m/status', 'prommigrations/status', true],
    ['/version', 'version', true],
  ];
  for (const [path, resource, named] of cases) {
    it(`identifies ${path} as ${named ? 'one of' : 'all'} ${resource}`, () => {
      assert.deepEqual(describePath(path), { resource, named });
    });
  }
});

describe('a timestamp of a Lease or an Event', () => {
  it('has six fractional digits', () => assert.equal(microTime(1_767_225_600_120), '2026-01-01T00:00:00.120000Z'));
});
