import assert from 'node:assert/strict';
import { MAX_LABELS_BYTES, SeriesRouter } from '../../../src/migration/series/series-router.ts';
import { encodeLabels } from '../../../src/wire/labels.ts';

const labelsWith = (valueBytes: number) =>
  encodeLabels([
    ['__name__', 'm'],
    ['v', 'x'.repeat(valueBytes)],
  ]);

const rule = {
  action: 'replace',
  sourceLabels: ['v'],
  separator: ';',
  regex: '(.*)',
  modulus: 0,
  targetLabel: 'w',
  replacement: '$1',
} as const;

describe('a series with hundreds of kilobytes of labels', () => {
  const fitting = labelsWith(400_000);
  const tooLong = labelsWith(MAX_LABELS_BYTES);
  const problem = `its labels take ${tooLong.length} bytes; at most 524288 are copied`;

  it('is written up to the limit, and invalid above it', () => {
    const router = new SeriesRouter({ relabelings: [], externalLabels: {} }, 1 << 20);
    assert.equal(router.route(fitting).kind, 'write');
    assert.deepEqual(router.route(tooLong), { kind: 'invalid', labels: tooLong, problem });
  });

  it('has the same limit with relabelings, before and after them', () => {
    const router = new SeriesRouter({ relabelings: [rule], externalLabels: {} }, 1 << 20);
    assert.equal(router.route(tooLong).kind, 'invalid');
    const doubled = router.route(fitting);
    assert.equal(doubled.kind, 'invalid');
    assert.match(doubled.kind === 'invalid' ? doubled.problem : '', /^its labels take 800\d{3} bytes/);
    const half = router.route(labelsWith(200_000));
    assert.equal(half.kind === 'write' && half.labels.length > 400_000, true);
  });
});
