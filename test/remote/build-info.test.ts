import assert from 'node:assert/strict';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readServerVersion, versionText, versionUrl } from '../../src/remote/build-info.ts';
import type { Endpoint } from '../../src/remote/http/endpoint.ts';
import { SYSTEM_CLOCK } from '../../src/telemetry/clock.ts';
import { Secret, SecretUrl } from '../../src/telemetry/secret.ts';

function endpointAt(url: string): Endpoint {
  return {
    side: 'source',
    url: new SecretUrl(url),
    headers: { 'x-scope-orgid': new Secret('team') },
    auth: { kind: 'authorization', type: 'Bearer', credentials: new Secret('a-token') },
    tls: { insecureSkipVerify: false, minVersion: 'TLSv1.2' },
    timeouts: { connectMs: 1_000, firstByteMs: 1_000, silenceMs: 1_000 },
  };
}

describe('the version of a server', () => {
  const urls: readonly (readonly [endpoint: string, version: string])[] = [
    ['http://h:9090/api/v1/read', 'http://h:9090/api/v1/status/buildinfo'],
    ['http://h/prefix/api/v1/write?x=1', 'http://h/prefix/api/v1/status/buildinfo?x=1'],
    ['http://h/api/v1/push', 'http://h/api/v1/status/buildinfo'],
    ['https://h/workspaces/ws-1/api/v1/remote_write', 'https://h/workspaces/ws-1/api/v1/status/buildinfo'],
    ['https://h/api/prom/push', 'https://h/api/prom/api/v1/status/buildinfo'],
    ['http://h/select/0/prometheus', 'http://h/select/0/prometheus/api/v1/status/buildinfo'],
    ['http://h/select/0/prometheus/', 'http://h/select/0/prometheus/api/v1/status/buildinfo'],
    ['http://h:9090', 'http://h:9090/api/v1/status/buildinfo'],
    ['http://h:9090/api/v1', 'http://h:9090/api/v1/status/buildinfo'],
    ['http://h:8086/api/v1/prom/write?db=x&u=me&p=secret', 'http://h:8086/ping'],
  ];
  for (const [endpoint, version] of urls)
    it(`is looked for beside ${endpoint}`, () => assert.equal(versionUrl(endpoint), version));

  const body = (data: object) => JSON.stringify({ status: 'success', data });
  const texts: readonly (readonly [
    status: number,
    headers: Record<string, string>,
    text: string,
    shown: string | undefined,
  ])[] = [
    [200, {}, body({ version: '3.5.3', revision: 'abc' }), 'version 3.5.3 (revision abc)'],
    [200, {}, body({ application: 'Grafana Mimir', version: '2.16.0' }), 'Grafana Mimir 2.16.0'],
    // As VictoriaMetrics 1.145 responds.
    [
      200,
      { 'x-server-hostname': 'vm' },
      body({ version: '2.24.0' }),
      'VictoriaMetrics, which does not report its version (API of Prometheus 2.24.0)',
    ],
    [204, { 'x-influxdb-version': '1.6.7' }, '', 'InfluxDB 1.6.7'],
    [404, { server: 'nginx/1.27' }, '<html>', 'no version, only the header server: nginx/1.27'],
    [401, {}, body({ version: '1' }), undefined],
    [200, {}, 'null', undefined],
    [200, {}, '{"data":null}', undefined],
    [200, {}, '{"data":{"version":3}}', undefined],
    [200, {}, 'not JSON', undefined],
    [200, {}, body({ version: 'x'.repeat(5_000) }), `version ${'x'.repeat(112)}…`],
  ];
  for (const [status, headers, text, shown] of texts) {
    it(`is read from ${status} ${JSON.stringify(headers)} ${text.slice(0, 60)}`, () => {
      assert.equal(versionText(status, headers, text), shown);
    });
  }

  it('is requested once, with the credentials of the endpoint', async () => {
    const seen: IncomingMessage[] = [];
    const server = createServer((request, response) => {
      seen.push(request);
      response.end(body({ version: '3.5.3 for a-token' }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1/read`;
      assert.equal(await readServerVersion(endpointAt(url), { clock: SYSTEM_CLOCK }), 'version 3.5.3 for ***');
      assert.deepEqual(
        seen.map(({ method, url: path, headers }) => [method, path, headers.authorization, headers['x-scope-orgid']]),
        [['GET', '/api/v1/status/buildinfo', 'Bearer a-token', 'team']],
      );
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it('is unknown if nothing responds', async () => {
    assert.equal(
      await readServerVersion(endpointAt('http://127.0.0.1:1/api/v1/read'), { clock: SYSTEM_CLOCK }),
      undefined,
    );
  });
});
