// The requests of a report. Only the migration itself has to be readable: whatever else fails is named in the report, with the reason.

import type { PromMigration } from '../api/prom-migration.ts';
import { JOB_SELECTOR, jobNameOf, labelsOf, MIGRATION_LABEL } from '../operator/job/job-names.ts';
import { type KubeList, resourcePath } from '../operator/kube/kube-objects.ts';
import { VERSION } from '../telemetry/version.ts';
import type { ActionContext } from './action-context.ts';
import { collectOperator } from './collect-operator.ts';
import { Collection } from './collection.ts';
import type { Bundle } from './report/bundle.ts';
import { allLogLines } from './report/lines.ts';
import { type Definition, type PodObject, reportedDefinition, reportedJob, reportedPod } from './report/objects.ts';
import { redactObject, redactText } from './report/redact.ts';
import { type CoreEvent, viewOf } from './text/migration-view.ts';
import { statusText } from './text/status-text.ts';

const MAX_POD_LOGS = 20;
const LOG = { tailLines: '2000', limitBytes: String(4 * 2 ** 20) };

/** @throws KubeApiError, KubeConnectionError if the migration itself cannot be read */
export async function collectReport(context: ActionContext, name: string): Promise<Bundle> {
  const { api, namespace, clock } = context;
  const migration = await api.get(namespace, name);
  const collection = new Collection();
  collection.addJson('migration.json', 'the PromMigration', redactObject(migration));
  const read = await api.eventsOf(migration);
  const view = viewOf(migration, read);
  collection.add('status.txt', 'kubectl pmig status', redactLines(statusText(view, clock.now())));
  await addEvents(context, migration, collection);
  await addJob(context, migration, collection);
  const operator = await collectOperator(context, { namespace, name }, collection);
  await addVersions(context, operator, collection);
  return { migration: `${namespace}/${name}`, ...collection };
}

function redactLines(text: string): string {
  return text.split('\n').map(redactText).join('\n');
}

async function addEvents(context: ActionContext, migration: PromMigration, collection: Collection): Promise<void> {
  const { api, namespace } = context;
  const job = migration.status?.stretches?.job;
  const all: CoreEvent[] = [];
  for (const selector of [
    `involvedObject.uid=${migration.metadata.uid}`,
    ...(job === undefined ? [] : [`involvedObject.kind=Job,involvedObject.name=${job}`]),
  ]) {
    const read = await api.events(namespace, selector);
    if ('missing' in read) {
      collection.lacks('events', read.missing);
      return;
    }
    all.push(...read.events);
  }
  collection.addJson('events.json', `events (${all.length})`, redactObject(all));
}

/** The Job of the migration and its pods, if there may be any. */
async function addJob(context: ActionContext, migration: PromMigration, collection: Collection): Promise<void> {
  const { client, namespace, signal } = context;
  const name = migration.status?.stretches?.job ?? jobNameOf(migration);
  if (migration.spec.execution.mode !== 'Job' && migration.status?.stretches?.job === undefined) return;
  const jobPath = resourcePath({ group: 'batch', version: 'v1', namespace, resource: 'jobs', name });
  const job = await collection.attempt(`the Job ${name}`, () =>
    client.get<Parameters<typeof reportedJob>[0]>(jobPath, { signal }),
  );
  if (job !== undefined) collection.addJson('job.json', 'its Job', reportedJob(job));
  const path = resourcePath({ group: '', version: 'v1', namespace, resource: 'pods' });
  const labelSelector = `${JOB_SELECTOR},${MIGRATION_LABEL}=${labelsOf(migration)[MIGRATION_LABEL]}`;
  const list = await collection.attempt('the pods of the Job', () =>
    client.get<KubeList<PodObject>>(path, { signal, query: { labelSelector } }),
  );
  if (list === undefined) return;
  const pods = [...(list.items ?? [])];
  collection.addJson('pods.json', `pods of its Job (${pods.length})`, pods.map(reportedPod));
  // Those that failed say most.
  const first = pods.toSorted((one, other) => rank(one) - rank(other)).slice(0, MAX_POD_LOGS);
  for (const pod of first) {
    const podName = pod.metadata.name;
    const log = await collection.attempt(`the log of the pod ${podName}`, () =>
      client.getText(`${path}/${encodeURIComponent(podName)}/log`, { signal, query: LOG }),
    );
    if (log !== undefined) collection.addLines(`pods/${podName.slice(-70)}.log`, 'its log', allLogLines(log));
  }
  if (pods.length > first.length) collection.lacks('logs of more pods', `only those of ${first.length} pods are read`);
}

const RANKS = ['Failed', 'Pending', 'Running', 'Succeeded'];
const rank = ({ status }: PodObject) => RANKS.indexOf(status?.phase ?? '');

async function addVersions(context: ActionContext, operator: unknown, collection: Collection): Promise<void> {
  const { client, signal } = context;
  const apiServer = await collection.attempt('the version of the API server', () =>
    client.get<Record<string, unknown>>('/version', { signal }),
  );
  const path = resourcePath({
    ...{ group: 'apiextensions.k8s.io', version: 'v1', resource: 'customresourcedefinitions' },
    name: 'prommigrations.prom-migrator.io',
  });
  const definition = await collection.attempt('the version of the CustomResourceDefinition', () =>
    client.get<Definition>(path, { signal }),
  );
  collection.addJson('versions.json', 'versions of everything', {
    ...{ pmig: VERSION, node: process.version, platform: `${process.platform}/${process.arch}` },
    apiServer: apiServer && { gitVersion: apiServer['gitVersion'], platform: apiServer['platform'] },
    operator,
    crd: definition && reportedDefinition(definition),
  });
}
