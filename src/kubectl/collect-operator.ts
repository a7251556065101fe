// What a report has of the operator: its pods, its log lines and metrics about one migration. All of it needs rights in the operator's namespace.

import { type KubeList, resourcePath } from '../operator/kube/kube-objects.ts';
import type { ActionContext } from './action-context.ts';
import type { Collection } from './collection.ts';
import { logLinesOf, metricLinesOf, type Subject } from './report/lines.ts';
import { type PodObject, reportedPod } from './report/objects.ts';

/** As the chart labels them. The pods of Jobs have another component, and other operators another name. */
const SELECTOR = 'app.kubernetes.io/name=prom-migrator,app.kubernetes.io/component=operator';
const CONTAINER = 'operator';
const LOG = { container: CONTAINER, tailLines: '50000', limitBytes: String(16 * 2 ** 20) };

/** @returns the images of the operators, for the list of versions; undefined if they are not known */
export async function collectOperator(
  context: ActionContext,
  subject: Subject,
  collection: Collection,
): Promise<readonly unknown[] | undefined> {
  const { client, signal, options } = context;
  const namespace = options.operatorNamespace;
  const path = resourcePath({ group: '', version: 'v1', namespace, resource: 'pods' });
  const list = await collection.attempt(`the operator in the namespace ${namespace}`, () =>
    client.get<KubeList<PodObject>>(path, { signal, query: { labelSelector: SELECTOR } }),
  );
  if (list === undefined) return undefined;
  const pods = list.items ?? [];
  if (pods.length === 0) {
    const why = `there is no pod with the labels ${SELECTOR}: is it in another namespace (--operator-namespace)?`;
    collection.lacks(`the operator in the namespace ${namespace}`, why);
    return undefined;
  }
  collection.addJson('operator/pods.json', `pods of the operator (${pods.length})`, pods.map(reportedPod));
  for (const pod of pods) await addPod(context, pod, subject, collection);
  return pods.map(({ metadata, spec }) => ({
    pod: metadata.name,
    image: spec?.containers?.find(({ name }) => name === CONTAINER)?.image,
  }));
}

async function addPod(context: ActionContext, pod: PodObject, subject: Subject, collection: Collection): Promise<void> {
  const { client, signal, options } = context;
  const { name } = pod.metadata;
  // The end of a name tells replicas apart. An archive has room for 100 bytes.
  const file = `operator/${name.slice(-70)}`;
  const path = (subresource: string, target = name) =>
    resourcePath({
      ...{ group: '', version: 'v1', namespace: options.operatorNamespace, resource: 'pods' },
      ...{ name: target, subresource },
    });
  const restarted = (pod.status?.containerStatuses ?? []).some(({ restartCount = 0 }) => restartCount > 0);
  for (const previous of restarted ? [false, true] : [false]) {
    const what = previous ? `the log of ${name} before its restart` : `the log of ${name}`;
    const log = await collection.attempt(what, () =>
      client.getText(path('log'), { signal, query: { ...LOG, ...(previous && { previous: 'true' }) } }),
    );
    if (log === undefined) continue;
    const lines = logLinesOf(log, subject);
    collection.addLines(`${file}${previous ? '.previous' : ''}.log`, 'log lines of the operator about it', lines);
  }
  const ports = pod.spec?.containers?.find((container) => container.name === CONTAINER)?.ports;
  const port = ports?.find((candidate) => candidate.name === 'metrics')?.containerPort;
  if (port === undefined) return collection.lacks(`the metrics of ${name}`, 'the pod has no port named metrics');
  const exposition = await collection.attempt(`the metrics of ${name}`, () =>
    client.getText(`${path('proxy', `${name}:${port}`)}/metrics`, { signal }),
  );
  if (exposition === undefined) return;
  collection.addLines(`${file}.metrics.txt`, 'metrics of the operator about it', metricLinesOf(exposition, subject));
}
