// Tokens of Microsoft Entra ID: the three ways, against fakes of its token endpoint and of the metadata service.

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { authorityOf } from '../../../src/remote/credentials/azure-ad.ts';
import type { AzureAdAuth } from '../../../src/remote/http/endpoint.ts';
import { Secret } from '../../../src/telemetry/secret.ts';
import {
  authorizationOf,
  failureOf,
  MovedClock,
  openCredentials,
  USUAL_TLS,
} from '../../support/clouds/credentials.ts';
import { bearer, json, startTokenServer } from '../../support/clouds/token-server.ts';

const SCOPE = 'https://monitor.azure.com//.default';
const IDENTITIES = {
  managed: { kind: 'managed', clientId: 'user-assigned' },
  client: { kind: 'client', clientId: 'app', tenantId: 'tenant', secret: new Secret('app-secret') },
  workload: { kind: 'workload', clientId: 'app', tenantId: 'tenant' },
} as const;

function azureAd(identity: AzureAdAuth['identity']): AzureAdAuth {
  return {
    ...{ kind: 'azureAd', field: 'spec.destination.azureAd', tls: USUAL_TLS },
    ...{ cloud: 'AzurePublic', scope: SCOPE, identity },
  };
}

describe('Microsoft Entra ID', () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'prom-migrator-azure-'));
  });
  after(() => rm(directory, { recursive: true, force: true }));

  it('issues a token for an application with a client secret', async () => {
    await using server = await startTokenServer();
    const credentials = await openCredentials(azureAd(IDENTITIES.client), { AZURE_AUTHORITY_HOST: `${server.url}/` });
    assert.equal(await authorizationOf(credentials), 'Bearer token-1');
    const [{ url, form }] = server.requests as [(typeof server.requests)[0]];
    assert.equal(url.pathname, '/tenant/oauth2/v2.0/token');
    assert.deepEqual(Object.fromEntries(form), {
      grant_type: 'client_credentials',
      client_id: 'app',
      client_secret: 'app-secret',
      scope: SCOPE,
    });
  });

  it('is reached in the cloud of the manifest, whatever workload identity has set in the pod', () => {
    const [publicHost, china] = ['https://login.microsoftonline.com', 'https://login.chinacloudapi.cn'];
    const own = 'https://login.azurestack.example/';
    const { client, workload } = IDENTITIES;
    const cases: [AzureAdAuth['cloud'], AzureAdAuth['identity'], string | undefined, string][] = [
      ['AzurePublic', client, undefined, publicHost],
      ['AzureChina', client, `${publicHost}/`, china],
      ['AzureChina', workload, `${publicHost}/`, china],
      ['AzurePublic', client, `${china}/`, publicHost],
      ['AzurePublic', workload, `${china}/`, china],
      ['AzurePublic', client, own, own.slice(0, -1)],
      ['AzureChina', client, own, china],
      ['AzurePublic', workload, '', publicHost],
    ];
    for (const [cloud, identity, host, expected] of cases)
      assert.equal(authorityOf({ cloud, identity }, host), expected, `${cloud}, ${identity.kind}, ${host}`);
  });

  it('exchanges the token of a service account, which is read each time', async () => {
    await using server = await startTokenServer();
    const path = join(directory, 'federated');
    await writeFile(path, 'first\n');
    const clock = new MovedClock();
    const env = { AZURE_AUTHORITY_HOST: server.url, AZURE_FEDERATED_TOKEN_FILE: path };
    const credentials = await openCredentials(azureAd(IDENTITIES.workload), env, clock);
    await authorizationOf(credentials);
    await writeFile(path, 'second\n');
    clock.aheadMs = 60 * 60_000;
    assert.equal(await authorizationOf(credentials), 'Bearer token-2');
    assert.deepEqual(
      server.requests.map(({ form }) => form.get('client_assertion')),
      ['first', 'second'],
    );
    assert.equal(
      server.requests[0]?.form.get('client_assertion_type'),
      'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    );
  });

  for (const [clientId, query] of [
    ['user-assigned', '?api-version=2018-02-01&resource=https%3A%2F%2Fmonitor.azure.com%2F&client_id=user-assigned'],
    [undefined, '?api-version=2018-02-01&resource=https%3A%2F%2Fmonitor.azure.com%2F'],
  ] as const) {
    it(`issues a token for a managed identity ${clientId ?? 'of the system'}, through the metadata service`, async () => {
      // The metadata service sends numbers as strings.
      await using server = await startTokenServer((_, number) => bearer(`token-${number}`, { expires_in: '3600' }));
      const clock = new MovedClock();
      const env = { AZURE_POD_IDENTITY_AUTHORITY_HOST: server.url };
      const credentials = await openCredentials(azureAd({ kind: 'managed', clientId }), env, clock);
      assert.equal(await authorizationOf(credentials), 'Bearer token-1');
      const [{ method, url, headers }] = server.requests as [(typeof server.requests)[0]];
      assert.deepEqual([method, url.pathname, url.search], ['GET', '/metadata/identity/oauth2/token', query]);
      assert.equal(headers['metadata'], 'true');
      clock.aheadMs = 60 * 60_000;
      assert.equal(await authorizationOf(credentials), 'Bearer token-2');
    });
  }

  it('issues a token through App Service, which only says when it ends', async () => {
    await using server = await startTokenServer((_, number) =>
      bearer(`token-${number}`, { expires_on: String(Math.floor(Date.now() / 1000) + 3600) }),
    );
    const clock = new MovedClock();
    const env = { IDENTITY_ENDPOINT: `${server.url}/msi/token`, IDENTITY_HEADER: 'the-header' };
    const credentials = await openCredentials(azureAd(IDENTITIES.managed), env, clock);
    assert.equal(await authorizationOf(credentials), 'Bearer token-1');
    const [{ url, headers }] = server.requests as [(typeof server.requests)[0]];
    assert.equal(url.pathname, '/msi/token');
    assert.equal(url.searchParams.get('api-version'), '2019-08-01');
    assert.equal(headers['x-identity-header'], 'the-header');
    clock.aheadMs = 61 * 60_000;
    assert.equal(await authorizationOf(credentials), 'Bearer token-2');
  });

  it('may pass while the metadata service has no identity yet', async () => {
    await using server = await startTokenServer(() => json(404, { error: 'not_found' }));
    const env = { AZURE_POD_IDENTITY_AUTHORITY_HOST: server.url };
    const failure = await failureOf(await openCredentials(azureAd(IDENTITIES.managed), env));
    assert.equal(failure.isTransient, true);
    assert.match(
      failure.message,
      /the metadata service 127\.0\.0\.1:\d+ \(spec\.destination\.azureAd\) returned 404: not_found/,
    );
  });

  it('rejects a wrong secret, and the message does not show it', async () => {
    await using server = await startTokenServer(({ form }) =>
      json(401, { error: 'invalid_client', error_description: `AADSTS7000215: ${form.get('client_secret')}` }),
    );
    const env = { AZURE_AUTHORITY_HOST: server.url };
    const failure = await failureOf(await openCredentials(azureAd(IDENTITIES.client), env));
    assert.equal(failure.isTransient, false);
    assert.match(failure.message, /returned 401: invalid_client: AADSTS7000215: \*\*\*$/);
  });

  for (const [env, found] of [
    [{}, 'is not set'],
    [{ AZURE_FEDERATED_TOKEN_FILE: '/none/token' }, 'names /none/token, which cannot be read'],
  ] as const) {
    it(`needs a token of the service account: AZURE_FEDERATED_TOKEN_FILE ${found}`, async () => {
      const failure = await failureOf(await openCredentials(azureAd(IDENTITIES.workload), env));
      assert.equal(failure.isTransient, false);
      assert.match(
        failure.message,
        /spec\.destination\.azureAd\.workloadIdentity needs a token of the service account/,
      );
      assert.ok(failure.message.endsWith(`AZURE_FEDERATED_TOKEN_FILE ${found}`));
      assert.match(failure.hint, /azure\.workload\.identity\/use/);
    });
  }
});
