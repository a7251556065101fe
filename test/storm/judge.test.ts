// What counts as a finding. Each row is a run or a comparison as left by a migration with one defect.

import assert from 'node:assert/strict';
import type { RunResult } from '../../src/cli/result.ts';
import type { MigrationCode } from '../../src/migration/report/migration-codes.ts';
import type { Found } from '../../storm/destination.ts';
import { FAULT_KINDS } from '../../storm/fault-kinds.ts';
import { judge, type RunRecord, type SeedFacts } from '../../storm/judge.ts';
import type { SeenRequest } from '../../storm/proxy/fault-proxy.ts';

const START_MS = Date.UTC(2025, 0, 1);
const END_MS = START_MS + 3_600_000;
const END = new Date(END_MS).toISOString();

const COUNTS = {
  samplesRead: 100,
  samplesWritten: 90,
  samplesFiltered: 0,
  samplesAlreadyPresent: 10,
  samplesConflicting: 0,
  samplesRejected: {},
  samplesReadPlain: 0,
  samplesAlteredAtMost: 0,
  series: 2,
  windows: 3,
  bytesRead: 1,
  bytesWritten: 1,
  retries: 0,
};
const DONE: RunResult = {
  migration: 'default/test',
  phase: 'Succeeded',
  resumedFrom: null,
  through: END,
  completedRatio: 1,
  stretches: null,
  ...COUNTS,
  total: COUNTS,
  durationSeconds: 1,
};

function run(number: number, fields: Partial<RunRecord> = {}): RunRecord {
  return {
    run: number,
    killed: undefined,
    timedOut: false,
    exitCode: 0,
    exitSignal: null,
    result: DONE,
    seconds: 1,
    log: '',
    ...fields,
  };
}

const LAST_MARK = { timeMs: END_MS - 1, samples: 100, counts: { read: 100, written: 90, already_present: 10 } };
const FOUND: Found = {
  differences: { samplesCompared: 100, counts: { missing: 0, extra: 0, doubled: 0, different: 0 }, first: [] },
  copiedSamples: 100,
  documented: {},
  lastMark: LAST_MARK,
  progressSeries: 1,
};

function judged(fields: Partial<SeedFacts>): string[] {
  const facts = {
    runs: [run(1)],
    requests: [],
    startMs: START_MS,
    endMs: END_MS,
    found: FOUND,
    carriers: new Map(),
    samplesFrom: () => 100,
    ...fields,
  };
  const { findings, explainedEnds } = judge(facts);
  return [...findings.map(({ kind }) => kind), ...Array<string>(explainedEnds).fill('explained')];
}

const failure = (side: string | null) =>
  run(1, {
    exitCode: 1,
    result: { ...DONE, phase: 'Failed', error: { code: 'wrong-path', message: 'returned 404', side } },
  });
const request = (fault: string | undefined, fields: Partial<SeenRequest> = {}): SeenRequest => ({
  way: 'write',
  request: 1,
  run: 1,
  path: '/api/v1/write',
  atMs: 0,
  fault: FAULT_KINDS.find(({ name }) => name === fault),
  goodBefore: false,
  stored: [],
  lagMs: undefined,
  undelivered: false,
  brokenBy: undefined,
  body: undefined,
  ...fields,
});

const counted = (counts: Partial<Found['differences']['counts']>): Found => ({
  ...FOUND,
  differences: { ...FOUND.differences, counts: { ...FOUND.differences.counts, ...counts } },
});
const DOUBLE = { kind: 'doubled', labels: [['__name__', 'up']], timeMs: 1, text: '' } as const;
const SIGKILL = { signal: 'SIGKILL', when: { afterMs: 1 } } as const;
const SIGTERM = { signal: 'SIGTERM', when: { afterMs: 1 } } as const;
const killed = run(1, { killed: SIGKILL, exitCode: null, exitSignal: 'SIGKILL', result: undefined });
const interrupted = run(1, { killed: SIGTERM, exitCode: 143, result: { ...DONE, phase: 'Interrupted' } });

const ROWS: readonly (readonly [title: string, facts: Partial<SeedFacts>, findings: readonly string[]])[] = [
  ['no finding for a complete run', {}, []],
  ['no finding for killed runs and one that completes the copy', { runs: [killed, interrupted, run(3)] }, []],
  ['a run that ends with a signal that was not sent', { runs: [run(1, { exitSignal: 'SIGSEGV' }), run(2)] }, ['crash']],
  ['a run that prints nothing', { runs: [run(1, { result: undefined }), run(2)] }, ['crash']],
  ['a run that does not end', { runs: [run(1, { timedOut: true, result: undefined })] }, ['hang', 'never-done']],
  ['a copy that is never completed', { runs: [killed] }, ['never-done']],
  ['an interruption without a signal', { runs: [{ ...interrupted, killed: undefined }, run(2)] }, ['misreport']],
  ['a run that gives up', { runs: [failure('destination'), run(2)], requests: [request('503-instead')] }, ['gave-up']],
  [
    'a run that gives up on an apparent configuration error, after good responses',
    { runs: [failure('destination'), run(2)], requests: [request('404-instead', { goodBefore: true })] },
    ['gave-up'],
  ],
  [
    'no finding for a run that gives up on it before any good response',
    { runs: [failure('destination'), run(2)], requests: [request('404-instead')] },
    ['explained'],
  ],
  [
    'no finding for such a run whose other requests meet another fault before it ends',
    {
      runs: [failure('destination'), run(2)],
      requests: [request('404-instead'), request('500-instead', { request: 2, goodBefore: true })],
    },
    ['explained'],
  ],
  [
    'a run that gives up with a code that its fault does not explain',
    { runs: [failure('destination'), run(2)], requests: [request('301-instead')] },
    ['gave-up'],
  ],
  [
    'a run that gives up because of a fault of another side',
    { runs: [failure('source'), run(2)], requests: [request('404-instead')] },
    ['gave-up'],
  ],
  [
    'an error that names no side',
    { runs: [failure(null), run(2)], requests: [request('404-instead')] },
    ['gave-up', 'misreport'],
  ],
  ['lost samples', { found: counted({ missing: 1 }) }, ['lost']],
  ['no lost samples in an incomplete copy', { runs: [killed], found: counted({ missing: 1 }) }, ['never-done']],
  [
    'duplicate, additional and changed samples',
    { found: counted({ doubled: 1, extra: 1, different: 1 }) },
    ['doubled', 'extra', 'different'],
  ],
  [
    'a failure of the test rig for a duplicate that came too late to be detected',
    {
      found: { ...counted({ doubled: 1 }), differences: { ...counted({ doubled: 1 }).differences, first: [DOUBLE] } },
      carriers: new Map([[DOUBLE, [request('stored-after-reset', { lagMs: 700 })]]]),
    },
    ['rig'],
  ],
  ['an unreachable server', { requests: [request(undefined, { brokenBy: 'ECONNREFUSED' })] }, ['rig']],
  [
    'a last mark with different counts',
    { found: { ...FOUND, lastMark: { ...LAST_MARK, samples: 99 } } },
    ['misreport'],
  ],
  [
    'a last mark at a different time',
    { found: { ...FOUND, lastMark: { ...LAST_MARK, timeMs: END_MS } } },
    ['misreport'],
  ],
  [
    'different counts with the last mark',
    { found: { ...FOUND, lastMark: { ...LAST_MARK, counts: { read: 100, written: 90 } } } },
    ['misreport'],
  ],
  ['two progress series', { found: { ...FOUND, progressSeries: 2 } }, ['misreport']],
  ...(
    [
      ['samples that are not accounted for', { samplesWritten: 89 }],
      ['samples that no store rejected', { samplesWritten: 89, samplesRejected: { other: 1 } }],
      ['conflicts that do not exist', { samplesWritten: 89, samplesConflicting: 1 }],
      ['samples that nothing filters', { samplesWritten: 89, samplesFiltered: 1 }],
      ['another end', { through: new Date(END_MS - 1).toISOString() }],
      ['counts of all runs that are not known', { total: null }],
      ['counts of all runs that do not add up', { total: { ...COUNTS, samplesWritten: 89 } }],
      ['counts of all runs that are those of one', { total: { ...COUNTS, samplesRead: 60, samplesWritten: 50 } }],
      ['less than all of it', { completedRatio: 0.99 }],
      ['more samples than the source has', { samplesRead: 101, samplesWritten: 91 }],
    ] as const
  ).map(([title, fields]): [string, Partial<SeedFacts>, string[]] => [
    `a result with ${title}`,
    { runs: [run(1, { result: { ...DONE, ...fields }, exitCode: 'samplesRejected' in fields ? 3 : 0 })] },
    ['misreport'],
  ]),
  ['an exit code that does not match the result', { runs: [run(1, { exitCode: 3 })] }, ['misreport']],
];

describe('the fault that caused a run to give up', () => {
  const blamed = (code: MigrationCode, requests: readonly SeenRequest[]) => {
    const result = { ...DONE, phase: 'Failed', error: { code, message: '', side: 'destination' } };
    const facts = { runs: [run(1, { exitCode: 1, result }), run(2)], requests, startMs: START_MS, endMs: END_MS };
    const { findings } = judge({ ...facts, found: FOUND, carriers: new Map(), samplesFrom: () => 100 });
    return findings.flatMap(({ requests: behind }) => behind.map(({ request: number }) => number));
  };
  const requests = [
    request('stored-503', { request: 1, stored: [204] }),
    request('502-instead', { request: 2, goodBefore: true }),
    request(undefined, { request: 3, stored: [400] }),
    request('stored-504', { request: 4, stored: [400] }),
  ];

  it('is the last fault of that side', () => assert.deepEqual(blamed('unexpected-status', requests), [4]));
  it('for rejected samples is the fault that hid what the store had accepted', () =>
    assert.deepEqual(blamed('samples-rejected', requests), [1]));
});

describe('the verdict on a seed', () => {
  for (const [title, facts, findings] of ROWS) {
    it(`has ${title}`, () => assert.deepEqual(judged(facts), findings));
  }
});
