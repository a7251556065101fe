import assert from 'node:assert/strict';
import { runPmig } from '../../src/kubectl/pmig.ts';
import { migrationOf } from '../operator/support/migrations.ts';
import type { SeenRequest } from '../operator/support/api-requests.ts';
import { until } from '../operator/support/manual-clock.ts';
import { objectOf } from './support/objects.ts';
import { COLLECTION, startStage } from './support/pmig-run.ts';

const { migration: running } = objectOf('running');
const { migration: failed } = objectOf('failed');
const succeeded = objectOf('succeeded').migration;
const named = (name: string) => migrationOf({ name });
const isWatch = ({ query }: SeenRequest) => query['watch'] === 'true';

describe('kubectl pmig', () => {
  describe('status', () => {
    it('shows one migration with its events, as text or JSON', async () => {
      await using stage = await startStage();
      stage.server.put(COLLECTION, running);
      assert.equal(await stage.run(), 'done');
      assert.match(stage.stdout.text, /^team\/copy: Running, 41\.3% done/);
      const events = stage.server.requests.find(({ path }) => path.endsWith('/events'));
      assert.deepEqual(events?.query, { fieldSelector: 'involvedObject.uid=uid-copy' });
      stage.stdout.text = '';
      assert.equal(await stage.run({ output: 'json' }), 'done');
      assert.equal(JSON.parse(stage.stdout.text).progress.percent, 41);
    });

    it('works without the right to read events', async () => {
      await using stage = await startStage();
      stage.server.put(COLLECTION, running);
      stage.server.fault({ when: ({ path }) => path.endsWith('/events'), act: { status: 403, reason: 'Forbidden' } });
      assert.equal(await stage.run(), 'done');
      assert.match(stage.stdout.text, /EVENTS\n {2}not read: 403 Forbidden/);
    });

    it('lists the migrations of a namespace or of all', async () => {
      await using stage = await startStage();
      for (const name of ['b', 'a']) stage.server.put(COLLECTION, named(name));
      assert.equal(await stage.run({ name: undefined }), 'done');
      assert.match(stage.stdout.text, /^NAME +PHASE.*\na +Pending.*\nb +Pending/);
      stage.stdout.text = '';
      assert.equal(await stage.run({ name: undefined, allNamespaces: true, output: 'json' }), 'done');
      assert.equal(JSON.parse(stage.stdout.text).items.length, 2);
      assert.deepEqual(
        stage.server.requests.map(({ path }) => path),
        [COLLECTION.replace('/prommigrations', '/namespaces/team/prommigrations'), COLLECTION],
      );
    });

    it('says that there are none', async () => {
      await using stage = await startStage();
      assert.equal(await stage.run({ name: undefined }), 'done');
      assert.match(stage.stderr.text, /no PromMigrations in the namespace team\. -A lists/);
    });
  });

  describe('that cannot be done', () => {
    it('suggests a name that is close', async () => {
      await using stage = await startStage();
      stage.server.put(COLLECTION, named('copy-metrics'));
      assert.equal(await stage.run({ name: 'copy-metrcis' }), 'failed');
      assert.match(
        stage.stderr.text.replaceAll('\n', ' '),
        /no PromMigration "copy-metrcis" in the namespace team \(did you mean copy-metrics\?\)/,
      );
      stage.stderr.text = '';
      assert.equal(await stage.run({ name: 'quite-different' }), 'failed');
      assert.match(stage.stderr.text, /do: there are copy-metrics\n/);
    });

    it('says that the namespace has none, or that its names are not known', async () => {
      await using stage = await startStage();
      assert.equal(await stage.run({ action: 'watch' }), 'failed');
      assert.match(stage.stderr.text, /this namespace has no migrations: set -n/);
      stage.stderr.text = '';
      stage.server.fault({ when: ({ path }) => path.endsWith('s'), act: { status: 403, reason: 'Forbidden' } });
      assert.equal(await stage.run(), 'failed');
      assert.match(stage.stderr.text, /do: check the name and the namespace/);
    });

    it('recognizes a cluster without the CRD', async () => {
      await using stage = await startStage();
      stage.server.fault({ times: 4, act: { status: 404, body: '404 page not found\n' } });
      assert.equal(await stage.run(), 'failed');
      assert.match(stage.stderr.text, /does not know PromMigrations\n {2}do: install prom-migrator/);
      stage.stderr.text = '';
      assert.equal(await stage.run({ name: undefined }), 'failed');
      assert.match(stage.stderr.text, /does not know PromMigrations/);
    });

    const refusals: [number, string, RegExp][] = [
      [401, 'Unauthorized', /do: the credentials of the kubeconfig are not valid/],
      [403, 'Forbidden', /do: kubectl auth can-i patch prommigrations\.prom-migrator\.io -n team says no/],
      [503, 'ServiceUnavailable', /do: see the API server, or try again later/],
    ];
    for (const [status, reason, cure] of refusals) {
      it(`names the cure of ${status}`, async () => {
        await using stage = await startStage();
        stage.server.put(COLLECTION, running);
        stage.server.fault({ when: ({ method }) => method === 'PATCH', act: { status, reason } });
        assert.equal(await stage.run({ action: 'suspend' }), 'failed');
        assert.match(stage.stderr.text.replaceAll(/\n +/g, ' '), cure);
      });
    }

    it('names the cure where there is no cluster', async () => {
      await using stage = await startStage();
      stage.server.fault({ act: 'reset' });
      assert.equal(await stage.run(), 'failed');
      assert.match(stage.stderr.text, /do: check that the cluster runs/);
      const io = { ...stage, env: { HOME: '/none' }, random: () => 0.5, signal: new AbortController().signal };
      const options = { action: 'status', name: undefined, namespace: undefined, allNamespaces: true } as const;
      const others = { kubeconfig: '/none/config', context: undefined, output: 'text', waitMs: undefined } as const;
      const rest = { to: undefined, operatorNamespace: 'x' };
      assert.equal(await runPmig({ ...options, ...others, ...rest }, io), 'failed');
      assert.match(
        stage.stderr.text,
        /the kubeconfig \/none\/config cannot be read: ENOENT\n {2}do: check --kubeconfig/,
      );
    });
  });

  describe('watch', () => {
    it('prints changes from a watch, without polling, and ends with the migration', async () => {
      await using stage = await startStage();
      const stored = stage.server.put(COLLECTION, running);
      const done = stage.run({ action: 'watch' });
      await until('it watches', () => stage.server.openWatches === 1);
      const before = stage.server.requests.length;
      stage.server.put(COLLECTION, { ...stored, metadata: { ...stored.metadata, labels: { a: 'b' } } });
      stage.server.put(COLLECTION, { ...succeeded, metadata: stored.metadata });
      assert.equal(await done, 'done');
      assert.equal(stage.server.requests.length, before);
      const lines = stage.stdout.lines.map((line) => line.replace(/^\S+ \S+ {2}/, ''));
      assert.match(lines[0] ?? '', /^Running {2}41\.3%/);
      assert.match(lines.at(-1) ?? '', /^Succeeded {2}100\.0%/);
      assert.equal(lines.length, 4);
      const watch = stage.server.requests.find(isWatch);
      assert.equal(watch?.query['fieldSelector'], 'metadata.name=copy');
    });

    it('ends in another way if the migration has failed or is deleted', async () => {
      await using stage = await startStage();
      stage.server.put(COLLECTION, failed);
      assert.equal(await stage.run({ action: 'watch' }), 'ended');
      stage.server.put(COLLECTION, running);
      const done = stage.run({ action: 'watch' });
      await until('it watches', () => stage.server.openWatches === 1);
      stage.server.remove(COLLECTION.replace('/prommigrations', '/namespaces/team/prommigrations/copy'));
      assert.equal(await done, 'ended');
      assert.match(stage.stdout.text, /team\/copy was deleted\n$/);
    });

    it('draws over its last picture on a terminal, which may be small', async () => {
      await using stage = await startStage({ tty: true });
      Object.assign(stage.stdout, { width: 30, height: 10 });
      const stored = stage.server.put(COLLECTION, running);
      const done = stage.run({ action: 'watch' });
      await until('it has drawn', () => stage.stdout.text !== '');
      assert.equal(stage.stdout.text.trimEnd().split('\n').length, 9);
      for (const line of stage.stdout.text.replace('\r\u001b[J', '').split('\n')) assert.ok(line.length < 30, line);
      await until('it watches', () => stage.server.openWatches === 1);
      stage.server.put(COLLECTION, { ...succeeded, metadata: stored.metadata });
      assert.equal(await done, 'done');
      const last = stage.stdout.text.split('\u001b[9A\r\u001b[J')[1] ?? '';
      assert.match(last, /^team\/copy: Succeeded, 100\.0% done/);
      assert.match(last, /CONDITIONS/, 'the last picture is complete');
    });

    it('survives that events cannot be read', async () => {
      await using stage = await startStage({ tty: true });
      Object.assign(stage.stdout, { height: 100 });
      const stored = stage.server.put(COLLECTION, running);
      stage.server.fault({ when: ({ path }) => path.endsWith('/events'), act: 'cut-body' });
      const done = stage.run({ action: 'watch' });
      await until('it has drawn', () => stage.stdout.text !== '');
      assert.match(stage.stdout.text, /EVENTS\n {2}not read: list events: /);
      await until('it watches', () => stage.server.openWatches === 1);
      stage.server.put(COLLECTION, { ...succeeded, metadata: stored.metadata });
      assert.equal(await done, 'done');
    });

    it('survives a fault, and stops without the right to watch', async () => {
      await using stage = await startStage();
      stage.server.put(COLLECTION, running);
      const done = stage.run({ action: 'watch' });
      await until('it watches', () => stage.server.openWatches === 1);
      stage.server.fault({ when: isWatch, act: { status: 403, reason: 'Forbidden' } });
      stage.server.endWatches();
      await stage.clock.advance(1_000);
      stage.server.cutWatches();
      assert.equal(await done, 'failed');
      assert.match(
        stage.stderr.text.replaceAll(/\n +/g, ' '),
        /can-i watch prommigrations\.prom-migrator\.io -n team says no/,
      );
    });
  });
});
