// The program as a process: what its exit code says when it ends on its own.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

describe('the process of a command', () => {
  it('does not exit with 0 if it has nothing left to wait for before its work is done', async () => {
    // It waits for a manifest on a standard input that does not keep the process alive.
    const unref = 'data:text/javascript,process.stdin.unref()';
    const args = ['--import', unref, MAIN, 'run', '-f', '-'];
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'ignore', 'ignore'] });
    assert.deepEqual(await once(child, 'exit'), [1, null]);
    child.stdin.end();
  });

  it('ends a stretch with 5 and its termination message after an error that nothing catches', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'program-'));
    try {
      const log = join(directory, 'log');
      // Thrown by the first read of the manifest.
      const thrown =
        "data:text/javascript,Object.defineProperty(process, 'stdin', { get() { setImmediate(() => { " +
        "throw new Error('boom at https://u:hunter2@host/'); }); return (async function* () { await new Promise(() => {}); })(); } })";
      const flags = ['--stretches', 'absent', '--stretch-index', '0', '--termination-log', log];
      const args = ['--import', thrown, MAIN, 'run', '-f', '-', ...flags];
      const child = spawn(process.execPath, args, { stdio: 'ignore' });
      assert.deepEqual(await once(child, 'exit'), [5, null]);
      assert.deepEqual(JSON.parse(readFileSync(log, 'utf8')), {
        code: 'internal',
        message: 'unexpected: boom at https://host/',
      });
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('ends with the code of a signal that comes before there is work to finish, also as the first process of a container', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'program-'));
    try {
      const log = join(directory, 'log');
      // Sent when it waits for its manifest.
      const signalled =
        "data:text/javascript,const { stdin } = process; Object.defineProperty(process, 'stdin', { get() { " +
        "process.kill(process.pid, 'SIGTERM'); return stdin; } })";
      const args = ['--import', signalled, MAIN, 'run', '-f', '-', '--termination-log', log];
      const child = spawn(process.execPath, args, { stdio: ['pipe', 'ignore', 'ignore'] });
      // Without a handler, the signal itself would have ended it: [null, 'SIGTERM'].
      assert.deepEqual(await once(child, 'exit'), [143, null]);
      assert.equal(readFileSync(log, 'utf8'), '{"code":"interrupted"}');
      child.stdin.end();
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('says that an end does not respond, and ends with the code of a signal while it is retried for ever', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'program-'));
    try {
      const log = join(directory, 'log');
      // Port 9 of the loopback is the discard service, which nobody runs.
      const ends = ['--source', 'http://127.0.0.1:9', '--destination', 'http://127.0.0.1:9', '--start', '0'];
      const args = [MAIN, 'run', ...ends, '--startup-deadline', 'none', '--termination-log', log];
      const child = spawn(process.execPath, args, {
        stdio: ['ignore', 'ignore', 'pipe'],
        timeout: 60_000,
        killSignal: 'SIGKILL',
      });
      const ended = once(child, 'exit');
      let stderr = '';
      for await (const text of child.stderr.setEncoding('utf8')) {
        stderr += text;
        if (/source refuses connections.*retrying until it responds/.test(stderr)) child.kill('SIGTERM');
      }
      assert.deepEqual(await ended, [143, null], stderr);
      assert.equal(readFileSync(log, 'utf8'), '{"code":"interrupted"}');
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
