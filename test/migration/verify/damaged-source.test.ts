// A source that has responded well before: damaged responses while a difference is read again pass, as they do in the first comparison.

import assert from 'node:assert/strict';
import { startFakeStore } from '../../support/stores/fake-store.ts';
import { prometheus } from '../../support/stores/prometheus.ts';
import { regularSeries, startSource } from '../support/fake-source.ts';
import { epochMs, hourMs, planFor } from '../support/plan.ts';
import type { ReadQuery } from '../support/remote-messages.ts';
import { verifyRun } from '../support/verify-run.ts';

const DAMAGED = 12;
const endMs = epochMs + hourMs;
const series = [
  ...regularSeries({ name: 'whole', count: 2, fromMs: epochMs, toMs: endMs, stepMs: 15_000 }),
  ...regularSeries({ name: 'gap', count: 1, fromMs: epochMs, toMs: endMs, stepMs: 15_000 }),
];
const all = 3 * 240;

/** Only the metric that differs. */
const isReread = ({ matchers }: ReadQuery) => matchers.some(({ value }) => value.includes('gap'));

describe('a verification whose source sends damaged responses in the second look at a difference', () => {
  for (const [title, from, repair] of [
    ['to the comparison', 0, false],
    // After three looks at the range.
    ['to the repair', 3, true],
  ] as const) {
    it(`reads them again: ${title}`, async () => {
      await using source = await startSource(series);
      await using destination = await startFakeStore(prometheus({ outOfOrderWindowMs: 2 * hourMs }));
      destination.put(series.map((one, i) => (i === 2 ? { ...one, samples: one.samples.slice(1) } : one)));
      let rereads = 0;
      source.onQuery = (query) => {
        if (!isReread(query)) return undefined;
        const at = rereads++;
        if (at < from || at >= from + DAMAGED) return undefined;
        const { body, contentType } = source.response(query);
        const damaged = Buffer.from(body);
        damaged.writeUInt8((damaged.at(-1) ?? 0) ^ 1, damaged.length - 1);
        return { body: damaged, contentType };
      };
      const { error, verification } = await verifyRun(planFor({ source, destination }), { repair });
      assert.equal(error?.code, repair ? undefined : 'differences-found', error?.message ?? '');
      assert.deepEqual(
        [verification.samplesCompared, verification.equal, verification.missing],
        repair ? [all, all, 0] : [all, all - 1, 1],
      );
      assert.ok(rereads > from + DAMAGED, `${rereads} reads`);
    });
  }
});
