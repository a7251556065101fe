// From `helm install` to the last sample: the operator runs with the arguments and rights of the chart and nothing else, and everything that a user
// looks at with kubectl on the way is as documented. The cases build on each other, as the life of a migration does.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import type { PromMigrationStatus } from '../../src/api/prom-migration-status.ts';
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
import { columnsOf, sampleOf } from './support/output.ts';
import { grantedRights, requestsOf, rightOf, summaryOf } from './support/rights.ts';

const NAMESPACE = 'monitoring';
const HOURS = 4;
const START = new Date(START_MS).toISOString();
const END = new Date(START_MS + HOURS * HOUR_MS).toISOString();
const whole = (time: string) => time.replace('.000Z', 'Z');
const RFC3339_SECONDS = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

interface Resource {
  metadata: {
    generation: number;
    finalizers?: string[];
    managedFields: { manager: string; subresource?: string; fieldsV1: object }[];
  };
  status?: PromMigrationStatus;
}

const authority = createAuthority();

describe('the installed operator', function () {
  this.timeout(900_000);
  let cluster: Cluster;
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
    // As at the first installation: the right to create the Lease is used only then.
    chart = await installChart(cluster, { maxMigrations: 4 }, { lease: 'none' });
    succeeded(await kubectl(['create', 'namespace', NAMESPACE]));
  });

  after(async () => {
    await operator?.[Symbol.asyncDispose]();
    await Promise.all([cluster, copy, victoriaMetrics, prometheus].map((one) => one?.[Symbol.asyncDispose]()));
  });

  const kubectl = (args: readonly string[], input?: string) => cluster.kubectl(['-n', NAMESPACE, ...args], input);

  async function apply(...documents: object[]): Promise<string> {
    const text = documents.map((document) => JSON.stringify(document)).join('\n---\n');
    return succeeded(await kubectl(['apply', '-f', '-'], text));
  }

  async function read(name: string): Promise<Resource> {
    const args = ['get', 'prommigration', name, '--show-managed-fields', '-o', 'json'];
    return JSON.parse(succeeded(await kubectl(args))) as Resource;
  }

  async function jsonPath(name: string, path: string): Promise<string> {
    return succeeded(await kubectl(['get', 'pmig', name, '-o', `jsonpath=${path}`]));
  }

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

  it('copies from Prometheus to VictoriaMetrics while kubectl shows how far it is', async () => {
    const spec = copy.spec(VICTORIA_METRICS, victoriaMetrics, { samplesPerSecond: 4_000, windowMax: '20m' });
    const watching = new AbortController();
    let watched = '';
    const watch = kubectlWatch(watching.signal, (text) => {
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
    assert.deepEqual(plain.header, ['NAME', 'PHASE', 'PROGRESS', 'SAMPLES', 'RATE', 'ETA', 'THROUGH', 'AGE']);
    assert.deepEqual(wide.header, [...plain.header, 'SOURCE', 'DESTINATION', 'REASON']);
    for (const { row } of [plain, wide]) {
      assert.equal(row['NAME'], 'to-vm');
      assert.equal(row['PHASE'], 'Running');
      assert.match(row['PROGRESS'] ?? '', /^[1-9]\d(\.\d+)?%$/);
      assert.match(row['SAMPLES'] ?? '', /^\d+(\.\d+)?[kM]?$/);
      assert.match(row['RATE'] ?? '', /^\d+(\.\d+)?k?\/s$/);
      assert.match(row['ETA'] ?? '', /^(\d+m)?\d+s$/);
      assert.match(row['THROUGH'] ?? '', /^2025-03-01T0[0-3]:\d\d:\d\d(\.\d{3})?Z$/);
      assert.match(row['AGE'] ?? '', /^\d+s$/);
    }
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
    assert.deepEqual(seen, ['Running', 'Succeeded'], watched);
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
      assert.ok(status?.progress);
      assert.equal(status.phase, 'Succeeded');
      assert.equal(status.observedGeneration, metadata.generation);
      const stands = status.conditions?.map(({ type, status: stand, reason }) => `${type}=${stand} ${reason}`);
      assert.deepEqual(stands, [
        'Accepted=True Valid',
        'Progressing=False Finished',
        'Degraded=False AsExpected',
        'Succeeded=True Completed',
      ]);
      for (const condition of status.conditions ?? []) {
        assert.equal(condition.observedGeneration, metadata.generation, condition.type);
        assert.match(condition.lastTransitionTime, RFC3339_SECONDS);
      }
      assert.equal(await jsonPath(name, '{.status.progress.percent} {.status.progress.display}'), '100 100.0%');
      assert.equal(await jsonPath(name, '{.status.progress.through}'), whole(END));
      assert.equal(await jsonPath(name, '{.status.conditions[?(@.type=="Succeeded")].status}'), 'True');
      const { samplesRead, samplesWritten, samplesFiltered, samplesAlreadyPresent } = status.progress;
      assert.ok((samplesRead ?? 0) > 50_000 && samplesRead === samplesWritten, JSON.stringify(status.progress));
      assert.deepEqual([samplesFiltered ?? 0, samplesAlreadyPresent ?? 0], [0, 0]);
      assert.ok((status.progress.windows ?? 0) >= 1 && (status.progress.bytesWritten ?? 0) > 0);
      assert.deepEqual(
        [status.range?.start, status.range?.end].map((time) => Date.parse(time ?? '')),
        [Date.parse(START), Date.parse(END)],
      );
      const times = [status.startTime, status.lastProgressTime, status.completionTime];
      for (const time of times) assert.match(time ?? '', RFC3339_SECONDS);
      assert.deepEqual(times.toSorted(), times);
      const finished = columnsOf(succeeded(await kubectl(['get', 'pmig', name, '-o', 'wide'])));
      // Nothing moves any more: a rate or a remaining time would be a lie.
      assert.deepEqual([finished.row['RATE'], finished.row['ETA'], finished.row['REASON']], ['', '', 'Completed']);
    }
  });

  it('owns the status and nothing else, so that whoever applies the manifest again changes nothing', async () => {
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

  it('tells its story in events', async () => {
    for (const name of ['to-vm', 'to-prometheus']) {
      await eventually(`the events of ${name}`, async () => {
        const said = succeeded(await kubectl(['events', '--for', `prommigration/${name}`]));
        return /Started/.test(said) && /Succeeded/.test(said);
      });
      const args = ['get', 'events.events.k8s.io', '-o', 'json', `--field-selector=regarding.name=${name}`];
      const { items } = JSON.parse(succeeded(await kubectl(args))) as {
        items: {
          reason: string;
          type: string;
          note: string;
          reportingController: string;
          regarding: { kind: string };
        }[];
      };
      assert.deepEqual(items.map(({ type, reason }) => `${type} ${reason}`).sort(), [
        'Normal Started',
        'Normal Succeeded',
      ]);
      for (const { regarding, note } of items) {
        assert.equal(regarding.kind, 'PromMigration');
        assert.ok(note.length > 10, note);
      }
      const description = succeeded(await kubectl(['describe', 'pmig', name]));
      assert.match(description.split('Events:')[1] ?? '', /Normal\s+Started[\s\S]*Normal\s+Succeeded/);
    }
  });

  it('counts the same in its metrics as in its status', async () => {
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

  it('forgets the metrics of what is deleted, by a person or because its time has come', async () => {
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

  it('keeps its status right while others edit the resource at the same time', async () => {
    const spec = copy.spec(VICTORIA_METRICS, { url: 'http://127.0.0.1:9' });
    await apply(manifestOf({ ...spec, suspend: true }, 'edited'));
    const path = `/apis/prom-migrator.io/v1alpha1/namespaces/${NAMESPACE}/prommigrations/edited`;
    const type = 'application/merge-patch+json';
    let suspended = true;
    const conflicts = async () =>
      sampleOf(
        await operator.metrics(),
        'prom_migrator_operator_status_writes_total',
        undefined,
        'result="conflict"',
      ) ?? 0;
    for (let edit = 1; edit < 400 && (await conflicts()) === 0; edit++) {
      if (edit % 20 === 0) suspended = !suspended;
      await Promise.all(
        [1, 2, 3, 4].map((hand) => {
          const annotations = { [`example.org/hand-${hand}`]: String(edit) };
          return cluster.request('PATCH', path, { metadata: { annotations }, spec: { suspend: suspended } }, type);
        }),
      );
    }
    assert.ok((await conflicts()) > 0, 'a write that came too late was refused');
    succeeded(await kubectl(['patch', 'pmig', 'edited', '--type=merge', '-p', '{"spec":{"suspend":false}}']));
    succeeded(await kubectl(['wait', '--for=jsonpath={.status.phase}=Running', '--timeout=30s', 'pmig/edited']));
    succeeded(await kubectl(['patch', 'pmig', 'edited', '--type=merge', '-p', '{"spec":{"suspend":true}}']));
    succeeded(await kubectl(['wait', '--for=jsonpath={.status.phase}=Suspended', '--timeout=30s', 'pmig/edited']));
    const { status, metadata } = await read('edited');
    assert.equal(status?.observedGeneration, metadata.generation);
    // The second "suspended" is the first event once more.
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

  it('uses exactly the rights that the chart grants, and is never refused one', async () => {
    const metrics = await operator.metrics();
    assert.equal(await operator.stop(), 0, operator.log());
    const lease = ['get', 'lease', 'prom-migrator', '-n', chart.namespace, '-o', 'jsonpath={.spec.holderIdentity}'];
    assert.equal(succeeded(await cluster.kubectl(lease)), '', 'the lease is released');

    assert.doesNotMatch(operator.log(), /forbidden/i);
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
    // The audit log is the API server's; what the operator counts itself must agree.
    const counted = [
      ...metrics.matchAll(/^prom_migrator_operator_api_requests_total\{verb="(\w+)",resource="([\w/]+)",/gm),
    ];
    assert.deepEqual(
      [...new Set(counted.map(([, verb, resource]) => `${resource}:${verb}`))].sort(),
      [...used].map((right) => right.replace(/^[^ ]* /, '')).sort(),
    );
  });

  function kubectlWatch(signal: AbortSignal, onOutput: (text: string) => void): Promise<unknown> {
    return cluster.kubectl(['-n', NAMESPACE, 'get', 'pmig', '--watch'], undefined, { signal, onOutput });
  }

  /** For a message, when something does not come about. */
  function state(name: string): () => Promise<string> {
    return async () => `${JSON.stringify((await read(name)).status, undefined, 2)}\n${operator.log().slice(-5_000)}`;
  }
});

function secondsSince(timeMs: number): string {
  return ((Date.now() - timeMs) / 1000).toFixed(1);
}

async function residentMebibytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Math.round(Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024);
}
