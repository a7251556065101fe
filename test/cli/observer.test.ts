import assert from 'node:assert/strict';
import { RunReporter } from '../../src/cli/observer.ts';
import type { MigrationEvent, MigrationObserver } from '../../src/migration/report/observer.ts';
import type { LogLevel } from '../../src/telemetry/log-options.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { endMs, someProgress, startMs } from './fake-engine.ts';
import { FakeClock } from './fake-io.ts';

function reporter(level: LogLevel = 'info', others: readonly MigrationObserver[] = []) {
  const clock = new FakeClock();
  const lines: string[] = [];
  const write = (line: string) => lines.push(line.slice('2026-01-02T03:04:05.678Z '.length));
  const logger = createLogger({ level, format: 'text', colour: false, clock, write });
  return { clock, lines, reporter: new RunReporter({ logger, clock, others }) };
}

const retry: Extract<MigrationEvent, { type: 'retry' }> = {
  type: 'retry',
  side: 'source',
  code: 'connection-refused',
  message: 'nothing listens on 127.0.0.1:9090',
  attempt: 1,
  delayMs: 1500,
};

describe('the run observer', () => {
  const events: [MigrationEvent, string | undefined][] = [
    [
      { type: 'started', startMs, endMs, memoryBytes: 64 * 2 ** 20 },
      'info  migration started start=2026-01-01T00:00:00.000Z end=2026-01-02T00:00:00.000Z memory="64.0 MiB"',
    ],
    [
      { type: 'resumed', fromMs: startMs, samplesBefore: 77 },
      'info  resuming at the mark in the destination from=2026-01-01T00:00:00.000Z samplesBefore=77',
    ],
    [
      { type: 'verification-resumed', fromMs: startMs, samplesBefore: 78 },
      'info  resuming the verification from=2026-01-01T00:00:00.000Z samplesBefore=78',
    ],
    [
      { type: 'reads-json', reason: 'the server has no native export' },
      'info  the destination is read through /api/v1/export, not /api/v1/export/native reason="the server has no native export"',
    ],
    [
      { type: 'already-finished', throughMs: endMs - 1 },
      'info  an earlier run has finished this migration: nothing to do through=2026-01-01T23:59:59.999Z',
    ],
    [
      { type: 'divided', stretches: 244, finished: 12, lengthMs: 57_600_000, remaining: [] },
      'info  copying in stretches stretches=256 finished=12 length=16h',
    ],
    [{ type: 'stretch-finished', startMs, endMs }, undefined],
    [
      { type: 'window-split', fromMs: startMs, toMs: endMs, reason: 'sample limit', by: 'time' },
      'info  window split by=time from=2026-01-01T00:00:00.000Z to=2026-01-02T00:00:00.000Z reason="sample limit"',
    ],
    [
      retry,
      'warn  retrying side=source code=connection-refused attempt=1 delay=2s error="nothing listens on 127.0.0.1:9090"',
    ],
    [
      {
        type: 'rejected',
        reason: 'too_old',
        samples: 3,
        response: 'out of bounds',
        example: { labels: '{__name__="up", evil="\u001b[2J\n"}', timeMs: startMs },
      },
      'warn  the destination rejected samples reason=too_old samples=3 series="{__name__=\\"up\\", evil=\\"\\u001b[2J\\n\\"}" sampleTime=2026-01-01T00:00:00.000Z response="out of bounds"',
    ],
    [
      { type: 'warning', code: 'at-least-once', message: 'no resume point' },
      'warn  no resume point code=at-least-once',
    ],
    [
      { type: 'window-finished', fromMs: startMs, toMs: endMs, samplesRead: 1, samplesWritten: 1, seconds: 1 },
      undefined,
    ],
    [{ type: 'request', side: 'source', status: 200, seconds: 1, sentBytes: 1, receivedBytes: 1 }, undefined],
    [{ type: 'finished', phase: 'Succeeded' }, undefined],
  ];
  for (const [event, line] of events) {
    it(`${line === undefined ? 'logs at debug level' : 'logs'}: ${event.type}`, () => {
      const info = reporter();
      info.reporter.event(event);
      assert.deepEqual(info.lines, line === undefined ? [] : [line]);
      const debug = reporter('debug');
      debug.reporter.event(event);
      assert.equal(debug.lines.length, 1);
    });
  }

  it('logs at most one retry line per second, side and code, and counts the others', async () => {
    const { clock, lines, reporter: run } = reporter();
    for (let attempt = 0; attempt < 5; attempt++) run.event({ ...retry, delayMs: 0 });
    run.event({ ...retry, side: 'destination' });
    run.event({ ...retry, code: 'unavailable' });
    assert.equal(lines.length, 3);
    await clock.advance(1000);
    run.event(retry);
    assert.match(lines[3] ?? '', /side=source code=connection-refused .*unlogged=4/);
    run.event(retry);
    run.event(retry);
    run.stop();
    assert.deepEqual(lines.slice(4), [
      'warn  further retries, not logged individually side=source code=connection-refused retries=2',
    ]);
  });

  for (const hours of [1, -1]) {
    it(`shows the correct rate, at the usual interval, when the wall clock jumps by ${hours} h`, async () => {
      const { clock, lines, reporter: run } = reporter();
      const running = run.run();
      for (let second = 1; second <= 35; second++) {
        if (second === 15) clock.jump(hours * 3_600_000);
        const watermarkMs = startMs + second * 60_000;
        run.progress(someProgress({ phase: 'Running', watermarkMs, samplesWritten: second * 1000 }));
        await clock.advance(1_000);
      }
      run.stop();
      await running;
      assert.equal(lines.length, 3);
      for (const line of lines) assert.match(line, /rate=1\.0k\/s .*eta=2[34]m/);
    });
  }

  it('forwards every event to the other observers', () => {
    const seen: unknown[] = [];
    const other = { progress: (progress: unknown) => seen.push(progress), event: (event: unknown) => seen.push(event) };
    const { reporter: run } = reporter('error', [other]);
    const progress = someProgress();
    run.progress(progress);
    run.event(retry);
    assert.deepEqual(seen, [progress, retry]);
  });

  it('stops its loop when stopped', async () => {
    const { clock, reporter: run } = reporter();
    const running = run.run();
    await clock.advance(3000);
    run.stop();
    await running;
    assert.equal(clock.sleepers, 0);
  });
});
