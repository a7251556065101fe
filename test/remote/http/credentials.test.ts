// Requests whose credentials are refused, expire or are replaced on the way: what is sent again, and what is reported.

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Endpoint, EndpointAuth } from '../../../src/remote/http/endpoint.ts';
import { WriteClient } from '../../../src/remote/write-client.ts';
import { FileSecret, Secret, SecretUrl } from '../../../src/telemetry/secret.ts';
import { createRedactor } from '../../../src/remote/http/redact-response.ts';
import { oauth2, USUAL_TLS } from '../../support/clouds/credentials.ts';
import { json, startTokenServer } from '../../support/clouds/token-server.ts';
import { endpointAt, failureOf, httpServer, once, recordingHooks } from '../servers.ts';

const BODY = Buffer.from('the body');

/** A store that accepts the Authorization header that the test says, and repeats it in a 401. */
async function startStore(accepted: { header: string }) {
  const seen: { readonly header: string; readonly body: string }[] = [];
  const server = await httpServer((incoming, response, body) => {
    const header = incoming.headers.authorization ?? '';
    seen.push({ header, body: body.toString() });
    if (header === accepted.header) response.writeHead(204).end();
    else response.writeHead(401).end(`not ${header}`);
  });
  return Object.assign(server, { seen });
}

function clientFor(url: string, auth: EndpointAuth): WriteClient {
  const endpoint: Endpoint = endpointAt(url, { side: 'destination', auth });
  return new WriteClient(endpoint, recordingHooks(), 4);
}

describe('a request', () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'prom-migrator-credentials-'));
  });
  after(() => rm(directory, { recursive: true, force: true }));

  async function fileSecret(name: string, text: string): Promise<FileSecret> {
    await writeFile(join(directory, name), text);
    return new FileSecret(text, join(directory, name));
  }

  it('is sent once more with a new token after a 401, with its body', async () => {
    const accepted = { header: 'Bearer token-2' };
    await using store = await startStore(accepted);
    await using tokens = await startTokenServer();
    const client = clientFor(store.url, oauth2(tokens.url));
    await client.write(BODY, once());
    assert.deepEqual(store.seen, [
      { header: 'Bearer token-1', body: 'the body' },
      { header: 'Bearer token-2', body: 'the body' },
    ]);
    assert.equal(store.connections(), 1);
    client.close();
  });

  it('needs one new token, although several of them get a 401', async () => {
    const accepted = { header: 'Bearer token-1' };
    await using store = await startStore(accepted);
    await using tokens = await startTokenServer();
    const client = clientFor(store.url, oauth2(tokens.url));
    await client.write(BODY, once());
    accepted.header = 'Bearer token-2';
    await Promise.all([1, 2, 3, 4].map(() => client.write(BODY, once())));
    assert.equal(tokens.requests.length, 2);
    client.close();
  });

  it('fails if the new token is refused too', async () => {
    await using store = await startStore({ header: 'never' });
    await using tokens = await startTokenServer();
    const client = clientFor(store.url, oauth2(tokens.url));
    const error = await failureOf(client.write(BODY, once()));
    assert.deepEqual(
      [error.class, error.code, error.message],
      ['refused', 'unauthorized', 'destination returned 401: not Bearer ***'],
    );
    assert.equal(store.seen.length, 2);
    client.close();
  });

  for (const [status, errorClass, code] of [
    [503, 'transient', 'credentials-unavailable'],
    [400, 'refused', 'credentials-refused'],
  ] as const) {
    it(`is not sent while there is no token: ${code}`, async () => {
      await using store = await startStore({ header: '' });
      await using tokens = await startTokenServer(() => json(status, { error: 'the reason' }));
      const client = clientFor(store.url, oauth2(tokens.url));
      const error = await failureOf(client.write(BODY, once()));
      assert.deepEqual([error.class, error.code, error.side], [errorClass, code, 'destination']);
      assert.match(
        error.message,
        /^destination cannot be authenticated: the token endpoint 127\.0\.0\.1:\d+ \(spec\.destination\.oauth2\.tokenUrl\) returned \d+: the reason$/,
      );
      assert.equal(error.traits.arrival, 'no');
      assert.equal(store.seen.length, 0);
      client.close();
    });
  }

  it('that is aborted while it waits for a token is aborted', async () => {
    await using store = await startStore({ header: '' });
    await using tokens = await startTokenServer(() => undefined);
    const client = clientFor(store.url, oauth2(tokens.url));
    const abort = new AbortController();
    const failed = failureOf(client.write(BODY, { attempt: 1, signal: abort.signal }));
    abort.abort();
    assert.equal((await failed).class, 'aborted');
    client.close();
  });

  it('uses the user and the password that the files have after a 401', async () => {
    const headerOf = (pair: string) => `Basic ${Buffer.from(pair).toString('base64')}`;
    const accepted = { header: headerOf('user-1:word-1') };
    await using store = await startStore(accepted);
    const auth = {
      kind: 'basic',
      username: await fileSecret('user', 'user-1'),
      password: await fileSecret('password', 'word-1'),
    } as const;
    const client = clientFor(store.url, auth);
    await client.write(BODY, once());
    for (const n of [2, 3]) {
      await writeFile(join(directory, 'user'), `user-${n}\n`);
      await writeFile(join(directory, 'password'), `word-${n}\n`);
      accepted.header = headerOf(`user-${n}:word-${n}`);
      await client.write(BODY, once());
    }
    assert.equal(store.seen.length, 5);
    accepted.header = 'nothing';
    const error = await failureOf(client.write(BODY, once()));
    assert.equal(error.message, 'destination returned 401: not Basic ***');
    assert.equal(store.seen.length, 6, 'files that have not changed are no reason for another attempt');
    client.close();
  });

  for (const [what, text] of [
    ['empty', ''],
    ['broken', 'a\nb'],
  ] as const) {
    it(`keeps the token that it has while the file is ${what}`, async () => {
      const accepted = { header: 'Bearer old' };
      await using store = await startStore(accepted);
      const credentials = await fileSecret(`token-${what}`, 'old');
      const client = clientFor(store.url, { kind: 'authorization', type: 'Bearer', credentials });
      await client.write(BODY, once());
      accepted.header = 'Bearer new';
      await writeFile(credentials.path, text);
      assert.equal((await failureOf(client.write(BODY, once()))).code, 'unauthorized');
      await writeFile(credentials.path, 'new');
      await client.write(BODY, once());
      client.close();
    });
  }
});

describe('the redaction of responses', () => {
  const secret = (name: string) => new Secret(`canary-${name}`);
  const tls = { ...USUAL_TLS, cert: secret('public'), key: secret('tls-key') };
  const issuer = { field: 'spec.source.x', tls: USUAL_TLS };
  const scope = undefined;
  const key = { kind: 'key', key: secret('private-key'), keyId: 'k', algorithm: 'RS256', audience: 'a' } as const;
  const corpus: Readonly<Record<string, readonly [EndpointAuth, readonly string[]]>> = {
    'oauth2 with a secret': [
      oauth2('https://issuer/token?key=canary-query', {
        clientId: secret('client-id'),
        proof: { kind: 'secret', secret: secret('client-secret') },
        parameters: { a: secret('parameter') },
        tls,
        proxyUrl: new SecretUrl('http://user:canary-proxy@proxy'),
      }),
      ['client-id', 'client-secret', 'parameter', 'tls-key', 'query', 'proxy'],
    ],
    'oauth2 with a key': [oauth2('https://issuer/token', { proof: key }), ['private-key']],
    sigv4: [
      {
        ...{ kind: 'sigv4', ...issuer, region: 'r', service: 's', role: undefined },
        keys: { accessKey: secret('access-key'), secretKey: secret('secret-key') },
      },
      ['access-key', 'secret-key'],
    ],
    azureAd: [
      {
        ...{ kind: 'azureAd', ...issuer, cloud: 'AzurePublic', scope },
        identity: { kind: 'client', clientId: 'c', tenantId: 't', secret: secret('azure-secret') },
      },
      ['azure-secret'],
    ],
    authorization: [{ kind: 'authorization', type: 'Bearer', credentials: secret('token') }, ['token']],
  };
  for (const [name, [auth, names]] of Object.entries(corpus)) {
    it(`masks each secret of ${name}, and what was issued`, () => {
      const redact = createRedactor(endpointAt('http://store/', { auth }), () => ['canary-issued']);
      for (const what of [...names, 'issued']) {
        assert.equal(redact(`<canary-${what}>`), '<***>', what);
        assert.equal(
          redact(encodeURIComponent(`<canary-${what}>`)),
          encodeURIComponent('<***>').replaceAll('%2A', '*'),
        );
      }
    });
  }
});
