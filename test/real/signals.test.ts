// SIGINT and SIGTERM: the window in flight is finished within the grace period, aborted after it, or aborted immediately on the second
// signal. The next run resumes at the right place each time.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { type MigrationRun, runMigration, startMigration } from './support/migration.ts';
import { PROMETHEUS, SlowCopy, START_MS } from './support/slow-copy.ts';

let copy: SlowCopy;
before(async () => {
  copy = await SlowCopy.start(3);
});
after(() => copy[Symbol.asyncDispose]());

interface Interruption {
  readonly title: string;
  /** 4000: a window of some minutes takes less than a second. 300: it takes minutes. */
  readonly samplesPerSecond: number;
  readonly args?: readonly string[];
  readonly signals: readonly NodeJS.Signals[];
  readonly exitCode: number;
  /** From the first signal to the end of the process. */
  readonly withinMs: number;
  readonly check: (run: MigrationRun, afterMs: number) => void;
}

const windowFinished: Interruption['check'] = ({ result }) => {
  assert.equal(result.phase, 'Interrupted');
  assert.equal(result.error, undefined);
  assert.ok(result.windows > 0 && Date.parse(result.through ?? '') > START_MS, 'the window in flight was finished');
};

const INTERRUPTIONS: readonly Interruption[] = [
  {
    title: 'SIGTERM waits for the window in flight and exits with 143',
    samplesPerSecond: 4000,
    signals: ['SIGTERM'],
    exitCode: 143,
    withinMs: 9000,
    check: windowFinished,
  },
  {
    title: 'SIGINT does the same and exits with 130',
    samplesPerSecond: 4000,
    signals: ['SIGINT'],
    exitCode: 130,
    withinMs: 9000,
    check: windowFinished,
  },
  {
    title: 'a window that takes longer than the grace period is aborted',
    samplesPerSecond: 300,
    args: ['--grace', '1s'],
    signals: ['SIGTERM'],
    exitCode: 143,
    withinMs: 3000,
    check: ({ result, stderr }, afterMs) => {
      assert.ok(afterMs >= 900, `ended after ${afterMs} ms: the grace period counts`);
      assert.equal(result.phase, 'Interrupted');
      assert.equal(result.windows, 0);
      assert.match(stderr, / SIGTERM: the grace period is over/);
    },
  },
  {
    title: 'a window without a grace period is aborted immediately',
    samplesPerSecond: 300,
    args: ['--grace', '0s'],
    signals: ['SIGTERM'],
    exitCode: 143,
    withinMs: 1000,
    check: ({ result }) => assert.equal(result.phase, 'Interrupted'),
  },
  {
    title: 'a second signal exits immediately, without a result, with the code of the first',
    samplesPerSecond: 300,
    signals: ['SIGINT', 'SIGTERM'],
    exitCode: 130,
    withinMs: 1500,
    check: (run) => {
      assert.match(run.stderr, / exiting immediately/);
      assert.throws(() => run.result, /printed no result/);
    },
  },
];

describe('a migration that is interrupted by a signal', () => {
  for (const { title, samplesPerSecond, args = [], signals, exitCode, withinMs, check } of INTERRUPTIONS) {
    it(`${title}; the next run resumes there`, async () => {
      await using server = await PROMETHEUS.start();
      const slow = copy.spec(PROMETHEUS, server, { samplesPerSecond });
      await using migration = await startMigration(slow, { args });
      await migration.saying(/ migration started /);
      // A burst of one second is written immediately; after it the window in flight is slow.
      await sleep(700);
      const signalledMs = Date.now();
      for (const [index, signal] of signals.entries()) {
        // Two signals within 50 ms count as one.
        if (index > 0) await sleep(300);
        migration.child.kill(signal);
      }
      const run = await migration.ended;
      const afterMs = Date.now() - signalledMs;
      assert.equal(run.exitCode, exitCode, run.stderr);
      assert.ok(afterMs <= withinMs, `ended ${afterMs} ms after the signal, allowed are ${withinMs}`);
      check(run, afterMs);

      const next = await runMigration(copy.spec(PROMETHEUS, server));
      assert.equal(next.exitCode, 0, next.stderr);
      if (check === windowFinished) {
        assert.equal(next.result.resumedFrom, run.result.through, 'it goes on where the first one stopped');
        assert.equal(next.result.samplesAlreadyPresent, 0, 'nothing was left half done');
      } else {
        assert.ok(next.result.samplesAlreadyPresent > 0, 'what was half done was found');
      }
      await copy.assertAllThereOnce(PROMETHEUS, server);
    });
  }

  it('before it has started exits immediately', async () => {
    await using server = await PROMETHEUS.start();
    const spec = copy.spec({ ...PROMETHEUS, protocol: 'PromQL', progressUrl: (base) => base }, server);
    await using migration = await startMigration(spec, { args: ['--log-level', 'debug'] });
    await migration.saying(/ request .*side=progress/);
    const signalledMs = Date.now();
    migration.child.kill('SIGINT');
    const { exitCode, result } = await migration.ended;
    assert.equal(exitCode, 130);
    assert.ok(Date.now() - signalledMs < 4000, 'it does not wait for the destination to settle');
    assert.equal(result.phase, 'Interrupted');
    assert.equal(result.samplesRead, 0);
  });
});
