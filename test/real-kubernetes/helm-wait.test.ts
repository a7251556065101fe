// Whether Helm 4 and kubectl, with their own waiting, know when a migration in a chart is in progress, has succeeded or has failed. Helm, the API
// server, the operator and both stores are real ones.

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tell } from '../real/support/expectations.ts';
import { HOUR_MS, SlowCopy, START_MS, VICTORIA_METRICS } from '../real/support/slow-copy.ts';
import { type Cluster, startCluster } from '../support/kubernetes/cluster.ts';
import { readinessOf } from '../support/kubernetes/readiness.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { MigrationObjects } from './support/migration-objects.ts';
import {
  type InstalledChart,
  installChart,
  type OperatorProcess,
  startOperator,
  succeeded,
  untilReady,
} from './support/operator.ts';

const NAMESPACE = 'team-a';
const NO_EXPRESSIONS = { current: 'false', failed: 'false' };

interface RangeSpec {
  readonly source: object;
  readonly destination: object;
  readonly timeRange: object;
}

const TEMPLATE = `apiVersion: prom-migrator.io/v1alpha1
kind: PromMigration
metadata:
  name: {{ .Release.Name }}
spec: {{ toJson .Values.spec }}
`;

describe('a migration in a chart', function () {
  this.timeout(300_000);
  let cluster: Cluster;
  let chart: InstalledChart;
  let copy: SlowCopy;
  let destination: ServerProcess;
  let migrations: MigrationObjects;
  let operator: OperatorProcess | undefined;
  let directory: string;
  const installed = new Set<string>();

  before(async function () {
    this.timeout(900_000);
    [cluster, copy, destination] = await Promise.all([startCluster(), SlowCopy.start(1), VICTORIA_METRICS.start()]);
    chart = await installChart(cluster);
    migrations = await MigrationObjects.inNamespace(cluster, NAMESPACE);
    directory = await mkdtemp(join(tmpdir(), 'prom-migrator-history-'));
    await mkdir(join(directory, 'templates'));
    await writeFile(join(directory, 'Chart.yaml'), 'apiVersion: v2\nname: history\nversion: 1.0.0\n');
    await writeFile(join(directory, 'templates/migration.yaml'), TEMPLATE);
  });

  after(async () => {
    await Promise.all([operator, copy, destination, cluster].map((one) => one?.[Symbol.asyncDispose]()));
    await rm(directory, { recursive: true, force: true });
  });

  const MIDDLE = new Date(START_MS + HOUR_MS / 2).toISOString();

  /** The first half of the range, or the second one: two copies that can run at once. */
  const specOf = (half: 'first' | 'second', path = '/api/v1/write') => {
    const { destination: to, timeRange, ...spec } = copy.spec(VICTORIA_METRICS, destination) as unknown as RangeSpec;
    return {
      ...spec,
      destination: { ...to, url: `${destination.url}${path}` },
      timeRange: half === 'first' ? { ...timeRange, end: MIDDLE } : { ...timeRange, start: MIDDLE },
    };
  };

  /** Installs or upgrades the release, and waits. */
  async function wait(release: string, spec: object, timeout: string): Promise<{ code: number; said: string }> {
    const verb = installed.has(release) ? 'upgrade' : 'install';
    installed.add(release);
    const args = [verb, release, directory, '-n', NAMESPACE, '--wait', '--timeout', timeout];
    const startedMs = Date.now();
    const { code, stdout, stderr } = await cluster.helm([...args, '--values', '-'], JSON.stringify({ spec }));
    const lines = stderr.split('\n').filter((line) => !line.startsWith('level='));
    tell(
      `helm ${verb} ${release} --wait --timeout ${timeout}: ${code} after ${Date.now() - startedMs} ms: ${code === 0 ? stdout : lines.join('\n')}`,
    );
    return { code, said: stderr };
  }

  async function judge(name: string): Promise<string> {
    const [said] = await readinessOf([await migrations.get(name)], NO_EXPRESSIONS);
    return `${said?.kstatus.status}, ${said?.argo.status}`;
  }

  async function kubectlWait(name: string, condition: string): Promise<number> {
    const args = ['wait', `pmig/${name}`, '-n', NAMESPACE, `--for=condition=${condition}`, '--timeout=0'];
    return (await cluster.kubectl(args)).code;
  }

  it('is in progress while no operator runs: the wait times out', async () => {
    const { code, said } = await wait('early', specOf('second'), '2s');
    assert.equal(code, 1);
    assert.match(said, /PromMigration\/team-a\/early not ready\. status: InProgress, message: .*-1/);
    assert.equal(await judge('early'), 'InProgress, Progressing');
    assert.notEqual(await kubectlWait('early', 'Ready'), 0);
  });

  it('ends the wait when it has succeeded', async () => {
    operator = await startOperator({ chart });
    await untilReady(operator);
    const { code, said } = await wait('history', specOf('first'), '2m');
    assert.equal(code, 0, said);
    const { status } = await migrations.get('history');
    assert.equal(status?.phase, 'Succeeded');
    assert.ok((status?.progress?.samplesWritten ?? 0) > 0);
    assert.equal(await judge('history'), 'Current, Healthy');
    assert.equal(await kubectlWait('history', 'Ready'), 0);
    assert.notEqual(await kubectlWait('history', 'Stalled'), 0);
  });

  it('that was waited for too briefly is waited for again by an upgrade', async () => {
    const { code, said } = await wait('early', specOf('second'), '2m');
    assert.equal(code, 0, said);
    const ended = [await migrations.get('history'), await migrations.get('early')];
    assert.deepEqual(
      ended.map(({ status }) => status?.phase),
      ['Succeeded', 'Succeeded'],
    );
    const written = ended.map(({ status }) => status?.progress?.samplesWritten ?? 0);
    assert.equal((written[0] ?? 0) + (written[1] ?? 0), copy.countCopied(VICTORIA_METRICS));
  });

  it('ends the wait when it has failed, with the reason', async () => {
    const { code, said } = await wait('refused', specOf('first', '/nowhere'), '2m');
    assert.equal(code, 1);
    assert.match(said, /PromMigration\/team-a\/refused not ready\. status: Failed, message: DestinationRefused: .+/);
    assert.doesNotMatch(said, /deadline exceeded/);
    assert.equal(await judge('refused'), 'Failed, Degraded');
    assert.equal(await kubectlWait('refused', 'Stalled'), 0);
    assert.notEqual(await kubectlWait('refused', 'Ready'), 0);
  });

  it('is in progress while it is suspended or lacks a Secret', async () => {
    const { code, said } = await wait('suspended', { ...specOf('first'), suspend: true }, '2s');
    assert.equal(code, 1);
    assert.match(said, /status: InProgress, message: Suspended: spec\.suspend is true/);
    assert.equal(await judge('suspended'), 'InProgress, Suspended');
    const spec = specOf('first');
    const source = { ...spec.source, authorization: { credentials: { name: 'token', key: 'value' } } };
    await migrations.create('locked', { ...spec, source });
    await migrations.until('locked', 'is not accepted', ({ conditions }) => conditions !== undefined);
    assert.equal(await judge('locked'), 'InProgress, Progressing');
  });

  it('is waited for until its end by the upgrade that resumes it', async () => {
    assert.equal((await migrations.get('suspended')).status?.phase, 'Suspended');
    const { code, said } = await wait('suspended', { ...specOf('first'), suspend: false }, '2m');
    assert.equal(code, 0, said);
    assert.equal((await migrations.get('suspended')).status?.phase, 'Succeeded');
    assert.equal(await judge('suspended'), 'Current, Healthy');
  });

  it('that is deleted and kept by a finalizer is terminating', async () => {
    await migrations.putFinalizers('early', ['example.org/audit']);
    await migrations.delete('early');
    assert.equal(await judge('early'), 'Terminating, Progressing');
    await migrations.putFinalizers('early', []);
    succeeded(await cluster.helm(['uninstall', 'history', '-n', NAMESPACE, '--wait', '--timeout', '60s']));
    assert.equal(await migrations.exists('history'), false);
  });
});
