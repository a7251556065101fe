import assert from 'node:assert/strict';
import { settingsOf } from '../../../src/cli/report/plan-settings.ts';
import { planOf } from '../../migration/support/compiled-plan.ts';
import type { Changes } from '../../api/manifests.ts';

function valuesOf(name: string, changes: Changes): readonly string[] | undefined {
  return settingsOf(planOf(changes)).find(([title]) => title === name)?.[1];
}

describe('the stretches in the settings of a report', () => {
  it('are empty, and so hidden, with the default', () => assert.deepEqual(valuesOf('Stretches', {}), []));

  it('show what the manifest sets', () => {
    const execution = { parallelism: 12, stretch: '1d12h', order: 'NewestFirst' };
    const changes = { 'spec.destination.ordering': 'Any', 'spec.execution': execution };
    assert.deepEqual(valuesOf('Stretches', changes), ['at most 12 at once', 'of 1d12h', 'newest first']);
  });
});
