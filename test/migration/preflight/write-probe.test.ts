// `plan --probe-write` with stores that behave like the real ones: what it writes, what it finds, and that a copy is not affected.

import assert from 'node:assert/strict';
import { preflight } from '../../../src/migration/preflight.ts';
import type { FindingCode } from '../../../src/migration/preflight/finding-codes.ts';
import { probeSeries } from '../../../src/migration/preflight/probe-series.ts';
import { presentIsHarmless } from '../../../src/migration/preflight/write-probe.ts';
import { PROGRESS_METRIC } from '../../../src/migration/progress/progress-mark.ts';
import { type Clock, SYSTEM_CLOCK } from '../../../src/telemetry/clock.ts';
import { encodeLabels } from '../../../src/wire/labels.ts';
import { cortex } from '../../support/stores/cortex.ts';
import { type Behaviour, type FakeStore, startFakeStore } from '../../support/stores/fake-store.ts';
import { m3 } from '../../support/stores/m3.ts';
import { prometheus } from '../../support/stores/prometheus.ts';
import { promscale } from '../../support/stores/promscale.ts';
import { thanos } from '../../support/stores/thanos.ts';
import { victoriametrics } from '../../support/stores/victoriametrics.ts';
import { prometheusWith } from '../stores/support/copies.ts';
import { dayMs, epochMs, planFor } from '../support/plan.ts';
import { into, PROMETHEUS, seenWith, UNKNOWN, VICTORIAMETRICS } from './observed.ts';

/** The pauses between two looks take no time. */
function impatientClock(): Clock {
  let skippedMs = 0;
  return {
    now: SYSTEM_CLOCK.now,
    monotonicMs: () => SYSTEM_CLOCK.monotonicMs() + skippedMs,
    sleep: async (ms, signal) => {
      if (ms !== 1000) return await SYSTEM_CLOCK.sleep(ms, signal);
      skippedMs += ms;
    },
  };
}

const context = () => ({
  ...{ clock: impatientClock(), random: () => 0.5, signal: new AbortController().signal },
  ...{ probeWrite: true, probeMs: 300 },
});

type Changes = Parameters<typeof planFor>[1];

async function probed(destination: FakeStore, changes: Changes = {}) {
  await using source = await prometheusWith();
  const result = await preflight(planFor({ source, destination }, changes), context());
  assert.deepEqual(result.unjudged, []);
  return result.findings.map(({ code }) => code).filter((code) => code.startsWith('probe-'));
}

function probesIn(store: FakeStore): { labels: Record<string, string>; timeMs: number }[] {
  return store.requests
    .filter(({ kind, bytes }) => kind === 'write' && bytes > 0)
    .flatMap(({ series }) =>
      series.flatMap(({ labels, samples }) =>
        samples.map(({ timeMs }) => ({ labels: Object.fromEntries(labels), timeMs })),
      ),
    );
}

const newerSample = (timeMs: number) => [{ labels: [['__name__', 'new']] as const, samples: [{ timeMs, bits: 0n }] }];

interface Case {
  readonly name: string;
  readonly open: () => Behaviour;
  readonly codes: readonly FindingCode[];
  readonly newerMs?: number;
  readonly changes?: Changes;
}

const cases: readonly Case[] = [
  { name: 'Prometheus', open: prometheus, codes: ['probe-written'] },
  {
    name: 'Prometheus behind newer data',
    open: prometheus,
    newerMs: epochMs + 10 * dayMs,
    codes: ['probe-too-old'],
  },
  {
    name: 'Prometheus within its out-of-order window',
    open: () => prometheus({ outOfOrderWindowMs: 20 * dayMs }),
    newerMs: epochMs + 10 * dayMs,
    codes: ['probe-written'],
  },
  { name: 'Cortex', open: cortex, codes: ['probe-written'] },
  {
    name: 'Cortex behind newer data',
    open: cortex,
    newerMs: epochMs + 10 * dayMs,
    codes: ['probe-too-old'],
  },
  {
    name: 'a Cortex that needs a tenant',
    open: () => cortex({ multitenancy: true }),
    changes: { protocol: 'None' },
    codes: ['probe-refused'],
  },
  {
    name: 'a limit of the length of labels',
    open: () => cortex({ maxLabelValueLength: 4 }),
    codes: ['probe-refused'],
  },
  {
    name: 'a limit of the number of series',
    open: () => cortex({ maxSeriesPerUser: 0 }),
    codes: ['probe-refused'],
  },
  {
    name: 'an HA tracker that follows another replica',
    open: () => cortex({ electedReplica: 'r1' }),
    changes: { externalLabels: { cluster: 'c', __replica__: 'r2' } },
    codes: ['probe-dropped', 'probe-written'],
  },
  {
    name: 'an HA tracker that follows this replica',
    open: () => cortex({ electedReplica: 'r1' }),
    changes: { externalLabels: { cluster: 'c', __replica__: 'r1' } },
    codes: ['probe-written'],
  },
  { name: 'VictoriaMetrics', open: victoriametrics, changes: { protocol: 'PromQL' }, codes: ['probe-written'] },
  {
    name: 'a retention that drops old samples without an error',
    open: () => victoriametrics({ oldestMs: epochMs + dayMs }),
    changes: { protocol: 'PromQL' },
    codes: ['probe-not-shown', 'probe-written'],
  },
  { name: 'Thanos', open: thanos, changes: { protocol: 'PromQL' }, codes: ['probe-written'] },
  {
    name: 'Thanos behind newer data, with an out-of-order window',
    open: () => thanos({ outOfOrderWindowMs: 4000 * dayMs }),
    newerMs: epochMs + 10 * dayMs,
    changes: { protocol: 'PromQL' },
    codes: ['probe-written'],
  },
  {
    name: 'Thanos behind newer data',
    open: thanos,
    newerMs: epochMs + 10 * dayMs,
    changes: { protocol: 'PromQL' },
    codes: ['probe-too-old'],
  },
  { name: 'M3', open: m3, codes: ['probe-written'] },
  { name: 'M3 without cold writes', open: () => m3({ coldWrites: false }), codes: ['probe-too-old'] },
  { name: 'Promscale', open: promscale, codes: ['probe-written'] },
  {
    name: 'a Promscale that needs a tenant',
    open: () => promscale({ multitenancy: true }),
    changes: { protocol: 'None' },
    codes: ['probe-refused'],
  },
];

describe('plan --probe-write', () => {
  for (const { name, open, codes, newerMs, changes } of cases) {
    it(`finds ${codes.join(' and ')} with ${name}`, async () => {
      await using destination = await startFakeStore(open());
      if (newerMs !== undefined) destination.put(newerSample(newerMs));
      assert.deepEqual(await probed(destination, changes), codes);
      const probes = probesIn(destination);
      assert.ok(probes.length > 0 && probes.length <= 6, `${probes.length} samples`);
      for (const { labels } of probes) {
        assert.equal(labels['__name__'], PROGRESS_METRIC);
        assert.equal(labels['probe'], 'plan');
      }
      assert.deepEqual(destination.failures, []);
    });
  }

  it('writes no sample of the present into a store that would then refuse old ones', async () => {
    await using destination = await startFakeStore(prometheus());
    await probed(destination);
    assert.deepEqual([...new Set(probesIn(destination).map(({ timeMs }) => timeMs))], [epochMs]);
  });

  it('writes one into a store that accepts any order', async () => {
    await using destination = await startFakeStore(victoriametrics());
    await probed(destination, { protocol: 'PromQL' });
    assert.equal(new Set(probesIn(destination).map(({ timeMs }) => timeMs)).size, 2);
  });

  it('can be repeated, and with an earlier start', async () => {
    await using destination = await startFakeStore(prometheus());
    assert.deepEqual(await probed(destination), ['probe-written']);
    assert.deepEqual(await probed(destination), ['probe-written']);
    assert.deepEqual(await probed(destination, { startMs: epochMs - 60_000 }), ['probe-written']);
  });

  it('writes nothing for a copy that has begun', async () => {
    await using destination = await startFakeStore(prometheus());
    destination.put([
      {
        labels: [
          ['__name__', PROGRESS_METRIC],
          ['migration', 'test/copy'],
          ['id', 'abc123'],
          ['shard', '0'],
        ],
        samples: [{ timeMs: epochMs + 1000, bits: 0n }],
      },
    ]);
    assert.deepEqual(await probed(destination), []);
    assert.deepEqual(probesIn(destination), []);
  });
});

describe('whether a sample of the present is harmless', () => {
  const nowMs = epochMs + 20 * dayMs;
  const noData = { hasMark: false, presentAtMs: [], hasNewer: false };
  const cases = [
    ['an empty Prometheus', seenWith(), false],
    ['a store that nothing is known of', seenWith(into(UNKNOWN)), false],
    ['VictoriaMetrics', seenWith(into(VICTORIAMETRICS)), true],
    ['a Prometheus with old samples', seenWith(into({ ...PROMETHEUS, newestMs: epochMs })), false],
    ['a Prometheus with samples of the present', seenWith(into({ ...PROMETHEUS, newestMs: nowMs - 1000 })), true],
    ['a Prometheus with a window', seenWith(into({ ...PROMETHEUS, outOfOrderMs: 30 * dayMs })), true],
    ['a Prometheus with a short window', seenWith(into({ ...PROMETHEUS, outOfOrderMs: dayMs })), false],
    ['a store with newer samples of the series', seenWith({ destination: { ...noData, hasNewer: true } }), true],
  ] as const;
  for (const [name, seen, expected] of cases) {
    it(`${name}: ${expected}`, () => assert.equal(presentIsHarmless(seen), expected));
  }
});

describe('the series of the probe', () => {
  const plan = { progressLabels: { team: 'x' } };
  const common = { cluster: 'c' };

  it('is like a mark without a series of the source', () => {
    const [mark, ...others] = probeSeries(plan, undefined, epochMs);
    assert.deepEqual(others, []);
    assert.deepEqual(mark?.labels, {
      ...{ team: 'x', __name__: PROGRESS_METRIC, probe: 'plan', at: '2024-01-01T00:00:00.000Z', like: 'mark' },
    });
  });

  it('has as many labels as the widest series, and the ones that all series have', () => {
    const wide = {
      __name__: 'a',
      cluster: 'c',
      ...Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`l${i}`, 'v'])),
    };
    const examples = [encodeLabels(Object.entries(wide))];
    const shape = { mostLabels: 12, longestName: 2, longestValue: 1, examples, common };
    const widest = probeSeries(plan, shape, epochMs).find(({ like }) => like === 'widest');
    assert.equal(Object.keys(widest?.labels ?? {}).length, 12);
    assert.equal(widest?.labels['cluster'], 'c');
  });

  it('has no label that could make a mark of it', () => {
    const series = {
      __name__: 'a',
      migration: 'default/m',
      id: '0'.repeat(16),
      shard: '0',
      end: '1',
      count: '1',
      x: 'y',
    };
    const examples = [encodeLabels(Object.entries(series)), encodeLabels(Object.entries(series))];
    const shape = { mostLabels: 30, longestName: 9, longestValue: 16, examples, common };
    for (const { labels } of probeSeries(plan, shape, epochMs).slice(1)) {
      const names = Object.keys(labels).filter((name) => name in series && name !== '__name__');
      assert.deepEqual(
        names.filter((name) => name !== 'x'),
        [],
      );
    }
  });

  it('has the longest value', () => {
    const examples = [
      { __name__: 'a', b: 'x', cluster: 'c' },
      { __name__: 'a', z: 'y'.repeat(900), q: 'x', cluster: 'c' },
    ];
    const shape = {
      ...{ mostLabels: 4, longestName: 8, longestValue: 900, common },
      examples: examples.map((labels) => encodeLabels(Object.entries(labels))),
    };
    const longest = probeSeries(plan, shape, epochMs).find(({ like }) => like === 'longest');
    assert.equal(longest?.labels['z'], 'y'.repeat(900));
    assert.deepEqual([longest?.labels['cluster'], longest?.labels['q']], ['c', undefined]);
  });
});
