// The Job that the operator makes passes the admission of a real API server, in a namespace that enforces the restricted pod security standard
// and with the built-in controllers.
import assert from 'node:assert/strict';
import type { V1Pod, V1PodList } from '@kubernetes/client-node';
import { buildJob, buildSettings } from '../../src/operator/job/build-job.ts';
import { JOB_SELECTOR } from '../../src/operator/job/job-names.ts';
import { endMs, migrationOf, startMs } from '../operator/support/migrations.ts';
import { type Cluster, startCluster } from '../support/kubernetes/cluster.ts';
import { eventually, succeeded } from './support/operator.ts';

const NAMESPACE = 'team';
const options = {
  image: 'registry.example/prom-migrator:1',
  imagePullPolicy: undefined,
  log: { level: 'info', format: 'json' },
} as const;
const divided = { frozenEndMs: undefined, stretches: [{ shard: '0', startMs, endMs }] };

describe('the objects of mode Job on a real API server', function () {
  this.timeout(120_000);
  let cluster: Cluster;

  before(async function () {
    this.timeout(900_000);
    cluster = await startCluster({ controllerManager: true });
    succeeded(await cluster.kubectl(['create', 'namespace', NAMESPACE]));
    const restricted = 'pod-security.kubernetes.io/enforce=restricted';
    succeeded(await cluster.kubectl(['label', 'namespace', NAMESPACE, restricted]));
  });

  after(() => cluster?.[Symbol.asyncDispose]());

  async function create(group: string, resource: string, body: object): Promise<string> {
    const response = await cluster.request('POST', `${group}/namespaces/${NAMESPACE}/${resource}`, body);
    assert.equal(response.status, 201, JSON.stringify(response.body));
    return (response.body as { metadata: { uid: string } }).metadata.uid;
  }

  async function pods(): Promise<V1Pod[]> {
    const path = `/api/v1/namespaces/${NAMESPACE}/pods?labelSelector=${encodeURIComponent(JOB_SELECTOR)}`;
    return ((await cluster.request('GET', path)).body as V1PodList).items;
  }

  it('are accepted with every setting, and the Job controller can create its pod', async () => {
    const key = { name: 'store', key: 'password' };
    const migration = migrationOf({
      name: `${'long.'.repeat(20)}name`,
      spec: {
        source: {
          url: 'https://source/api/v1/read',
          basicAuth: { username: key, password: key },
          // A ConfigMap of the same name as the Secret.
          tls: { ca: { configMap: key } },
        },
        destination: {
          url: 'http://destination/write',
          ordering: 'Any',
          progress: { protocol: 'RemoteRead', url: 'http://destination/read' },
        },
        execution: {
          mode: 'Job',
          parallelism: 4,
          job: {
            nodeSelector: { disk: 'ssd' },
            tolerations: [{ key: 'batch', operator: 'Exists' }],
            topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'ScheduleAnyway' }],
            podLabels: { team: 'a' },
            podAnnotations: { a: 'b' },
          },
        },
      },
    });
    const { settings, job } = buildJob(migration, divided, options);
    const uid = await create('/apis/batch/v1', 'jobs', job);
    await create('/api/v1', 'configmaps', buildSettings(job, uid, settings));
    await eventually('the Job has a pod', async () => (await pods()).length === 1);
    const [pod] = await pods();
    assert.ok(pod?.metadata?.name);
    assert.ok(pod.metadata.name.startsWith(`${job.metadata.name}-0-`), pod.metadata.name);
    assert.equal(pod.metadata.labels?.['team'], 'a');
    assert.equal(pod.spec?.hostname, `${job.metadata.name}-0`);
    assert.deepEqual(
      pod.spec?.volumes?.map(({ name }) => name),
      ['settings', 'secrets'],
      'no token is mounted',
    );
    const env = pod.spec?.containers[0]?.env?.map(({ name }) => name);
    assert.deepEqual(env, ['JOB_COMPLETION_INDEX']);
  });
});
