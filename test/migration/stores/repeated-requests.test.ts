// A proxy sends a request twice and returns the second response: an in-order store rejects what it has just stored.

import { startFakeStore } from '../../support/stores/fake-store.ts';
import { prometheus } from '../../support/stores/prometheus.ts';
import { thanos } from '../../support/stores/thanos.ts';
import { planFor, run } from '../support/plan.ts';
import { assertComplete, prometheusWith } from './support/copies.ts';
import { testSeries } from './support/store-cases.ts';

describe('a request that a proxy sends twice', () => {
  for (const { name, open } of [
    { name: 'an in-order Prometheus', open: () => prometheus() },
    { name: 'Thanos Receive', open: () => thanos() },
  ]) {
    it(`into ${name} is not mistaken for rejected samples`, async () => {
      await using source = await prometheusWith();
      await using destination = await startFakeStore(open());
      let writes = 0;
      destination.onRequest = ({ kind, isMark }) =>
        kind === 'write' && !isMark && ++writes % 5 === 2 ? { repeats: true } : undefined;
      const result = await run(
        planFor({ source, destination }, { protocol: 'PromQL', limits: { samplesPerWrite: 60 } }),
      );
      assertComplete(result, destination, testSeries());
    });
  }
});
