// SIGKILL between a mark and the result of a run: the totals of all runs are restored from the counts beside the mark, in real stores.
import assert from 'node:assert/strict';
import { assertTotal } from './support/expectations.ts';
import { runMigration, startMigration } from './support/migration.ts';
import { startMarkRelay } from './support/mark-relay.ts';
import { type Destination, HOUR_MS, PROMETHEUS, SlowCopy, START_MS, VICTORIA_METRICS } from './support/slow-copy.ts';

const HOURS = 2;
const END_MS = START_MS + HOURS * HOUR_MS;

const DESTINATIONS: readonly [title: string, Destination][] = [
  ['Prometheus by RemoteRead', PROMETHEUS],
  ['VictoriaMetrics by PromQL', VICTORIA_METRICS],
];

describe('the counts of all runs', () => {
  let copy: SlowCopy;
  before(async () => {
    copy = await SlowCopy.start(HOURS);
  });
  after(() => copy[Symbol.asyncDispose]());

  for (const [title, destination] of DESTINATIONS) {
    for (const [moment, isMoment] of [
      ['its first mark', () => true],
      ['its last mark', (timeMs: number) => timeMs === END_MS - 1],
    ] as const) {
      it(`survive a SIGKILL just after a run has written ${moment}: ${title}`, async () => {
        await using server = await destination.start();
        let kill = () => {};
        await using relay = await startMarkRelay(server.url, (timeMs) => {
          if (!isMoment(timeMs)) return false;
          kill();
          return true;
        });
        const spec = copy.spec(destination, server, { through: relay, windowMax: '20m', samplesPerSecond: 20_000 });
        {
          await using migration = await startMigration(spec);
          kill = () => migration.child.kill('SIGKILL');
          assert.equal((await migration.ended).exitSignal, 'SIGKILL');
        }
        const direct = copy.spec(destination, server, { windowMax: '20m' });
        const last = await runMigration(direct);
        assert.equal(last.exitCode, 0, last.stderr);
        assert.notEqual(last.result.resumedFrom, null);
        await copy.assertAllThereOnce(destination, server);
        const samples = copy.countCopied(destination);
        assertTotal(last.result, samples);
        // Nothing is left to copy, and the totals are still known.
        const again = await runMigration(direct);
        assert.equal(again.result.samplesRead, 0);
        assertTotal(again.result, samples);
        assert.equal(again.result.total?.windows, last.result.total?.windows);
      });
    }
  }
});
