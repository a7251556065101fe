import assert from 'node:assert/strict';
import { runTogether } from '../../../bench/scale/together.ts';

const node = (script: string) => ({ program: process.execPath, args: ['-e', script] });

describe('commands that run together', () => {
  it('are measured together', async () => {
    const busy = node('const end = process.cpuUsage().user + 150_000; while (process.cpuUsage().user < end);');
    const { cpuMs, peakRssBytes, wallMs } = await runTogether([busy, busy]);
    assert.ok(cpuMs >= 280, `${cpuMs} ms`);
    assert.ok(wallMs > 0);
    // A process that ends before it is looked at has no peak.
    assert.ok(peakRssBytes === 0 || peakRssBytes > 1e7);
  });

  it('end when one of them fails, with its output as the error', async () => {
    const fails = node('console.error("no such migration"); process.exitCode = 3;');
    const waits = node('setInterval(() => {}, 1000);');
    await assert.rejects(runTogether([waits, fails]), /failed:\nno such migration/);
  });
});
