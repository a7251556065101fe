import assert from 'node:assert/strict';
import { MetricNames } from '../../../src/migration/verify/metric-names.ts';
import { encodeLabels } from '../../../src/wire/labels.ts';

const lower = { from: '', to: 'm' };
const upper = { from: 'm', to: undefined };
const written = (name: string) => encodeLabels([['__name__', name]]);

describe('MetricNames', () => {
  it('says that a part lacks a metric that also comes from names outside of it', () => {
    const names = new MetricNames();
    names.learn('a', 'new');
    assert.equal(names.part(lower)?.lacks(written('new')), false);
    names.learn('z', 'new');
    assert.equal(names.part(lower)?.lacks(written('new')), true);
    assert.equal(names.part(upper)?.lacks(written('new')), true);
    assert.deepEqual([...names.sourcesOf('new')], ['a', 'z']);
  });

  it('says nothing of the kind about names that are only renamed, or merged inside of a part', () => {
    const names = new MetricNames();
    names.learn('a', 'zzz');
    names.learn('b', 'merged');
    names.learn('c', 'merged');
    for (const name of ['zzz', 'merged', 'unknown']) assert.equal(names.part(lower)?.lacks(written(name)), false);
  });

  it('has no parts where all names are read', () => {
    assert.equal(new MetricNames().part({ from: '', to: undefined }), undefined);
  });

  it('has a new version when something else was merged than before', () => {
    const names = new MetricNames();
    names.learn('a', 'new');
    names.learn('a', 'new');
    names.learn('b', 'other');
    const before = names.part(lower);
    assert.equal(before?.version, names.version);
    names.learn('z', 'new');
    assert.notEqual(before?.version, names.version);
  });
});
