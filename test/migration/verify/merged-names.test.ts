// Relabelings merge series of different metrics, and the source's limit makes windows be read in parts by metric name: each part has only a half
// of a series of the destination.

import assert from 'node:assert/strict';
import { type Behaviour, type FakeStore, startFakeStore } from '../../support/stores/fake-store.ts';
import { prometheus } from '../../support/stores/prometheus.ts';
import { victoriametrics } from '../../support/stores/victoriametrics.ts';
import { planOf } from '../support/compiled-plan.ts';
import { type FakeSource, startSource } from '../support/fake-source.ts';
import { epochMs, hourMs, planFor } from '../support/plan.ts';
import { bitsOf, labelOf, type Series, selects } from '../support/remote-messages.ts';
import { verifyRun } from '../support/verify-run.ts';

const METRICS = 12;
const minutes = Array.from({ length: 60 }, (_, minute) => epochMs + minute * 60_000);

/** The halves are far apart in the order of names. Two samples are the same in both. */
const series: Series[] = ['a', 'z'].flatMap((half, odd) =>
  Array.from({ length: METRICS }, (_, i) => ({
    labels: [
      ['__name__', `${half}_${i}`],
      ['instance', 'x'],
    ] as const,
    samples: minutes
      .filter((_, minute) => minute % 2 === odd || minute === 30)
      .map((timeMs) => ({ timeMs, bits: bitsOf(i) })),
    histograms: [],
  })),
);
/** One that is not merged. */
const single: Series = { labels: [['__name__', 'm_single']], samples: series[0]!.samples, histograms: [] };

const relabelings = planOf({
  'spec.relabelings': [
    { sourceLabels: ['__name__'], regex: '[az]_(.*)', targetLabel: '__name__', replacement: 'new_$1' },
  ],
}).relabelings;
const all = METRICS * 60 + 30;

function copied(isLost: (i: number, minute: number) => boolean = () => false): Series[] {
  return [
    single,
    ...Array.from({ length: METRICS }, (_, i) => ({
      labels: [
        ['__name__', `new_${i}`],
        ['instance', 'x'],
      ] as const,
      samples: minutes.filter((_, minute) => !isLost(i, minute)).map((timeMs) => ({ timeMs, bits: bitsOf(i) })),
      histograms: [],
    })),
  ];
}

/** The source refuses queries for more series. */
function limit(source: FakeSource, maxSeries: number): void {
  source.onQuery = ({ matchers }) => {
    const selected = source.series.filter(({ labels }) => selects(matchers, labels));
    if (selected.length <= maxSeries) return undefined;
    return { status: 422, text: `exceeded series limit: ${maxSeries}` };
  };
}

const destinations: readonly (readonly [protocol: 'RemoteRead' | 'PromQL', behaviour: Behaviour])[] = [
  ['RemoteRead', prometheus({ outOfOrderWindowMs: 2 * hourMs })],
  ['PromQL', victoriametrics()],
];

describe('a verification with relabelings that merge metrics, read in parts by name', () => {
  for (const [protocol, behaviour] of destinations) {
    const verified = async (
      stored: readonly Series[],
      { maxSeries = 8, repair = false }: { maxSeries?: number; repair?: boolean } = {},
    ) => {
      await using source = await startSource([...series, single]);
      await using destination: FakeStore = await startFakeStore(behaviour);
      limit(source, maxSeries);
      destination.put(stored);
      const run = await verifyRun(planFor({ source, destination }, { protocol, relabelings }), { repair });
      return { ...run, queries: source.queries };
    };

    it(`invents no difference: ${behaviour.name}`, async () => {
      const { error, verification, differences, queries } = await verified(copied());
      assert.equal(error, undefined, error?.message ?? '');
      const { samplesCompared, equal, extra, different } = verification;
      assert.deepEqual(
        { samplesCompared, equal, extra, different },
        { samplesCompared: all, equal: all, extra: 0, different: 0 },
      );
      assert.deepEqual(differences, []);
      const parts = queries.filter(
        ({ matchers }) => selects(matchers, single.labels) || selects(matchers, series[0]!.labels),
      );
      assert.ok(parts.length > 1);
    });

    it(`finds what is missing in either half: ${behaviour.name}`, async () => {
      const lost = (i: number, minute: number) => i === 7 && (minute === 20 || minute === 21);
      const { verification, differences } = await verified(copied(lost));
      const { samplesCompared, equal, missing, extra, different } = verification;
      assert.deepEqual(
        { samplesCompared, equal, missing, extra, different },
        { samplesCompared: all, equal: all - 2, missing: 2, extra: 0, different: 0 },
      );
      assert.deepEqual(
        differences.map(({ labels, timestampMs }) => `${labels} ${(timestampMs - epochMs) / 60_000}`),
        [20, 21].map((minute) => `{__name__="new_7", instance="x"} ${minute}`),
      );
    });

    it(`repairs it: ${behaviour.name}`, async () => {
      const lost = (i: number, minute: number) => i === 7 && (minute === 20 || minute === 21);
      const { error, verification } = await verified(copied(lost), { repair: true });
      assert.equal(error, undefined, error?.message ?? '');
      const { samplesCompared, equal, missing, repaired, extra } = verification;
      assert.deepEqual(
        { samplesCompared, equal, missing, repaired, extra },
        { samplesCompared: all, equal: all, missing: 0, repaired: 2, extra: 0 },
      );
    });

    it(`finds a series that lacks a whole half: ${behaviour.name}`, async () => {
      const { verification } = await verified(copied((i, minute) => i === 3 && minute % 2 === 1));
      const { samplesCompared, missing, extra, different } = verification;
      assert.deepEqual(
        { samplesCompared, missing, extra, different },
        { samplesCompared: all, missing: 30, extra: 0, different: 0 },
      );
    });

    it(`says so if the metrics cannot be read together: ${behaviour.name}`, async () => {
      const { error } = await verified(copied(), { maxSeries: 1 });
      assert.deepEqual([error?.code, error?.side], ['window-too-large', 'source'], error?.message ?? '');
      assert.match(error?.message ?? '', /2 metrics \(a_\d+, z_\d+\), which relabelings merge/);
    });
  }

  it('reads the window once more only when it learns that metrics are merged', async () => {
    await using source = await startSource([...series, single]);
    await using destination = await startFakeStore(prometheus());
    limit(source, 8);
    destination.put(copied());
    await verifyRun(planFor({ source, destination }, { relabelings }));
    const answered = source.queries.filter(({ matchers }) => {
      const selected = source.series.filter(({ labels }) => selects(matchers, labels));
      return selected.length <= 8 && selected.some(({ labels }) => labelOf(labels, '__name__') === 'm_single');
    });
    // The first comparison, and the one with the knowledge of it. What is looked at after that has other names.
    assert.ok(answered.length <= 4, `${answered.length} reads`);
  });
});
