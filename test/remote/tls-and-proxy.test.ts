import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import type { TlsOptions } from 'node:tls';

import { tlsOptions } from '../../src/remote/http/agents.ts';
import type { EndpointTls } from '../../src/remote/http/endpoint.ts';
import { WriteClient } from '../../src/remote/write-client.ts';
import { Secret, SecretUrl } from '../../src/telemetry/secret.ts';
import {
  endpointAt,
  failureOf,
  httpServer,
  listening,
  once,
  recordingHooks,
  rawServer,
  type TestServer,
  withBody,
} from './servers.ts';

const request = Buffer.from('x');
const plain: EndpointTls = { insecureSkipVerify: false, minVersion: 'TLSv1.2' };

interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** Temporary CAs and certificates, created with the openssl command. */
function certificates(): { ca: string; otherCa: string; server: Pair; expired: Pair; client: Pair; stranger: Pair } {
  const directory = mkdtempSync(join(tmpdir(), 'prom-migrator-tls-'));
  const file = (name: string) => join(directory, name);
  const read = (name: string) => readFileSync(file(name), 'utf8');
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const authority = (name: string) => {
    openssl(
      'req',
      '-x509',
      ...key,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.pem`,
      '-days',
      '2',
      '-subj',
      `/CN=${name}`,
    );
    return read(`${name}.pem`);
  };
  const leaf = (name: string, signer: string, names: string, days = '2'): Pair => {
    openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    writeFileSync(file(`${name}.ext`), `subjectAltName=${names}\n`);
    openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-CA',
      `${signer}.pem`,
      '-CAkey',
      `${signer}.key`,
      '-out',
      `${name}.pem`,
      '-days',
      days,
      '-extfile',
      `${name}.ext`,
    );
    return { cert: read(`${name}.pem`), key: read(`${name}.key`) };
  };
  try {
    const ca = authority('ca');
    const otherCa = authority('other');
    return {
      ca,
      otherCa,
      server: leaf('server', 'ca', 'DNS:prometheus.test'),
      expired: leaf('expired', 'ca', 'DNS:prometheus.test', '-1'),
      client: leaf('client', 'ca', 'DNS:client'),
      stranger: leaf('stranger', 'other', 'DNS:client'),
    };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function receiver(options: TlsOptions): Promise<TestServer> {
  return listening(
    createHttpsServer(
      options,
      withBody((_, response) => response.writeHead(204).end()),
    ),
    'https',
  );
}

function clientOf(url: string, tls: EndpointTls, proxyUrl?: string): WriteClient {
  return new WriteClient(
    endpointAt(url, { side: 'destination', tls, ...(proxyUrl !== undefined && { proxyUrl: new SecretUrl(proxyUrl) }) }),
    recordingHooks(),
    2,
  );
}

describe('TLS', () => {
  let made: ReturnType<typeof certificates>;
  before(() => {
    made = certificates();
  });
  const trusting = (): EndpointTls => ({ ...plain, ca: new Secret(made.ca), serverName: 'prometheus.test' });

  it('trusts the given CA under the given server name', async () => {
    await using server = await receiver(made.server);
    const client = clientOf(server.url, trusting());
    assert.deepEqual(await client.write(request, once()), {});
    client.close();
  });

  it('rejects an unknown CA, another name and an expired certificate, and names the setting that helps', async () => {
    await using server = await receiver(made.server);
    await using expired = await receiver(made.expired);
    for (const [url, tls, code, hint] of [
      [server.url, { ...plain, serverName: 'prometheus.test' }, 'tls-untrusted', /spec\.destination\.tls\.ca/],
      [
        server.url,
        { ...plain, ca: new Secret(made.otherCa), serverName: 'prometheus.test' },
        'tls-untrusted',
        /tls\.ca/,
      ],
      [server.url, { ...plain, ca: new Secret(made.ca) }, 'tls-wrong-name', /tls\.serverName/],
      [expired.url, trusting(), 'tls-untrusted', /expired/],
    ] as const) {
      const client = clientOf(url, tls);
      const failure = await failureOf(client.write(request, once()));
      client.close();
      assert.equal(failure.code, code);
      assert.equal(failure.class, 'refused');
      assert.match(failure.hint ?? '', hint);
    }
  });

  it('verifies no certificate with insecureSkipVerify', async () => {
    await using server = await receiver(made.expired);
    const client = clientOf(server.url, { ...plain, insecureSkipVerify: true });
    assert.deepEqual(await client.write(request, once()), {});
    client.close();
  });

  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(`sends its client certificate, and reports when it has none or a wrong one (${maxVersion})`, async () => {
      await using server = await receiver({
        ...made.server,
        ca: made.ca,
        requestCert: true,
        rejectUnauthorized: true,
        maxVersion,
      });
      const known = clientOf(server.url, {
        ...trusting(),
        cert: new Secret(made.client.cert),
        key: new Secret(made.client.key),
      });
      assert.deepEqual(await known.write(request, once()), {});
      known.close();
      const stranger = { ...trusting(), cert: new Secret(made.stranger.cert), key: new Secret(made.stranger.key) };
      // Node's own server sends no alert for a certificate that it does not trust; it only closes the connection. With TLS 1.2 a missing
      // certificate is a failed handshake. Servers in Go send the alerts in the table of classifyFailure.
      const missing = maxVersion === 'TLSv1.2' ? 'tls-failed' : 'tls-client-certificate';
      for (const [tls, code] of [
        [trusting(), missing],
        [stranger, 'connection-reset'],
      ] as const) {
        const client = clientOf(server.url, tls);
        const failure = await failureOf(client.write(request, once()));
        client.close();
        assert.equal(failure.code, code, failure.message);
        if (code === missing) assert.match(failure.hint ?? '', /spec\.destination\.tls\.cert/);
      }
    });
  }

  it('reports an unusable certificate or key, without showing it', async () => {
    await using server = await receiver(made.server);
    for (const tls of [
      { ...plain, cert: new Secret('nonsense'), key: new Secret('private nonsense') },
      { ...plain, cert: new Secret(made.client.cert), key: new Secret(made.stranger.key) },
    ]) {
      const client = clientOf(server.url, tls);
      const failure = await failureOf(client.write(request, once()));
      client.close();
      assert.equal(failure.code, 'tls-bad-material', failure.message);
      assert.doesNotMatch(inspect(failure), /private nonsense|BEGIN/);
    }
  });

  it('does not use an older version than the configured minimum', async () => {
    assert.equal(tlsOptions({ ...plain, minVersion: 'TLSv1.3' }).minVersion, 'TLSv1.3');
    await using server = await receiver({ ...made.server, maxVersion: 'TLSv1.2' });
    const client = clientOf(server.url, { ...trusting(), minVersion: 'TLSv1.3' });
    const failure = await failureOf(client.write(request, once()));
    client.close();
    assert.equal(failure.code, 'tls-failed');
  });

  it('distinguishes https from http, in both directions', async () => {
    await using http = await httpServer((_, response) => response.end());
    const client = clientOf(http.url.replace('http:', 'https:'), plain);
    const failure = await failureOf(client.write(request, once()));
    client.close();
    assert.equal(failure.code, 'tls-failed');
    await using https = await rawServer(
      'HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n',
      'close',
    );
    const other = clientOf(https.url, plain);
    assert.equal((await failureOf(other.write(request, once()))).code, 'https-expected');
    other.close();
  });

  it('uses a proxy, and sends the proxy credentials only to it', async () => {
    await using server = await receiver(made.server);
    await using http = await httpServer(({ headers }, response) =>
      response.writeHead(headers['proxy-authorization'] === undefined ? 204 : 500).end(),
    );
    const seen: unknown[] = [];
    const proxy = createHttpServer();
    proxy.on('connect', (incoming, socket) => {
      seen.push([incoming.url, incoming.headers['proxy-authorization']]);
      const [host, port] = (incoming.url ?? '').split(':');
      const through = connect(Number(port), host);
      socket.on('error', () => through.destroy());
      socket.on('close', () => through.destroy());
      through.on('connect', () => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
      through.pipe(socket);
      socket.pipe(through);
    });
    await using running = await listening(proxy);
    const proxyUrl = running.url.replace('//', '//me:pass%20word@');
    const expected = `Basic ${Buffer.from('me:pass word').toString('base64')}`;
    for (const target of [server, http]) {
      const client = clientOf(target.url, trusting(), proxyUrl);
      for (let i = 0; i < 2; i += 1) assert.deepEqual(await client.write(request, once()), {});
      client.close();
    }
    assert.deepEqual(seen, [
      [`127.0.0.1:${server.port}`, expected],
      [`127.0.0.1:${http.port}`, expected],
    ]);
  });

  it('names a proxy that rejects the request, one that cannot reach the server and one that does not respond', async () => {
    for (const [reply, code, responseClass] of [
      ['HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n', 'proxy-refused', 'refused'],
      ['HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n', 'proxy-unreachable', 'transient'],
      ['', 'connect-timeout', 'transient'],
    ] as const) {
      await using proxy = await rawServer(reply, 'stay');
      for (const url of ['http://10.0.0.1/write', 'https://10.0.0.1/write']) {
        const endpoint = endpointAt(url, {
          side: 'destination',
          proxyUrl: new SecretUrl(proxy.url.replace('//', '//me:hidden-word@')),
          timeouts: { connectMs: 100, firstByteMs: 2000, silenceMs: 2000 },
        });
        const client = new WriteClient(endpoint, recordingHooks(), 1);
        const failure = await failureOf(client.write(request, once()));
        client.close();
        assert.equal(failure.code, code, failure.message);
        assert.equal(failure.class, responseClass);
        assert.doesNotMatch(inspect(failure), /hidden-word/);
      }
    }
  });

  it('ignores proxies from the environment', async () => {
    await using http = await httpServer((_, response) => response.writeHead(204).end());
    const before = { ...process.env };
    process.env['HTTP_PROXY'] = process.env['http_proxy'] = 'http://127.0.0.1:1';
    try {
      const client = clientOf(http.url, plain);
      assert.deepEqual(await client.write(request, once()), {});
      client.close();
    } finally {
      for (const name of ['HTTP_PROXY', 'http_proxy']) {
        if (before[name] === undefined) delete process.env[name];
        else process.env[name] = before[name];
      }
    }
  });
});
