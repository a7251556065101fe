// The values of test/api/extreme-values.ts on a real API server, as kubectl would send them: it accepts and rejects the same values as
// `run`, and interprets them the same way.
import assert from 'node:assert/strict';
import { extremeManifest, extremeValues } from '../api/extreme-values.ts';
import { load } from '../api/manifests.ts';
import { type Cluster, startCluster } from '../support/kubernetes/cluster.ts';

const collection =
  '/apis/prom-migrator.io/v1alpha1/namespaces/default/prommigrations?dryRun=All&fieldValidation=Strict';

describe('values at the limits of the schema, on a real API server', function () {
  this.timeout(900_000);
  let cluster: Cluster;

  before(async () => {
    cluster = await startCluster();
    await cluster.applyCrd();
  });

  after(async () => {
    await cluster?.[Symbol.asyncDispose]();
  });

  for (const { path, accepted, refused } of extremeValues) {
    it(`are accepted at ${path} where run accepts them, and mean the same`, async () => {
      for (const text of accepted) {
        const manifest = extremeManifest(path, text);
        const { status, body } = await cluster.request('POST', collection, manifest, 'application/yaml');
        assert.equal(status, 201, `${text}: ${(body as { message?: string }).message}`);
        const loaded = load(manifest);
        assert.ok('migration' in loaded, text);
        // An integer may be -0 here, but not in the response.
        assert.deepEqual((body as { spec: unknown }).spec, JSON.parse(JSON.stringify(loaded.migration.spec)), text);
      }
    });

    it(`are rejected at ${path} where run rejects them`, async () => {
      for (const text of refused) {
        const manifest = extremeManifest(path, text);
        const { status, body } = await cluster.request('POST', collection, manifest, 'application/yaml');
        const { message = '' } = body as { message?: string };
        assert.ok(status === 400 || status === 422, `${text}: ${status}`);
        if (status === 422) assert.ok(message.includes(`spec.${path}`), `${text}: ${message}`);
      }
    });
  }
});
