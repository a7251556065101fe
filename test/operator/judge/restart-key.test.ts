// Which edits of a spec restart a running worker.

import assert from 'node:assert/strict';
import { ratesOf } from '../../../src/operator/judge/adopted-limits.ts';
import { restartKeyOf } from '../../../src/operator/judge/restart-key.ts';
import { specOf } from '../support/migrations.ts';

describe('a change that restarts a running worker', () => {
  const destination = {
    url: 'http://destination/write',
    ordering: 'Any',
    progress: { protocol: 'RemoteRead', url: 'http://destination/read' },
  };
  const keyOf = (spec: Record<string, unknown> = {}) => restartKeyOf(specOf({ destination, ...spec }));
  const base = keyOf();
  const same: Record<string, unknown>[] = [
    { suspend: true },
    { progressDeadlineSeconds: 60 },
    { activeDeadlineSeconds: 60 },
    { ttlSecondsAfterFinished: 60 },
    { limits: { samplesPerSecond: 10 } },
    { limits: { bytesPerSecond: '10M' } },
    { execution: { parallelism: 4 } },
    { preflight: 'Enforce' },
  ];
  for (const spec of same) {
    it(`is not ${JSON.stringify(spec)}`, () => assert.equal(keyOf(spec), base));
  }
  const others: Record<string, unknown>[] = [
    { limits: { memory: '512Mi' } },
    { limits: { inFlightWrites: 9 } },
    { window: { max: '10m' } },
    { execution: { mode: 'Job' } },
    { execution: { stretch: '4h' } },
    { execution: { order: 'NewestFirst' } },
    { execution: { job: { backoffLimitPerIndex: 1 } } },
    { rejectedSamples: 'Skip' },
    { verification: { mode: 'Full' } },
  ];
  for (const spec of others) {
    it(`is ${JSON.stringify(spec)}`, () => assert.notEqual(keyOf(spec), base));
  }

  it('is not the order of the fields', () => {
    const { source, ...rest } = specOf({ destination });
    assert.equal(restartKeyOf({ ...rest, source }), base);
  });

  it('is found under an older CRD too, whose resources have no execution', () => {
    const { execution: _, ...older } = specOf({ destination });
    assert.notEqual(restartKeyOf({ ...older, rejectedSamples: 'Skip' }), restartKeyOf(older));
  });

  it('is not the rates, which are passed to the worker as numbers', () => {
    assert.deepEqual(ratesOf(specOf()), { samplesPerSecond: undefined, bytesPerSecond: undefined });
    assert.deepEqual(ratesOf(specOf({ limits: { samplesPerSecond: 7, bytesPerSecond: '2Ki' } })), {
      samplesPerSecond: 7,
      bytesPerSecond: 2048,
    });
  });
});
