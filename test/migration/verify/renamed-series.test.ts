// Relabelings that change names: the series that differ are read again by the names that they have in the source, and nothing else is.

import assert from 'node:assert/strict';
import { startFakeStore, type FakeStore } from '../../support/stores/fake-store.ts';
import { prometheus } from '../../support/stores/prometheus.ts';
import { victoriametrics } from '../../support/stores/victoriametrics.ts';
import { planOf } from '../support/compiled-plan.ts';
import { startSource } from '../support/fake-source.ts';
import { epochMs, hourMs, planFor } from '../support/plan.ts';
import { bitsOf, labelOf, type Series, selects } from '../support/remote-messages.ts';
import { verifyRun } from '../support/verify-run.ts';

const NAMES = 40;
const minutes = Array.from({ length: 60 }, (_, minute) => epochMs + minute * 60_000);

/** Two halves of a series that relabelling merges, and many others. */
const series: Series[] = Array.from({ length: NAMES }, (_, i) =>
  ['even', 'odd'].map((half, odd) => ({
    labels: [
      ['__name__', `old_${half}_${i}`],
      ['instance', 'a'],
    ] as const,
    samples: minutes.filter((_, minute) => minute % 2 === odd).map((timeMs) => ({ timeMs, bits: bitsOf(i + odd) })),
    histograms: [],
  })),
).flat();

const copied: Series[] = Array.from({ length: NAMES }, (_, i) => ({
  labels: [
    ['__name__', `new_${i}`],
    ['instance', 'a'],
  ] as const,
  samples: minutes
    .map((timeMs, minute) => ({ timeMs, bits: bitsOf(i + (minute % 2)) }))
    // One series lacks a sample of each half.
    .filter((_, minute) => i !== 7 || (minute !== 20 && minute !== 21)),
  histograms: [],
}));

describe('a verification with relabelings that change names', () => {
  for (const [protocol, behaviour] of [
    ['RemoteRead', prometheus({ outOfOrderWindowMs: 2 * hourMs })],
    ['PromQL', victoriametrics()],
  ] as const) {
    for (const repair of [false, true]) {
      it(`reads only what differs again, from ${behaviour.name}${repair ? ', and repairs it' : ''}`, async () => {
        await using source = await startSource(series);
        await using destination: FakeStore = await startFakeStore(behaviour);
        destination.put(copied);
        const { relabelings } = planOf({
          'spec.relabelings': [
            {
              sourceLabels: ['__name__'],
              regex: 'old_(even|odd)_(.*)',
              targetLabel: '__name__',
              replacement: 'new_$2',
            },
          ],
        });
        const plan = planFor({ source, destination }, { protocol, relabelings });
        const run = await verifyRun(plan, { repair });
        const { verification } = run;
        assert.equal(verification.samplesCompared, NAMES * 60);
        assert.deepEqual(
          [verification.equal, verification.missing, verification.repaired, verification.extra],
          repair ? [NAMES * 60, 0, 2, 0] : [NAMES * 60 - 2, 2, 0, 0],
        );
        const selected = source.queries.map(({ matchers }) =>
          series.filter(({ labels }) => selects(matchers, labels)).map(({ labels }) => labelOf(labels, '__name__')),
        );
        const readAgain = selected.filter((names) => names.length < series.length);
        assert.ok(readAgain.length >= 3, `${readAgain.length} queries`);
        for (const names of readAgain) assert.deepEqual(names, ['old_even_7', 'old_odd_7']);
        const times = source.queries.filter((_, index) => selected[index]?.length === series.length);
        assert.equal(new Set(times.map(({ startMs }) => startMs)).size, times.length, 'all else is read once');
      });
    }
  }
});
