// Which edits of a spec restart a running worker.

import assert from 'node:assert/strict';
import { ratesOf, restartKeyOf } from '../../../src/operator/judge/decide.ts';
import { specOf } from '../support/migrations.ts';

describe('a change that restarts a running worker', () => {
  const base = restartKeyOf(specOf());
  const same: Record<string, unknown>[] = [
    { suspend: true },
    { progressDeadlineSeconds: 60 },
    { activeDeadlineSeconds: 60 },
    { ttlSecondsAfterFinished: 60 },
    { limits: { samplesPerSecond: 10 } },
    { limits: { bytesPerSecond: '10M' } },
  ];
  for (const spec of same) {
    it(`is not ${JSON.stringify(spec)}`, () => assert.equal(restartKeyOf(specOf(spec)), base));
  }
  const others: Record<string, unknown>[] = [
    { limits: { memory: '512Mi' } },
    { limits: { inFlightWrites: 9 } },
    { window: { max: '10m' } },
    { rejectedSamples: 'Skip' },
    { verification: { mode: 'Full' } },
  ];
  for (const spec of others) {
    it(`is ${JSON.stringify(spec)}`, () => assert.notEqual(restartKeyOf(specOf(spec)), base));
  }

  it('is not the order of the fields', () => {
    const { source, ...rest } = specOf();
    assert.equal(restartKeyOf({ ...rest, source }), base);
  });

  it('is not the rates, which are passed to the worker as numbers', () => {
    assert.deepEqual(ratesOf(specOf()), { samplesPerSecond: undefined, bytesPerSecond: undefined });
    assert.deepEqual(ratesOf(specOf({ limits: { samplesPerSecond: 7, bytesPerSecond: '2Ki' } })), {
      samplesPerSecond: 7,
      bytesPerSecond: 2048,
    });
  });
});
