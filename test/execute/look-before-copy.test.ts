// The look at both sides in a thread of the operator: nothing that happens in it is an error of the thread.

import assert from 'node:assert/strict';
import { lookBeforeCopy } from '../../src/execute/look-before-copy.ts';
import { preflight } from '../../src/migration/preflight.ts';
import { SYSTEM_CLOCK } from '../../src/telemetry/clock.ts';
import { prometheusWith } from '../migration/stores/support/copies.ts';
import { planFor } from '../migration/support/plan.ts';
import { startFakeStore } from '../support/stores/fake-store.ts';
import { prometheus } from '../support/stores/prometheus.ts';
import { type StoreInfo, startStoreServer } from '../support/thanos-store.ts';

const contextWith = (signal = new AbortController().signal) => ({ clock: SYSTEM_CLOCK, random: () => 0.5, signal });

describe('a look before a copy', () => {
  it('finds what plan finds', async () => {
    await using source = await prometheusWith();
    await using destination = await prometheusWith();
    const found = await lookBeforeCopy(planFor({ source, destination }), contextWith(), false);
    assert.deepEqual(found?.unjudged, []);
    assert.ok(found.findings.some(({ code }) => code === 'destination-has-data'));
  });

  it('does not take a destination for one that it can look at while a proxy hides its settings', async () => {
    await using source = await prometheusWith();
    await using destination = await prometheusWith();
    let away = 1;
    destination.onRequest = ({ path }) =>
      path.startsWith('/api/v1/status/') && away-- > 0 ? { status: 503 } : undefined;
    const look = async () => {
      const found = await lookBeforeCopy(planFor({ source, destination }), contextWith(), false);
      return found?.unjudged.map(({ side, code }) => `${side} ${code}`);
    };
    assert.deepEqual(await look(), [], 'it is asked again');
    away = Number.POSITIVE_INFINITY;
    assert.ok((await look())?.includes('destination unavailable'));
  });

  it('asks a StoreAPI what it is', async () => {
    let stores = 1;
    const info = (): StoreInfo => ({
      component_type: 'query',
      label_sets: stores === 0 ? [] : [{ labels: [{ name: 'cluster', value: 'a' }] }],
      store:
        stores === 0
          ? { min_time: 0, max_time: 0 }
          : { min_time: Date.UTC(2024, 0, 1), max_time: Date.UTC(2026, 0, 1) },
    });
    await using server = await startStoreServer(() => undefined, { info });
    await using destination = await startFakeStore(prometheus());
    const plan = planFor({ source: { readUrl: server.url }, destination });
    const source = { ...plan.source, protocol: 'ThanosStore', replicaLabels: [] } as const;
    const context = { ...contextWith(), probeMs: 1000 };
    const looked = await preflight({ ...plan, source }, context);
    assert.deepEqual(looked.servers.source?.store, {
      ...{ component: 'query', labelSets: 1, fromMs: Date.UTC(2024, 0, 1), toMs: Date.UTC(2026, 0, 1) },
    });
    stores = 0;
    const lost = await preflight({ ...plan, source }, context);
    assert.deepEqual(
      lost.unjudged.map(({ side, code }) => `${side} ${code}`),
      ['source stores-missing'],
    );
  });

  it('does not say for a Job that its memory is too small: the pods have more', async () => {
    await using source = await prometheusWith();
    await using destination = await startFakeStore(prometheus());
    source.onRequest = ({ kind }) => (kind === 'read' ? { status: 413 } : undefined);
    const codes = async (isForJob: boolean) => {
      const found = await lookBeforeCopy(planFor({ source, destination }), contextWith(), isForJob);
      return found?.findings.map(({ code }) => code).filter((code) => code === 'probe-too-large');
    };
    assert.deepEqual(await codes(false), ['probe-too-large']);
    assert.deepEqual(await codes(true), []);
  });

  it('has no result if it is stopped', async () => {
    await using source = await prometheusWith();
    await using destination = await startFakeStore(prometheus());
    const plan = planFor({ source, destination });
    assert.equal(await lookBeforeCopy(plan, contextWith(AbortSignal.abort()), false), undefined);
    const stop = new AbortController();
    const looking = lookBeforeCopy(plan, contextWith(stop.signal), false);
    setImmediate(() => stop.abort());
    assert.equal(await looking, undefined);
  });

  it('reports an unexpected error as something that could not be looked at', async () => {
    await using source = await prometheusWith();
    await using destination = await startFakeStore(prometheus());
    const clock = { ...SYSTEM_CLOCK, now: () => assert.fail('no clock') };
    const plan = planFor({ source, destination }, { protocol: 'None' });
    const found = await lookBeforeCopy(plan, { ...contextWith(), clock }, false);
    assert.deepEqual(found?.findings, []);
    assert.deepEqual(
      found.unjudged.map(({ side, code }) => `${side} ${code}`),
      ['source internal'],
    );
  });
});
