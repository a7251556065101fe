import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readdirSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDifferences } from '../../src/cli/difference-file.ts';
import type { DifferenceOutput } from '../../src/cli/difference-line.ts';
import { MigrationError } from '../../src/migration/report/migration-error.ts';
import type { Difference } from '../../src/migration/report/verification.ts';

const MEBIBYTE = 1024 * 1024;
const LONG = 'x'.repeat(10_000);
const never = new AbortController().signal;

function difference(timestampMs: number, labels = 'up'): Difference {
  return { labels, timestampMs, kind: 'missing', source: '1', destination: undefined };
}

const timesIn = (text: string) => [...text.matchAll(/"timestampMs":(\d+)/g)].map(([, time]) => Number(time));
const pause = () => new Promise((resolve) => setTimeout(resolve, 5));
const isMigrationError = (error: unknown) => {
  assert.ok(error instanceof MigrationError);
  assert.equal(error.code, 'differences-not-written');
  return error;
};

describe('the pipe of --differences', () => {
  let directory: string;
  let reader: number;
  let file: DifferenceOutput;
  const { TMPDIR } = process.env;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'differences-'));
    process.env['TMPDIR'] = directory;
    const path = join(directory, 'pipe');
    execFileSync('mkfifo', [path]);
    reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    file = openDifferences(path);
  });
  afterEach(() => {
    file.close();
    if (TMPDIR === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = TMPDIR;
    rmSync(directory, { recursive: true });
  });

  /** What is in the pipe now; undefined at its end. */
  function readNow(): string | undefined {
    const block = Buffer.alloc(MEBIBYTE);
    try {
      const bytes = readSync(reader, block);
      return bytes === 0 ? undefined : block.toString('utf8', 0, bytes);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return '';
      throw error;
    }
  }

  it('gets only what was kept', async () => {
    file.add(difference(1));
    await file.keep(never);
    file.add(difference(2));
    for (let i = 0; i < 50; i++) file.add(difference(2, LONG));
    file.discard();
    file.add(difference(3));
    await file.keep(never);
    file.expectMissing('rejected');
    file.add(difference(4));
    assert.deepEqual(timesIn(readNow() ?? ''), [1, 3]);
    closeSync(reader);
  });

  it('is waited for, with little memory and without blocking the process, however many lines there are', async () => {
    const lines = 5_000;
    const before = process.memoryUsage();
    for (let i = 0; i < lines; i++) file.add(difference(i, LONG));
    const { external, heapUsed } = process.memoryUsage();
    const grown = external + heapUsed - before.external - before.heapUsed;
    assert.ok(grown < 30 * MEBIBYTE, `${Math.round(grown / MEBIBYTE)} MiB for ${(lines * LONG.length) / MEBIBYTE} MiB`);
    let isKept = false;
    const kept = Promise.resolve(file.keep(never)).then(() => {
      isKept = true;
    });
    await pause();
    await pause();
    assert.equal(isKept, false);
    const times: number[] = [];
    let rest = '';
    while (times.length < lines) {
      rest += readNow() ?? '';
      const end = rest.lastIndexOf('\n') + 1;
      times.push(...timesIn(rest.slice(0, end)));
      rest = rest.slice(end);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await kept;
    assert.deepEqual(
      times,
      Array.from({ length: lines }, (_, i) => i),
    );
    closeSync(reader);
    assert.deepEqual(readdirSync(directory), ['pipe'], 'the temporary file has no name');
  });

  it('says so when its reader has ended', async () => {
    closeSync(reader);
    file.add(difference(1));
    await assert.rejects(
      async () => await file.keep(never),
      (error) => {
        assert.match(
          isMigrationError(error).message,
          /--differences: cannot write ".*pipe": the reader of the pipe has ended/,
        );
        return true;
      },
    );
  });

  it('says so when its reader ends while it is waited for', async () => {
    for (let i = 0; i < 100; i++) file.add(difference(i, LONG));
    const kept = Promise.resolve(file.keep(never));
    await pause();
    closeSync(reader);
    await assert.rejects(kept, (error) => {
      assert.match(isMigrationError(error).message, /the reader of the pipe has ended/);
      return true;
    });
  });

  it('is not waited for any longer once the run is aborted', async () => {
    const abort = new AbortController();
    for (let i = 0; i < 100; i++) file.add(difference(i, LONG));
    const kept = Promise.resolve(file.keep(abort.signal));
    await pause();
    abort.abort(new Error('the grace period is over'));
    await assert.rejects(kept, /grace period/);
    closeSync(reader);
  });
});

describe('a device as the file of --differences', () => {
  it('gets the lines, and its errors are reported', async () => {
    const full = openDifferences('/dev/full');
    full.add(difference(1));
    await assert.rejects(
      async () => await full.keep(never),
      (error) => {
        assert.match(isMigrationError(error).message, /cannot write "\/dev\/full": .*no space/i);
        return true;
      },
    );
    full.close();
    const none = openDifferences('/dev/null');
    none.add(difference(1));
    await none.keep(never);
    none.close();
  });
});
