// `prom-migrator plan`: what it prints, and its exit codes. The engine is the test's.

import assert from 'node:assert/strict';
import { runCommandLine } from '../../src/cli/command-line.ts';
import { planText, sparkline } from '../../src/cli/plan-text.ts';
import { type Estimate, finding, type PreflightResult } from '../../src/migration/preflight/preflight-result.ts';
import { fakeEngine, finished } from './fake-engine.ts';
import { fakeIo } from './fake-io.ts';

const banded = (value: number) => ({ value, low: value / 2, high: 2 * value });

const ESTIMATE: Estimate = {
  startMs: Date.UTC(2026, 0, 1),
  endMs: Date.UTC(2026, 1, 1),
  series: banded(123_456),
  samples: banded(12_345_678_901),
  histograms: 12,
  bytesRead: banded(2 ** 40),
  bytesWritten: banded(2 ** 41),
  windows: banded(744),
  durationMs: banded(123_456_789),
  limitedDurationMs: banded(223_456_789),
  peakMemoryBytes: banded(2 ** 28),
  bytesPerSecondRead: 23_456_789,
  largestNames: [{ name: `apiserver_request_duration_seconds_bucket_${'x'.repeat(60)}`, samples: 2e9, series: 99_999 }],
  overTime: Array.from({ length: 60 }, (_, column) => column * 100),
  probes: 24,
  probed: 0.0123,
};

const READY: PreflightResult = {
  migration: 'default/demo',
  findings: [],
  unjudged: [],
  servers: {
    source: { product: 'Prometheus', version: '3.5.0' },
    destination: { product: undefined, version: undefined },
  },
  estimate: ESTIMATE,
  recommended: {
    ...{ ordering: 'Any', parallelism: 4, memoryBytes: 2 ** 28, inFlightWrites: 8, samplesPerSecond: undefined },
  },
};

const BLOCK = finding('receiver-off', {
  side: 'destination',
  has: 'none',
  needs: `a\u001b[31m receiver ${'long '.repeat(30)}`,
});
const WARNING = finding('no-resume-point', { side: 'progress', has: 'None', needs: 'a mark', setting: 'spec.x' });
const UNJUDGED = { side: 'source', code: 'connection-refused', message: 'no connection', hint: undefined } as const;

async function run(result: PreflightResult, args: readonly string[] = []) {
  const io = fakeIo();
  const engine = { ...fakeEngine(() => finished()), preflight: async () => result };
  const exitCode = await runCommandLine(['plan', '-f', '/dev/null', ...args], io, () => Promise.resolve(engine));
  return { exitCode, stdout: io.stdout.text, stderr: io.stderr.text };
}

describe('plan', () => {
  it('says what a Thanos component is, without control characters', async () => {
    const store = { component: 'query\u001b[2J', labelSets: 3, fromMs: Date.UTC(2026, 0, 1), toMs: 2 ** 63 };
    const servers = { source: { product: 'Thanos', version: undefined, store } } as const;
    const { stdout } = await run({ ...READY, servers });
    assert.match(stdout, /source +Thanos query.*\n +3 label sets, 2026-01-01 00:00:00 to -\n/);
    assert.ok(stdout.split('\n').every((line) => line.length <= 80));
    assert.ok(!stdout.includes('\u001b'));
    const json = JSON.parse((await run({ ...READY, servers }, ['--output', 'json'])).stdout);
    assert.deepEqual(json.servers.source.store, {
      ...{ component: 'query\u001b[2J', labelSets: 3, from: '2026-01-01T00:00:00.000Z', to: null },
    });
  });

  const cases: readonly [string, PreflightResult, number, string][] = [
    ['nothing was found', READY, 0, 'ready'],
    ['something only warns', { ...READY, findings: [WARNING] }, 0, 'ready'],
    ['something blocks', { ...READY, findings: [BLOCK, WARNING] }, 5, 'blocked'],
    ['a side did not respond', { ...READY, estimate: undefined, unjudged: [UNJUDGED] }, 1, 'not-judged'],
    [
      'something blocks and a side did not respond',
      { ...READY, findings: [BLOCK], unjudged: [UNJUDGED] },
      5,
      'blocked',
    ],
  ];

  for (const [name, result, code, verdict] of cases) {
    it(`exits with ${code} if ${name}`, async () => {
      const text = await run(result);
      assert.equal(text.exitCode, code);
      const json = await run(result, ['--output', 'json']);
      assert.equal(json.exitCode, code);
      assert.equal(JSON.parse(json.stdout).verdict, verdict);
    });
  }

  it('prints JSON without a missing field', async () => {
    const { stdout } = await run({ ...READY, findings: [BLOCK], unjudged: [UNJUDGED] }, ['-o', 'json']);
    const json = JSON.parse(stdout);
    assert.deepEqual(Object.keys(json), [
      ...['migration', 'verdict', 'findings', 'notJudged', 'servers', 'estimate', 'recommended'],
    ]);
    assert.equal(json.findings[0].setting, null);
    assert.equal(json.notJudged[0].hint, null);
    assert.deepEqual(json.servers.destination, { product: null, version: null });
    assert.equal(json.estimate.samples.value, 12_345_678_901);
    assert.equal(json.estimate.durationSeconds.value, 123_500);
  });

  it('takes at most 80 columns, and no control characters of a server', () => {
    const text = planText({ ...READY, findings: [BLOCK, WARNING], unjudged: [UNJUDGED] });
    for (const line of text.split('\n')) assert.ok([...line].length <= 80, `${[...line].length}: ${line}`);
    assert.ok(!text.includes('\u001b'));
    assert.match(text, /^default\/demo: this migration is blocked$/m);
    assert.match(text, /^BLOCKS {2}receiver-off \(destination\)$/m);
    assert.match(text, /^NOT JUDGED {2}source: connection-refused$/m);
  });

  it('refuses a command line without a manifest', async () => {
    const io = fakeIo();
    const exitCode = await runCommandLine(['plan'], io, () => Promise.reject(new Error('not loaded')));
    assert.equal(exitCode, 2);
    assert.match(io.stderr.text, /no manifest given/);
  });

  it('lists the problems of a bad manifest', async () => {
    const io = fakeIo();
    const problem = { file: 'm.yaml', document: undefined, path: 'spec.x', value: undefined, message: 'is unknown' };
    const engine = { ...fakeEngine(() => finished()), prepare: () => ({ problems: [problem] }) };
    const code = await runCommandLine(['plan', '-f', '/dev/null', '-o', 'json'], io, () => Promise.resolve(engine));
    assert.equal(code, 2);
    assert.match(io.stderr.text, /spec\.x.*is unknown/);
    assert.equal(JSON.parse(io.stdout.text).error.code, 'bad-manifest');
  });
});

describe('the picture of samples over time', () => {
  it('has the lowest block for little, the highest for the most, and a space for nothing', () => {
    assert.equal(sparkline([0, 1, 50, 100]), ' ▁▅█');
    assert.equal(sparkline([0, 0]), '  ');
  });
});
