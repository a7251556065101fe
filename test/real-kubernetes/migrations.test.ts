// From `helm install` to the last sample: the operator runs with exactly the arguments and permissions of the chart, and everything that a
// user sees with kubectl is as documented. The tests build on each other, like the life cycle of a migration.
import assert from 'node:assert/strict';
import { PROGRESS_METRIC, tell } from '../real/support/expectations.ts';
import { manifestOf } from '../real/support/migration.ts';
import { HOUR_MS, PROMETHEUS, SlowCopy, START_MS, VICTORIA_METRICS } from '../real/support/slow-copy.ts';
import { createAuthority } from '../support/certificates.ts';
import { type Cluster, startCluster } from '../support/kubernetes/cluster.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { BASIC_AUTH, startPrometheus } from '../support/servers.ts';
import {
  eventually,
  type InstalledChart,
  installChart,
  type OperatorProcess,
  startOperator,
  succeeded,
  untilReady,
} from './support/operator.ts';
import { assertCopiedAll, assertFinished } from './support/finished-status.ts';
import { assertTellsItsStory, editUntil, NamespaceKubectl } from './support/namespace-kubectl.ts';
import { assertShowsProgress, columnsOf, residentMebibytes, sampleOf, secondsSince } from './support/output.ts';
import { assertUsesItsRights, requestsOf, summaryOf } from './support/rights.ts';

const NAMESPACE = 'monitoring';
const HOURS = 4;
const START = new Date(START_MS).toISOString();
const END = new Date(START_MS + HOURS * HOUR_MS).toISOString();
const whole = (time: string) => time.replace('.000Z', 'Z');

const authority = createAuthority();

describe('the installed operator', function () {
  this.timeout(900_000);
  let cluster: Cluster;
  let own: NamespaceKubectl;
  let chart: InstalledChart;
  let copy: SlowCopy;
  let victoriaMetrics: ServerProcess;
  let prometheus: ServerProcess;
  let operator: OperatorProcess;

  before(async () => {
    [cluster, copy, victoriaMetrics, prometheus] = await Promise.all([
      startCluster({ audit: true, controllerManager: true }),
      SlowCopy.start(HOURS),
      VICTORIA_METRICS.start(),
      startPrometheus({
        version: '3.5',
        receiver: true,
        nativeHistograms: true,
        web: {
          basicAuth: BASIC_AUTH,
          tls: authority.issue('localhost'),
          identity: { ca: authority.cert, username: BASIC_AUTH.username, password: BASIC_AUTH.password },
        },
      }),
    ]);
    own = new NamespaceKubectl(cluster, NAMESPACE);
    // Like the first installation: the permission to create the Lease is used only then.
    chart = await installChart(cluster, { maxMigrations: 4, jobs: { enabled: false } }, { lease: 'none' });
    succeeded(await kubectl(['create', 'namespace', NAMESPACE]));
  });

  after(async () => {
    await operator?.[Symbol.asyncDispose]();
    await Promise.all([cluster, copy, victoriaMetrics, prometheus].map((one) => one?.[Symbol.asyncDispose]()));
  });

  const kubectl = (args: readonly string[], input?: string) => own.kubectl(args, input);
  const apply = (...documents: object[]) => own.apply(...documents);
  const read = (name: string) => own.read(name);
  const jsonPath = (name: string, path: string) => own.jsonPath(name, path);

  /** For a message on failure. */
  const state = (name: string) => async () =>
    `${JSON.stringify((await read(name)).status, undefined, 2)}\n${operator.log().slice(-5_000)}`;

  it('leads a lease duration after it has created the Lease, with exactly the arguments that the chart rendered', async () => {
    const startedMs = Date.now();
    operator = await startOperator({ chart });
    await untilReady(operator);
    await eventually(
      'the operator leads',
      async () => sampleOf(await operator.metrics(), 'prom_migrator_operator_leader') === 1,
      60_000,
      () => operator.log(),
    );
    tell(`leads ${secondsSince(startedMs)} s after its start, ${await residentMebibytes(operator.pid)} MiB RSS`);
    assert.ok(chart.args.includes('--leader-elect') && chart.args.includes('--max-migrations=4'), chart.args.join(' '));
    const holder = ['get', 'lease', 'prom-migrator', '-n', chart.namespace, '-o', 'jsonpath={.spec.holderIdentity}'];
    assert.ok(succeeded(await cluster.kubectl(holder)).startsWith(`${operator.podName}_`));
  });

  it('copies from Prometheus to VictoriaMetrics while kubectl shows the progress', async () => {
    const spec = copy.spec(VICTORIA_METRICS, victoriaMetrics, { samplesPerSecond: 4_000, windowMax: '20m' });
    const watching = new AbortController();
    let watched = '';
    const watch = own.watch(watching.signal, (text) => {
      watched += text;
    });
    const appliedMs = Date.now();
    assert.match(await apply(manifestOf(spec, 'to-vm')), /created/);
    const isThere = (text: string) => (sampleOf(text, 'prom_migrator_windows_total', `${NAMESPACE}/to-vm`) ?? 0) > 0;
    await eventually(
      'the first window is copied',
      async () => isThere(await operator.metrics()),
      60_000,
      state('to-vm'),
    );
    tell(`first window copied, and its mark read back, ${secondsSince(appliedMs)} s after kubectl apply`);

    await eventually(
      'the status has come some way',
      async () => Number(await jsonPath('to-vm', '{.status.progress.percent}')) >= 20,
      60_000,
      state('to-vm'),
    );
    const plain = columnsOf(succeeded(await kubectl(['get', 'prommigrations'])));
    const wide = columnsOf(succeeded(await kubectl(['get', 'pmig', '-o', 'wide'])));
    assertShowsProgress(plain, wide, 'to-vm');
    assert.equal(wide.row['SOURCE'], `${copy.source.url}/api/v1/read`);
    assert.equal(wide.row['DESTINATION'], `${victoriaMetrics.url}/api/v1/write`);
    assert.equal(wide.row['REASON'], 'Copying');
    tell(wide.text.trim().replaceAll('\n', '\n        '));
    tell(`${await residentMebibytes(operator.pid)} MiB RSS with one migration running`);

    succeeded(await kubectl(['wait', '--for=condition=Succeeded', '--timeout=180s', 'pmig/to-vm']));
    await copy.assertAllThereOnce(VICTORIA_METRICS, victoriaMetrics);
    const minutes = (Date.now() - appliedMs) / 60_000;
    const requests = (await requestsOf(chart)).filter(
      (event) => Date.parse(event.requestReceivedTimestamp) >= appliedMs,
    );
    const ofMigration = requests.filter(({ objectRef }) => objectRef?.resource !== 'leases');
    tell(
      `${(ofMigration.length / minutes).toFixed(0)} API requests in a minute of migration, and ` +
        `${((requests.length - ofMigration.length) / minutes).toFixed(0)} for the lease`,
    );
    assert.ok(ofMigration.length < 30, summaryOf(ofMigration));

    await eventually(
      'kubectl get --watch has seen the end',
      () => /Succeeded/.test(watched),
      10_000,
      () => watched,
    );
    watching.abort();
    await watch;
    const phases = watched.split('\n').map((line) => /^to-vm\s+(\S+)/.exec(line)?.[1] ?? '');
    const seen = phases.filter((phase, at) => /^[A-Z][a-z]+$/.test(phase) && phase !== phases[at - 1]);
    assert.deepEqual(seen, ['Pending', 'Running', 'Succeeded'], watched);
  });

  it('copies from Prometheus to Prometheus with a password from a Secret and a certificate from a ConfigMap', async () => {
    const url = prometheus.url.replace('127.0.0.1', 'localhost');
    const { destination, ...spec } = copy.spec(PROMETHEUS, { url }) as { destination: object };
    const secured = {
      ...spec,
      destination: {
        ...destination,
        basicAuth: { username: { name: 'login', key: 'user' }, password: { name: 'login', key: 'password' } },
        tls: { ca: { configMap: { name: 'authority', key: 'ca.crt' } } },
      },
    };
    const login = { user: BASIC_AUTH.username, password: BASIC_AUTH.password };
    const appliedMs = Date.now();
    const announced = await apply(
      { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'login' }, stringData: login },
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'authority' }, data: { 'ca.crt': authority.cert } },
      manifestOf(secured, 'to-prometheus'),
    );
    assert.match(announced, /prommigration.prom-migrator.io\/to-prometheus created/);
    const phase = ['wait', '--for=jsonpath={.status.phase}=Succeeded', '--timeout=120s', 'pmig/to-prometheus'];
    const waited = await kubectl(phase);
    assert.equal(waited.code, 0, `${waited.stderr}${await state('to-prometheus')()}`);
    tell(`as fast as it can: succeeded ${secondsSince(appliedMs)} s after kubectl apply`);
    const samples = await copy.assertAllThereOnce(PROMETHEUS, prometheus);
    tell(`${samples} samples compared, all equal`);
    assert.ok(!operator.log().includes(BASIC_AUTH.password));
  });

  it('leaves a complete status', async () => {
    for (const name of ['to-vm', 'to-prometheus']) {
      const { status, metadata } = await read(name);
      assertFinished(status, metadata.generation);
      assert.equal(await jsonPath(name, '{.status.progress.percent} {.status.progress.display}'), '100 100.0%');
      assert.equal(await jsonPath(name, '{.status.progress.through}'), whole(END));
      assert.equal(await jsonPath(name, '{.status.conditions[?(@.type=="Succeeded")].status}'), 'True');
      assertCopiedAll(status, START, END);
      const finished = columnsOf(succeeded(await kubectl(['get', 'pmig', name, '-o', 'wide'])));
      // The migration has ended: a rate or a remaining time would be wrong.
      assert.deepEqual([finished.row['RATE'], finished.row['ETA'], finished.row['REASON']], ['', '', 'Completed']);
    }
  });

  it('owns the status and nothing else, so that applying the manifest again changes nothing', async () => {
    const { metadata } = await read('to-vm');
    const owners = metadata.managedFields.map(({ manager, subresource, fieldsV1 }) => [
      manager,
      subresource ?? '',
      Object.keys(fieldsV1).join(),
    ]);
    const ours = owners.filter(([manager]) => manager === 'prom-migrator');
    assert.deepEqual(ours, [['prom-migrator', 'status', 'f:status']]);
    assert.equal(metadata.finalizers, undefined);
    const spec = copy.spec(VICTORIA_METRICS, victoriaMetrics, { samplesPerSecond: 4_000, windowMax: '20m' });
    assert.match(await apply(manifestOf(spec, 'to-vm')), /unchanged/);
    const after = await read('to-vm');
    assert.equal(after.metadata.generation, metadata.generation);
    assert.equal(after.status?.phase, 'Succeeded');
  });

  it('reports its progress in events', async () => {
    // VictoriaMetrics accepts any order.
    await assertTellsItsStory(own, 'to-vm', ['Normal PreflightFinding']);
    await assertTellsItsStory(own, 'to-prometheus');
  });

  it('has the same counts in its metrics as in its status', async () => {
    const text = await operator.metrics();
    for (const name of ['to-vm', 'to-prometheus']) {
      const key = `${NAMESPACE}/${name}`;
      const progress = (await read(name)).status?.progress;
      assert.equal(sampleOf(text, 'prom_migrator_samples_read_total', key), progress?.samplesRead);
      assert.equal(sampleOf(text, 'prom_migrator_samples_written_total', key), progress?.samplesWritten);
      assert.equal(sampleOf(text, 'prom_migrator_windows_total', key), progress?.windows);
      assert.equal(sampleOf(text, 'prom_migrator_completed_ratio', key), 1);
      assert.equal(sampleOf(text, 'prom_migrator_watermark_timestamp_seconds', key), Date.parse(END) / 1000);
      const condition = `prom_migrator_operator_condition{migration="${key}",type="Succeeded",status="True",reason="Completed"} 1`;
      assert.ok(text.includes(condition), text);
    }
    assert.match(text, /prom_migrator_operator_migrations\{phase="Succeeded"\} 2\n/);
    assert.ok(!text.includes(`\n${PROGRESS_METRIC}`), 'that name belongs to what is written into destinations');
  });

  it('removes the metrics of a deleted migration, whether deleted by a user or by its TTL', async () => {
    const deletedMs = Date.now();
    succeeded(await kubectl(['delete', 'pmig', 'to-vm']));
    assert.ok(Date.now() - deletedMs < 10_000, 'nothing holds up a deletion');
    const gone = async (name: string) => !(await operator.metrics()).includes(`migration="${NAMESPACE}/${name}"`);
    await eventually(
      'the series of to-vm are gone',
      () => gone('to-vm'),
      10_000,
      () => operator.metrics(),
    );
    assert.equal(await gone('to-prometheus'), false);

    succeeded(
      await kubectl(['patch', 'pmig', 'to-prometheus', '--type=merge', '-p', '{"spec":{"ttlSecondsAfterFinished":1}}']),
    );
    succeeded(await kubectl(['wait', '--for=delete', '--timeout=60s', 'pmig/to-prometheus']));
    await eventually(
      'the series of to-prometheus are gone',
      () => gone('to-prometheus'),
      10_000,
      () => operator.metrics(),
    );
  });

  it('keeps its status correct while others edit the resource at the same time', async () => {
    const spec = copy.spec(VICTORIA_METRICS, { url: 'http://127.0.0.1:9' });
    await apply(manifestOf({ ...spec, suspend: true }, 'edited'));
    const conflicts = async () =>
      sampleOf(
        await operator.metrics(),
        'prom_migrator_operator_status_writes_total',
        undefined,
        'result="conflict"',
      ) ?? 0;
    await editUntil(cluster, `${NAMESPACE}/edited`, async () => (await conflicts()) > 0);
    assert.ok((await conflicts()) > 0, 'a write that came too late was refused');
    succeeded(await kubectl(['patch', 'pmig', 'edited', '--type=merge', '-p', '{"spec":{"suspend":false}}']));
    succeeded(await kubectl(['wait', '--for=jsonpath={.status.phase}=Running', '--timeout=30s', 'pmig/edited']));
    succeeded(await kubectl(['patch', 'pmig', 'edited', '--type=merge', '-p', '{"spec":{"suspend":true}}']));
    succeeded(await kubectl(['wait', '--for=jsonpath={.status.phase}=Suspended', '--timeout=30s', 'pmig/edited']));
    const { status, metadata } = await read('edited');
    assert.equal(status?.observedGeneration, metadata.generation);
    // The second "suspended" repeats the first event.
    await eventually(
      'the event is counted in a series',
      async () => {
        const args = ['get', 'events.events.k8s.io', '-o', 'jsonpath={.items[?(@.reason=="Suspended")].series.count}'];
        return Number(succeeded(await kubectl(args)).split(' ')[0]) >= 2;
      },
      40_000,
    );
    succeeded(await kubectl(['delete', 'pmig', 'edited']));
  });

  it('uses exactly the permissions that the chart grants, and is never denied one', async () => {
    const metrics = await operator.metrics();
    assert.equal(await operator.stop(), 0, operator.log());
    const lease = ['get', 'lease', 'prom-migrator', '-n', chart.namespace, '-o', 'jsonpath={.spec.holderIdentity}'];
    assert.equal(succeeded(await cluster.kubectl(lease)), '', 'the lease is released');

    assert.doesNotMatch(operator.log(), /forbidden/i);
    await assertUsesItsRights(chart, metrics);
  });
});
