import assert from 'node:assert/strict';
import type { PromMigration } from '../../src/api/prom-migration.ts';
import { checkMigration } from '../../src/operator/check.ts';
import { MigrationRecord } from '../../src/operator/judge/migration-record.ts';
import { SYSTEM_CLOCK } from '../../src/telemetry/clock.ts';
import { Secret } from '../../src/telemetry/secret.ts';
import { shownTexts } from '../support/secrets.ts';
import { migrationOf, momentAt, nowMs } from './support/migrations.ts';

const noJobs = { noJobs: 'no Jobs here', whyWait: async () => undefined };

const withJobs = { ...noJobs, noJobs: undefined };

const resource = migrationOf({
  spec: {
    source: {
      url: 'http://source/api/v1/read',
      basicAuth: { username: { name: 'login', key: 'user' }, password: { name: 'login', key: 'password' } },
    },
  },
});

async function checked(values: Readonly<Record<string, string>>) {
  const get = (_kind: string, _name: string, key: string) =>
    values[key] === undefined ? undefined : new Secret(values[key]);
  const read = async () => ({ source: { get }, problems: [] });
  return checkMigration(resource, { read, ...noJobs, allowsAmbient: false, failures: 0 }, SYSTEM_CLOCK);
}

describe('the check of a migration', () => {
  it('gives the plan that the worker runs, with the values of the Secrets', async () => {
    const { check, plan } = await checked({ user: 'admin', password: 'hunter2' });
    assert.deepEqual(check, { ok: true, id: plan?.id, noResumePoint: false });
    assert.ok(plan?.source.auth.kind === 'basic');
    assert.equal(plan.source.auth.password.reveal(), 'hunter2');
  });

  it('rejects what the API server cannot check', async () => {
    const { check } = await checkMigration(
      migrationOf({ spec: { execution: { stretch: '3h' } } }),
      {
        read: () => assert.fail('no Secret is read for an invalid spec'),
        ...noJobs,
        allowsAmbient: false,
        failures: 0,
      },
      SYSTEM_CLOCK,
    );
    assert.ok(!check.ok);
    assert.equal(check.reason, 'InvalidSpec');
    assert.match(check.message, /^spec\.execution\.stretch: "3h": must be a positive multiple of 2h, /);
  });

  async function rejection(
    migration: PromMigration,
    jobs: { readonly noJobs: string | undefined; readonly whyWait: () => Promise<string | undefined> },
  ): Promise<string | undefined> {
    const read = async () => ({ source: { get: () => undefined }, problems: [] });
    const { check } = await checkMigration(
      migration,
      { read, ...jobs, allowsAmbient: false, failures: 0 },
      SYSTEM_CLOCK,
    );
    return check.ok ? undefined : `${check.reason}: ${check.message}`;
  }

  it('accepts mode Job only if the operator creates Jobs', async () => {
    const inJob = migrationOf({ spec: { execution: { mode: 'Job' } } });
    const whyWait = () => assert.fail('it does not copy itself');
    assert.equal(await rejection(inJob, { noJobs: undefined, whyWait }), undefined);
    assert.match((await rejection(inJob, noJobs)) ?? '', /^JobsDisabled: .*no Jobs here/);
  });

  it('accepts no other mode while a Job may copy that the operator cannot stop', async () => {
    const whyWait = async () => 'the Job copy-0123456789 may copy';
    const message = await rejection(migrationOf(), { noJobs: 'no Jobs here', whyWait });
    assert.equal(message, 'JobsDisabled: the Job copy-0123456789 may copy');
    assert.equal(await rejection(migrationOf(), noJobs), undefined);
  });

  const sigv4 = { region: 'eu-central-1' };
  const keys = { accessKey: { name: 'login', key: 'user' }, secretKey: { name: 'login', key: 'password' } };
  const workloadIdentity = { clientId: 'a', tenantId: 'b' };
  const progress = { protocol: 'PromQL', url: 'http://destination' };
  const destination = (own: object, ofProgress: object = {}) => ({
    destination: { url: 'http://destination/write', ...own, progress: { ...progress, ...ofProgress } },
  });
  const cases: readonly (readonly [what: string, spec: Record<string, unknown>, fields: string | undefined])[] = [
    ['keys', destination({ sigv4: { ...sigv4, ...keys } }), undefined],
    ['no keys', destination({ sigv4 }), 'spec.destination.sigv4'],
    [
      'a managed identity',
      { source: { url: 'http://source/read', azureAd: { managedIdentity: {} } } },
      'spec.source.azureAd.managedIdentity',
    ],
    [
      'a workload identity for the progress',
      destination({ sigv4: { ...sigv4, ...keys } }, { azureAd: { workloadIdentity } }),
      'spec.destination.progress.azureAd.workloadIdentity',
    ],
    [
      'no keys in a Job, which is followed with the same identity',
      { ...destination({ sigv4 }), execution: { mode: 'Job' } },
      'spec.destination.sigv4',
    ],
    [
      'no keys in a Job, which is followed with others',
      { ...destination({ sigv4 }, { sigv4: { ...sigv4, ...keys } }), execution: { mode: 'Job' } },
      undefined,
    ],
    [
      'the identity of the node in a Job',
      {
        ...destination({ azureAd: { managedIdentity: {} } }, { sigv4: { ...sigv4, ...keys } }),
        execution: { mode: 'Job' },
      },
      'spec.destination.azureAd.managedIdentity',
    ],
    [
      'no keys in a Job that the operator verifies',
      {
        ...destination({ sigv4 }, { sigv4: { ...sigv4, ...keys } }),
        ...{ execution: { mode: 'Job' }, verification: { mode: 'Full' } },
      },
      'spec.destination.sigv4',
    ],
  ];
  for (const [what, spec, fields] of cases) {
    it(`${fields === undefined ? 'accepts' : 'does not accept'} ${what}, without --ambient-credentials`, async () => {
      const get = () => new Secret('value');
      const read = async () => ({ source: { get }, problems: [] });
      const check = async (allowsAmbient: boolean) =>
        checkMigration(migrationOf({ spec }), { read, ...withJobs, allowsAmbient, failures: 0 }, SYSTEM_CLOCK);
      assert.ok((await check(true)).check.ok);
      const { check: judged } = await check(false);
      assert.equal(judged.ok, fields === undefined);
      if (judged.ok) return;
      assert.equal(judged.reason, 'AmbientCredentialsDisabled');
      assert.ok(judged.message.startsWith(`${fields}: the operator would use`), judged.message);
    });
  }

  it('shows no value of a Secret, and leaves none behind in what is known of the migration', async () => {
    for (const password of ['hunter2', 'hunter2\nhunter2', 'hunter2'.repeat(10_000)]) {
      const result = await checked({ user: 'admin', password });
      const record = new MigrationRecord(resource, momentAt(nowMs));
      record.checked(resource, result.check);
      const { worker, timeline, track } = record;
      assert.doesNotMatch(shownTexts([result, record.checkOf(resource), worker, timeline, track, record]), /hunter2/);
    }
  });
});
