// A migration in mode Job between real stores, while its pods are killed at random: afterwards the destination has every sample once, according
// to independent readers.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { tell } from '../real/support/expectations.ts';
import { SlowCopy, VICTORIA_METRICS } from '../real/support/slow-copy.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { JobStage } from './support/job-stage.ts';

const HOURS = 8;
const KILLS = 4;

describe('a migration in mode Job between real stores', function () {
  this.timeout(600_000);
  let stage: JobStage;
  let copy: SlowCopy;
  let victoriaMetrics: ServerProcess;

  before(async function () {
    this.timeout(900_000);
    stage = await JobStage.start('stores');
    copy = await SlowCopy.start(HOURS);
    victoriaMetrics = await VICTORIA_METRICS.start();
  });

  after(async () => {
    await stage?.[Symbol.asyncDispose]();
    await Promise.all([copy, victoriaMetrics].map((one) => one?.[Symbol.asyncDispose]()));
  });

  it('copies from Prometheus to VictoriaMetrics, each sample once', async () => {
    const name = 'to-vm';
    const spec = copy.spec(VICTORIA_METRICS, victoriaMetrics, {
      ordering: 'Any',
      windowMax: '20m',
      samplesPerSecond: 9_000,
      execution: { mode: 'Job', parallelism: 3, stretch: '2h' },
    });
    await stage.migrations.create(name, spec);
    let kills = 0;
    const hasSucceeded = async () => {
      const { phase } = (await stage.migrations.get(name)).status ?? {};
      assert.notEqual(phase, 'Failed', await stage.report());
      return phase === 'Succeeded';
    };
    while (kills < KILLS && !(await hasSucceeded())) {
      const running = await stage.runningPods(name);
      const victim = running[Math.floor(Math.random() * running.length)];
      if (victim !== undefined) {
        await sleep(2_000 * Math.random());
        await stage.kubelet.kill(victim, 'OOMKilled');
        kills++;
      }
      await sleep(1_500);
    }
    await stage.eventually('it has succeeded', hasSucceeded, 300_000);
    const compared = await copy.assertAllThereOnce(VICTORIA_METRICS, victoriaMetrics, 'several');
    tell(`${compared} samples by pods of which ${kills} were killed`);
    assert.equal(kills, KILLS);
    const { stretches, progress } = (await stage.migrations.get(name)).status ?? {};
    assert.deepEqual([stretches?.total, stretches?.finished, stretches?.failed], [4, 4, undefined]);
    assert.equal(progress?.samplesRead, copy.countCopied(VICTORIA_METRICS));
  });
});
