import assert from 'node:assert/strict';
import { AddedLabels } from '../../../src/migration/progress/added-labels.ts';
import { PresentTimes } from '../../../src/migration/progress/present-times.ts';
import { markLabels } from '../../../src/migration/progress/progress-mark.ts';
import { encodeLabels, type LabelBytes } from '../../../src/wire/labels.ts';
import { labelKey } from '../../../src/wire/label-hash.ts';

type Labels = Readonly<Record<string, string>>;

const plan = { migration: 'test/copy', id: 'abc123', progressLabels: { cluster: 'eu' } };
const progressSeries = markLabels(plan, Date.UTC(2024, 0, 1));
const up = { __name__: 'up', instance: 'a' };
const r1 = { receive: 'r1', tenant_id: 'team-a' };
const r2 = { receive: 'r2', tenant_id: 'team-a' };

function bytesOf(labels: Labels): LabelBytes {
  return encodeLabels(Object.entries(labels));
}

function keyOf(labels: Labels): string {
  return labelKey(bytesOf(labels));
}

/** What is learned after the progress series was shown with each of these labels. */
function learned(...added: Labels[]): AddedLabels {
  return added.reduce<AddedLabels>(
    (known, labels) => known.learnedFrom(Object.entries({ ...progressSeries, ...labels })),
    AddedLabels.unknown(plan.progressLabels),
  );
}

describe('the labels that a destination adds', () => {
  it('are the additional labels of the progress series', () => {
    const unknown = AddedLabels.unknown(plan.progressLabels);
    assert.equal(unknown.isKnown, false);
    const none = learned({});
    assert.deepEqual([none.isKnown, none.areNone], [true, true]);
    const added = learned(r1);
    assert.deepEqual([added.isKnown, added.areNone], [true, false]);
    assert.deepEqual(
      ['receive', 'tenant_id', 'cluster', 'end', 'instance'].map((name) => added.isAdded(name)),
      [true, true, false, false, false],
    );
    assert.equal(added.learnedFrom(Object.entries({ ...progressSeries, ...r1 })), added, 'nothing new');
  });

  it('are removed from results, only with the values that were seen', () => {
    const added = learned(r1);
    assert.deepEqual(added.originalsOf(bytesOf({ ...up, ...r1 })), [keyOf(up)]);
    assert.deepEqual(added.originalsOf(bytesOf({ ...up, ...r2 })), []);
    assert.deepEqual(added.originalsOf(bytesOf({ ...up, receive: 'r1' })), []);
    assert.deepEqual(added.originalsOf(bytesOf(up)), []);
  });

  it('leave results unchanged when there are none', () => {
    for (const known of [learned({}), AddedLabels.unknown({})]) {
      assert.deepEqual(known.originalsOf(bytesOf({ ...up, ...r1 })), [keyOf({ ...up, ...r1 })]);
    }
  });
});

describe('a series shown with added labels', () => {
  it('is present when any of the receivers has it', () => {
    const present = new PresentTimes(() => [keyOf(up)], learned(r1, r2));
    present.of(bytesOf({ ...up, ...r1 }))?.push(1, 2);
    present.of(bytesOf({ ...up, ...r2 }))?.push(2, 3);
    assert.deepEqual([...present.sorted().get(keyOf(up))!], [1, 2, 3]);
  });

  it('is not attributed to a wanted series when its receiver is unknown', () => {
    const present = new PresentTimes(() => [keyOf(up)], learned(r1));
    assert.equal(present.of(bytesOf({ ...up, ...r2 })), undefined);
    assert.deepEqual([...present.unclear], [keyOf(up)]);
  });

  it('may be the wanted one when the only added label is one that the user gave the progress series', () => {
    const present = new PresentTimes(() => [keyOf(up)], learned({}));
    assert.equal(present.of(bytesOf({ ...up, cluster: 'eu' })), undefined);
    assert.deepEqual([...present.unclear], [keyOf(up)]);
    assert.equal(present.of(bytesOf({ ...up, zone: 'x' })), undefined);
    assert.equal(present.unclear.size, 1);
  });

  it('proves nothing when two wanted series differ only in the added label', () => {
    const mine = { ...up, receive: 'mine' };
    const present = new PresentTimes(() => [keyOf(up), keyOf(mine)], learned(r1));
    assert.equal(present.of(bytesOf({ ...up, ...r1 })), undefined);
    assert.deepEqual([...present.unclear], [keyOf(up)]);
    assert.equal(learned(r1).clashWith(bytesOf(mine)), true);
  });

  it('with and without the labels, when both are in use, belongs to the only wanted series', () => {
    const known = learned({}, { receive: 'r1' });
    const shown = { ...up, receive: 'r1' };
    const plain = new PresentTimes(() => [keyOf(up)], known);
    plain.of(bytesOf(shown))?.push(1);
    plain.of(bytesOf(up))?.push(2);
    assert.deepEqual([...plain.sorted().get(keyOf(up))!], [1, 2]);
  });

  it('is ambiguous only while the added labels are unknown', () => {
    const suspicious = (known: AddedLabels, shown: Labels) => {
      const present = new PresentTimes(() => [keyOf(up)], known);
      present.of(bytesOf(shown));
      return present.lookExtended;
    };
    assert.equal(suspicious(AddedLabels.unknown({}), { ...up, ...r1 }), true);
    assert.equal(suspicious(AddedLabels.unknown({}), { __name__: 'up', instance: 'b', ...r1 }), false);
    assert.equal(suspicious(learned({}), { ...up, ...r1 }), false);
    assert.equal(suspicious(learned(r1), { ...up, ...r2 }), false);
  });
});
