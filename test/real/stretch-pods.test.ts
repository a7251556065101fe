// What the pods of a Job run, as processes: every index of a file of stretches, killed and interrupted in between, between real servers.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { divide } from '../../src/migration/plan/stretches.ts';
import { stretchFileText } from '../../src/migration/stretches/stretch-file.ts';
import { startPrometheus } from '../support/servers.ts';
import { assertTotal } from './support/expectations.ts';
import { type MigrationRun, type MigrationSpec, runMigration, startMigration } from './support/migration.ts';
import { HOUR_MS, PROMETHEUS, SlowCopy, START_MS, VICTORIA_METRICS } from './support/slow-copy.ts';

const HOURS = 13;
const EXECUTION = { mode: 'Job', parallelism: 2, stretch: '4h' };

const { stretches } = divide({
  range: { startMs: START_MS, endMs: START_MS + HOURS * HOUR_MS },
  lengthMs: 4 * HOUR_MS,
  marks: [],
  uncertainMs: HOUR_MS,
  startMayHoldSamples: false,
});

let copy: SlowCopy;
let directory: string;
before(async () => {
  copy = await SlowCopy.start(HOURS);
  directory = mkdtempSync(join(tmpdir(), 'stretch-pods-'));
  writeFileSync(join(directory, 'stretches.json'), stretchFileText({ frozenEndMs: undefined, stretches }));
});
after(async () => {
  rmSync(directory, { recursive: true });
  await copy[Symbol.asyncDispose]();
});

interface Pod extends MigrationRun {
  /** The text of its termination message; undefined if it wrote none. */
  readonly termination: string | undefined;
}

let pods = 0;

/** Runs the pod of an index. The signal is sent when it has written for a while. */
async function runPod(spec: MigrationSpec, index: number, signal?: NodeJS.Signals, ...flags: string[]): Promise<Pod> {
  const log = join(directory, `termination-log-${pods++}`);
  const args = ['--stretches', join(directory, 'stretches.json'), '--termination-log', log, ...flags];
  await using pod = await startMigration(spec, { args, env: { JOB_COMPLETION_INDEX: String(index) } });
  if (signal !== undefined) {
    await pod.saying(/ migration started /);
    // The burst of the rate limit is written by then, and the window behind it is in flight.
    await sleep(1500);
    pod.child.kill(signal);
  }
  const run = await pod.ended;
  const termination = existsSync(log) ? readFileSync(log, 'utf8') : undefined;
  return Object.defineProperty(run, 'termination', { value: termination }) as Pod;
}

describe('the pods of a Job', () => {
  it('copy everything once, although one is killed and one is interrupted', async () => {
    assert.equal(stretches.length, 4);
    await using server = await VICTORIA_METRICS.start();
    const options = { ordering: 'Any', windowMax: '20m', execution: EXECUTION } as const;
    // Slow enough that a stretch takes longer than the time before the signals.
    const slow = copy.spec(VICTORIA_METRICS, server, { ...options, samplesPerSecond: 16_000 });
    const [killed, interrupted] = await Promise.all([runPod(slow, 1, 'SIGKILL'), runPod(slow, 0, 'SIGTERM')]);
    assert.deepEqual([killed.exitSignal, killed.termination], ['SIGKILL', undefined], killed.stderr);
    assert.deepEqual([interrupted.exitCode, interrupted.termination], [143, '{"code":"interrupted"}']);
    assert.ok(interrupted.result.windows > 0, 'the window in flight was finished');

    const spec = copy.spec(VICTORIA_METRICS, server, options);
    const ended = await Promise.all(stretches.map((_, index) => runPod(spec, index)));
    for (const { exitCode, stderr, termination, result } of ended) {
      assert.deepEqual([exitCode, termination, result.phase], [0, undefined, 'Succeeded'], stderr);
    }
    assert.equal(ended[0]?.result.resumedFrom, interrupted.result.through, 'it resumes where the other one stopped');
    assert.equal(ended[0]?.result.samplesAlreadyPresent, 0, 'nothing was left half done');
    assert.ok((ended[1]?.result.samplesAlreadyPresent ?? 0) > 0, 'what was half done was found');
    assert.equal(ended[2]?.result.resumedFrom, null);
    const samples = await copy.assertAllThereOnce(VICTORIA_METRICS, server, 'several');

    const again = await runPod(spec, 1);
    assert.deepEqual([again.exitCode, again.result.samplesRead], [0, 0], 'a finished stretch is not read again');
    const whole = await runMigration(spec);
    assert.deepEqual([whole.exitCode, whole.result.samplesRead], [0, 0], 'nothing is left to a run of the whole');
    assertTotal(whole.result, copy.countCopied(VICTORIA_METRICS));
    await copy.assertAllThereOnce(VICTORIA_METRICS, server, 'several');
    process.stdout.write(`      ${stretches.length} stretches, ${samples} samples compared, 0 differences\n`);
  });

  it('end with 1 if the destination refuses to receive, and say what to do', async () => {
    await using server = await startPrometheus({ version: '3.5' });
    const { exitCode, termination } = await runPod(copy.spec(PROMETHEUS, server, { ordering: 'Any' }), 0);
    assert.equal(exitCode, 1);
    const { code, side, message, hint } = JSON.parse(termination ?? '');
    assert.deepEqual([code, side], ['receiver-disabled', 'destination']);
    assert.match(message, /web\.enable-remote-write-receiver/);
    assert.match(hint, /start Prometheus/);
  });

  it('end with 5 if the destination does not respond in time: another attempt may find it', async () => {
    const nowhere = { url: 'http://127.0.0.1:1' };
    const spec = copy.spec(VICTORIA_METRICS, nowhere, { ordering: 'Any' });
    const { exitCode, termination } = await runPod(spec, 0, undefined, '--startup-deadline', '1s');
    assert.equal(exitCode, 5);
    assert.equal(JSON.parse(termination ?? '').code, 'unreachable');
  });
});
