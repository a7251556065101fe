// Whole runs of the engine over real HTTP, against servers without faults: what is copied, counted and marked.

import assert from 'node:assert/strict';
import type { MigrationPlan, RelabelRule } from '../../src/migration/plan/migration-plan.ts';
import { PROGRESS_METRIC } from '../../src/migration/progress/progress-mark.ts';
import { FastClock } from './support/fake-clock.ts';
import { startDestination } from './support/fake-destination.ts';
import { regularSeries, startSource } from './support/fake-source.ts';
import { dayMs, epochMs, hourMs, minuteMs, planFor, type Run, run, unaccounted } from './support/plan.ts';
import { bitsOf, expected, type Series, staleBits } from './support/remote-messages.ts';

function assertSucceeded({ progress, error }: Run): void {
  assert.equal(error, undefined);
  assert.equal(progress.phase, 'Succeeded');
  assert.equal(progress.watermarkMs, progress.endMs);
  assert.equal(unaccounted(progress), 0);
}

const threeHours = regularSeries({ count: 5, fromMs: epochMs - hourMs, toMs: epochMs + 2 * hourMs, stepMs: 15_000 });
const theHour = expected(threeHours, epochMs, epochMs + hourMs);

const relabelDefaults = {
  sourceLabels: [],
  separator: ';',
  regex: '(.*)',
  modulus: 0,
  targetLabel: '',
  replacement: '$1',
};
const rule = (changes: Partial<RelabelRule> & Pick<RelabelRule, 'action'>): RelabelRule => ({
  ...relabelDefaults,
  ...changes,
});

describe('a migration', () => {
  for (const protocol of ['RemoteRead', 'PromQL', 'None'] as const) {
    for (const ordering of ['InOrder', 'Any'] as const) {
      it(`copies exactly the half-open range: ${ordering}, progress by ${protocol}`, async () => {
        await using source = await startSource(threeHours);
        await using destination = await startDestination();
        const result = await run(planFor({ source, destination }, { protocol, destination: { ordering } }));
        assertSucceeded(result);
        assert.deepEqual(destination.contents(), theHour);
        assert.equal(result.progress.samplesWritten, 5 * 240);
        assert.equal(result.progress.samplesRead, 5 * 240);
        assert.equal(result.progress.series, 5);
        assert.deepEqual(destination.failures, []);
        assert.deepEqual(result.observer.warnings(), protocol === 'None' ? ['at-least-once'] : []);
        assert.equal(destination.marks().at(-1)?.timeMs, protocol === 'None' ? undefined : epochMs + hourMs - 1);
      });
    }
  }

  it('requests adjacent windows without gaps, and never the progress series', async () => {
    await using source = await startSource(threeHours);
    await using destination = await startDestination();
    assertSucceeded(await run(planFor({ source, destination })));
    let nextMs = epochMs;
    for (const { startMs, endMs, matchers } of source.queries) {
      assert.equal(startMs, nextMs);
      // The query includes a millisecond of the next window, for sources with exclusive ends.
      nextMs = endMs;
      assert.deepEqual(matchers.at(-1), { kind: '!=', name: '__name__', value: PROGRESS_METRIC });
    }
    assert.equal(nextMs, epochMs + hourMs);
  });

  it('copies every value bit for bit', async () => {
    const patterns = [
      staleBits,
      0x7ff8_0000_dead_beefn,
      0xfff8_0000_0000_0001n,
      0n,
      1n << 63n,
      bitsOf(Infinity),
      bitsOf(-Infinity),
      1n,
    ];
    const series: Series[] = [
      {
        labels: [
          ['__name__', 'odd'],
          ['ünïcode.label', '値'],
        ],
        samples: patterns.map((bits, i) => ({ timeMs: epochMs + i * 1000, bits })),
      },
    ];
    for (const samplesOnly of [false, true]) {
      await using source = await startSource(series);
      source.samplesOnly = samplesOnly;
      await using destination = await startDestination();
      assertSucceeded(await run(planFor({ source, destination })));
      assert.deepEqual(destination.contents(), expected(series, epochMs, epochMs + hourMs));
    }
  });

  it('copies histograms unchanged, in time order with the floats of their series', async () => {
    const message = (timeMs: number) => {
      const bytes = [0x08, 3, 0x78];
      for (let rest = timeMs; rest > 0; rest = Math.floor(rest / 128))
        bytes.push((rest % 128) + (rest >= 128 ? 128 : 0));
      return Buffer.from(bytes);
    };
    const times = [0, 1, 2, 3, 4].map((i) => epochMs + i * 1000);
    const series: Series[] = [
      {
        labels: [['__name__', 'mixed']],
        samples: times.filter((_, i) => i % 2 === 0).map((timeMs) => ({ timeMs, bits: bitsOf(1) })),
        histograms: times.filter((_, i) => i % 2 === 1).map((timeMs) => ({ timeMs, message: message(timeMs) })),
      },
    ];
    await using source = await startSource(series);
    source.samplesOnly = true;
    await using destination = await startDestination();
    const result = await run(planFor({ source, destination }));
    assertSucceeded(result);
    assert.equal(result.progress.samplesWritten, 5);
    assert.deepEqual(destination.contents(), series);
  });

  it('sorts labels and samples, merges equal label sets, counts conflicts and drops series without samples', async () => {
    const at = (seconds: number, value: number) => ({ timeMs: epochMs + seconds * 1000, bits: bitsOf(value) });
    const labels = [
      ['zone', 'b'],
      ['__name__', 'm'],
      ['empty', ''],
    ] as const;
    const series: Series[] = [
      { labels, samples: [at(3, 3), at(1, 1)] },
      { labels: [...labels].reverse(), samples: [at(1, 1), at(2, 2), at(3, 33)] },
      { labels: [['__name__', 'nothing']], samples: [] },
      { labels: [['__name__', 'outside']], samples: [at(-60, 1)] },
    ];
    await using source = await startSource(series);
    source.samplesOnly = true;
    source.responsesUntrimmed = true;
    await using destination = await startDestination();
    const result = await run(planFor({ source, destination }));
    assertSucceeded(result);
    assert.deepEqual(destination.contents(), [
      {
        labels: [
          ['__name__', 'm'],
          ['zone', 'b'],
        ],
        samples: [at(1, 1), at(2, 2), at(3, 3)],
        histograms: [],
      },
    ]);
    assert.equal(result.progress.samplesRead, 4);
    assert.equal(result.progress.samplesConflicting, 1);
    assert.equal(result.progress.series, 1);
  });

  it('counts series that match several selectors once', async () => {
    await using source = await startSource(threeHours);
    await using destination = await startDestination();
    const selectors: MigrationPlan['selectors'] = [
      [{ kind: '=', name: '__name__', value: 'metric' }],
      [{ kind: '=~', name: 'instance', value: 'host-[0-2]' }],
    ];
    const result = await run(planFor({ source, destination }, { selectors }));
    assertSucceeded(result);
    assert.equal(result.progress.samplesRead, 5 * 240);
    assert.equal(result.progress.samplesConflicting, 0);
    assert.deepEqual(destination.contents(), theHour);
  });

  it('relabels, filters, and counts samples that collide in one series', async () => {
    await using source = await startSource(threeHours);
    await using destination = await startDestination();
    const relabelings = [
      rule({ action: 'drop', sourceLabels: ['instance'], regex: 'host-4' }),
      rule({
        action: 'replace',
        sourceLabels: ['instance'],
        regex: 'host-[01]',
        targetLabel: 'instance',
        replacement: 'both',
      }),
    ];
    const result = await run(planFor({ source, destination }, { relabelings, externalLabels: { cluster: 'old' } }));
    assertSucceeded(result);
    assert.equal(result.progress.samplesFiltered, 240);
    assert.equal(result.progress.samplesConflicting, 240);
    assert.equal(result.progress.samplesWritten, 3 * 240);
    const instances = destination.contents().map(({ labels }) => labels);
    assert.deepEqual(
      instances,
      ['both', 'host-2', 'host-3'].map((instance) => [
        ['__name__', 'metric'],
        ['cluster', 'old'],
        ['instance', instance],
      ]),
    );
  });

  it('never sends a series without a metric name, and reports it', async () => {
    const series: Series[] = [
      { labels: [['job', 'nameless']], samples: [{ timeMs: epochMs, bits: 0n }] },
      ...regularSeries({ count: 1, fromMs: epochMs, toMs: epochMs + hourMs, stepMs: minuteMs }),
    ];
    await using source = await startSource(series);
    await using destination = await startDestination();
    const selectors: MigrationPlan['selectors'] = [[]];
    const result = await run(planFor({ source, destination }, { selectors, rejectedSamples: 'Skip' }));
    assertSucceeded(result);
    assert.deepEqual(result.progress.samplesRejected, { invalid_labels: 1 });
    assert.deepEqual(destination.contents(), expected(series.slice(1), epochMs, epochMs + hourMs));
    assert.match(result.observer.all('rejected')[0]!.example!.labels, /nameless/);
  });

  it('crosses empty years with few requests and finds the data after them', async () => {
    const endMs = epochMs + 3 * 365 * dayMs;
    const series = [
      ...regularSeries({ name: 'early', count: 1, fromMs: epochMs, toMs: epochMs + hourMs, stepMs: minuteMs }),
      ...regularSeries({ name: 'late', count: 1, fromMs: endMs - 2 * hourMs, toMs: endMs, stepMs: minuteMs }),
    ];
    for (const ordering of ['InOrder', 'Any'] as const) {
      await using source = await startSource(series);
      await using destination = await startDestination();
      const clock = new FastClock({ nowMs: endMs + dayMs });
      const result = await run(planFor({ source, destination }, { endMs, destination: { ordering } }), { clock });
      assertSucceeded(result);
      assert.deepEqual(destination.contents(), expected(series, epochMs, endMs));
      assert.ok(source.queries.length < 120, `${source.queries.length} queries`);
    }
  });

  it('reports when it found no samples', async () => {
    await using source = await startSource([]);
    await using destination = await startDestination();
    const result = await run(planFor({ source, destination }));
    assertSucceeded(result);
    assert.deepEqual(result.observer.warnings(), ['nothing-found']);
  });

  it('fails and names the setting to change when the range is empty or the memory too small', async () => {
    await using source = await startSource([]);
    await using destination = await startDestination();
    // The clock is fast: on a busy machine a day may pass before the end of the range is fixed.
    const clock = new FastClock({ nowMs: epochMs - 30 * dayMs });
    const empty = await run(planFor({ source, destination }, { endMs: undefined }), { clock });
    assert.equal(empty.error?.code, 'empty-range');
    const tight = await run(planFor({ source, destination }, { limits: { memoryBytes: 8 * 1024 * 1024 } }));
    assert.equal(tight.error?.code, 'memory-too-small');
    assert.match(tight.error?.hint ?? '', /limits\.memory/);
  });

  it('copies with the smallest memory that a manifest may have, and the default number of writes', async () => {
    for (const ordering of ['InOrder', 'Any'] as const) {
      const series = regularSeries({ count: 2, fromMs: epochMs, toMs: epochMs + hourMs, stepMs: minuteMs });
      await using source = await startSource(series);
      await using destination = await startDestination();
      const limits = { memoryBytes: 32 * 1024 * 1024, inFlightWrites: 8 };
      const { error } = await run(planFor({ source, destination }, { destination: { ordering }, limits }));
      assert.equal(error, undefined);
    }
  });

  it('respects the configured rates', async () => {
    for (const limits of [{ samplesPerSecond: 100 }, { bytesPerSecond: 2000 }]) {
      await using source = await startSource(threeHours);
      await using destination = await startDestination();
      const clock = new FastClock({ nowMs: epochMs + dayMs, speed: 100 });
      const arrivals: { atMs: number; amount: number }[] = [];
      destination.onWrite = ({ isMark, samples, bytes }) => {
        const amount = 'samplesPerSecond' in limits ? samples : bytes;
        if (!isMark) arrivals.push({ atMs: clock.now(), amount });
        return undefined;
      };
      const startedAtMs = clock.now();
      assertSucceeded(await run(planFor({ source, destination }, { limits }), { clock }));
      const perSecond = 'samplesPerSecond' in limits ? limits.samplesPerSecond : limits.bytesPerSecond;
      let sum = 0;
      for (const { atMs, amount } of arrivals) {
        assert.ok(amount <= perSecond, `${amount} at once`);
        sum += amount;
        const seconds = (atMs - startedAtMs) / 1000;
        assert.ok(sum <= perSecond * seconds + 1, `${sum} after ${seconds} s`);
      }
      assert.ok(arrivals.length > 5);
    }
  });
});
