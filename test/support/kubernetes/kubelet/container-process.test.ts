import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { ContainerProcess } from './container-process.ts';

const LONG_MS = 60_000;

describe('a container process of the test kubelet', () => {
  const start = (...argv: string[]) =>
    new ContainerProcess({ argv, env: { PATH: process.env['PATH'] ?? '' }, directory: tmpdir() });

  async function untilSays(container: ContainerProcess, pattern: RegExp): Promise<string> {
    for (;;) {
      const found = pattern.exec(container.output);
      if (found) return found[0];
      if (container.exit) assert.fail(`ended with ${container.exit.exitCode}: ${container.output}`);
      await sleep(10);
    }
  }

  it('ends with its exit code, or 128 + the number of the signal', async () => {
    assert.equal((await start('sh', '-c', 'exit 3').ended).exitCode, 3);
    assert.equal((await start('sh', '-c', 'kill -SEGV $$').ended).exitCode, 139);
  });

  it('ends with 128 and the reason when there is no such program', async () => {
    const { exitCode, startError } = await start('/nonexistent').ended;
    assert.equal(exitCode, 128);
    assert.match(startError ?? '', /ENOENT/);
  });

  it('gets SIGTERM, and has time to end', async () => {
    const container = start('sh', '-c', 'trap "echo stopping; exit 7" TERM; echo ready; while :; do sleep 0.1; done');
    await untilSays(container, /ready/);
    container.terminate(LONG_MS);
    assert.equal((await container.ended).exitCode, 7);
    assert.equal(container.output, 'ready\nstopping\n');
  });

  it('gets SIGKILL after the grace period, which a second call shortens', async () => {
    const container = start('sh', '-c', 'trap "" TERM; echo ready; while :; do sleep 0.1; done');
    await untilSays(container, /ready/);
    container.terminate(LONG_MS);
    container.terminate(1);
    assert.equal((await container.ended).exitCode, 137);
  });

  it('takes its children with it', async () => {
    const container = start('sh', '-c', 'sleep 1000 & echo $!; exit 0');
    const { exitCode } = await container.ended;
    assert.equal(exitCode, 0);
    const child = Number(container.output);
    assert.ok(child > 0);
    // It is a zombie until init has collected it.
    for (let left = 500; left > 0 && exists(child); left--) await sleep(10);
    assert.equal(exists(child), false);
  });
});

function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
