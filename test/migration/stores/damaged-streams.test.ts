// Source streams that are damaged in transit are read again until they are complete, and no data is lost.

import assert from 'node:assert/strict';
import { startFakeStore } from '../../support/stores/fake-store.ts';
import { prometheus } from '../../support/stores/prometheus.ts';
import { epochMs, minuteMs, planFor, run } from '../support/plan.ts';
import { assertComplete, histogramSeries, prometheusWith } from './support/copies.ts';
import { damages } from './support/damages.ts';
import { testSeries } from './support/store-cases.ts';

const series = [...testSeries(), histogramSeries('latency')];

describe('a stream of the source that is damaged in transit', () => {
  for (const what of ['flipped bits', 'a missing end', 'a broken connection']) {
    for (const times of [1, 2, 4]) {
      it(`${times} times by ${what} is read again, and every bit arrives`, async () => {
        await using source = await prometheusWith(series);
        await using destination = await startFakeStore(prometheus());
        let damaged = 0;
        const faults = { ...damages(() => damaged++), 'a broken connection': { cutAfterBytes: 50 } };
        source.onRequest = ({ query }) => {
          if (query!.startMs < epochMs + 5 * minuteMs || damaged >= times) return undefined;
          if (what === 'a broken connection') damaged++;
          return faults[what as keyof typeof faults];
        };
        const result = await run(planFor({ source, destination }));
        assert.equal(damaged, times);
        assertComplete(result, destination, series);
        assert.ok(!result.observer.warnings().includes('samples-instead-of-stream'));
      });
    }
  }
});
