// From each earlier version to this one in the middle of a migration: its chart is installed on a real API server, its object and what it has
// written to a real VictoriaMetrics are restored, and `helm upgrade` follows. `npm run freeze` has made the files, with that version.

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parse } from 'yaml';
import { type Cluster, startCluster } from '../support/kubernetes/cluster.ts';
import { type MigrationObject, MigrationObjects, standOf } from './support/migration-objects.ts';
import { CHART, installedOperator, OPERATOR_NAMESPACE, startOperator, succeeded } from './support/operator.ts';
import { giveLeaseBack } from './support/released-lease.ts';
import { samplesIn, seriesIn, UPGRADED, UpgradeStage } from './support/upgrade-stage.ts';

const FIXTURES = resolve(import.meta.dirname, '../fixtures/upgrade');
/** Of every version that has left a migration in the middle. */
const versions = globSync('*/object.json', { cwd: FIXTURES }).map(dirname).sort();

type Frozen = Pick<MigrationObject, 'metadata' | 'status'> & {
  spec: { source: object; destination: { progress: object } };
};

describe('an upgrade in the middle of a migration', function () {
  this.timeout(900_000);

  it('has a version to start from', () => assert.ok(versions.includes('0.1.0')));

  for (const version of versions) {
    describe(`from ${version}`, () => {
      const path = (name: string) => join(FIXTURES, version, name);
      const read = (name: string) => readFileSync(path(name), 'utf8');
      const frozen = JSON.parse(read('object.json')) as Frozen;
      const left = seriesIn(read('destination.jsonl').trim());
      let cluster: Cluster;
      let stage: UpgradeStage;
      let migrations: MigrationObjects;

      before(async () => {
        [cluster, stage] = await Promise.all([startCluster(), UpgradeStage.start()]);
        succeeded(await cluster.kubectl(['create', 'namespace', 'monitoring']));
        succeeded(
          await helm('install', [path('chart.tgz'), '--create-namespace', '--values', '-'], valuesWithoutMonitors()),
        );
        await cluster.waitForCrd(path('crd.yaml'));
        migrations = await MigrationObjects.inNamespace(cluster, frozen.metadata.namespace);
        await migrations.create(UPGRADED, stage.throughProxy(frozen.spec));
        await migrations.forge(UPGRADED, frozen.status ?? {});
        await stage.imported(read('destination.jsonl'));
        assert.equal(await stage.exported(), read('destination.jsonl').trim());
      });

      after(async () => {
        await Promise.all([cluster, stage].map((one) => one?.[Symbol.asyncDispose]()));
      });

      function helm(command: string, args: readonly string[], values = '') {
        return cluster.helm([command, 'prom-migrator', ...args, '-n', OPERATOR_NAMESPACE], values);
      }

      /** The API server of the tests does not know the kinds of the Prometheus operator. */
      function valuesWithoutMonitors(): string {
        const values = parse(read('values.yaml'));
        values.metrics.serviceMonitor.enabled = false;
        values.metrics.prometheusRule.enabled = false;
        return JSON.stringify(values);
      }

      it('is in the middle', () => {
        const copied = samplesIn(left.copied);
        assert.ok(copied > 0.2 * stage.expectedSamples && copied < 0.8 * stage.expectedSamples, `${copied}`);
        assert.equal(frozen.status?.phase, 'Running');
        assert.ok(left.marks.length > 0);
      });

      it('renders all that its values switch on', async () => {
        const rendered = succeeded(await helm('template', [CHART, '--values', path('values.yaml')]));
        for (const kind of ['Deployment', 'ServiceMonitor', 'PrometheusRule', 'NetworkPolicy', 'PodDisruptionBudget'])
          assert.match(rendered, new RegExp(`^kind: ${kind}$`, 'm'));
      });

      it('upgrades the release with its values, and keeps the migration', async () => {
        const object = await migrations.get(UPGRADED);
        succeeded(await helm('upgrade', [CHART, '--reuse-values']));
        await cluster.waitForCrd();
        const now = await migrations.get(UPGRADED);
        assert.equal(now.metadata.uid, object.metadata.uid);
        assert.equal(now.metadata.generation, object.metadata.generation);
        assert.deepEqual(now.status, object.status);
        // New fields have their defaults; the others are as they were.
        assert.deepEqual({ ...now.spec, ...object.spec }, now.spec);
      });

      it('resumes at its marks, and ends with every sample once', async () => {
        const chart = await installedOperator(cluster);
        await giveLeaseBack(cluster, chart.namespace);
        const receivedBefore = await stage.receivedSamples();
        const missing = stage.expectedSamples - samplesIn(left.copied);
        await using operator = await startOperator({ chart });
        const { status } = await migrations.untilPhase(UPGRADED, 'Succeeded');
        assert.equal(standOf(status, 'Succeeded'), 'True Completed', operator.log());

        const exported = seriesIn(await stage.exported());
        assert.equal(samplesIn(exported.copied), stage.expectedSamples);
        for (const { timestamps } of exported.copied) {
          assert.deepEqual(timestamps, [...new Set(timestamps)].sort(), 'no sample twice');
        }
        const marks = samplesIn(exported.marks) - samplesIn(left.marks);
        assert.equal((await stage.receivedSamples()) - receivedBefore - marks, missing, 'nothing is written again');
        assert.equal(status?.id, frozen.status?.id);
        assert.equal(status?.progress?.samples, String(stage.expectedSamples), 'the samples of both versions');
        // A window of ten minutes has twenty samples. The first window may be read again, because nobody knows whether all of it arrived.
        const reads = stage.source.requests.filter(({ kind }) => kind === 'read').length;
        assert.ok(reads <= missing / 20 + 2, `${reads} requests for ${missing} samples`);
      });
    });
  }
});
