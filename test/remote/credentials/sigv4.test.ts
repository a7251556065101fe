// Where the keys of signatures come from: Secrets, the environment, roles; and what happens when they are refused.

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AuthHeaders } from '../../../src/remote/http/credentials.ts';
import type { SigV4Auth } from '../../../src/remote/http/endpoint.ts';
import { Secret } from '../../../src/telemetry/secret.ts';
import { failureOf, MovedClock, NEVER, openCredentials, USUAL_TLS } from '../../support/clouds/credentials.ts';
import { type AwsAccount, problemOf, startFakeSts } from '../../support/clouds/fake-aws.ts';
import { json, startTokenServer } from '../../support/clouds/token-server.ts';

const BODY = Buffer.from('snappy bytes');
const REQUEST = {
  method: 'POST',
  url: 'http://aps/workspaces/ws-1/api/v1/remote_write?x=a%20b&x=%2B',
  body: BODY,
} as const;
const ARN = 'arn:aws:iam::123456789012:role/writer';

function sigv4(changes: Partial<SigV4Auth> = {}): SigV4Auth {
  return {
    ...{ kind: 'sigv4', field: 'spec.destination.sigv4', tls: USUAL_TLS, region: 'eu-central-1', service: 'aps' },
    ...{ keys: { accessKey: new Secret('AKIAONE'), secretKey: new Secret('the secret key') }, role: undefined },
    ...changes,
  };
}

function accountAt(now: () => number = Date.now): AwsAccount {
  return { now, keys: new Map([['AKIAONE', { secretKey: 'the secret key' }]]) };
}

/** What AMP says about a request with these headers. */
function problemWith(headers: AuthHeaders, account: AwsAccount): string | undefined {
  const revealed = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.reveal()]));
  const { pathname, search, host } = new URL(REQUEST.url);
  const received = { ...REQUEST, target: `${pathname}${search}`, headers: { ...revealed, host } };
  return problemOf(received, account, 'aps');
}

const refusal = (account: AwsAccount) => ({
  status: 403,
  headers: { date: new Date(account.now()).toUTCString() },
});

describe('SigV4', () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'prom-migrator-aws-'));
  });
  after(() => rm(directory, { recursive: true, force: true }));

  async function file(name: string, text: string): Promise<string> {
    const path = join(directory, name);
    await writeFile(path, text);
    return path;
  }

  it('signs with the keys of a Secret, which do not change because they are refused', async () => {
    const account = accountAt();
    const credentials = await openCredentials(sigv4());
    const headers = await credentials.headersFor(REQUEST, NEVER);
    assert.equal(problemWith(headers, account), undefined);
    assert.deepEqual(Object.keys(headers).sort(), ['authorization', 'x-amz-date']);
    assert.equal(await credentials.renew(refusal(account), headers, NEVER), false);
  });

  it('signs with the keys of the environment', async () => {
    const account = accountAt();
    account.keys.set('AKIAENV', { secretKey: 'env', sessionToken: 'session' });
    const env = { AWS_ACCESS_KEY_ID: 'AKIAENV', AWS_SECRET_ACCESS_KEY: 'env', AWS_SESSION_TOKEN: 'session' };
    const credentials = await openCredentials(sigv4({ keys: undefined }), env);
    assert.equal(problemWith(await credentials.headersFor(REQUEST, NEVER), account), undefined);
  });

  it('assumes a role with its keys, and again before those of the role expire', async () => {
    const clock = new MovedClock();
    const account = accountAt(clock.now);
    await using sts = await startFakeSts(account);
    const auth = sigv4({ role: { arn: ARN, externalId: 'ext' } });
    const credentials = await openCredentials(auth, { AWS_ENDPOINT_URL_STS: sts.url }, clock);
    const first = await credentials.headersFor(REQUEST, NEVER);
    assert.equal(problemWith(first, account), undefined);
    assert.deepEqual(Object.fromEntries(sts.forms[0] ?? []), {
      ...{ Action: 'AssumeRole', Version: '2011-06-15', RoleArn: ARN, RoleSessionName: 'prom-migrator' },
      ExternalId: 'ext',
    });
    clock.aheadMs = 59.95 * 60_000;
    assert.equal(problemWith(await credentials.headersFor(REQUEST, NEVER), account), undefined);
    assert.deepEqual(
      sts.seen.map(({ problem, accessKey }) => [problem, accessKey]),
      [
        [undefined, 'AKIAONE'],
        [undefined, 'AKIAONE'],
      ],
    );
    assert.ok([...credentials.secrets()].includes('session-2-/+='));
  });

  it("assumes the role of the pod's service account, with the token that is in the file at that time", async () => {
    const clock = new MovedClock();
    const account = accountAt(clock.now);
    await using sts = await startFakeSts(account);
    const path = await file('web-identity', 'jwt-1');
    const env = { AWS_ENDPOINT_URL_STS: sts.url, AWS_ROLE_ARN: ARN, AWS_WEB_IDENTITY_TOKEN_FILE: path };
    const credentials = await openCredentials(sigv4({ keys: undefined }), env, clock);
    assert.equal(problemWith(await credentials.headersFor(REQUEST, NEVER), account), undefined);
    await writeFile(path, 'jwt-2');
    clock.aheadMs = 60 * 60_000;
    assert.equal(problemWith(await credentials.headersFor(REQUEST, NEVER), account), undefined);
    assert.deepEqual(
      sts.forms.map((form) => [form.get('Action'), form.get('RoleArn'), form.get('WebIdentityToken')]),
      [
        ['AssumeRoleWithWebIdentity', ARN, 'jwt-1'],
        ['AssumeRoleWithWebIdentity', ARN, 'jwt-2'],
      ],
    );
  });

  it('gets keys from EKS Pod Identity', async () => {
    const account = accountAt();
    account.keys.set('ASIAPOD', { secretKey: 'pod', sessionToken: 'pod-session' });
    await using agent = await startTokenServer(() =>
      json(200, {
        ...{ AccessKeyId: 'ASIAPOD', SecretAccessKey: 'pod', Token: 'pod-session' },
        Expiration: new Date(Date.now() + 3_600_000).toISOString(),
      }),
    );
    const env = {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${agent.url}/v1/credentials`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: await file('pod-token', 'pod-jwt\n'),
    };
    const credentials = await openCredentials(sigv4({ keys: undefined }), env);
    assert.equal(problemWith(await credentials.headersFor(REQUEST, NEVER), account), undefined);
    const [{ method, url, headers }] = agent.requests as [(typeof agent.requests)[0]];
    assert.deepEqual([method, url.pathname, headers.authorization], ['GET', '/v1/credentials', 'pod-jwt']);
  });

  for (const aheadMs of [-300_000, 300_000]) {
    it(`corrects a clock that is ${aheadMs / 1000} s ahead, at AMP and at STS, for all who were refused`, async () => {
      const clock = new MovedClock();
      clock.aheadMs = aheadMs;
      const account = accountAt();
      await using sts = await startFakeSts(account);
      const auth = sigv4({ role: { arn: ARN, externalId: undefined } });
      const credentials = await openCredentials(auth, { AWS_ENDPOINT_URL_STS: sts.url }, clock);
      assert.equal(problemWith(await credentials.headersFor(REQUEST, NEVER), account), undefined);
      assert.equal(sts.seen.length, 2);
      // Without STS, it is learned from AMP.
      const fixed = await openCredentials(sigv4(), {}, clock);
      const [a, b] = await Promise.all([fixed.headersFor(REQUEST, NEVER), fixed.headersFor(REQUEST, NEVER)]);
      assert.match(problemWith(a, account) ?? '', /Signature expired/);
      assert.equal(await fixed.renew(refusal(account), a, NEVER), true);
      assert.equal(await fixed.renew(refusal(account), b, NEVER), true);
      assert.equal(problemWith(await fixed.headersFor(REQUEST, NEVER), account), undefined);
    });
  }

  it('gets new keys when temporary ones are refused', async () => {
    const account = accountAt();
    await using sts = await startFakeSts(account);
    const auth = sigv4({ role: { arn: ARN, externalId: undefined } });
    const credentials = await openCredentials(auth, { AWS_ENDPOINT_URL_STS: sts.url });
    const first = await credentials.headersFor(REQUEST, NEVER);
    account.keys.delete('ASIAEXAMPLE1');
    assert.equal(await credentials.renew(refusal(account), first, NEVER), true);
    assert.equal(problemWith(await credentials.headersFor(REQUEST, NEVER), account), undefined);
  });

  it('is refused when STS does not know the keys, and the message shows none', async () => {
    const account = accountAt();
    account.keys.set('AKIAONE', { secretKey: 'another' });
    await using sts = await startFakeSts(account);
    const auth = sigv4({ role: { arn: ARN, externalId: undefined } });
    const failure = await failureOf(await openCredentials(auth, { AWS_ENDPOINT_URL_STS: sts.url }));
    assert.equal(failure.isTransient, false);
    assert.match(
      failure.message,
      /^cannot be authenticated: the AWS STS endpoint 127\.0\.0\.1:\d+ \(spec\.destination\.sigv4\) returned 403: SignatureDoesNotMatch: The request/,
    );
    assert.doesNotMatch(failure.message, /AKIAONE|the secret key/);
  });

  it('may pass when STS throttles', async () => {
    await using sts = await startTokenServer(() => ({
      ...{ status: 400, headers: { 'content-type': 'text/xml' } },
      text: '<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>',
    }));
    const auth = sigv4({ role: { arn: ARN, externalId: undefined } });
    const failure = await failureOf(await openCredentials(auth, { AWS_ENDPOINT_URL_STS: sts.url }));
    assert.equal(failure.isTransient, true);
    assert.match(failure.message, /returned 400: Throttling: Rate exceeded$/);
  });

  it('needs keys from somewhere', async () => {
    const failure = await failureOf(await openCredentials(sigv4({ keys: undefined })));
    assert.equal(failure.isTransient, false);
    assert.match(
      failure.message,
      /spec\.destination\.sigv4 has no accessKey, and the environment has no credentials of AWS/,
    );
    assert.match(failure.hint, /serviceAccountName/);
  });
});
