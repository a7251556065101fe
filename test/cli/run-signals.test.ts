import assert from 'node:assert/strict';

import { runCommandLine } from '../../src/cli/command-line.ts';
import type { RunEngine } from '../../src/cli/job.ts';
import type { MigrationContext } from '../../src/migration/migration-context.ts';
import { fakeEngine, finished, someProgress, startMs } from './fake-engine.ts';
import { type FakeIo, fakeIo, settle } from './fake-io.ts';

function run(io: FakeIo, engine: RunEngine, ...flags: string[]): Promise<number> {
  return runCommandLine(['run', '-f', '-', ...flags], io, () => Promise.resolve(engine));
}

describe('prom-migrator run on a signal', () => {
  /** Ends like the engine: after a stop or an abort. */
  function interruptible(endsAtStop: boolean) {
    const seen: { context?: MigrationContext } = {};
    const engine = fakeEngine((context) => {
      seen.context = context;
      return new Promise((resolve) => {
        const end = () => resolve({ progress: someProgress({ phase: 'Interrupted', watermarkMs: startMs + 1000 }) });
        (endsAtStop ? context.stop : context.abort).addEventListener('abort', end);
      });
    });
    return { engine, seen };
  }

  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    it(`stops on ${signal}, waits for the engine and exits with ${code}`, async () => {
      const io = fakeIo();
      const { engine, seen } = interruptible(true);
      const ended = run(io, engine, '-o', 'json');
      await settle();
      io.signals.emit(signal);
      assert.equal(seen.context?.stop.aborted, true);
      assert.equal(seen.context?.abort.aborted, false);
      assert.equal(await ended, code);
      assert.equal(JSON.parse(io.stdout.text).phase, 'Interrupted');
      assert.match(io.stderr.text, new RegExp(`${signal}: finishing the current window`));
    });
  }

  it('aborts when the grace period is over, and not before', async () => {
    const io = fakeIo();
    const { engine, seen } = interruptible(false);
    const ended = run(io, engine, '--grace', '3s');
    await settle();
    io.signals.emit('SIGTERM');
    await io.clock.advance(2_999);
    assert.equal(seen.context?.abort.aborted, false);
    await io.clock.advance(1);
    assert.equal(seen.context?.abort.aborted, true);
    assert.equal(await ended, 143);
  });

  it('exits immediately on the second signal, with the code of the first', async () => {
    const io = fakeIo();
    const { engine } = interruptible(false);
    const ended = run(io, engine, '--grace', '1m');
    await settle();
    io.signals.emit('SIGINT');
    await io.clock.advance(51);
    assert.deepEqual(io.exits, []);
    io.signals.emit('SIGTERM');
    assert.deepEqual(io.exits, [130]);
    await io.clock.advance(60_000);
    await ended;
  });

  for (const hours of [1, -1]) {
    it(`treats a signal forwarded by a launcher as the same one when the wall clock jumps by ${hours} h`, async () => {
      const io = fakeIo();
      const { engine } = interruptible(false);
      const ended = run(io, engine, '--grace', '1s');
      await settle();
      io.signals.emit('SIGTERM');
      io.clock.jump(hours * 3_600_000);
      io.signals.emit('SIGTERM');
      assert.deepEqual(io.exits, []);
      await io.clock.advance(1_000);
      assert.equal(await ended, 143);
    });
  }

  it('treats a second one within 50 ms, forwarded by a launcher, as the same one', async () => {
    const io = fakeIo();
    const { engine } = interruptible(false);
    const ended = run(io, engine, '--grace', '1s');
    await settle();
    io.signals.emit('SIGTERM');
    await io.clock.advance(49);
    io.signals.emit('SIGTERM');
    assert.deepEqual(io.exits, []);
    await io.clock.advance(1_000);
    assert.equal(await ended, 143);
  });

  it('keeps the exit code of a run that succeeds despite the signal', async () => {
    const io = fakeIo();
    const engine = fakeEngine(async (context) => {
      await new Promise((resolve) => context.stop.addEventListener('abort', resolve));
      return finished();
    });
    const ended = run(io, engine);
    await settle();
    io.signals.emit('SIGINT');
    assert.equal(await ended, 0);
  });

  it('removes its listeners and timers', async () => {
    const io = fakeIo();
    const { engine } = interruptible(true);
    const ended = run(io, engine);
    await settle();
    assert.equal(io.signals.listenerCount('SIGINT') + io.signals.listenerCount('SIGTERM'), 2);
    io.signals.emit('SIGINT');
    await ended;
    assert.equal(io.signals.listenerCount('SIGINT') + io.signals.listenerCount('SIGTERM'), 0);
    assert.equal(io.clock.sleepers, 0);
  });
});
