// `run --stretches` and `--termination-log`: what a pod of a Job copies, and how it reports its end.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommandLine } from '../../src/cli/command-line.ts';
import type { RunEngine } from '../../src/cli/job.ts';
import type { MigrationPlan } from '../../src/migration/plan/migration-plan.ts';
import type { MigrationResult, ResultError } from '../../src/migration/report/observer.ts';
import { stretchFileText } from '../../src/migration/stretches/stretch-file.ts';
import { endMs, fakeEngine, finished, someProgress, startMs } from './fake-engine.ts';
import { type FakeIo, fakeIo } from './fake-io.ts';

const middleMs = startMs + 12 * 3_600_000;
const STRETCHES = [
  { shard: '0', startMs, endMs: middleMs },
  { shard: new Date(middleMs).toISOString(), startMs: middleMs, endMs },
];

const WHOLE = {
  migration: 'default/demo',
  startMs,
  endMs,
  limits: {
    memoryBytes: 1000,
    inFlightWrites: 8,
    samplesPerWrite: 10,
    samplesPerSecond: 900,
    bytesPerSecond: undefined,
  },
  execution: { mode: 'Job', parallelism: 3, stretchMs: undefined, order: 'OldestFirst' },
  verification: { mode: 'Full', onDifference: 'Fail', onExtra: 'Report', settleMs: 1 },
  stretch: undefined,
} as MigrationPlan;

/** An engine that keeps the plan that it gets. `started` resolves when it runs: before, a signal has no handler. */
function engineFor(
  plan: MigrationPlan,
  migrate: Parameters<typeof fakeEngine>[0] = () => finished(),
): RunEngine & { seen: MigrationPlan | undefined; started: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const engine = {
    ...fakeEngine(migrate),
    seen: undefined as MigrationPlan | undefined,
    started: promise,
    prepare: () => ({ plan }),
    migrate: async (given: MigrationPlan, context: Parameters<typeof migrate>[0]) => {
      engine.seen = given;
      resolve();
      return migrate(context);
    },
  };
  return engine;
}

const failed = (error: ResultError): MigrationResult => ({ progress: someProgress({ phase: 'Failed' }), error });

describe('prom-migrator run --stretches', () => {
  let directory: string;
  let file: string;
  let log: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'run-stretch-'));
    file = join(directory, 'stretches.json');
    log = join(directory, 'termination-log');
  });
  beforeEach(() => {
    writeFileSync(file, stretchFileText({ frozenEndMs: undefined, stretches: STRETCHES }));
    rmSync(log, { force: true });
  });
  after(() => rmSync(directory, { recursive: true }));

  function run(io: FakeIo, engine: RunEngine, ...flags: string[]): Promise<number> {
    const argv = ['run', '-f', '-', '--stretches', file, '--termination-log', log, ...flags];
    return runCommandLine(argv, io, () => Promise.resolve(engine));
  }
  const termination = () => JSON.parse(readFileSync(log, 'utf8'));
  const inPod = (index: number) => fakeIo({ env: { JOB_COMPLETION_INDEX: String(index) } });

  it('copies the stretch of its index, with its part of the rates and all of the memory', async () => {
    const engine = engineFor(WHOLE);
    const io = inPod(1);
    assert.equal(await run(io, engine), 0, io.stderr.text);
    assert.deepEqual(engine.seen, {
      ...WHOLE,
      startMs: middleMs,
      stretch: { shard: '2026-01-01T12:00:00.000Z', frozenEndMs: undefined },
      limits: { ...WHOLE.limits, samplesPerSecond: 300 },
      verification: { ...WHOLE.verification, mode: 'Off' },
    });
    assert.ok(!existsSync(log), 'nothing is written after a success');
  });

  it('takes the index of the command line before that of the environment', async () => {
    const engine = engineFor(WHOLE);
    assert.equal(await run(inPod(1), engine, '--stretch-index', '0'), 0);
    assert.equal(engine.seen?.stretch?.shard, '0');
  });

  it('uses the end that the file has for a manifest without one, also while nothing may run', async () => {
    writeFileSync(file, stretchFileText({ frozenEndMs: endMs, stretches: STRETCHES }));
    const execution = { ...WHOLE.execution, parallelism: 0 };
    const engine = engineFor({ ...WHOLE, endMs: undefined, execution });
    assert.equal(await run(inPod(0), engine), 0);
    assert.deepEqual(engine.seen?.stretch, { shard: '0', frozenEndMs: endMs });
    assert.equal(engine.seen?.endMs, middleMs);
    assert.equal(engine.seen?.limits.samplesPerSecond, 900);
  });

  const never = () => engineFor(WHOLE, () => assert.fail('it must not start'));

  for (const [title, io, flags, message] of [
    ['without an index', fakeIo(), [], /--stretches needs --stretch-index NUMBER, or JOB_COMPLETION_INDEX/],
    ['with a bad index', fakeIo(), ['--stretch-index', '1.5'], /--stretch-index takes the number of an entry.*"1.5"/],
    ['with a bad index in the environment', fakeIo({ env: { JOB_COMPLETION_INDEX: 'x' } }), [], /JOB_COMPLETION_INDEX/],
  ] as const) {
    it(`is rejected ${title}`, async () => {
      assert.equal(await run(io, never(), ...flags), 2);
      assert.match(io.stderr.text, message);
      assert.equal(termination().code, 'bad-usage');
      assert.match(termination().message, message);
    });
  }

  it('is rejected if only the index is given', async () => {
    const io = fakeIo();
    const argv = ['run', '-f', '-', '--stretch-index', '0'];
    assert.equal(await runCommandLine(argv, io, () => Promise.resolve(never())), 2);
    assert.match(io.stderr.text, /--stretch-index needs --stretches FILE/);
  });

  it('is rejected with a file that has no such entry, with place and reason', async () => {
    const io = inPod(2);
    assert.equal(await run(io, never(), '-o', 'json'), 2);
    const problem = `${file}: stretches: has 2 entries, and none of them has the index 2`;
    assert.ok(io.stderr.text.includes(`${problem}\n`), io.stderr.text);
    assert.equal(JSON.parse(io.stdout.text).error.message, problem);
    assert.deepEqual(termination(), { code: 'bad-manifest', message: problem });
  });

  it('is rejected without the file', async () => {
    rmSync(file);
    const io = inPod(0);
    assert.equal(await run(io, never()), 2);
    assert.match(io.stderr.text, /stretches\.json: no such file/);
  });

  const ends: [title: string, result: MigrationResult, code: number][] = [
    ['a finished stretch', finished(), 0],
    ['a finished stretch with skipped samples', finished({ samplesRejected: { too_old: 3 } }), 0],
    ['a refusal', failed({ code: 'receiver-disabled', message: 'm', side: 'destination' }), 1],
    ['rejected samples', failed({ code: 'samples-rejected', message: 'm', side: 'destination' }), 1],
    ['credentials, which may be rotated', failed({ code: 'unauthorized', message: 'm', side: 'source' }), 5],
    ['a side that does not respond', failed({ code: 'unreachable', message: 'm', side: 'source' }), 5],
    ['a defect', failed({ code: 'internal', message: 'm' }), 5],
    ['a failure without a reason', { progress: someProgress({ phase: 'Failed' }) }, 5],
    ['an interruption without a signal', { progress: someProgress({ phase: 'Interrupted' }) }, 5],
  ];
  for (const [title, result, code] of ends) {
    it(`ends with ${code} after ${title}`, async () => {
      assert.equal(
        await run(
          inPod(0),
          engineFor(WHOLE, () => result),
        ),
        code,
      );
      assert.equal(existsSync(log), code !== 0);
    });
  }

  it('ends with 5 after a defect that is thrown', async () => {
    const io = inPod(0);
    const engine = engineFor(WHOLE, () => Promise.reject(new Error('boom at https://u:hunter2@host/')));
    assert.equal(await run(io, engine), 5);
    const { code, message } = termination();
    assert.equal(code, 'internal');
    assert.match(message, /^unexpected: boom at https:\/\/host\//);
  });

  it('writes code, side, message and hint of a failure', async () => {
    const error = { code: 'unauthorized', message: 'the response was 401', side: 'source', hint: 'set it' } as const;
    await run(
      inPod(0),
      engineFor(WHOLE, () => failed(error)),
    );
    assert.deepEqual(termination(), error);
  });

  for (const [title, flags] of [
    ['within the grace period', []],
    ['behind it', ['--grace', '0s']],
  ] as const) {
    it(`ends with 143 after a SIGTERM ${title}, and says that it was interrupted`, async () => {
      const io = inPod(0);
      const engine = engineFor(WHOLE, ({ stop, abort }) => {
        const signal = flags.length === 0 ? stop : abort;
        const result = { progress: someProgress({ phase: 'Interrupted' }) };
        return new Promise((resolve) => signal.addEventListener('abort', () => resolve(result)));
      });
      const ended = run(io, engine, ...flags);
      await engine.started;
      io.signals.emit('SIGTERM');
      await io.clock.advance(0);
      assert.equal(await ended, 143);
      assert.equal(readFileSync(log, 'utf8'), '{"code":"interrupted"}');
    });
  }

  it('says so before it exits immediately, too', async () => {
    const io = inPod(0);
    const engine = engineFor(WHOLE, () => new Promise(() => {}));
    void run(io, engine);
    await engine.started;
    io.signals.emit('SIGTERM');
    await io.clock.advance(60);
    io.signals.emit('SIGTERM');
    assert.deepEqual(io.exits, [143]);
    assert.equal(readFileSync(log, 'utf8'), '{"code":"interrupted"}');
  });

  it('ends with 0 if the signal came while the last window finished', async () => {
    const io = inPod(0);
    const engine = engineFor(WHOLE, ({ stop }) => {
      return new Promise((resolve) => stop.addEventListener('abort', () => resolve(finished())));
    });
    const ended = run(io, engine);
    await engine.started;
    io.signals.emit('SIGTERM');
    assert.equal(await ended, 0);
    assert.ok(!existsSync(log));
  });

  it('ends the same way if the termination log cannot be written, with a warning', async () => {
    const io = inPod(0);
    const engine = engineFor(WHOLE, () => failed({ code: 'unreachable', message: 'm', side: 'source' }));
    const elsewhere = join(directory, 'absent', 'log');
    assert.equal(
      await runCommandLine(['run', '-f', '-', '--stretches', file, `--termination-log=${elsewhere}`], io, () =>
        Promise.resolve(engine),
      ),
      5,
    );
    assert.match(io.stderr.text, / warn {2}the termination log could not be written: ENOENT.* file=/);
  });
});

describe('prom-migrator run --termination-log', () => {
  it('works without stretches, with the exit codes of a run', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'termination-log-'));
    try {
      const log = join(directory, 'log');
      const engine = fakeEngine(() => failed({ code: 'internal', message: 'm' }));
      const argv = ['run', '-f', '-', '--termination-log', log];
      assert.equal(await runCommandLine(argv, fakeIo(), () => Promise.resolve(engine)), 1);
      assert.deepEqual(JSON.parse(readFileSync(log, 'utf8')), { code: 'internal', message: 'm' });
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
