import assert from 'node:assert/strict';
import { KubeClient, type RequestReport } from '../../../src/operator/kube/kube-client.ts';
import { KubeApiError, KubeConnectionError } from '../../../src/operator/kube/kube-errors.ts';
import type { KubeObject } from '../../../src/operator/kube/kube-objects.ts';
import { FakeApiServer } from '../support/fake-api-server.ts';
import { until } from '../support/manual-clock.ts';

const maps = '/api/v1/namespaces/default/configmaps';
const never = new AbortController().signal;

async function start() {
  const server = await FakeApiServer.start();
  const reports: RequestReport[] = [];
  const client = new KubeClient(server.connection, { request: (report) => reports.push(report) });
  return {
    server,
    client,
    reports,
    async [Symbol.asyncDispose]() {
      client.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

const map = (name: string, data: Record<string, string> = {}) => ({ metadata: { name }, data });

describe('the API server client', () => {
  it('reads, writes, patches, applies and deletes, and reports each request with the verb and resource of a Role', async () => {
    await using parts = await start();
    const { server, client, reports } = parts;
    await client.create(maps, map('a', { x: '1' }));
    const read = await client.get<KubeObject & { data: object }>(`${maps}/a`);
    assert.deepEqual(read.data, { x: '1' });
    await client.replace(`${maps}/a`, { ...read, data: { x: '2' } });
    await client.patch(`${maps}/a`, { data: { y: '3' } }, { contentType: 'application/merge-patch+json' });
    await client.apply(`${maps}/a/status`, { metadata: { name: 'a' }, status: 1 }, { fieldManager: 'me' });
    const list = await client.get<{ items: (KubeObject & { data: object })[] }>(maps, { query: { limit: '5' } });
    assert.deepEqual(list.items[0]?.data, { x: '2', y: '3' });
    await client.delete(`${maps}/a`, { body: { preconditions: { uid: read.metadata.uid } } });
    assert.equal(server.read(`${maps}/a`), undefined);

    assert.deepEqual(
      reports.map(({ verb, resource, code }) => `${verb} ${resource} ${code}`),
      [
        'create configmaps 201',
        'get configmaps 200',
        'update configmaps 200',
        'patch configmaps 200',
        'patch configmaps/status 200',
        'list configmaps 200',
        'delete configmaps 200',
      ],
    );
    const applied = server.requests[4];
    assert.equal(applied?.headers['content-type'], 'application/apply-patch+yaml');
    assert.deepEqual(applied?.query, { fieldManager: 'me', force: 'true' });
    assert.match(String(applied?.headers['user-agent']), /^prom-migrator\//);
  });

  it('reads its credentials before each request, and keeps one connection', async () => {
    await using parts = await start();
    const { server, client } = parts;
    server.put(maps, map('a'));
    for (let request = 0; request < 5; request++) await client.get(`${maps}/a`);
    const tokens = server.requests.map(({ headers }) => headers['authorization']);
    assert.equal(new Set(tokens).size, 5);
    assert.equal(server.connections, 1);
  });

  it('reads a response that is no JSON as text, which the log of a pod is', async () => {
    await using parts = await start();
    parts.server.fault({ act: { status: 200, body: 'line 1\nline 2\n' } });
    const path = '/api/v1/namespaces/x/pods/y/log';
    assert.equal(await parts.client.getText(path, { query: { tailLines: '2' } }), 'line 1\nline 2\n');
    assert.deepEqual(parts.server.requests[0]?.query, { tailLines: '2' });
    assert.equal(parts.server.requests[0]?.headers['accept'], '*/*');
    await assert.rejects(parts.client.getText(path), { status: 404 });
  });

  it('turns a Status into an error with status, reason and Retry-After', async () => {
    await using parts = await start();
    parts.server.fault({ act: { status: 429, reason: 'TooManyRequests', retryAfter: 7 } });
    await assert.rejects(parts.client.get(maps), (error) => {
      assert.ok(error instanceof KubeApiError);
      assert.deepEqual([error.status, error.reason, error.retryAfterMs], [429, 'TooManyRequests', 7_000]);
      return true;
    });
    await assert.rejects(parts.client.get(`${maps}/none`), { status: 404, reason: 'NotFound' });
  });

  it('shows the message of a proxy in front of the server in one printable line', async () => {
    await using parts = await start();
    parts.server.fault({ act: { status: 502, body: '<h1>Bad\u001b[31m\nGateway</h1>' } });
    await assert.rejects(parts.client.get(maps), { message: '502: <h1>Bad\\u001b[31m\\nGateway</h1>' });
  });

  it('does not quote a response that is not JSON, because it may be a Secret', async () => {
    await using parts = await start();
    parts.server.fault({ act: { status: 200, body: '{"data": canary-secret' } });
    await assert.rejects(parts.client.get('/api/v1/namespaces/x/secrets/y'), (error) => {
      assert.ok(error instanceof KubeConnectionError);
      assert.equal(error.code, 'NOT_JSON');
      assert.doesNotMatch(`${error.message}${error.stack}`, /canary/);
      return true;
    });
  });

  it('can be aborted before the first byte of the response', async () => {
    await using parts = await start();
    const { server, client, reports } = parts;
    server.fault({ act: 'no-answer' });
    const abort = new AbortController();
    const request = client.get(maps, { signal: abort.signal });
    await until('the request arrived', () => server.requests.length === 1);
    abort.abort(new Error('enough'));
    await assert.rejects(request, { message: 'enough' });
    assert.equal(reports[0]?.code, 'ABORTED');
  });

  it('can be aborted while it waits for its credentials', async () => {
    const abort = new AbortController();
    const connection = {
      server: new URL('http://127.0.0.1:9'),
      namespace: 'default',
      requestOptions: () => new Promise<never>(() => {}),
    };
    const request = new KubeClient(connection, { request: () => {} }).get(maps, { signal: abort.signal });
    abort.abort(new Error('enough'));
    await assert.rejects(request, { message: 'enough' });
  });

  it('fails after its timeout, and then leaves the idle connections open', async () => {
    await using parts = await start();
    const { server, client } = parts;
    server.put(maps, map('a'));
    await Promise.all([client.get(`${maps}/a`), client.get(`${maps}/a`)]);
    server.fault({ act: 'no-answer' });
    await assert.rejects(client.get(maps, { timeoutMs: 20 }), { code: 'TIMEOUT' });
    const before = server.connections;
    await client.get(`${maps}/a`);
    assert.equal(server.connections, before + 1);
  });

  it('reports a server that is unreachable, hangs up, or stops in the middle of a response', async () => {
    await using parts = await start();
    const { server, client } = parts;
    server.fault({ act: 'reset' });
    await assert.rejects(client.get(maps), { name: 'KubeConnectionError', code: 'ECONNRESET' });
    server.fault({ act: 'cut-body' });
    await assert.rejects(client.get(maps), { name: 'KubeConnectionError', code: 'ECONNRESET' });
    const nobody = { ...server.connection, server: new URL('http://127.0.0.1:1') };
    const lonely = new KubeClient(nobody, { request: () => {} });
    await assert.rejects(lonely.get(maps), { name: 'KubeConnectionError', code: 'ECONNREFUSED' });
  });

  it('retries when a kept-alive connection turns out to be closed', async () => {
    await using parts = await start();
    const { server, client } = parts;
    server.put(maps, map('a'));
    await client.get(`${maps}/a`);
    server.fault({ act: 'reset' });
    await client.get(`${maps}/a`);
    assert.equal(server.requests.length, 3);
  });

  it('reports missing credentials', async () => {
    const connection = {
      server: new URL('http://127.0.0.1:9'),
      namespace: 'default',
      requestOptions: () => Promise.reject(new Error('the plugin is not installed')),
    };
    await assert.rejects(new KubeClient(connection, { request: () => {} }).get(maps), {
      code: 'CREDENTIALS',
      message: 'no credentials for the API server: the plugin is not installed',
    });
  });

  describe('a watch', () => {
    it('yields events wherever they are split, and ends when the server ends it', async () => {
      await using parts = await start();
      const { server, client } = parts;
      const seen: string[] = [];
      const watching = (async () => {
        for await (const { type, object } of client.watch(maps, {}, never)) {
          seen.push(`${type} ${(object as { text: string }).text}`);
        }
      })();
      await until('the watch is open', () => server.openWatches === 1);
      const bytes = `${JSON.stringify({ type: 'ADDED', object: { text: 'Grüße' } })}\n`;
      for (const piece of [bytes.slice(0, 9), `${bytes.slice(9)}\n${bytes}${bytes.slice(0, 20)}`, bytes.slice(20)]) {
        server.writeToWatches(piece);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      server.endWatches();
      await watching;
      assert.deepEqual(seen, ['ADDED Grüße', 'ADDED Grüße', 'ADDED Grüße']);
    });

    it('does not treat half an event as the end', async () => {
      await using parts = await start();
      const { server, client } = parts;
      const watching = client.watch(maps, {}, never).next();
      await until('the watch is open', () => server.openWatches === 1);
      server.writeToWatches('{"type":"ADD');
      server.endWatches();
      await assert.rejects(watching, { code: 'CUT_OFF' });
    });

    it('can be aborted before its first byte and between events, and closes its connection when the loop exits', async () => {
      await using parts = await start();
      const { server, client } = parts;
      server.fault({ act: 'no-answer' });
      const abort = new AbortController();
      const unanswered = client.watch(maps, {}, abort.signal).next();
      await until('the request arrived', () => server.requests.length === 1);
      abort.abort(new Error('first'));
      await assert.rejects(unanswered, { message: 'first' });

      const second = new AbortController();
      const quiet = client.watch(maps, {}, second.signal).next();
      await until('the watch is open', () => server.openWatches === 1);
      second.abort(new Error('second'));
      await assert.rejects(quiet, { message: 'second' });
      await until('the connection is closed', () => server.openWatches === 0);

      const left = client.watch(maps, {}, never);
      const first = left.next();
      await until('the watch is open', () => server.openWatches === 1);
      server.tellWatches('ADDED', {});
      await first;
      await left.return();
      await until('the connection is closed', () => server.openWatches === 0);
    });

    it('throws the error response', async () => {
      await using parts = await start();
      parts.server.fault({ act: { status: 410, reason: 'Expired' } });
      await assert.rejects(parts.client.watch(maps, {}, never).next(), { status: 410, reason: 'Expired' });
      assert.deepEqual(
        parts.reports.map(({ verb, code }) => `${verb} ${code}`),
        ['watch 410'],
      );
    });
  });
});
