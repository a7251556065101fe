// The operator's API requests, from the server's audit log, and the permissions of its service account, from the roles bound to it.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AuditEvent } from '../../support/kubernetes/audit-events.ts';
import { type InstalledChart, succeeded } from './operator.ts';

interface Rule {
  apiGroups?: string[];
  resources?: string[];
  verbs: string[];
}

interface Binding {
  metadata: { namespace?: string };
  roleRef: { kind: string; name: string };
  subjects?: { kind: string; name: string; namespace?: string }[];
}

/** The completed requests of the chart's service account; the cluster has to be started with its audit log. */
export async function requestsOf({ cluster, namespace, serviceAccount }: InstalledChart): Promise<AuditEvent[]> {
  // The log is written after the response.
  await sleep(500);
  const username = `system:serviceaccount:${namespace}:${serviceAccount}`;
  return (await cluster.auditEvents()).filter((event) => event.user.username === username);
}

/** The permissions of every role that is bound to the chart's service account, in the notation of `rightOf`. */
async function grantedRights({ cluster, namespace, serviceAccount }: InstalledChart): Promise<string[]> {
  const args = ['get', 'clusterrolebindings,rolebindings', '--all-namespaces', '-o', 'json'];
  const { items } = JSON.parse(succeeded(await cluster.kubectl(args))) as { items: Binding[] };
  const own = items.filter(({ subjects }) =>
    subjects?.some((subject) => subject.name === serviceAccount && subject.namespace === namespace),
  );
  const rights: string[] = [];
  for (const { roleRef, metadata } of own) {
    const scope = roleRef.kind === 'Role' ? ['-n', metadata.namespace ?? ''] : [];
    const text = succeeded(await cluster.kubectl(['get', roleRef.kind, roleRef.name, ...scope, '-o', 'json']));
    for (const { apiGroups = [], resources = [], verbs } of (JSON.parse(text) as { rules: Rule[] }).rules)
      for (const group of apiGroups)
        for (const resource of resources) for (const verb of verbs) rights.push(`${group} ${resource}:${verb}`);
  }
  return rights;
}

/** `prom-migrator.io prommigrations/status:patch`, like in a rule. */
function rightOf({ verb, objectRef }: AuditEvent): string {
  const { apiGroup = '', resource = '', subresource } = objectRef ?? {};
  return `${apiGroup} ${resource}${subresource === undefined ? '' : `/${subresource}`}:${verb}`;
}

/** How often each permission was used, for a message. */
export function summaryOf(events: readonly AuditEvent[]): string {
  return JSON.stringify(
    Object.groupBy(events.map(rightOf), (right) => right),
    (_, value) => (Array.isArray(value) ? value.length : (value as unknown)),
  );
}

/**
 * Checks that the operator used exactly the permissions that the chart grants, was never denied one, and counted its requests like the
 * audit log.
 */
export async function assertUsesItsRights(chart: InstalledChart, metrics: string): Promise<void> {
  assert.doesNotMatch(metrics, /api_requests_total\{[^}]*code="40[13]"/);
  const events = await requestsOf(chart);
  const refused = events.filter(({ responseStatus }) => [401, 403].includes(responseStatus?.code ?? 0));
  assert.deepEqual(refused, []);
  assert.deepEqual(
    events.filter(({ objectRef }) => !objectRef).map(({ requestURI }) => requestURI),
    [],
  );

  const used = new Set(events.map(rightOf));
  const granted = new Set(await grantedRights(chart));
  assert.ok(granted.size >= 10, [...granted].join('\n'));
  assert.deepEqual([...used].sort(), [...granted].sort());
  // The operator's own request counts must agree with the audit log of the API server.
  const counted = [
    ...metrics.matchAll(/^prom_migrator_operator_api_requests_total\{verb="(\w+)",resource="([\w/]+)",/gm),
  ];
  assert.deepEqual(
    [...new Set(counted.map(([, verb, resource]) => `${resource}:${verb}`))].sort(),
    [...used].map((right) => right.replace(/^[^ ]* /, '')).sort(),
  );
}
