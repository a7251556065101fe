// The bound that docs/operations.md states: whatever a server sends, the process takes at most 150 MiB more than `limits.memory`. Every
// case is one kind of hostile or broken server, and runs the packaged program. Only on Linux, which reports the peak memory of a process.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { run } from '../support/child-output.ts';
import { type HostileCase, specOf } from './support/hostile-case.ts';
import { hostileCases } from './support/hostile-cases.ts';
import { tell } from './support/expectations.ts';
import { startHostileServer } from './support/hostile-server.ts';
import { manifestOf } from './support/migration.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const MEBIBYTE = 2 ** 20;
/** A hostile server can keep a migration busy indefinitely: the measurement continues for this long after the attack. */
const MEASURED_AFTER_MS = 3_000;
const MEASURED_AT_MOST_MS = 100_000;

const nothingToRead: HostileCase = { title: 'an empty source', sides: {}, says: /"phase": ?"Succeeded"/ };

interface Measured {
  readonly peakBytes: number;
  readonly output: string;
}

/** Runs the program against the servers of one case, to its end or for the time of the case, and measures its peak resident size. */
async function measure(hostile: HostileCase, memoryMebibytes: number): Promise<Measured> {
  await using server = await startHostileServer(hostile.sides);
  const directory = await mkdtemp(join(tmpdir(), 'prom-migrator-memory-'));
  try {
    const file = join(directory, 'migration.yaml');
    await writeFile(file, JSON.stringify(manifestOf(specOf(hostile, server.url, memoryMebibytes))));
    // The launcher replaces itself with Node and the flags that keep memory small.
    const args = [join(ROOT, 'bin/prom-migrator.mjs'), 'run', '-f', file, '--output', 'json'];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let stop = setTimeout(() => child.kill('SIGKILL'), MEASURED_AT_MOST_MS);
    let said = false;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        if (said || !hostile.says.test(output)) return;
        said = true;
        clearTimeout(stop);
        stop = setTimeout(() => child.kill('SIGKILL'), MEASURED_AFTER_MS);
      });
    }
    let peakBytes = 0;
    const watch = setInterval(async () => {
      peakBytes = Math.max(peakBytes, await highWaterMark(child.pid));
    }, 20);
    await new Promise((done) => child.on('close', done));
    clearInterval(watch);
    clearTimeout(stop);
    return { peakBytes, output };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function highWaterMark(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}

describe('the memory of a migration', function () {
  this.timeout(MEASURED_AT_MOST_MS + 60_000);

  before(async function () {
    if (process.platform !== 'linux') this.skip();
    await run(process.execPath, [join(ROOT, 'scripts/build.ts')], { cwd: ROOT });
  });

  it('starts small: a program that has read a manifest takes less than 90 MiB', async () => {
    const { peakBytes, output } = await measure(nothingToRead, 32);
    const peak = Math.round(peakBytes / MEBIBYTE);
    assert.match(output, nothingToRead.says);
    assert.ok(peakBytes > 50 * MEBIBYTE && peakBytes < 90 * MEBIBYTE, `${peak} MiB\n${output}`);
    tell(`${peak} MiB`);
  });

  for (const hostile of hostileCases) {
    for (const memoryMebibytes of hostile.memoryMebibytes ?? [128]) {
      it(`stays within ${memoryMebibytes} + 150 MiB: ${hostile.title}`, async () => {
        const { peakBytes, output } = await measure(hostile, memoryMebibytes);
        const peak = Math.round(peakBytes / MEBIBYTE);
        assert.ok(peakBytes > 50 * MEBIBYTE, `nothing was measured: ${peak} MiB\n${output}`);
        assert.match(output, hostile.says);
        assert.ok(peakBytes <= (memoryMebibytes + 150) * MEBIBYTE, `${peak} MiB\n${output.slice(-2000)}`);
        tell(`${peak} MiB`);
      });
    }
  }
});
