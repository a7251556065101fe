// Which settings `plan` recommends for what was seen.

import assert from 'node:assert/strict';
import type { Observations } from '../../../src/migration/preflight/observations.ts';
import type { Recommended } from '../../../src/migration/preflight/preflight-result.ts';
import { recommend } from '../../../src/migration/preflight/recommend.ts';
import type { ServerReport } from '../../../src/remote/server-report.ts';
import { hourMs } from '../support/plan.ts';
import { cortex, ESTIMATE, into, planOf, PROMETHEUS, seenWith, UNKNOWN, VICTORIAMETRICS } from './observed.ts';

const hours = (count: number) => ({ value: count * hourMs, low: count * hourMs, high: count * hourMs });
const hasNewer = { hasMark: false, presentAtMs: [], hasNewer: true };
const any = planOf({ destination: { ordering: 'Any' } });

const cases: readonly [name: string, ServerReport, Partial<Observations>, expected: Partial<Recommended>][] = [
  ['a new Prometheus', PROMETHEUS, {}, { ordering: 'InOrder', parallelism: 1, samplesPerWrite: 1000 }],
  ['a Prometheus without a window', PROMETHEUS, { plan: any }, { ordering: 'InOrder' }],
  ['a Prometheus with a window', { ...PROMETHEUS, outOfOrderMs: hourMs }, { plan: any }, { ordering: 'Any' }],
  ['VictoriaMetrics', VICTORIAMETRICS, {}, { ordering: 'Any', parallelism: 1 }],
  [
    'VictoriaMetrics and a long copy',
    VICTORIAMETRICS,
    { estimate: { ...ESTIMATE, durationMs: hours(9) } },
    { ordering: 'Any', parallelism: 4, samplesPerSecond: undefined },
  ],
  [
    'a long copy at the rate of the user',
    VICTORIAMETRICS,
    { estimate: { ...ESTIMATE, durationMs: hours(9) }, plan: planOf({ limits: { samplesPerSecond: 100 } }) },
    { parallelism: 1, samplesPerSecond: 100 },
  ],
  [
    'a tenant whose rate is lower than that of the source',
    cortex({ samplesPerSecond: 100 }),
    { plan: any, estimate: { ...ESTIMATE, durationMs: hours(9) } },
    { parallelism: 1, samplesPerSecond: undefined },
  ],
  [
    'a tenant with live writes',
    cortex({ samplesPerSecond: 25_000 }),
    { destination: hasNewer },
    { samplesPerSecond: 20_000 },
  ],
  ['a tenant without a window', cortex({ outOfOrder: 0 }), { plan: any }, { ordering: 'InOrder' }],
  ['a tenant with a small burst', cortex({ samplesPerBurst: 500 }), {}, { samplesPerWrite: 500 }],
  [
    'Amazon Managed Prometheus',
    { ...UNKNOWN, product: 'Amazon Managed Prometheus' },
    { plan: planOf({ limits: { samplesPerWrite: 10_000 } }) },
    { samplesPerWrite: 5000 },
  ],
  [
    'very many series',
    PROMETHEUS,
    { estimate: { ...ESTIMATE, series: { value: 500_000, low: 1, high: 1e6 } } },
    { memoryBytes: 512 * 1024 * 1024 },
  ],
];

describe('the recommendation', () => {
  it('is none without an estimate', () => assert.equal(recommend(seenWith()), undefined));

  for (const [name, destination, seen, expected] of cases) {
    it(`for ${name}`, () => {
      const recommended = recommend(seenWith({ ...into(destination), estimate: ESTIMATE, ...seen }));
      assert.ok(recommended);
      for (const [field, value] of Object.entries(expected))
        assert.equal(recommended[field as keyof Recommended], value, field);
    });
  }
});
