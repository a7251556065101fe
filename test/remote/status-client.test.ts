// What is asked of a server about itself: only GETs. And what a GET of a write URL says about it.

import assert from 'node:assert/strict';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CredentialPool } from '../../src/remote/credentials/credential-pool.ts';
import { StatusClient } from '../../src/remote/status-client.ts';
import { SYSTEM_CLOCK } from '../../src/telemetry/clock.ts';
import { Secret } from '../../src/telemetry/secret.ts';
import { endpoint } from '../migration/support/plan.ts';

const context = () => ({
  clock: SYSTEM_CLOCK,
  buffers: { take: (bytes: number) => new Uint8Array(bytes), give: () => undefined },
  credentials: new CredentialPool(SYSTEM_CLOCK),
  request: () => undefined,
});

async function serve(respond: (path: string, response: ServerResponse) => void) {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    requests.push(`${request.method} ${path}`);
    respond(path, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    requests,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const never = new AbortController().signal;

describe('a GET of a write URL', () => {
  const cases: readonly [status: number, headers: Record<string, string>, code: string | undefined][] = [
    [405, {}, undefined],
    [204, {}, undefined],
    [400, {}, undefined],
    [415, {}, undefined],
    [401, {}, 'unauthorized'],
    [403, {}, 'forbidden'],
    [404, {}, 'wrong-path'],
    [302, { location: '/login' }, 'redirected'],
    [200, { 'content-type': 'text/html' }, 'wrong-content-type'],
    [503, {}, 'unavailable'],
  ];
  for (const [status, headers, code] of cases) {
    it(`that returns ${status}${headers['content-type'] === undefined ? '' : ' with a page'}: ${code ?? 'no refusal'}`, async () => {
      await using server = await serve((_, response) =>
        response.writeHead(status, headers).end(status === 200 ? '<html>' : ''),
      );
      const client = new StatusClient(endpoint('destination', `${server.url}/api/v1/write`), context());
      const refusal = await client.refusalOfGet(never);
      client.close();
      assert.equal(refusal?.code, code);
      assert.deepEqual(server.requests, ['GET /api/v1/write']);
    });
  }
});

describe('the report of a server', () => {
  const cases: readonly [name: string, path: string, requests: readonly string[]][] = [
    ['any store', '/api/v1/push', ['/api/v1/status/buildinfo', '/config']],
    ['a store below a prefix', '/x/prometheus/api/v1/read', ['/x/prometheus/api/v1/status/buildinfo', '/x/config']],
    ['InfluxDB', '/api/v1/prom/write?db=x&p=secret', ['/ping']],
  ];
  for (const [name, path, requests] of cases) {
    it(`asks ${name} for its version and its configuration`, async () => {
      await using server = await serve((_, response) => response.writeHead(404).end());
      const client = new StatusClient(endpoint('destination', `${server.url}${path}`), context());
      await client.report(never);
      client.close();
      assert.deepEqual(
        server.requests,
        requests.map((request) => `GET ${request}`),
      );
    });
  }

  it('asks vmselect for its flags beside the paths of its tenants', async () => {
    await using server = await serve((path, response) => {
      response.setHeader('x-server-hostname', 'vmselect');
      response.end(
        path === '/flags' ? '-httpListenAddr=":8481"\n' : '{"status":"success","data":{"version":"2.24.0"}}',
      );
    });
    const client = new StatusClient(endpoint('source', `${server.url}/select/0/prometheus`), context());
    const report = await client.report(never);
    client.close();
    assert.equal(report?.product, 'VictoriaMetrics');
    assert.deepEqual(server.requests, ['GET /select/0/prometheus/api/v1/status/buildinfo', 'GET /flags']);
  });

  it('asks Mimir for the limits of the tenant', async () => {
    await using server = await serve((path, response) => {
      if (path === '/prometheus/api/v1/status/buildinfo')
        return response.end('{"data":{"application":"Grafana Mimir","version":"2.15.0","revision":"x"}}');
      if (path === '/config') return response.end('multitenancy_enabled: true\nlimits:\n    ingestion_rate: 10000\n');
      if (path === '/runtime_config?mode=diff')
        return response.end('overrides:\n    team-a:\n        ingestion_rate: 99\n');
      return response.writeHead(404).end();
    });
    const source = endpoint('source', `${server.url}/prometheus/api/v1/read`, {
      headers: { 'x-scope-orgid': new Secret('team-a') },
    });
    const client = new StatusClient(source, context());
    const report = await client.report(never);
    client.close();
    assert.deepEqual([report?.product, report?.version], ['Mimir', '2.15.0']);
    assert.deepEqual(report?.limits?.samplesPerSecond, { value: 99, setting: 'ingestion_rate' });
    assert.ok(server.requests.includes('GET /api/v1/user_limits'));
    assert.ok(server.requests.every((request) => request.startsWith('GET ')));
  });

  it('is undefined without a response', async () => {
    const client = new StatusClient(endpoint('source', 'http://127.0.0.1:9/api/v1/read'), context());
    assert.equal(await client.report(never), undefined);
    assert.equal(client.missed?.code, 'connection-refused');
    client.close();
  });

  it('says what may be missing in it only for the moment', async () => {
    let status = 503;
    await using server = await serve((path, response) => {
      if (path.endsWith('/buildinfo'))
        return response.end('{"status":"success","data":{"version":"3.5.0","revision":"x","goVersion":"go1"}}');
      return response.writeHead(path.endsWith('/flags') ? status : 404).end();
    });
    const client = new StatusClient(endpoint('destination', `${server.url}/api/v1/write`), context());
    await client.report(never);
    assert.equal(client.missed?.code, 'unavailable');
    status = 404;
    await client.report(never);
    assert.equal(client.missed, undefined);
    client.close();
  });
});
