// `npm run freeze`: writes what this version leaves behind in the middle of migrations to test/fixtures/upgrade/VERSION, from the real
// operator on a real API server, into a real VictoriaMetrics. To be run once, when a version is released: the files are never changed.
// test/real-kubernetes/upgrade.test.ts upgrades from them.

import { copyFile, readFile, rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';
import { validateMigration } from '../src/api/validate.ts';
import { compilePlan } from '../src/migration/plan/plan.ts';
import { markLabels } from '../src/migration/progress/progress-mark.ts';
import { startCluster } from '../test/support/kubernetes/cluster.ts';
import { MigrationObjects } from '../test/real-kubernetes/support/migration-objects.ts';
import { CHART, installChart, startOperator } from '../test/real-kubernetes/support/operator.ts';
import {
  MIGRATIONS,
  NAMESPACE,
  samplesIn,
  seriesOf,
  UpgradeStage,
} from '../test/real-kubernetes/support/upgrade-stage.ts';
import { formattedJson } from './chart.ts';
import { writeOnce } from './write-once.ts';

const root = resolve(import.meta.dirname, '..');
const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
const frozen = join(root, 'test/fixtures/upgrade', version);
/** Outside test/fixtures/upgrade, where every folder is a version. */
const directory = join(root, 'test/fixtures/unfinished-upgrade');
const path = (name: string) => join(directory, name);

/** What is in the repository already. */
async function copyFiles(): Promise<void> {
  const crd = 'crds/prommigrations.prom-migrator.io.yaml';
  const example = 'examples/prometheus-to-victoriametrics.yaml';
  await copyFile(join(root, crd), path('crd.yaml'));
  await copyFile(join(CHART, 'ci/full-values.yaml'), path('values.yaml'));
  await copyFile(join(root, example), path('migration.yaml'));
  const checked = validateMigration(parse(await readFile(join(root, example), 'utf8')), Date.now());
  if (!('migration' in checked)) throw new Error(`${example} is not valid`);
  const compiled = compilePlan(checked.migration, { get: () => undefined });
  if (!('plan' in compiled)) throw new Error(`${example} has no plan`);
  await writeFile(path('mark.json'), `${formattedJson(markLabels(compiled.plan, undefined))}\n`);
}

/** Kills an operator in the middle of a copy, and writes the chart, the objects and the destination. */
async function freezeHalfWay(): Promise<void> {
  await using cluster = await startCluster();
  await using stage = await UpgradeStage.start();
  const { stdout } = await cluster.helm(['package', CHART, '--destination', directory]);
  const archive = /saved it to: (\S+)/.exec(stdout)?.[1];
  if (archive === undefined) throw new Error(stdout);
  await rename(archive, path('chart.tgz'));
  const chart = await installChart(cluster);
  const migrations = await MigrationObjects.inNamespace(cluster, NAMESPACE);
  const names = Object.keys(MIGRATIONS);
  for (const name of names) {
    stage.source.faults.set(name, ({ kind }) => (kind === 'read' ? { delayMs: 700 } : undefined));
    await migrations.create(name, stage.throughProxy(stage.spec(name)));
  }
  {
    await using _operator = await startOperator({ chart });
    while (!(await areHalfWay(migrations))) await sleep(200);
  }
  for (const { metadata, spec, status } of await migrations.list()) {
    const object = {
      apiVersion: 'prom-migrator.io/v1alpha1',
      kind: 'PromMigration',
      metadata: { name: metadata.name, namespace: metadata.namespace, generation: metadata.generation },
      // With the defaults that the API server has filled in, and without the proxy.
      spec: { ...spec, source: direct(spec['source']), destination: direct(spec['destination']) },
      status,
    };
    await writeFile(path(`${metadata.name}.json`), `${formattedJson(object)}\n`);
  }
  const exported = await stage.exported();
  await writeFile(path('destination.jsonl'), `${exported}\n`);
  for (const name of names) {
    const { copied, marks } = seriesOf(name, exported);
    process.stdout.write(`${name}: ${samplesIn(copied)} samples and ${marks.length} series of marks in ${frozen}\n`);
  }
}

/** The status is older than the marks, by up to ten seconds. */
async function areHalfWay(migrations: MigrationObjects): Promise<boolean> {
  const all = await migrations.list();
  if (all.some(({ status }) => status?.phase === 'Succeeded')) throw new Error('too fast to be interrupted');
  return all.every(({ status }) => (status?.progress?.percent ?? 0) >= 20);
}

function direct(side: unknown): unknown {
  const { proxyUrl: _, progress, ...rest } = side as Record<string, unknown>;
  return progress === undefined ? rest : { ...rest, progress: direct(progress) };
}

await writeOnce(frozen, directory, async () => {
  await copyFiles();
  await freezeHalfWay();
});
