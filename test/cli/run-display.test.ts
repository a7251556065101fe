import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { runCommandLine } from '../../src/cli/command-line.ts';
import type { RunEngine } from '../../src/cli/job.ts';

import { endMs, fakeEngine, finished, someProgress, startMs } from './fake-engine.ts';
import { type FakeIo, fakeIo } from './fake-io.ts';
import { FakeTerminal } from './fake-terminal.ts';

function run(io: FakeIo, engine: RunEngine, ...flags: string[]): Promise<number> {
  return runCommandLine(['run', '-f', '-', ...flags], io, () => Promise.resolve(engine));
}

describe('prom-migrator run --metrics-address', () => {
  it('serves /metrics and /livez only while it runs', async () => {
    const io = fakeIo();
    let metrics = '';
    let base = '';
    const engine = fakeEngine(async ({ observer }) => {
      base = /url=(\S+)/.exec(io.stderr.text)?.[1] ?? '';
      const progress = someProgress({ samplesRead: 10, samplesWritten: 7, watermarkMs: startMs + 21_600_000 });
      observer.progress(progress);
      observer.event({
        type: 'request',
        side: 'source',
        status: 200,
        seconds: 0.5,
        sentBytes: 10,
        receivedBytes: 2000,
      });
      progress.samplesWritten = 8;
      metrics = await (await fetch(`${base}/metrics`)).text();
      assert.equal((await fetch(`${base}/livez`)).status, 200);
      return finished();
    });
    assert.equal(await run(io, engine, '--metrics-address', '127.0.0.1:0'), 0);
    assert.match(metrics, /^prom_migrator_samples_written_total\{migration="default\/demo"\} 8$/m);
    assert.match(metrics, /^prom_migrator_completed_ratio\{migration="default\/demo"\} 0\.25$/m);
    assert.match(metrics, /^prom_migrator_http_received_bytes_total\{migration="default\/demo",side="source"\} 2000$/m);
    await assert.rejects(fetch(`${base}/livez`));
  });

  it('exits with code 1 and an error before anything is migrated when the address is in use', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    const io = fakeIo();
    let migrated = false;
    const engine = fakeEngine(() => {
      migrated = true;
      return finished();
    });
    const code = await run(io, engine, '--metrics-address', `127.0.0.1:${port}`);
    server.close();
    assert.equal(code, 1);
    assert.equal(migrated, false);
    assert.match(io.stderr.text, new RegExp(`cannot listen on 127.0.0.1:${port}: the port is in use \\(EADDRINUSE\\)`));
  });
});

describe('prom-migrator run on stderr', () => {
  const later = startMs + (endMs - startMs) / 2;

  it('writes a progress line without escape codes every ten seconds when it is not a terminal', async () => {
    const io = fakeIo();
    const engine = fakeEngine(async ({ observer }) => {
      const progress = someProgress({ windowMs: 7_200_000, waitingFor: 'source' });
      observer.progress(progress);
      await io.clock.advance(5_000);
      progress.reachedMs = (startMs + later) / 2;
      await io.clock.advance(5_000);
      progress.watermarkMs = later;
      progress.reachedMs = later;
      progress.samplesWritten = 5_000;
      observer.progress(progress);
      await io.clock.advance(10_000);
      return finished();
    });
    await run(io, engine);
    const lines = io.stderr.lines.filter((line) => line.includes('progress percent'));
    assert.equal(lines.length, 2);
    assert.match(
      lines[1] ?? '',
      /^2026-01-02T03:04:25\.678Z info {2}progress percent=50\.0% through=2026-01-01T12:00:00\.000Z samples=5000 rate=\d+\/s window=2h waiting=source eta=\d+s$/,
    );
    assert.ok(!io.stderr.text.includes('\u001b'));
  });

  const stretches = { total: 256, finished: 12, running: [{ startMs, endMs, completedRatio: 0.5 }], failed: [] };

  it('counts the finished stretches in the progress line', async () => {
    const io = fakeIo();
    const engine = fakeEngine(async ({ observer }) => {
      observer.progress(someProgress({ stretches }));
      await io.clock.advance(10_000);
      return finished();
    });
    await run(io, engine);
    assert.match(io.stderr.text, / progress percent=0\.0% through=\S+ stretches=12\/256 samples=0 /);
  });

  it('draws the running stretches below the bar and erases them at the end', async () => {
    const io = fakeIo({ tty: true, env: { NO_COLOR: '1', LANG: 'C' } });
    const terminal = new FakeTerminal(120, 24);
    const engine = fakeEngine(async ({ observer }) => {
      observer.progress(someProgress({ stretches }));
      await io.clock.advance(200);
      observer.event({ type: 'divided', stretches: 244, finished: 12, lengthMs: endMs - startMs, remaining: [] });
      assert.match(terminal.screen.at(-3) ?? '', / info {2}copying in stretches stretches=256 finished=12 length=1d$/);
      assert.match(terminal.screen.at(-2) ?? '', /^ {2}0\.0% .* 12\/256 stretches /);
      assert.equal(terminal.screen.at(-1), '   50.0% #####.....  2026-01-01 00:00 to 2026-01-02 00:00');
      return finished();
    });
    await run({ ...io, stderr: terminal as unknown as FakeIo['stderr'] }, engine);
    const [line, migrationFinished, last] = terminal.screen.slice(-3);
    assert.match(line ?? '', / copying in stretches /);
    assert.match(migrationFinished ?? '', / migration finished /);
    assert.equal(last, '');
  });

  it('draws a bar on a terminal, prints log lines above it and erases it at the end', async () => {
    const io = fakeIo({ tty: true, env: { NO_COLOR: '1', LANG: 'C' } });
    const engine = fakeEngine(async ({ observer }) => {
      observer.progress(someProgress({ watermarkMs: later }));
      await io.clock.advance(200);
      observer.event({ type: 'warning', code: 'not-stored', message: 'look here' });
      return finished();
    });
    await run(io, engine);
    assert.match(
      io.stderr.text,
      /\r 50\.0% #+\.+ {2}through 2026-01-01 12:00:00 .*\p{Cc}\[K\r\p{Cc}\[K2026\S+ warn {2}look here code=not-stored\n 50\.0%/u,
    );
    assert.match(io.stderr.text, /\r\p{Cc}\[K2026\S+ info {2}migration finished [^\r]*\n$/u);
    assert.ok(!/\p{Cc}\[\d+m/u.test(io.stderr.text), 'NO_COLOR is honoured');
  });

  for (const [name, env, flags] of [
    ['TERM=dumb', { TERM: 'dumb' }, []],
    ['--log-format json', {}, ['--log-format', 'json']],
  ] as const) {
    it(`draws no bar with ${name}`, async () => {
      const io = fakeIo({ tty: true, env });
      const engine = fakeEngine(async ({ observer }) => {
        observer.progress(someProgress());
        await io.clock.advance(11_000);
        return finished();
      });
      await run(io, engine, ...flags);
      assert.ok(!/[^\P{Cc}\n]/u.test(io.stderr.text));
      assert.equal(io.stderr.lines.filter((line) => line.includes('percent')).length, 1);
    });
  }
});
