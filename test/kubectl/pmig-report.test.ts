import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SeenRequest } from '../operator/support/api-requests.ts';
import { objectOf } from './support/objects.ts';
import { COLLECTION, startStage } from './support/pmig-run.ts';

const { migration: running } = objectOf('running');
const { migration: failed } = objectOf('failed');

describe('kubectl pmig report', () => {
  const pods = '/api/v1/namespaces/prom-migrator-system/pods';
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'pmig-report-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('has what the rights permit, and names the rest with the reason', async () => {
    await using stage = await startStage();
    const { server } = stage;
    server.put(COLLECTION, failed);
    server.put(pods, {
      metadata: { name: 'operator-1' },
      spec: { containers: [{ name: 'operator', image: 'i:1', ports: [{ name: 'metrics', containerPort: 8080 }] }] },
      status: { containerStatuses: [{ name: 'operator', restartCount: 1 }] },
    } as never);
    const log = '{"level":"warn","message":"slow","namespace":"team","migration":"copy","url":"http://u:hunter2@x/"}\n';
    const isLog = ({ path }: SeenRequest) => path.endsWith('/operator-1/log');
    server.fault({
      when: (seen) => isLog(seen) && seen.query['previous'] === undefined,
      act: { status: 200, body: log },
    });
    server.fault({ when: isLog, act: { status: 400, reason: 'BadRequest' } });
    const metrics = 'a{migration="team/copy"} 1\na{migration="team/other"} 2\n';
    server.fault({
      when: ({ path }) => decodeURIComponent(path).endsWith('/operator-1:8080/proxy/metrics'),
      act: { status: 200, body: metrics },
    });
    server.fault({ when: ({ path }) => path.includes('/jobs/'), act: { status: 403, reason: 'Forbidden' } });
    const to = join(directory, 'new/report');
    assert.equal(await stage.run({ action: 'report', to }), 'done');
    const read = (path: string) => readFileSync(join(to, path), 'utf8');
    const manifest = JSON.parse(read('MANIFEST.json'));
    assert.deepEqual(
      manifest.files.map(({ path }: { path: string }) => path),
      [
        ...['migration.json', 'status.txt', 'events.json', 'pods.json', 'operator/pods.json'],
        ...['operator/operator-1.log', 'operator/operator-1.metrics.txt', 'versions.json'],
      ],
    );
    assert.deepEqual(
      manifest.missing.map(({ what }: { what: string }) => what),
      [
        'the Job copy-0123456789',
        'the log of operator-1 before its restart',
        'the version of the API server',
        'the version of the CustomResourceDefinition',
      ],
    );
    assert.match(read('operator/operator-1.log'), /"message":"slow".*"url":"http:\/\/x\/"/);
    assert.equal(read('operator/operator-1.metrics.txt'), 'a{migration="team/copy"} 1\n');
    assert.match(stage.stdout.text, /not in it:\n {2}the Job copy-0123456789\n {4}403 Forbidden/);
    assert.ok(server.requests.every(({ method, path }) => method === 'GET' && !path.includes('/secrets')));
  });

  it('is written although the events were not read', async () => {
    await using stage = await startStage();
    stage.server.put(COLLECTION, running);
    stage.server.fault({ when: ({ path }) => path.endsWith('/events'), times: 2, act: 'cut-body' });
    const to = join(directory, 'r');
    assert.equal(await stage.run({ action: 'report', to }), 'done');
    const { missing } = JSON.parse(readFileSync(join(to, 'MANIFEST.json'), 'utf8'));
    const events = missing.filter(({ what }: { what: string }) => what === 'events');
    assert.equal(events.length, 1);
    assert.match(events[0].why, /^list events: /);
    assert.match(readFileSync(join(to, 'status.txt'), 'utf8'), /EVENTS\n {2}not read: list events: /);
  });

  it('has a file of each replica, even if their names are long', async () => {
    await using stage = await startStage();
    stage.server.put(COLLECTION, running);
    const names = ['abcde', 'fghij'].map((end) => `${'release-'.repeat(7)}0-${end}`);
    for (const name of names) stage.server.put(pods, { metadata: { name }, spec: { containers: [] } } as never);
    const isLog = ({ path }: SeenRequest) => path.endsWith('/log');
    stage.server.fault({ when: isLog, times: 2, act: { status: 200, body: 'a crash\n' } });
    const to = join(directory, 'r');
    assert.equal(await stage.run({ action: 'report', to }), 'done');
    assert.deepEqual(
      readdirSync(join(to, 'operator')).sort(),
      [...names.map((name) => `${name}.log`), 'pods.json'].sort(),
    );
  });

  it('overwrites nothing', async () => {
    await using stage = await startStage();
    stage.server.put(COLLECTION, running);
    const file = join(directory, 'r.tar.gz');
    assert.equal(await stage.run({ action: 'report', to: file }), 'done');
    assert.equal(await stage.run({ action: 'report', to: file }), 'failed');
    assert.match(stage.stderr.text, /cannot be written: it exists already\n {2}do: set --to/);
    mkdirSync(join(directory, 'full'));
    writeFileSync(join(directory, 'full/mine'), '');
    assert.equal(await stage.run({ action: 'report', to: join(directory, 'full') }), 'failed');
    assert.deepEqual(readdirSync(join(directory, 'full')), ['mine']);
  });

  it('says where an operator may be if it is not found', async () => {
    await using stage = await startStage();
    stage.server.put(COLLECTION, running);
    assert.equal(await stage.run({ action: 'report', to: join(directory, 'r'), operatorNamespace: 'x' }), 'done');
    assert.match(
      stage.stdout.text.replaceAll(/\n +/g, ' '),
      /the operator in the namespace x there is no pod .*--operator-namespace/,
    );
  });

  it('needs the migration itself', async () => {
    await using stage = await startStage();
    assert.equal(await stage.run({ action: 'report', to: join(directory, 'r') }), 'failed');
    assert.deepEqual(readdirSync(directory), []);
  });
});
