// Which findings follow from what was seen of both sides.

import assert from 'node:assert/strict';
import { FINDING_CODES, type FindingCode } from '../../../src/migration/preflight/finding-codes.ts';
import { judge } from '../../../src/migration/preflight/judge.ts';
import { dayMs, epochMs, hourMs } from '../support/plan.ts';
import { LIMIT_CASES } from './limit-cases.ts';
import { PROBE_CASES } from './probe-cases.ts';
import {
  type Case,
  EMPTY,
  eachWindow,
  into,
  newer,
  planOf,
  PROMETHEUS,
  seenWith,
  VICTORIAMETRICS,
  WINDOWS,
  windowAt,
} from './observed.ts';

const cases: readonly Case[] = [
  ...LIMIT_CASES,
  ...PROBE_CASES,
  { name: 'a new Prometheus that was prepared', seen: {}, codes: [] },
  { name: 'servers that say nothing', seen: { servers: {} }, codes: [] },
  {
    name: 'a side that refuses',
    seen: {
      refusals: [{ side: 'source', code: 'unauthorized', message: 'source returned 401', hint: 'check the user' }],
    },
    codes: ['side-refuses'],
    says: /unauthorized: source returned 401.*check the user/,
  },
  { name: 'an empty range', seen: { endMs: epochMs, windows: [] }, codes: ['empty-range'] },
  {
    name: 'memory for the writes only',
    seen: { plan: planOf({ limits: { memoryBytes: 8 * 1024 * 1024, inFlightWrites: 64, samplesPerWrite: 50_000 } }) },
    codes: ['memory-too-small'],
  },
  {
    name: 'a Prometheus without a receiver',
    seen: into({ ...PROMETHEUS, acceptsWrites: false }),
    codes: ['receiver-off'],
    says: /--web\.enable-remote-write-receiver/,
  },
  {
    name: 'newer samples in the destination',
    seen: into(newer),
    codes: ['behind-newer-data'],
    says: /out_of_order_time_window: 20d/,
  },
  {
    name: 'an out-of-order window that is too short',
    seen: into({ ...newer, outOfOrderMs: 5 * dayMs }),
    codes: ['behind-newer-data'],
  },
  {
    name: 'an out-of-order window that will be too short',
    seen: into({ ...newer, outOfOrderMs: 19.5 * dayMs }),
    codes: ['window-soon-too-small'],
  },
  { name: 'an out-of-order window that is long enough', seen: into({ ...newer, outOfOrderMs: 40 * dayMs }), codes: [] },
  {
    name: 'newer samples, but the copy has begun',
    seen: { ...into(newer), destination: { hasMark: true, presentAtMs: [epochMs], hasNewer: true } },
    codes: ['copy-has-begun'],
  },
  {
    name: 'newer samples within an hour of the oldest one',
    seen: into({ ...PROMETHEUS, newestMs: epochMs + hourMs / 2 }),
    codes: [],
  },
  { name: 'a Prometheus that scrapes', seen: into({ ...PROMETHEUS, scrapes: true }), codes: ['destination-scrapes'] },
  {
    name: 'ordering Any without a window',
    seen: { plan: planOf({ destination: { ordering: 'Any' } }) },
    codes: ['any-needs-window'],
  },
  {
    name: 'stretches at once without a window',
    seen: {
      plan: planOf({ execution: { mode: 'InProcess', parallelism: 3, stretchMs: undefined, order: 'OldestFirst' } }),
    },
    codes: ['stretches-need-window'],
  },
  {
    name: 'newest first without a window',
    seen: {
      plan: planOf({ execution: { mode: 'InProcess', parallelism: 1, stretchMs: undefined, order: 'NewestFirst' } }),
    },
    codes: ['stretches-need-window'],
  },
  {
    name: 'a retention that is too short',
    seen: into({ ...PROMETHEUS, retentionMs: 15 * dayMs }),
    codes: ['destination-retention'],
    says: /15d.*20d.*storage\.tsdb\.retention\.time/,
  },
  {
    name: 'a retention that is long enough for what the source has',
    seen: {
      ...into({ ...PROMETHEUS, retentionMs: 17.5 * dayMs }),
      windows: [windowAt(epochMs, EMPTY), ...WINDOWS.slice(1)],
    },
    codes: ['destination-retention', 'source-starts-later'],
  },
  {
    name: 'native histograms and a Prometheus without them',
    seen: { ...into({ ...PROMETHEUS, acceptsHistograms: false }), windows: eachWindow({ histograms: 3 }) },
    codes: ['histograms-refused'],
  },
  {
    name: 'native histograms and VictoriaMetrics',
    seen: { ...into(VICTORIAMETRICS), windows: eachWindow({ histograms: 3 }) },
    codes: ['histograms-changed', 'any-is-faster'],
  },
  {
    name: 'samples of the series in the destination',
    seen: { destination: { hasMark: false, presentAtMs: [epochMs], hasNewer: false } },
    codes: ['destination-has-data'],
  },
  {
    name: 'newer samples in a store that does not show its window',
    seen: { servers: {}, destination: { hasMark: false, presentAtMs: [], hasNewer: true } },
    codes: ['newer-series-data'],
  },
  {
    name: 'a source that deletes the beginning',
    seen: { servers: { source: { ...PROMETHEUS, retentionMs: 15 * dayMs } } },
    codes: ['source-retention'],
  },
  { name: 'a source without samples', seen: { windows: eachWindow(EMPTY) }, codes: ['nothing-selected'] },
  {
    name: 'a selector that matches nothing',
    seen: {
      plan: planOf({
        selectors: [[{ kind: '=', name: '__name__', value: 'up' }], [{ kind: '=', name: 'job', value: 'nod' }]],
      }),
      windows: eachWindow({ seriesOfSelector: [5, 0] }),
    },
    codes: ['selector-matches-nothing'],
    says: /\{job="nod"\}.*spec\.selectors\[1\]/,
  },
  {
    name: 'rules that drop everything',
    seen: { windows: eachWindow({ ...EMPTY, seriesOfSelector: [5], seriesDropped: 5 }) },
    codes: ['everything-dropped'],
  },
  {
    name: 'labels that no store accepts',
    seen: { windows: eachWindow({ seriesInvalid: 2 }) },
    codes: ['invalid-labels'],
  },
  { name: 'no progress', seen: { plan: planOf({ protocol: 'None' }) }, codes: ['no-resume-point'] },
  {
    name: 'progress of another Prometheus',
    seen: { servers: { destination: PROMETHEUS, progress: { ...PROMETHEUS, startedAt: 'later' } } },
    codes: ['progress-elsewhere'],
  },
  {
    name: 'progress of another product',
    seen: { servers: { destination: PROMETHEUS, progress: VICTORIAMETRICS } },
    codes: ['progress-elsewhere'],
  },
  {
    name: 'a clock that differs',
    seen: { servers: { source: { ...PROMETHEUS, clockAheadMs: -90_000 } } },
    codes: ['clock-differs'],
    says: /1m30s behind/,
  },
  { name: 'VictoriaMetrics in order', seen: into(VICTORIAMETRICS), codes: ['any-is-faster'] },
  {
    name: 'a window that cannot be read',
    seen: { tooLarge: [{ fromMs: epochMs, toMs: epochMs + 1000, reason: 'needs more' }] },
    codes: ['probe-too-large'],
  },
];

describe('the findings', () => {
  for (const { name, seen, codes, says } of cases) {
    it(`of ${name}: ${codes.join(', ') || 'none'}`, () => {
      const findings = judge(seenWith(seen));
      assert.deepEqual(
        findings.map(({ code }) => code),
        codes,
      );
      const [first] = findings;
      if (says !== undefined) assert.match(Object.values(first ?? {}).join(' '), says);
    });
  }

  it('are all in a case', () => {
    const covered = new Set(cases.flatMap(({ codes }) => codes));
    assert.deepEqual(
      Object.keys(FINDING_CODES).filter((code) => !covered.has(code as FindingCode)),
      [],
    );
  });

  it('begin with what blocks', () => {
    const seen = seenWith({ ...into({ ...VICTORIAMETRICS, retentionMs: dayMs }), plan: planOf({ protocol: 'None' }) });
    assert.deepEqual(
      judge(seen).map(({ grade }) => grade),
      ['blocks', 'warns', 'informs'],
    );
  });

  it('only warn of refused histograms if rejected samples are skipped', () => {
    const seen = seenWith({
      ...into({ ...PROMETHEUS, acceptsHistograms: false }),
      plan: planOf({ rejectedSamples: 'Skip' }),
      windows: eachWindow({ histograms: 1 }),
    });
    assert.deepEqual(
      judge(seen).map(({ code, grade }) => [code, grade]),
      [['histograms-refused', 'warns']],
    );
  });
});
