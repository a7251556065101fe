// A repair writes only series that differ at its time. A destination with several replicas may show a sample at one look and hide it at the next.

import assert from 'node:assert/strict';
import { startFakeStore, type StoreRequest } from '../../support/stores/fake-store.ts';
import { victoriametrics } from '../../support/stores/victoriametrics.ts';
import { regularSeries, startSource } from '../support/fake-source.ts';
import { epochMs, minuteMs, planFor } from '../support/plan.ts';
import { verifyRun } from '../support/verify-run.ts';

/** One window. */
const endMs = epochMs + 4 * minuteMs;
const series = regularSeries({ count: 2, fromMs: epochMs, toMs: endMs, stepMs: 15_000 });

const nothing = { status: 200, headers: { 'content-type': 'application/stream+json' }, body: '' };
const looks = 4;

describe('a repair', () => {
  for (const [title, missing, written] of [
    ['does not write a series that has become visible', 0, 0],
    ['writes the series that still differ, and no other', 1, 1],
  ] as const) {
    it(title, async () => {
      await using source = await startSource(series);
      await using destination = await startFakeStore(victoriametrics());
      destination.put(series.map((one, i) => (i < missing ? { ...one, samples: one.samples.slice(1) } : one)));
      let exports = 0;
      // Only the last look before the repair shows what is there.
      destination.onRequest = ({ kind }: StoreRequest) => {
        if (kind !== 'export' || destination.requests.some(({ samples, isMark }) => samples > 0 && !isMark)) return;
        exports++;
        return exports === looks ? undefined : nothing;
      };
      const plan = planFor({ source, destination }, { protocol: 'PromQL', endMs });
      await verifyRun(plan, { repair: true });
      const writes = destination.requests.filter(({ kind, isMark }) => kind === 'write' && !isMark);
      assert.equal(exports, looks + (written === 0 ? 0 : 1));
      assert.equal(
        new Set(writes.flatMap((write) => write.series.map(({ labels }) => JSON.stringify(labels)))).size,
        written,
      );
    });
  }
});
