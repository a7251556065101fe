// How large labels are, and which of them every series has.

import assert from 'node:assert/strict';
import { LabelShapes } from '../../../src/migration/preflight/label-shape.ts';
import { decodeLabels, encodeLabels } from '../../../src/wire/labels.ts';

const shapeOf = (...series: readonly Record<string, string>[]) => {
  const shapes = new LabelShapes();
  for (const [index, labels] of series.entries()) shapes.add(encodeLabels(Object.entries(labels)), index);
  return shapes.shape();
};

describe('the shape of labels', () => {
  it('is none without a series', () => assert.equal(shapeOf(), undefined));

  it('has the most labels, the longest name and the longest value, of different series', () => {
    const shape = shapeOf(
      { __name__: 'a', b: '1', c: '2', d: '3' },
      { __name__: 'a', ['n'.repeat(300)]: '1' },
      { __name__: 'a', v: 'x'.repeat(70_000) },
      { __name__: 'a', v: 'ü'.repeat(200) },
    );
    assert.deepEqual([shape?.mostLabels, shape?.longestName, shape?.longestValue], [4, 300, 70_000]);
  });

  it('has the series with the most labels and with the longest value as examples', () => {
    const [wide, long] = [
      { __name__: 'a', b: '1', c: '2' },
      { __name__: 'b', v: 'x'.repeat(500) },
    ];
    assert.deepEqual(
      shapeOf(wide, long)?.examples.map((labels) => Object.fromEntries(decodeLabels(labels))),
      [wide, long],
    );
    assert.equal(shapeOf({ __name__: 'a', b: 'long' })?.examples.length, 1);
  });

  it('has the labels that all series have with one value', () => {
    const shape = shapeOf(
      { __name__: 'a', cluster: 'x', job: 'j', zone: '1' },
      { __name__: 'b', cluster: 'x', job: 'j', zone: '2' },
      { __name__: 'b', cluster: 'x' },
    );
    assert.deepEqual(shape?.common, { cluster: 'x' });
  });
});
