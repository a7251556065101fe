import assert from 'node:assert/strict';
import { Store } from '../../../src/operator/kube/store.ts';

const one = (name: string, fields: object = {}) => ({ metadata: { name, namespace: 'ns', ...fields } });

describe('the store', () => {
  it('takes changes over and names the keys to look at', () => {
    const store = new Store();
    assert.equal(store.synced, false);
    assert.deepEqual(store.apply({ kind: 'waiting', reason: 'no CRD' }), []);
    assert.equal(store.synced, false);
    assert.deepEqual(store.apply({ kind: 'synced', items: [one('a'), one('b')] }), ['ns/a', 'ns/b']);
    assert.equal(store.synced, true);
    assert.deepEqual(store.apply({ kind: 'modified', object: one('a', { uid: '2' }) }), ['ns/a']);
    assert.equal(store.get('ns/a')?.metadata.uid, '2');
    assert.deepEqual(store.apply({ kind: 'deleted', object: one('b') }), ['ns/b']);
    assert.equal(store.get('ns/b'), undefined);
    assert.deepEqual(store.apply({ kind: 'added', object: one('c') }), ['ns/c']);
    assert.deepEqual([store.size, store.list().length], [2, 2]);
  });

  it('names what a later list does not have any more', () => {
    const store = new Store();
    store.apply({ kind: 'synced', items: [one('a'), one('b')] });
    assert.deepEqual(store.apply({ kind: 'synced', items: [one('b')] }), ['ns/a', 'ns/b']);
    assert.equal(store.get('ns/a'), undefined);
  });

  it('does not keep managedFields', () => {
    const store = new Store();
    store.apply({ kind: 'added', object: one('a', { managedFields: [{}], labels: { x: 'y' } }) });
    assert.deepEqual(store.get('ns/a'), one('a', { labels: { x: 'y' } }));
  });
});
