// Damaged responses of the destination to the query for the latest mark are retried, like every read.

import assert from 'node:assert/strict';
import { startFakeStore } from '../../support/stores/fake-store.ts';
import { prometheus } from '../../support/stores/prometheus.ts';
import { minuteMs, planFor, run } from '../support/plan.ts';
import { assertComplete, prometheusWith } from './support/copies.ts';
import { damages } from './support/damages.ts';
import { testSeries } from './support/store-cases.ts';

describe('a damaged response to the query for the mark', () => {
  for (const what of ['flipped bits', 'a missing end', 'a broken connection']) {
    for (const protocol of ['RemoteRead', 'PromQL'] as const) {
      it(`by ${protocol} (${what}) is read again`, async () => {
        await using source = await prometheusWith();
        await using destination = await startFakeStore(prometheus());
        const plan = planFor({ source, destination }, { protocol, window: { maxMs: 10 * minuteMs } });
        const stop = new AbortController();
        destination.onCarriedOut = () => {
          if (destination.requestsOf('write').length === 3) stop.abort();
        };
        assert.equal((await run(plan, { stop: stop.signal })).progress.phase, 'Interrupted');
        assert.ok(destination.counts().floats > 0);
        let damaged = 0;
        const faults = { ...damages(() => damaged++), 'a broken connection': { cutAfterBytes: 10 } };
        destination.onRequest = ({ kind }) => {
          if ((kind !== 'read' && kind !== 'query') || damaged >= 2) return undefined;
          if (what === 'a broken connection') damaged++;
          return faults[what as keyof typeof faults];
        };
        const result = await run(plan);
        assert.equal(damaged, 2);
        assert.notEqual(result.progress.resumedFromMs, undefined);
        assertComplete(result, destination, testSeries());
      });
    }
  }
});
