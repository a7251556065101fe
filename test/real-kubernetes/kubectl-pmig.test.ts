// `kubectl pmig` as a plugin of the real kubectl, which finds it in PATH, beside an operator that runs a migration.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { tell } from '../real/support/expectations.ts';
import { run } from '../support/child-output.ts';
import { findServer } from '../support/install.ts';
import { KUBERNETES } from '../support/server-sources.ts';
import { type CommandResult, execute } from '../support/kubernetes/command.ts';
import { writeKubeconfig } from '../support/kubernetes/kubeconfig.ts';
import { DAY, type Lifecycle, SLOW, startLifecycle } from './support/lifecycle.ts';
import { createOperatorPod, type OperatorPod } from './support/log-kubelet.ts';
import { eventually, OPERATOR_NAMESPACE, succeeded } from './support/operator.ts';

const MAIN = resolve(import.meta.dirname, '../../src/main.ts');
const CANARY = `canary-${randomBytes(6).toString('hex')}`;

describe('kubectl pmig', function () {
  this.timeout(240_000);
  let world: Lifecycle;
  let directory: string;
  let pod: OperatorPod;
  let reader: string;

  before(async function () {
    this.timeout(900_000);
    directory = await mkdtemp(join(tmpdir(), 'kubectl-pmig-'));
    const plugin = join(directory, 'kubectl-pmig');
    await writeFile(plugin, `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' pmig "$@"\n`);
    await chmod(plugin, 0o755);
    world = await startLifecycle();
    const { cluster, migrations, store, operator } = world;
    pod = await createOperatorPod(world.chart, () => operator.log(), CANARY);
    await createReader();
    reader = await cluster.serviceAccountKubeconfig('team-a', 'reader');
    await migrations.putSecret('login', { token: CANARY });
    const spec = store.spec('move', DAY, `?p=${CANARY}`);
    store.faults.set('move', ({ kind, authorization }) => {
      if (kind !== 'read' || refusals-- <= 0) return undefined;
      return { status: 503, body: `you sent ${authorization} and password=${CANARY}` };
    });
    const authorization = { type: 'Bearer', credentials: { name: 'login', key: 'token' } };
    const headers = { 'X-Planted': CANARY };
    await migrations.create('move', { ...spec, ...SLOW, source: { ...spec.source, authorization, headers } });
    await cluster.kubectl(['annotate', '-n', 'team-a', 'pmig/move', `example.com/planted=${CANARY}`]);
    await eventually('it has written', () => store.storedSamples('move') >= 40);
    await migrations.until('move', 'shows its progress', ({ progress }) => (progress?.samplesWritten ?? 0) > 0);
  });

  let refusals = 2;

  after(async () => {
    await pod?.[Symbol.asyncDispose]();
    await world?.[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  /** A user who may only look at PromMigrations. */
  async function createReader() {
    const create = async (...args: string[]) =>
      succeeded(await world.cluster.kubectl(['-n', 'team-a', 'create', ...args]));
    await create('serviceaccount', 'reader');
    await create('rolebinding', 'reader', '--clusterrole=prom-migrator-view', '--serviceaccount=team-a:reader');
  }

  interface As {
    kubeconfig?: string;
    onOutput?: (text: string) => void;
  }

  async function pmig(args: readonly string[], { kubeconfig, onOutput }: As = {}): Promise<CommandResult> {
    const { path } = await findServer('kubectl', KUBERNETES);
    const env = { ...world.cluster.environment(kubeconfig), PATH: `${directory}${delimiter}${process.env['PATH']}` };
    return await execute(path, ['pmig', ...args], { env, input: undefined, ...(onOutput && { onOutput }) });
  }

  const own = (action: string, ...args: string[]) => [action, 'move', '-n', 'team-a', ...args];
  const inOneLine = (text: string) => text.replaceAll(/\n +/g, ' ');

  it('shows where the migration is, with events and errors', async () => {
    const text = succeeded(await pmig(own('status')));
    assert.match(text, /^team-a\/move: Running, \d+\.\d% done/);
    assert.match(text, /\nCOPY +VERIFICATION\n {2}done .* off\n/);
    assert.match(text, /RECENT ERRORS\n.*source.*\n +.*503.*you sent Bearer \*\*\*/s);
    assert.match(text, /EVENTS\n.*Started: /s);
    tell(text.trimEnd().replaceAll('\n', '\n        '));
    const { items } = JSON.parse(succeeded(await pmig(['status', '-A', '-o', 'json'])));
    assert.deepEqual(
      items.map(({ namespace, name, phase }: Record<string, string>) => `${namespace}/${name} ${phase}`),
      ['team-a/move Running'],
    );
  });

  it('lets a user with the right to look do so, and nothing else', async () => {
    const as = { kubeconfig: reader };
    const { code, stdout } = await pmig(['status', 'move'], as);
    assert.equal(code, 0);
    assert.match(inOneLine(stdout), /EVENTS not read: 403 Forbidden: .*cannot list resource "events"/);
    const refused = await pmig(['suspend', 'move'], as);
    assert.equal(refused.code, 1);
    assert.match(
      inOneLine(refused.stderr),
      /do: kubectl auth can-i patch prommigrations\.prom-migrator\.io -n team-a says no/,
    );
    assert.equal((await world.migrations.get('move')).spec['suspend'], false);
    const report = await pmig(['report', 'move', '--to', join(directory, 'of-reader')], as);
    assert.equal(report.code, 0);
    const { missing } = JSON.parse(await readFile(join(directory, 'of-reader/MANIFEST.json'), 'utf8'));
    assert.deepEqual(
      missing.map(({ what }: { what: string }) => what),
      ['events', `the operator in the namespace ${OPERATOR_NAMESPACE}`, 'the version of the CustomResourceDefinition'],
    );
  });

  it('suspends and resumes, and waits for the operator', async () => {
    assert.match(succeeded(await pmig(own('suspend', '--wait'))), /finishes the window.*\nteam-a\/move: Suspended\n$/);
    assert.equal((await world.migrations.get('move')).status?.phase, 'Suspended');
    assert.match(succeeded(await pmig(own('suspend'))), /spec\.suspend is already true\n$/);
    assert.match(succeeded(await pmig(own('resume', '--wait'))), /\nteam-a\/move: Running\n$/);
  });

  it('reports what a bug report needs, without a secret', async () => {
    const file = join(directory, 'report.tar.gz');
    const said = succeeded(await pmig(own('report', '--to', file)));
    await run('tar', ['-xzf', file, '-C', directory]);
    const folder = (await run('tar', ['-tzf', file])).split('/')[0] ?? '';
    const read = (path: string) => readFile(join(directory, folder, path), 'utf8');
    const { files, missing } = JSON.parse(await read('MANIFEST.json'));
    const paths: string[] = files.map(({ path }: { path: string }) => path);
    const expected = [
      'migration.json',
      'status.txt',
      'events.json',
      'operator/pods.json',
      `operator/${pod.name}.log`,
      'versions.json',
    ];
    assert.deepEqual(paths, expected);
    // The API server connects no proxy to a pod without an address.
    assert.deepEqual(
      missing.map(({ what }: { what: string }) => what),
      [`the metrics of ${pod.name}`],
    );
    assert.match(said, /not in it:\n {2}the metrics of/);
    assert.match(await read(`operator/${pod.name}.log`), /"migration":"move"/);
    assert.match(pod.requested.at(-1) ?? '', /^\/containerLogs\/prom-migrator-system\/.*\/operator\?.*tailLines=/);
    const versions = JSON.parse(await read('versions.json'));
    assert.equal(versions.apiServer.gitVersion, `v${world.cluster.version}`);
    assert.equal(versions.crd.name, 'prommigrations.prom-migrator.io');
    assert.deepEqual(versions.operator, [{ pod: pod.name, image: 'example.com/prom-migrator:0.0.0' }]);
    assert.match(await read('migration.json'), /"key": "token",\s+"name": "login"/);

    // The test can fail: the object, the environment of the pod and the requests have it.
    assert.ok(JSON.stringify(await world.migrations.get('move')).includes(CANARY));
    assert.ok(world.store.requests.some(({ authorization, url }) => `${authorization}${url}`.includes(CANARY)));
    for (const path of ['MANIFEST.json', ...paths]) assert.ok(!(await read(path)).includes(CANARY), path);
    assert.ok(!(await readFile(join(directory, 'of-reader/migration.json'), 'utf8')).includes(CANARY));
    tell(said.trimEnd().replaceAll('\n', '\n        '));
  });

  it('watches until the end, and its exit code says which', async () => {
    let seen = '';
    const watched = pmig(own('watch'), {
      onOutput(text) {
        seen += text;
      },
    });
    await eventually('it has shown the progress', () => /Running {2}/.test(seen));
    await world.migrations.edit('move', { limits: { samplesPerSecond: null } });
    const { code, stdout } = await watched;
    assert.equal(code, 0);
    assert.match(stdout.trim().split('\n').at(-1) ?? '', /^[\d-]+ [\d:]+ {2}Succeeded {2}100\.0%/);
    world.store.faults.set('broken', () => ({ status: 404, body: 'no such path' }));
    await world.migrations.create('broken', world.store.spec('broken', DAY));
    await world.migrations.untilPhase('broken', 'Failed');
    const failed = await pmig(['watch', 'broken', '-n', 'team-a']);
    assert.equal(failed.code, 3);
    assert.match(failed.stdout, /Succeeded: ProgressRefused: .*404/);
  });

  it('names the cure for a wrong name, a missing CRD and a missing cluster', async () => {
    const wrong = await pmig(['status', 'mvoe', '-n', 'team-a']);
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /\(did you\s+mean\s+move\?\)/);
    succeeded(await world.cluster.kubectl(['delete', 'crd', 'prommigrations.prom-migrator.io', '--wait=false']));
    const path = '/apis/prom-migrator.io/v1alpha1/namespaces/team-a/prommigrations';
    await eventually('it is gone', async () => (await world.cluster.request('GET', path)).status === 404);
    const unknown = await pmig(own('status'));
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /does not know PromMigrations\n {2}do: install prom-migrator/);
    const { cluster } = world;
    const dead = { url: 'https://127.0.0.1:1', caFile: cluster.caFile, user: 'u', token: 't' };
    const none = await pmig(own('status', '--kubeconfig', await writeKubeconfig(join(directory, 'dead'), dead)));
    assert.equal(none.code, 1);
    assert.match(inOneLine(none.stderr), /ECONNREFUSED.* do: check that the cluster runs/);
  });
});
