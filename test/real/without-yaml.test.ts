// A migration without a manifest: `init` piped into `run -f -`, and `run --source --destination`, killed at its marks and repeated. Both sides are
// compared by independent readers.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import type { RunResult } from '../../src/cli/result.ts';
import { runCommand } from './support/command.ts';
import { startMarkRelay } from './support/mark-relay.ts';
import { type Destination, HOUR_MS, PROMETHEUS, SlowCopy, START_MS, VICTORIA_METRICS } from './support/slow-copy.ts';

const MAIN = resolve(import.meta.dirname, '../../src/main.ts');
const HOURS = 3;
const KILLS = 2;
const RANGE = ['--start', String(START_MS / 1000), '--end', new Date(START_MS + HOURS * HOUR_MS).toISOString()];
const DESTINATIONS: readonly (readonly [string, Destination])[] = [
  ['VictoriaMetrics', VICTORIA_METRICS],
  ['Prometheus', PROMETHEUS],
];

let copy: SlowCopy;
before(async () => {
  copy = await SlowCopy.start(HOURS);
});
after(() => copy[Symbol.asyncDispose]());

function flagsOf(destination: Destination, url: string): string[] {
  const selectors = destination.selectors.flatMap((selector) => ['--selector', selector]);
  return ['--source', copy.source.url, '--destination', url, ...RANGE, ...selectors];
}

/** Runs until the end, or until a mark is stored for which `kill` is true: then the process gets a SIGKILL and never sees the acknowledgement. */
async function runUntilMark(
  flags: readonly string[],
  onChild: (kill: () => void) => void,
): Promise<string | undefined> {
  const child = spawn(process.execPath, [MAIN, 'run', ...flags, '-o', 'json'], {
    timeout: 60_000,
    killSignal: 'SIGKILL',
  });
  onChild(() => child.kill('SIGKILL'));
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const code = await new Promise<number | null>((done, failed) => {
    child.on('error', failed);
    child.on('close', done);
  });
  if (code === null) return undefined;
  assert.equal(code, 0, stderr);
  return stdout;
}

for (const [name, destination] of DESTINATIONS) {
  describe(`without a manifest, from Prometheus to ${name}`, () => {
    it('init writes one that runs', async () => {
      await using server = await destination.start();
      const init = await runCommand(['init', ...flagsOf(destination, server.url)]);
      assert.equal(init.exitCode, 0, init.stderr);
      assert.match(init.stderr, new RegExp(`^destination: ${name}[ ,]`, 'm'));
      const run = await runCommand(['run', '-f', '-', '-o', 'json'], { stdin: init.stdout });
      assert.equal(run.exitCode, 0, run.stderr);
      await copy.assertAllThereOnce(destination, server);
      // They know the same migration by the flags.
      const again = await runCommand([name === 'Prometheus' ? 'plan' : 'verify', ...flagsOf(destination, server.url)]);
      assert.equal(again.exitCode, 0, again.stderr);
      assert.match(again.stdout, name === 'Prometheus' ? /copy-has-begun/ : /missing +0/);
    });

    it('run resumes at each kill', async () => {
      await using server = await destination.start();
      let kills = 0;
      let kill = () => {};
      const isKilled = () => {
        if (kills === KILLS) return false;
        kills++;
        kill();
        return true;
      };
      await using relay = await startMarkRelay(server.url, isKilled);
      const flags = flagsOf(destination, relay.url);
      let output: string | undefined;
      for (let run = 1; output === undefined; run++) {
        assert.ok(run <= KILLS + 1, 'ends after the kills');
        output = await runUntilMark(flags, (killChild) => {
          kill = killChild;
        });
      }
      assert.equal(kills, KILLS);
      const result = JSON.parse(output) as RunResult;
      assert.notEqual(result.resumedFrom, null);
      assert.equal(result.total?.samplesRead, copy.countCopied(destination));
      await copy.assertAllThereOnce(destination, server);
    });
  });
}

describe('without a manifest', () => {
  it('start defaults to the oldest sample of a Prometheus', async () => {
    const init = await runCommand(['init', '--source', copy.source.url, '--destination', copy.source.url]);
    assert.equal(init.exitCode, 0, init.stderr);
    assert.match(init.stdout, new RegExp(`^ {4}start: ${new Date(START_MS).toISOString().replace('.000', '')}$`, 'm'));
  });

  it('a side that does not respond ends run with exit code 1, and init says how to write a manifest nevertheless', async () => {
    const ends = ['--source', 'http://127.0.0.1:9', '--destination', copy.source.url, ...RANGE];
    const run = await runCommand(['run', ...ends, '--startup-deadline', '1s']);
    assert.equal(run.exitCode, 1);
    assert.match(run.stderr, /^prom-migrator: source refuses connections at 127\.0\.0\.1:9/m);
    const init = await runCommand(['init', ...ends, '--offline']);
    assert.equal(init.exitCode, 0, init.stderr);
    assert.match(init.stdout, /# guessed: Prometheus/);
  });
});
