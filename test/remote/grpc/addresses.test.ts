// Wrong addresses and TLS: what the client of a StoreAPI makes of servers that it cannot talk to.
import assert from 'node:assert/strict';
import { createServer as createHttpsServer } from 'node:https';
import { Secret } from '../../../src/telemetry/secret.ts';
import { createAuthority } from '../../support/certificates.ts';
import { startStoreServer } from '../../support/thanos-store.ts';
import { httpServer, listening } from '../servers.ts';
import { failureOf, warnings } from './store-clients.ts';

describe('the client of a StoreAPI', () => {
  describe('reports a wrong address:', () => {
    it('an HTTP server', async () => {
      await using server = await httpServer((_, response) => response.end());
      assert.equal(await failureOf(server.url.replace('http', 'grpc')), 'refused not-grpc');
      assert.equal(await failureOf(server.url.replace('http', 'grpcs')), 'refused tls-failed');
    });

    it('an HTTPS server', async () => {
      const authority = createAuthority();
      const { cert, key } = authority.issue('server');
      await using server = await listening(createHttpsServer({ cert, key }), 'grpcs');
      const tls = { ca: new Secret(authority.cert), insecureSkipVerify: false, minVersion: 'TLSv1.2' } as const;
      assert.equal(await failureOf(server.url, { tls }), 'refused not-grpc');
      assert.equal(await failureOf(server.url.replace('grpcs', 'grpc')), 'transient connection-reset');
    });

    it('a port where nothing listens', async () => {
      const server = await startStoreServer(warnings(0));
      await server[Symbol.asyncDispose]();
      assert.equal(await failureOf(server.url), 'transient connection-refused');
    });
  });

  describe('with TLS', () => {
    const authority = createAuthority();
    const server = authority.issue('server');
    const client = authority.issue('client');
    const usual = { insecureSkipVerify: false, minVersion: 'TLSv1.2' } as const;
    const ca = new Secret(authority.cert);
    const own = { cert: new Secret(client.cert), key: new Secret(client.key) };

    for (const [title, tls, outcome] of [
      ['reads from a trusted server', { ...usual, ...own, ca }, 'none'],
      ['reads from any server with insecureSkipVerify', { ...usual, ...own, insecureSkipVerify: true }, 'none'],
      ['reads with a server name that the certificate has', { ...usual, ...own, ca, serverName: 'localhost' }, 'none'],
      ['refuses another server name', { ...usual, ...own, ca, serverName: 'thanos.example' }, 'refused tls-wrong-name'],
      ['refuses a server of an unknown authority', { ...usual, ...own }, 'refused tls-untrusted'],
      ['reports a missing client certificate', { ...usual, ca }, 'refused tls-client-certificate'],
      ['reads with TLS 1.3 only', { ...usual, ...own, ca, minVersion: 'TLSv1.3' }, 'none'],
    ] as const) {
      it(title, async () => {
        await using store = await startStoreServer(warnings(1), { tls: { ca: authority.cert, ...server } });
        assert.equal(await failureOf(store.url, { tls }), outcome);
      });
    }

    it('reads by a host name', async () => {
      await using store = await startStoreServer(warnings(1), { tls: { ca: authority.cert, ...server } });
      const tls = { ...usual, ...own, ca };
      assert.equal(await failureOf(store.url.replace('127.0.0.1', 'localhost'), { tls }), 'none');
    });
  });
});
