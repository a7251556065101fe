import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { stringify } from 'yaml';
import { KubeClient } from '../../../src/operator/kube/kube-client.ts';
import { type ConnectionOptions, loadKubeConnection } from '../../../src/operator/kube/kube-config.ts';
import { type Authority, createAuthority } from '../../support/certificates.ts';
import { shownTexts } from '../../support/secrets.ts';

interface Entry {
  readonly name: string;
  readonly server?: string;
  readonly cluster?: object;
  readonly user?: object;
  readonly namespace?: string;
}

/** A kubeconfig with a context, a cluster and a user for each entry; the first one is current. */
function kubeconfig(...entries: Entry[]): string {
  return stringify({
    'current-context': entries[0]?.name,
    contexts: entries.map(({ name, namespace }) => ({
      name,
      context: { cluster: name, user: name, ...(namespace && { namespace }) },
    })),
    clusters: entries.map(({ name, server, cluster }) => ({
      name,
      cluster: { server: server ?? 'https://x:6443', ...cluster },
    })),
    users: entries.map(({ name, user }) => ({ name, user: user ?? {} })),
  });
}

const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('the connection to the cluster', () => {
  let directory: string;
  let authority: Authority;
  const file = (name: string, text: string) => {
    const path = join(directory, name);
    if (!existsSync(dirname(path))) mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  };
  const load = (options: ConnectionOptions) =>
    loadKubeConnection({ environment: { HOME: join(directory, 'nobody') }, ...options });
  const authorization = async (options: ConnectionOptions) => {
    const { headers } = (await (await load(options)).requestOptions()).reveal();
    return (headers as Record<string, string> | undefined)?.['Authorization'];
  };
  before(() => {
    authority = createAuthority();
  });
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'kube-config-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('uses the service account of its pod, and reads the token for each request', async () => {
    const token = file('sa/token', 'one\n');
    file('sa/ca.crt', authority.cert);
    file('sa/namespace', 'operators\n');
    const environment = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '6443' };
    const connection = await load({ environment, serviceAccountDirectory: join(directory, 'sa') });
    assert.equal(connection.server.href, 'https://[fd00::1]:6443/');
    assert.equal(connection.namespace, 'operators');
    assert.doesNotMatch(shownTexts([connection, await connection.requestOptions()]), /one/);
    const first = (await connection.requestOptions()).reveal();
    assert.deepEqual([first.headers, String(first.ca)], [{ Authorization: 'Bearer one' }, authority.cert]);
    writeFileSync(token, 'two');
    assert.deepEqual((await connection.requestOptions()).reveal().headers, { Authorization: 'Bearer two' });
    writeFileSync(token, '');
    await assert.rejects(connection.requestOptions(), /token is empty/);
  });

  it('reports what is missing in a pod without a service account', async () => {
    const environment = { KUBERNETES_SERVICE_HOST: '10.0.0.1' };
    await assert.rejects(
      load({ environment, serviceAccountDirectory: directory }),
      /ENOENT.*automountServiceAccountToken/,
    );
  });

  it('prefers --kubeconfig, then KUBECONFIG, then the pod, then ~/.kube/config', async () => {
    file('sa/token', 'pod');
    file('sa/ca.crt', '');
    file('home/.kube/config', kubeconfig({ name: 'home', user: { token: 'home' } }));
    const named = file('named', kubeconfig({ name: 'named', user: { token: 'named' } }));
    const KUBECONFIG = file('variable', kubeconfig({ name: 'variable', user: { token: 'variable' } }));
    const [HOME, KUBERNETES_SERVICE_HOST] = [join(directory, 'home'), '10.0.0.1'];
    const serviceAccountDirectory = join(directory, 'sa');
    const all = { HOME, KUBERNETES_SERVICE_HOST, KUBECONFIG };
    const find = (options: ConnectionOptions) => authorization({ serviceAccountDirectory, ...options });
    assert.equal(await find({ environment: all, kubeconfig: named }), 'Bearer named');
    assert.equal(await find({ environment: all }), 'Bearer variable');
    assert.equal(await find({ environment: { HOME, KUBERNETES_SERVICE_HOST } }), 'Bearer pod');
    assert.equal(await find({ environment: { HOME } }), 'Bearer home');
    await assert.rejects(find({}), /no Kubernetes cluster: .*--kubeconfig/);
  });

  it('uses the given context, with its cluster, user and namespace', async () => {
    const path = file(
      'config',
      kubeconfig({ name: 'a' }, { name: 'b', server: 'https://b/prefix', user: { token: 'b' }, namespace: 'team' }),
    );
    assert.equal((await load({ kubeconfig: path })).namespace, 'default');
    const connection = await load({ kubeconfig: path, context: 'b' });
    assert.deepEqual([connection.server.href, connection.namespace], ['https://b/prefix', 'team']);
    assert.equal(await authorization({ kubeconfig: path, context: 'b' }), 'Bearer b');
    await assert.rejects(load({ kubeconfig: path, context: 'c' }), /no context "c"; it has "a", "b"/);
  });

  it('merges several files like kubectl: the first entry of a name takes precedence', async () => {
    const first = file('first', kubeconfig({ name: 'a', user: { token: 'first' } }));
    const second = file(
      'second',
      kubeconfig({ name: 'b', user: { token: 'b' } }, { name: 'a', user: { token: 'second' } }),
    );
    const environment = { KUBECONFIG: [join(directory, 'none'), first, second].join(delimiter) };
    assert.equal(await authorization({ environment }), 'Bearer first');
    assert.equal(await authorization({ environment, context: 'b' }), 'Bearer b');
  });

  it('reads a tokenFile next to the kubeconfig again for each request', async () => {
    const token = file('token', 'one');
    const path = file('config', kubeconfig({ name: 'a', user: { token: 'stale', tokenFile: 'token' } }));
    const connection = await load({ kubeconfig: path });
    assert.deepEqual((await connection.requestOptions()).reveal().headers, { Authorization: 'Bearer one' });
    writeFileSync(token, 'two');
    assert.deepEqual((await connection.requestOptions()).reveal().headers, { Authorization: 'Bearer two' });
  });

  it('runs a credential plugin', async () => {
    const credential = {
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      status: { token: 'made' },
    };
    const exec = {
      apiVersion: credential.apiVersion,
      command: 'echo',
      args: [JSON.stringify(credential)],
      interactiveMode: 'Never',
    };
    const path = file('config', kubeconfig({ name: 'a', user: { exec } }));
    assert.equal(await authorization({ kubeconfig: path }), 'Bearer made');
  });

  it('speaks plain HTTP to `kubectl proxy`', async () => {
    const path = file('config', kubeconfig({ name: 'a', server: 'http://127.0.0.1:8001' }));
    const connection = await load({ kubeconfig: path });
    assert.equal(connection.server.protocol, 'http:');
    await connection.requestOptions();
  });

  it('does not quote a kubeconfig that cannot be read', async () => {
    const broken = file('broken', 'users: [{name: a, user: {token: canary}\n  x: {');
    await assert.rejects(load({ kubeconfig: broken }), (error: Error) => {
      assert.match(error.message, /broken cannot be read/);
      assert.doesNotMatch(String(error.stack), /canary/);
      return true;
    });
    await assert.rejects(load({ kubeconfig: join(directory, 'none') }), /none cannot be read: ENOENT/);
    const empty = file('empty', '');
    await assert.rejects(load({ kubeconfig: empty }), /empty cannot be read/);
    const without = file(
      'without',
      stringify({ contexts: [{ name: 'a', context: { cluster: 'no' } }], 'current-context': 'a' }),
    );
    await assert.rejects(load({ kubeconfig: without }), /context "a" .*no cluster/);
  });

  it('authenticates with the current client certificate to a server signed by the CA of the kubeconfig', async () => {
    const { cert, key } = authority.issue('localhost');
    const server = createServer({ cert, key, ca: authority.cert, requestCert: true, rejectUnauthorized: true });
    const peers: string[] = [];
    server.on('request', (request, response) => {
      peers.push(String((request.socket as TLSSocket).getPeerCertificate().subject.CN));
      response.end('{}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const admin = authority.issue('admin');
    const user = { 'client-certificate': file('admin.crt', admin.cert), 'client-key': file('admin.key', admin.key) };
    const cluster = { 'certificate-authority-data': base64(authority.cert) };
    const get = async (entry: Entry) => {
      const connection = await load({ kubeconfig: file('config', kubeconfig(entry)) });
      const client = new KubeClient(connection, { request: () => {} });
      try {
        await client.get('/version');
        const rotated = authority.issue('rotated');
        writeFileSync(user['client-certificate'], rotated.cert);
        writeFileSync(user['client-key'], rotated.key);
        await client.get('/version');
      } finally {
        client.close();
      }
    };
    try {
      await get({ name: 'a', server: url, cluster, user });
      assert.deepEqual(peers, ['admin', 'rotated']);
      await assert.rejects(get({ name: 'a', server: url, user: {} }), { name: 'KubeConnectionError' });
    } finally {
      server.close();
    }
  });
});
