// From each earlier version to this one in the middle of migrations: its chart is installed on a real API server, its objects and what it has
// written to a real VictoriaMetrics are restored, and `helm upgrade` follows. `npm run freeze` has made the files, with that version.

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parse } from 'yaml';
import { type Cluster, startCluster } from '../support/kubernetes/cluster.ts';
import { READY_TYPES } from '../../src/operator/judge/ready-conditions.ts';
import { endedFrom } from './support/ended-migrations.ts';
import { type MigrationObject, MigrationObjects, standOf } from './support/migration-objects.ts';
import {
  CHART,
  installedOperator,
  OPERATOR_NAMESPACE,
  type OperatorProcess,
  startOperator,
  succeeded,
} from './support/operator.ts';
import { giveLeaseBack } from './support/released-lease.ts';
import { MIGRATIONS, samplesIn, seriesOf, UpgradeStage } from './support/upgrade-stage.ts';

const FIXTURES = resolve(import.meta.dirname, '../fixtures/upgrade');
/** All that have left migrations in the middle. */
const versions = globSync('*/destination.jsonl', { cwd: FIXTURES }).map(dirname).sort();

type Frozen = Pick<MigrationObject, 'metadata' | 'status'> & {
  spec: { source: object; destination: { progress: object } };
};

describe('an upgrade in the middle of migrations', function () {
  this.timeout(900_000);

  it('has a version to start from', () => assert.ok(versions.includes('0.1.0')));

  for (const version of versions) {
    describe(`from ${version}`, () => {
      const path = (name: string) => join(FIXTURES, version, name);
      const read = (name: string) => readFileSync(path(name), 'utf8');
      const frozen = Object.keys(MIGRATIONS).map((name) => JSON.parse(read(`${name}.json`)) as Frozen);
      const ended = endedFrom(frozen[0]?.status ?? {});
      const left = (name: string) => seriesOf(name, read('destination.jsonl').trim());
      const missing = ({ metadata }: Frozen) => stage.expectedSamples - samplesIn(left(metadata.name).copied);
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
        migrations = await MigrationObjects.inNamespace(cluster, frozen[0]?.metadata.namespace ?? '');
        for (const { metadata, spec, status } of frozen) {
          await migrations.create(metadata.name, stage.throughProxy(spec));
          await migrations.applyStatus(metadata.name, status ?? {});
        }
        for (const { name, status } of ended) {
          await migrations.create(name, stage.throughProxy(stage.untouchedSpec()));
          await migrations.applyStatus(name, status);
        }
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
        for (const one of frozen) {
          const { name } = one.metadata;
          const share = missing(one) / stage.expectedSamples;
          assert.ok(share > 0.2 && share < 0.8, `${share} of ${name} is missing`);
          assert.equal(one.status?.phase, 'Running');
          assert.ok(left(name).marks.length > 0);
        }
      });

      it('renders all that its values switch on', async () => {
        const rendered = succeeded(await helm('template', [CHART, '--values', path('values.yaml')]));
        for (const kind of ['Deployment', 'ServiceMonitor', 'PrometheusRule', 'NetworkPolicy', 'PodDisruptionBudget'])
          assert.match(rendered, new RegExp(`^kind: ${kind}$`, 'm'));
      });

      it('upgrades the release with its values, and keeps the migrations', async () => {
        const before = await migrations.list();
        assert.equal(before.length, frozen.length + ended.length);
        succeeded(await helm('upgrade', [CHART, '--reuse-values']));
        await cluster.waitForCrd();
        for (const { metadata, spec, status } of before) {
          const now = await migrations.get(metadata.name);
          assert.equal(now.metadata.uid, metadata.uid);
          assert.equal(now.metadata.generation, metadata.generation);
          assert.deepEqual(now.status, status);
          // New fields have their defaults; the others are as they were.
          assert.deepEqual({ ...now.spec, ...spec }, now.spec);
        }
      });

      describe('with the new operator', () => {
        let operator: OperatorProcess;
        let receivedBefore = 0;

        before(async () => {
          const chart = await installedOperator(cluster);
          await giveLeaseBack(cluster, chart.namespace);
          receivedBefore = await stage.receivedSamples();
          operator = await startOperator({ chart });
        });

        after(() => operator?.[Symbol.asyncDispose]());

        it('resumes at its marks, and ends with every sample once', async () => {
          let newMarks = 0;
          for (const one of frozen) {
            const { name } = one.metadata;
            const { status } = await migrations.untilPhase(name, 'Succeeded');
            assert.equal(standOf(status, 'Succeeded'), 'True Completed', operator.log());
            assert.deepEqual(
              READY_TYPES.map((type) => standOf(status, type)),
              ['True Succeeded', 'False Finished', 'False NotFailed'],
            );
            assert.equal(status?.id, one.status?.id);
            assert.equal(status?.progress?.samples, String(stage.expectedSamples), 'the samples of both versions');
            const { copied, marks } = seriesOf(name, await stage.exported());
            assert.equal(samplesIn(copied), stage.expectedSamples);
            for (const { timestamps } of copied) {
              assert.deepEqual(timestamps, [...new Set(timestamps)].sort(), 'no sample twice');
            }
            newMarks += samplesIn(marks) - samplesIn(left(name).marks);
            // A window of ten minutes has twenty samples. The first one may be read again, because nobody knows whether all of it arrived.
            const reads = stage.source.requests.filter(({ tenant, kind }) => tenant === name && kind === 'read').length;
            assert.ok(reads <= missing(one) / 20 + 2, `${name}: ${reads} requests for ${missing(one)} samples`);
          }
          const received = (await stage.receivedSamples()) - receivedBefore;
          assert.equal(
            received - newMarks,
            frozen.map(missing).reduce((sum, samples) => sum + samples),
            'nothing again',
          );
        });

        it('shows kstatus how those that had ended ended, and leaves all else of them as it was', async () => {
          const stands = {
            'has-succeeded': ['True Succeeded', 'False Finished', 'False NotFailed'],
            'has-failed': ['False Failed', 'False Finished', 'True Failed'],
          };
          for (const { name, status: before } of ended) {
            const { status } = await migrations.until(name, 'is judged', (now) => standOf(now, 'Ready') !== undefined);
            assert.deepEqual(
              READY_TYPES.map((type) => standOf(status, type)),
              stands[name],
            );
            const others = status?.conditions?.filter(({ type }) => !READY_TYPES.some((one) => one === type));
            assert.deepEqual({ ...status, conditions: others }, before);
            assert.ok(before.completionTime);
          }
          assert.equal(stage.touches, 0, operator.log());
        });
      });
    });
  }
});
