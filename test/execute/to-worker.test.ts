import assert from 'node:assert/strict';
import type { MigrationPlan } from '../../src/migration/plan/migration-plan.ts';
import { packJob, unpackJob, type WorkerJob } from '../../src/execute/to-worker.ts';
import { FileSecret, Secret, SecretUrl } from '../../src/telemetry/secret.ts';
import { planOf } from '../migration/support/compiled-plan.ts';
import { createAuthority } from '../support/certificates.ts';
import { revealed, secretValues, shownTexts } from '../support/secrets.ts';

const ref = (key: string) => ({ name: 's', key });

describe('a job for a worker thread', () => {
  const client = createAuthority('worker message').issue('client');
  const plan: MigrationPlan = planOf(
    {
      'spec.source.url': 'http://source/read?p=hunter2-query',
      'spec.source.headers': { 'X-Api-Key': 'hunter2-header' },
      'spec.source.basicAuth': { username: ref('user'), password: ref('password') },
      'spec.source.tls': { cert: { secret: ref('cert') }, keySecret: ref('key') },
      'spec.source.proxyUrl': 'http://proxy:3128',
      'spec.destination.authorization': { credentials: ref('token') },
      'spec.externalLabels': { text: 'a', url: 'b' },
      'spec.relabelings': [{ action: 'drop', sourceLabels: ['text', 'url'] }],
    },
    { user: 'hunter2-user', password: 'hunter2-password', token: 'hunter2-token', cert: client.cert, key: client.key },
  );
  const job: WorkerJob = { plan, resume: { fromMs: 1, endMs: 2 } };
  const arrived = (given: WorkerJob) => unpackJob(structuredClone(packJob(given)));

  it('arrives as it was, with every secret', () => {
    const text = JSON.stringify(revealed(job));
    for (const name of ['query', 'header', 'user', 'password', 'token'])
      assert.ok(text.includes(`hunter2-${name}`), name);
    assert.ok(text.includes('BEGIN PRIVATE KEY'));
    assert.deepEqual(revealed(arrived(job)), revealed(job));
    assert.equal('resume' in arrived({ plan }), false);
  });

  it('shows no secret on either side', () => {
    for (const side of [job, arrived(job)]) assert.doesNotMatch(shownTexts(side), /hunter2|PRIVATE KEY/);
  });

  it('has secrets of the same kind on the other side', () => {
    const { source, destination } = arrived(job).plan;
    assert.ok(source.url instanceof SecretUrl);
    assert.ok(source.proxyUrl instanceof SecretUrl);
    assert.ok(destination.auth.kind === 'authorization' && destination.auth.credentials instanceof Secret);
    assert.equal(`${source.url}`, 'http://source/read?p=***');
  });

  it('knows the files of its secrets on the other side', () => {
    const credentials = new FileSecret('hunter2-file', '/secrets/of the source/token');
    const auth = { kind: 'authorization', type: 'Bearer', credentials } as const;
    const { source } = arrived({ plan: { ...plan, source: { ...plan.source, auth } } }).plan;
    assert.ok(source.auth.kind === 'authorization' && source.auth.credentials instanceof FileSecret);
    assert.equal(source.auth.credentials.path, '/secrets/of the source/token');
    assert.equal(source.auth.credentials.reveal(), 'hunter2-file');
  });

  it('is frozen like the plan that it was', () => {
    const check = (value: unknown): void => {
      assert.ok(Object.isFrozen(value));
      if (typeof value === 'object' && value !== null) Object.values(value).forEach(check);
    };
    check(arrived(job));
  });

  it('may have a header with the name of a property that every object has', () => {
    const headers = secretValues(JSON.parse('{"__proto__":"a","constructor":"b"}'));
    const { source } = arrived({ plan: { ...plan, source: { ...plan.source, headers } } }).plan;
    assert.deepEqual(Object.keys(source.headers), ['__proto__', 'constructor']);
    assert.equal(Object.getOwnPropertyDescriptor(source.headers, '__proto__')?.value.reveal(), 'a');
  });
});
