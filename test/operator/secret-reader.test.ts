import assert from 'node:assert/strict';
import { KubeClient } from '../../src/operator/kube/kube-client.ts';
import { readSecrets } from '../../src/operator/secret-reader.ts';
import { shownTexts } from '../support/secrets.ts';
import { FakeApiServer } from './support/fake-api-server.ts';

const secrets = '/api/v1/namespaces/team/secrets';
const maps = '/api/v1/namespaces/team/configmaps';
const never = new AbortController().signal;
const base64 = (text: string) => Buffer.from(text).toString('base64');

const migration = (source: object, destination: object = {}) => ({
  metadata: { name: 'm', namespace: 'team' },
  spec: { source, destination },
});
const basicAuth = (name: string, username = 'user', password = 'password') => ({
  basicAuth: { username: { name, key: username }, password: { name, key: password } },
});

async function start() {
  const server = await FakeApiServer.start();
  const client = new KubeClient(server.connection, { request: () => {} });
  return {
    server,
    client,
    async [Symbol.asyncDispose]() {
      client.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

describe('reading the secrets of a migration', () => {
  it('reads each object once, by name, in its own namespace, and decodes the values', async () => {
    await using parts = await start();
    const { server, client } = parts;
    server.put(secrets, { metadata: { name: 'login' }, data: { user: base64('ü'), password: base64('p') } } as never);
    server.put(maps, {
      metadata: { name: 'ca' },
      data: { 'ca.crt': 'text' },
      binaryData: { bin: base64('b') },
    } as never);
    server.put('/api/v1/namespaces/other/secrets', {
      metadata: { name: 'login' },
      data: { user: base64('x') },
    } as never);
    const tls = {
      tls: { ca: { configMap: { name: 'ca', key: 'ca.crt' } }, cert: { configMap: { name: 'ca', key: 'bin' } } },
    };
    const { source, problems, version } = await readSecrets(client, migration(basicAuth('login'), tls), never);
    assert.deepEqual(problems, []);
    assert.deepEqual(
      server.requests.map(({ method, path }) => `${method} ${path}`),
      [`GET ${secrets}/login`, `GET ${maps}/ca`],
    );
    assert.equal(source.get('Secret', 'login', 'user')?.reveal(), 'ü');
    assert.equal(source.get('Secret', 'login', 'password')?.reveal(), 'p');
    assert.equal(source.get('ConfigMap', 'ca', 'ca.crt')?.reveal(), 'text');
    assert.equal(source.get('ConfigMap', 'ca', 'bin')?.reveal(), 'b');
    assert.equal(source.get('Secret', 'login', 'toString'), undefined);
    assert.equal(source.get('Secret', 'ca', 'ca.crt'), undefined);

    server.put(secrets, { metadata: { name: 'login' }, data: { user: base64('v'), password: base64('p') } } as never);
    const rotated = await readSecrets(client, migration(basicAuth('login'), tls), never);
    assert.notEqual(rotated.version, version);
    assert.equal(rotated.source.get('Secret', 'login', 'user')?.reveal(), 'v');
  });

  it('reports the missing Secret, key and field', async () => {
    await using parts = await start();
    const { server, client } = parts;
    server.put(secrets, { metadata: { name: 'login' }, data: { user: base64('canary') } } as never);
    const token = { authorization: { type: 'Bearer', credentials: { name: 'none', key: 'token' } } };
    const { problems, source } = await readSecrets(client, migration(basicAuth('login'), token), never);
    assert.deepEqual(
      problems.map(({ reason, message }) => `${reason}: ${message}`),
      [
        'SecretKeyNotFound: spec.source.basicAuth.password: Secret "login" in namespace "team" has no key "password"',
        'SecretNotFound: spec.destination.authorization.credentials: Secret "none" in namespace "team" with the key "token" not found',
      ],
    );
    assert.equal(source.get('Secret', 'login', 'user')?.reveal(), 'canary');
    assert.doesNotMatch(shownTexts([problems, source, source.get('Secret', 'login', 'user')]), /canary|Y2FuYXJ5/);
  });

  it('reports a missing permission and its resource', async () => {
    await using parts = await start();
    parts.server.fault({ act: { status: 403, reason: 'Forbidden' } });
    const { problems } = await readSecrets(parts.client, migration(basicAuth('login')), never);
    assert.deepEqual(
      problems.map(({ reason }) => reason),
      ['SecretForbidden', 'SecretForbidden'],
    );
    assert.match(problems[0]?.message ?? '', /not allowed to get Secret "login" in namespace "team" \(key "user"\)/);
  });

  it('requests no object with an invalid name', async () => {
    await using parts = await start();
    const { problems } = await readSecrets(parts.client, migration(basicAuth('../../kube-system/secrets/x')), never);
    assert.equal(problems[0]?.reason, 'SecretNotFound');
    assert.equal(parts.server.requests.length, 0);
  });

  it('lets an outage of the API server be retried, instead of reporting the Secret as missing', async () => {
    await using parts = await start();
    parts.server.fault({ act: { status: 500 } });
    await assert.rejects(readSecrets(parts.client, migration(basicAuth('login')), never), { status: 500 });
  });

  it('needs no request when nothing is referenced', async () => {
    await using parts = await start();
    const { problems, version } = await readSecrets(parts.client, migration({}), never);
    assert.deepEqual([problems, version, parts.server.requests.length], [[], '', 0]);
  });
});
