// The program as a process: what its exit code says when it ends on its own.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
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
});
