// Migrations in stretches between real servers: equal to the source bit for bit, also after kills between which the parallelism changes.
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { assertTotal } from './support/expectations.ts';
import { runMigration, startMigration } from './support/migration.ts';
import { type Destination, OUT_OF_ORDER_PROMETHEUS, SlowCopy, VICTORIA_METRICS } from './support/slow-copy.ts';

const HOURS = 26;
const KILLS = 20;

const DESTINATIONS: readonly [name: string, destination: Destination][] = [
  ['VictoriaMetrics', VICTORIA_METRICS],
  ['Prometheus with an out-of-order window', OUT_OF_ORDER_PROMETHEUS],
];

/** One of these for each run, so that every change of the parallelism occurs, in both orders. */
const EXECUTIONS = [
  { parallelism: 4 },
  { parallelism: 1 },
  { parallelism: 8, order: 'NewestFirst' },
  { parallelism: 4, stretch: '4h' },
  { parallelism: 2, order: 'NewestFirst' },
];

let copy: SlowCopy;
before(async () => {
  copy = await SlowCopy.start(HOURS);
});
after(() => copy[Symbol.asyncDispose]());

describe('a migration in stretches', () => {
  for (const [name, destination] of DESTINATIONS) {
    it(`is equal to the source: ${name}`, async () => {
      await using server = await destination.start();
      const execution = { parallelism: 4 };
      const { exitCode, stderr, result } = await runMigration(
        copy.spec(destination, server, { ordering: 'Any', execution }),
      );
      assert.equal(exitCode, 0, stderr);
      await copy.assertAllThereOnce(destination, server, 'several');
      assert.equal(result.samplesWritten, copy.countCopied(destination));

      const again = await runMigration(copy.spec(destination, server, { ordering: 'Any' }));
      assert.equal(again.exitCode, 0, again.stderr);
      assert.equal(again.result.samplesRead, 0, 'nothing was left to do for an undivided run');
      assertTotal(again.result, copy.countCopied(destination));
    });

    it(`loses nothing and writes nothing twice when it is killed ${KILLS} times: ${name}`, async () => {
      await using server = await destination.start();
      const options = { ordering: 'Any', windowMax: '30m' } as const;
      for (let kill = 0; kill < KILLS; kill++) {
        const execution = EXECUTIONS[kill % EXECUTIONS.length] ?? {};
        const spec = copy.spec(destination, server, { ...options, execution, samplesPerSecond: 30_000 });
        await using migration = await startMigration(spec, { args: ['--log-level', 'debug'] });
        await migration.saying(/ migration started /);
        await sleep(randomInt(1500));
        migration.child.kill('SIGKILL');
        const { exitSignal, exitCode, stderr } = await migration.ended;
        assert.equal(exitSignal, 'SIGKILL', `run ${kill + 1} ended by itself with ${exitCode}:\n${stderr}`);
      }
      const last = await runMigration(copy.spec(destination, server, { ...options, execution: { parallelism: 3 } }));
      assert.equal(last.exitCode, 0, last.stderr);
      const samples = await copy.assertAllThereOnce(destination, server, 'several');
      assertTotal(last.result, copy.countCopied(destination));
      const { resumedFrom, samplesAlreadyPresent } = last.result;
      process.stdout.write(
        `      ${name}: ${KILLS} kills, ${samples} samples compared, 0 differences, ` +
          `${samplesAlreadyPresent} found present by the last run, which resumed at ${resumedFrom}\n`,
      );
    });
  }
});
