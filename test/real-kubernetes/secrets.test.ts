// PromMigrations whose Secret is missing or is rotated, on a real API server.

import assert from 'node:assert/strict';
import type { FakeStore, Fault, StoreRequest } from './support/fake-store.ts';
import { DAY, HOUR, type Lifecycle, startLifecycle, type TimeRange } from './support/lifecycle.ts';
import { conditionOf, type MigrationObjects, standOf } from './support/migration-objects.ts';

describe('a PromMigration with a Secret', function () {
  this.timeout(240_000);
  let world: Lifecycle;
  let store: FakeStore;
  let migrations: MigrationObjects;

  before(async function () {
    this.timeout(900_000);
    world = await startLifecycle();
    ({ store, migrations } = world);
  });

  after(async () => {
    await world?.[Symbol.asyncDispose]();
  });

  const startSlow = (name: string, spec?: object) => world.startSlow(name, spec);
  const assertAllThereOnce = (tenant: string, range: TimeRange) => world.assertAllThereOnce(tenant, range);
  const countLog = (name: string, message: string) => world.countLog(name, message);

  it('waits for its Secret and reports what is missing, while others run', async () => {
    const spec = store.spec('secret', HOUR);
    const credentials = { name: 'reader', key: 'token' };
    const authorization = { type: 'Bearer', credentials };
    store.faults.set('secret', onlyWith('Bearer right-token', 'read'));
    await migrations.create('secret', { ...spec, source: { ...spec.source, authorization } });
    const missing = await migrations.until('secret', 'misses its Secret', (status) => {
      return standOf(status, 'Accepted') === 'False SecretNotFound';
    });
    assert.equal(missing.status?.phase, 'Pending');
    assert.match(conditionOf(missing.status, 'Accepted')?.message ?? '', /Secret "reader".*"team-a".*key "token"/);
    await migrations.create('neighbour', store.spec('neighbour', HOUR));
    await migrations.untilPhase('neighbour', 'Succeeded');

    await migrations.putSecret('reader', { password: 'wrong key' });
    await migrations.until('secret', 'misses its key', (status) => {
      return /Secret "reader".* has no key "token"/.test(conditionOf(status, 'Accepted')?.message ?? '');
    });
    assert.equal(store.countRequests('secret'), 0);
    await migrations.putSecret('reader', { token: 'right-token' });
    const { status } = await migrations.untilPhase('secret', 'Succeeded');
    assert.equal(standOf(status, 'Accepted'), 'True Valid');
    assertAllThereOnce('secret', HOUR);
  });

  it('resumes with a rotated Secret without a restart, and does not disturb others', async () => {
    await migrations.putSecret('rotated', { token: 'old-token' });
    await startSlow('undisturbed');
    const spec = store.spec('rotated', DAY);
    const credentials = { name: 'rotated', key: 'token' };
    const destination = { ...spec.destination, authorization: { type: 'Bearer', credentials } };
    store.faults.set('rotated', onlyWith('Bearer old-token', 'write', 'back'));
    await startSlow('rotated', { destination });
    store.faults.set('rotated', onlyWith('Bearer new-token', 'write', 'back'));
    const refused = await migrations.until('rotated', 'is refused', (status) => {
      return standOf(status, 'Degraded') === 'True CredentialsRefused';
    });
    assert.equal(standOf(refused.status, 'Progressing'), 'True Retrying');
    assert.equal(refused.status?.phase, 'Running');
    await migrations.putSecret('rotated', { token: 'new-token' });
    await migrations.edit('rotated', { limits: { samplesPerSecond: null } });
    const { status } = await migrations.untilPhase('rotated', 'Succeeded');
    assert.equal(standOf(status, 'Degraded'), 'False AsExpected');
    assertAllThereOnce('rotated', DAY);
    assert.equal(countLog('undisturbed', 'worker started'), 1);
    assert.equal((await migrations.get('undisturbed')).status?.phase, 'Running');
    await migrations.edit('undisturbed', { limits: { samplesPerSecond: null } });
    await migrations.untilPhase('undisturbed', 'Succeeded');
    assertAllThereOnce('undisturbed', DAY);
  });
});

/** Responds with 401 to requests of these kinds with another Authorization. */
function onlyWith(authorization: string, ...kinds: StoreRequest['kind'][]) {
  return (request: StoreRequest): Fault | undefined =>
    kinds.includes(request.kind) && request.authorization !== authorization
      ? { status: 401, body: 'not with this token' }
      : undefined;
}
