// The permissions that the chart grants are exactly those of the table, whatever namespaces the operator watches.
import assert from 'node:assert/strict';
import {
  FULL_NAME,
  helm,
  INSTALL_TIMEOUT_MS,
  type KubernetesObject,
  NAMESPACE,
  only,
  render,
} from './support/chart.ts';

interface Rule {
  apiGroups: string[];
  resources: string[];
  resourceNames?: string[];
  verbs: string[];
}

/** `group/resource[name]: verbs`, sorted, so that the grouping of the rules does not matter. */
function grants(role: KubernetesObject): string[] {
  const rows = (role['rules'] as Rule[]).flatMap(({ apiGroups, resources, resourceNames = [''], verbs }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) =>
        resourceNames.map(
          (name) => `${group}/${resource}${name === '' ? '' : `[${name}]`}: ${[...verbs].sort().join(' ')}`,
        ),
      ),
    ),
  );
  return rows.sort();
}

/** Without Jobs. */
const IN_PROCESS = [
  '/configmaps: get',
  '/secrets: get',
  'batch/jobs: get',
  'events.k8s.io/events: create patch',
  'prom-migrator.io/prommigrations/status: patch',
  'prom-migrator.io/prommigrations: delete get list watch',
];

const WATCHED = [
  ...IN_PROCESS.filter((grant) => !grant.startsWith('/configmaps') && !grant.startsWith('batch/')),
  '/configmaps: create delete get',
  '/events: list',
  '/pods: list watch',
  'batch/jobs: create delete get list patch watch',
].sort();

const OWN_NAMESPACE = ['coordination.k8s.io/leases: create', 'coordination.k8s.io/leases[prom-migrator]: get update'];

const roles = (objects: readonly KubernetesObject[]) =>
  objects.filter(({ kind }) => kind === 'Role' || kind === 'ClusterRole');

describe('the RBAC rules of the operator', () => {
  before(async function () {
    this.timeout(INSTALL_TIMEOUT_MS);
    await helm('lint');
  });

  it('match the requests of its code in all namespaces, plus the Lease in its own', async () => {
    const objects = await render({ values: { rbac: { aggregateClusterRoles: false } } });
    assert.equal(roles(objects).length, 2);
    assert.deepEqual(grants(only(objects, 'ClusterRole')), WATCHED);
    const election = only(objects, 'Role');
    assert.deepEqual(grants(election), OWN_NAMESPACE);
    assert.equal(election.metadata.namespace, NAMESPACE);
  });

  it('are limited to the watched namespaces when there are any', async () => {
    const objects = await render({ file: 'namespaced-values.yaml' });
    assert.deepEqual(
      roles(objects)
        .map(({ kind, metadata }) => `${kind} ${metadata.namespace} ${metadata.name}`)
        .sort(),
      [`Role ${NAMESPACE} ${FULL_NAME}-leader-election`, `Role team-a ${FULL_NAME}`, `Role team-b ${FULL_NAME}`],
    );
    for (const role of roles(objects).filter(({ metadata }) => metadata.name === FULL_NAME)) {
      assert.deepEqual(grants(role), WATCHED);
    }
    assert.ok(!objects.some(({ kind }) => kind.startsWith('Cluster')));
  });

  it('omit Secrets when access to them is granted elsewhere', async () => {
    const objects = await render({ values: { rbac: { readSecrets: false, aggregateClusterRoles: false } } });
    assert.deepEqual(
      grants(only(objects, 'ClusterRole')),
      WATCHED.filter((grant) => !grant.startsWith('/secrets')),
    );
  });

  it('omit Jobs, pods and changes to ConfigMaps when Jobs are disabled', async () => {
    const objects = await render({ values: { jobs: { enabled: false }, rbac: { aggregateClusterRoles: false } } });
    assert.deepEqual(grants(only(objects, 'ClusterRole')), IN_PROCESS);
  });

  it('omit the Lease without leader election, and use its configured name otherwise', async () => {
    const values = { rbac: { aggregateClusterRoles: false } };
    const without = await render({ values: { ...values, leaderElection: { enabled: false } } });
    assert.ok(!without.some(({ kind }) => kind === 'Role'));
    const named = await render({ values: { ...values, leaderElection: { leaseName: 'second' } } });
    assert.deepEqual(
      grants(only(named, 'Role')),
      OWN_NAMESPACE.map((grant) => grant.replace('[prom-migrator]', '[second]')),
    );
  });

  it('are not created when the values disable them', async () => {
    const objects = await render({ values: { rbac: { create: false, aggregateClusterRoles: false } } });
    assert.deepEqual(
      objects.filter(({ kind }) => kind.includes('Role')),
      [],
    );
  });
});

describe('the RBAC rules of users', () => {
  it('aggregate to the view, edit and admin roles, without the status', async () => {
    const objects = await render();
    const labelled = (name: string) =>
      objects
        .filter(({ metadata }) => metadata.labels?.[`rbac.authorization.k8s.io/aggregate-to-${name}`] === 'true')
        .flatMap(grants)
        .sort();
    const reading = 'prom-migrator.io/prommigrations: get list watch';
    const changing = 'prom-migrator.io/prommigrations: create delete deletecollection patch update';
    const scale = 'prom-migrator.io/prommigrations/scale';
    assert.deepEqual(labelled('view'), [`${scale}: get`, reading]);
    const all = [`${scale}: get`, `${scale}: patch update`, changing, reading];
    assert.deepEqual(labelled('edit'), all);
    assert.deepEqual(labelled('admin'), all);
  });
});
