// A destination that adds labels to every series: a Prometheus with external labels, read by remote_read. Samples of a killed run are
// recognized with them, so that a resume sends only the missing ones and nothing is rejected.
import assert from 'node:assert/strict';
import { startPrometheus } from '../support/servers.ts';
import { runMigration, startMigration } from './support/migration.ts';
import { type Destination, PROMETHEUS, SlowCopy } from './support/slow-copy.ts';

const LABELLED: Destination = {
  ...PROMETHEUS,
  start: () =>
    startPrometheus({
      version: '3.5',
      receiver: true,
      nativeHistograms: true,
      config: 'global:\n  external_labels:\n    cluster: eu\n    replica: a\n',
    }),
};

describe('a migration into a Prometheus with external labels', () => {
  for (const [moment, windows] of [
    ['before the first mark', 0],
    ['after a mark', 2],
  ] as const) {
    it(`that is killed ${moment} resumes with the missing samples`, async () => {
      await using copy = await SlowCopy.start(2);
      await using destination = await LABELLED.start();
      {
        const spec = copy.spec(LABELLED, destination, { samplesPerSecond: 4000, windowMax: '10m' });
        await using migration = await startMigration(spec, { args: ['--log-level', 'debug'] });
        // A window has several requests: the next one was partly written.
        await migration.saying(new RegExp(`( window finished [^]*){${windows}}( request .*side=destination[^]*){2}`));
        migration.child.kill('SIGKILL');
        assert.equal((await migration.ended).exitSignal, 'SIGKILL');
      }
      const last = await runMigration(copy.spec(LABELLED, destination), { args: ['--log-level', 'debug'] });
      assert.equal(last.exitCode, 0, last.stderr);
      assert.ok(last.result.samplesAlreadyPresent > 0, 'something was there');
      assert.deepEqual(last.result.samplesRejected, {});
      assert.doesNotMatch(last.stderr, / request .*side=destination.*status=[45]/);
      await copy.assertAllThereOnce(LABELLED, destination);
    });
  }
});
