// The client of a StoreAPI against a gRPC server: what it sends, when it reads, and what it makes of failures.
import assert from 'node:assert/strict';
import { createServer as createTcpServer } from 'node:net';
import type { AuthHeaders, CredentialSource } from '../../../src/remote/http/credentials.ts';
import { RemoteError } from '../../../src/remote/meaning/remote-error.ts';
import { SYSTEM_CLOCK } from '../../../src/telemetry/clock.ts';
import { Secret } from '../../../src/telemetry/secret.ts';
import { VERSION } from '../../../src/telemetry/version.ts';
import { WireError } from '../../../src/wire/errors.ts';
import { StoreFailure, startStoreServer } from '../../support/thanos-store.ts';
import { listening } from '../servers.ts';
import { clientOf, failureOf, NO_SIGNAL, REQUEST, readAll, warnings } from './store-clients.ts';

describe('the client of a StoreAPI', () => {
  it('requests raw samples, and no partial response', async () => {
    await using server = await startStoreServer(warnings(0));
    using opened = clientOf(server.url);
    await readAll(opened.client);
    await (await opened.client.series({ ...REQUEST, wanted: 'downsampled' }, NO_SIGNAL)).next();
    const usual = {
      min_time: REQUEST.startMs,
      max_time: REQUEST.endMs,
      matchers: REQUEST.matchers.map(({ name, value }, type) => ({ type, name, value })),
      partial_response_disabled: true,
      partial_response_strategy: 1,
      without_replica_labels: ['replica', 'rule_replica'],
    };
    assert.deepEqual(server.requests, [
      { ...usual, max_resolution_window: 0, aggregates: [0], skip_chunks: false },
      { ...usual, max_resolution_window: 3_600_000, aggregates: [1], skip_chunks: true },
    ]);
  });

  it('sends headers, tenant and credentials as metadata', async () => {
    let metadata: Readonly<Record<string, unknown>> = {};
    await using server = await startStoreServer((_, stream) => {
      metadata = stream.metadata;
    });
    using opened = clientOf(server.url, {
      headers: { 'THANOS-TENANT': new Secret('team-a'), 'X-Trace-Bin': new Secret('bytes') },
      auth: { kind: 'basic', username: new Secret('bob'), password: new Secret('hunter2') },
    });
    await readAll(opened.client);
    assert.equal(metadata['thanos-tenant'], 'team-a');
    assert.deepEqual(metadata['x-trace-bin'], Buffer.from('bytes'));
    assert.equal(metadata['authorization'], `Basic ${Buffer.from('bob:hunter2').toString('base64')}`);
    assert.match(String(metadata['user-agent']), new RegExp(`^prom-migrator/${VERSION} grpc-node-js/`));
  });

  it('sends a request again, once, if its credentials were refused and there are newer ones', async () => {
    const seen: unknown[] = [];
    await using server = await startStoreServer((_, stream) => {
      seen.push(stream.metadata['authorization']);
      if (seen.length % 2 === 1) throw new StoreFailure('UNAUTHENTICATED', `${seen.at(-1)} has expired`);
    });
    const tokens = ['Bearer first-token', 'Bearer second-token', 'Bearer third-token'];
    let current = 0;
    let isRenewable = true;
    const credentials: CredentialSource = {
      of: async () => ({
        headersFor: async (): Promise<AuthHeaders> => ({ authorization: new Secret(tokens[current] as string) }),
        renew: async () => {
          if (isRenewable) current++;
          return isRenewable;
        },
        secrets: () => tokens,
      }),
    };
    using opened = clientOf(server.url, {}, 1 << 20, credentials);
    assert.deepEqual(await readAll(opened.client), []);
    assert.deepEqual(seen, tokens.slice(0, 2));
    assert.deepEqual(
      opened.events.map(({ status }) => status),
      ['unauthorized', 200],
    );
    isRenewable = false;
    await assert.rejects(readAll(opened.client), (error: unknown) => {
      assert.ok(error instanceof RemoteError && error.code === 'unauthorized');
      assert.doesNotMatch(error.message, /token/);
      return true;
    });
    assert.equal(seen.length, 3);
  });

  for (const [code, expected] of [
    ['UNAUTHENTICATED', 401],
    ['PERMISSION_DENIED', 403],
  ] as const) {
    it(`says which refusal it was when it looks for newer credentials (${code})`, async () => {
      await using server = await startStoreServer(() => {
        throw new StoreFailure(code, 'no');
      });
      const asked: number[] = [];
      const credentials: CredentialSource = {
        of: async () => ({
          headersFor: async (): Promise<AuthHeaders> => ({}),
          renew: async ({ status }) => {
            asked.push(status);
            return false;
          },
          secrets: () => [],
        }),
      };
      using opened = clientOf(server.url, {}, 1 << 20, credentials);
      await assert.rejects(readAll(opened.client), RemoteError);
      assert.deepEqual(asked, [expected]);
    });
  }

  it('returns every message, and reports the request once', async () => {
    await using server = await startStoreServer(warnings(100));
    using opened = clientOf(server.url);
    const found = await readAll(opened.client);
    assert.equal(found.length, 100);
    const receivedBytes = found.reduce((sum, { length }) => sum + length, 0);
    const [{ seconds = 0, sentBytes = 0, ...event } = {}, ...others] = opened.events;
    assert.deepEqual(event, { side: 'source', status: 200, receivedBytes });
    assert.ok(seconds > 0 && sentBytes > 0);
    assert.deepEqual(others, []);
  });

  it('lets the server wait while it does not read', async () => {
    let sent = 0;
    await using server = await startStoreServer(async (_, stream) => {
      for (let i = 0; i < 1000; i++) {
        await stream.send({ warning: 'x'.repeat(10_000) });
        sent++;
      }
    });
    using opened = clientOf(server.url);
    const messages = await opened.client.series(REQUEST, NO_SIGNAL);
    await messages.next();
    let before = -1;
    while (before !== sent) {
      before = sent;
      await SYSTEM_CLOCK.sleep(200);
    }
    assert.ok(sent < 500, `${sent} messages were sent, of which one was read`);
    for (let i = 1; i < 1000; i++) assert.notEqual(await messages.next(), undefined);
    assert.equal(await messages.next(), undefined);
  });

  it('takes messages larger than 4 MiB, and none over the limit', async () => {
    await using server = await startStoreServer((_, stream) => stream.send({ warning: 'x'.repeat(6 << 20) }));
    using large = clientOf(server.url, {}, 8 << 20);
    assert.equal((await readAll(large.client)).length, 1);
    using small = clientOf(server.url, {}, 5 << 20);
    await assert.rejects(
      readAll(small.client),
      (error: unknown) =>
        error instanceof WireError && error.code === 'too-large' && /limit of 5242880 \(/.test(error.message),
    );
  });

  it('never takes a stream that breaks for its end', async () => {
    await using server = await startStoreServer(async (_, stream) => {
      await stream.send({ warning: 'x' });
      await new Promise(() => undefined);
    });
    using opened = clientOf(server.url);
    const messages = await opened.client.series(REQUEST, NO_SIGNAL);
    await messages.next();
    server.cut();
    await assert.rejects(messages.next(), { class: 'transient', code: 'cut-off' });
  });

  it('reports a status after some messages as that status', async () => {
    await using server = await startStoreServer(async (_, stream) => {
      await stream.send({ warning: 'x' });
      throw new StoreFailure('RESOURCE_EXHAUSTED', 'exceeded series limit: limit 1 violated (got 2)');
    });
    assert.equal(await failureOf(server.url), 'too-large too-many-series');
  });

  it('reads on after the server was restarted', async () => {
    const first = await startStoreServer(warnings(1));
    using opened = clientOf(first.url);
    await readAll(opened.client);
    first.cut();
    await assert.rejects(readAll(opened.client), { class: 'transient' });
    await using second = await startStoreServer(warnings(2), { port: first.port });
    assert.equal(second.port, first.port);
    for (;;) {
      const found = await readAll(opened.client).catch((error: unknown) => {
        assert.ok(error instanceof RemoteError && error.class === 'transient');
      });
      if (found?.length === 2) break;
      await SYSTEM_CLOCK.sleep(100);
    }
  });

  it('ends its request when it is aborted, or not read to its end', async () => {
    await using server = await startStoreServer(warnings(10_000));
    using opened = clientOf(server.url);
    const controller = new AbortController();
    const messages = await opened.client.series(REQUEST, controller.signal);
    await messages.next();
    controller.abort();
    await assert.rejects(messages.next(), { class: 'aborted' });
    const others = await opened.client.series(REQUEST, NO_SIGNAL);
    await others.next();
    others.close();
    while (server.cancelled() < 2) await SYSTEM_CLOCK.sleep(10);
    assert.deepEqual(
      opened.events.map(({ status }) => status),
      ['aborted', 200],
    );
  });

  describe('reports with a time limit', () => {
    it('a server that accepts no HTTP/2 connection', async () => {
      await using server = await listening(
        createTcpServer(() => undefined),
        'grpc',
      );
      const timeouts = { connectMs: 200, firstByteMs: 60_000, silenceMs: 60_000 };
      assert.equal(await failureOf(server.url, { timeouts }), 'transient connect-timeout');
    });

    it('a server that does not respond', async () => {
      await using server = await startStoreServer(() => new Promise(() => undefined));
      const timeouts = { connectMs: 60_000, firstByteMs: 200, silenceMs: 60_000 };
      assert.equal(await failureOf(server.url, { timeouts }), 'transient first-byte-timeout');
    });

    it('a response that pauses', async () => {
      await using server = await startStoreServer(async (_, stream) => {
        await stream.send({ warning: 'x' });
        await new Promise(() => undefined);
      });
      const timeouts = { connectMs: 60_000, firstByteMs: 60_000, silenceMs: 200 };
      assert.equal(await failureOf(server.url, { timeouts }), 'transient silence-timeout');
    });
  });
});
