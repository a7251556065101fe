import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { gzipSync } from 'node:zlib';

import { ReadClient } from '../../src/remote/read-client.ts';
import { Secret } from '../../src/telemetry/secret.ts';
import { secretValues } from '../support/secrets.ts';
import { collect, endpointAt, failureOf, httpServer, once, rawServer, recordingHooks } from './servers.ts';

const request = Buffer.from('a read request');
const streamed = 'application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse';
const chunkedStream = `HTTP/1.1 200 OK\r\nContent-Type: ${streamed}\r\nTransfer-Encoding: chunked\r\n\r\n`;

describe('ReadClient', () => {
  it('sends the headers of remote_read, the credentials, the version and the unchanged body', async () => {
    let seen: Record<string, unknown> = {};
    let sent: Buffer = Buffer.alloc(0);
    await using server = await httpServer(({ headers, url, method }, response, body) => {
      seen = { ...headers, url, method };
      sent = body;
      response.setHeader('Content-Type', 'application/x-protobuf').end('x');
    });
    const client = new ReadClient(
      endpointAt(`${server.url}/api/v1/prom/read?db=a%20b&x=%2F`, {
        headers: secretValues({ 'X-Scope-OrgID': 'tenant-1', Accept: 'text/x' }),
        auth: { kind: 'basic', username: new Secret('user'), password: new Secret('pässword') },
      }),
      recordingHooks(),
    );
    const reply = await client.read(request, once());
    await collect(reply.body);
    client.close();

    assert.equal(reply.kind, 'samples');
    assert.equal(reply.contentLength, 1);
    assert.deepEqual(sent, request);
    assert.equal(seen['method'], 'POST');
    assert.equal(seen['url'], '/api/v1/prom/read?db=a%20b&x=%2F');
    assert.equal(seen['content-type'], 'application/x-protobuf');
    assert.equal(seen['content-encoding'], 'snappy');
    assert.equal(seen['accept-encoding'], 'snappy');
    assert.equal(seen['x-prometheus-remote-read-version'], '0.1.0');
    assert.equal(seen['content-length'], String(request.length));
    assert.equal(seen['x-scope-orgid'], 'tenant-1');
    assert.equal(seen['accept'], 'text/x');
    assert.match(String(seen['user-agent']), /^prom-migrator\/\d+\.\d+\.\d+/);
    assert.equal(seen['authorization'], `Basic ${Buffer.from('user:pässword').toString('base64')}`);
    assert.equal(seen['retry-attempt'], undefined);
    assert.equal(seen['cookie'], undefined);
  });

  it('sends the attempt number from the second attempt on', async () => {
    const seen: unknown[] = [];
    await using server = await httpServer((incoming, response) => {
      seen.push(incoming.headers['retry-attempt']);
      response.setHeader('Content-Type', 'application/x-protobuf').end();
    });
    const client = new ReadClient(endpointAt(server.url), recordingHooks());
    for (const attempt of [1, 2, 5]) await collect((await client.read(request, { ...once(), attempt })).body);
    client.close();
    assert.deepEqual(seen, [undefined, '1', '4']);
  });

  it('reuses a connection after a response was read to its end, and reports each request once', async () => {
    await using server = await httpServer((_, response) => {
      response.setHeader('Content-Type', streamed);
      response.write('abc');
      response.end('def');
    });
    const hooks = recordingHooks();
    const client = new ReadClient(endpointAt(server.url), hooks);
    for (let i = 0; i < 3; i += 1) {
      const reply = await client.read(request, once());
      assert.equal(reply.kind, 'stream');
      assert.equal((await collect(reply.body)).toString(), 'abcdef');
    }
    client.close();
    assert.equal(server.connections(), 1);
    assert.equal(hooks.events.length, 3);
    for (const event of hooks.events) {
      assert.deepEqual(
        { ...event, seconds: 0 },
        { side: 'source', status: 200, seconds: 0, sentBytes: 14, receivedBytes: 6 },
      );
    }
  });

  for (const [what, reply, end] of [
    ['closes before the last chunk', `${chunkedStream}3\r\nabc\r\n`, 'close'],
    ['closes inside a chunk', `${chunkedStream}9\r\nabc`, 'close'],
    ['resets before the last chunk', `${chunkedStream}3\r\nabc\r\n`, 'reset'],
    ['sends an invalid chunk size', `${chunkedStream}3\r\nabc\r\nzz\r\n`, 'close'],
    [
      'sends less than its Content-Length',
      `HTTP/1.1 200 OK\r\nContent-Type: ${streamed}\r\nContent-Length: 9\r\n\r\nabc`,
      'close',
    ],
  ] as const) {
    it(`classifies a response as cut off when the server ${what}`, async () => {
      await using server = await rawServer(reply, end);
      const hooks = recordingHooks();
      const client = new ReadClient(endpointAt(server.url), hooks);
      const opened = await client.read(request, once());
      const failure = await failureOf(collect(opened.body));
      client.close();
      assert.equal(failure.code, 'cut-off');
      assert.equal(failure.class, 'transient');
      assert.deepEqual(
        hooks.events.map((event) => event.status),
        ['cut-off'],
      );
    });
  }

  it('accepts a response of several chunks with their terminator', async () => {
    await using server = await rawServer(`${chunkedStream}3\r\nabc\r\n0\r\n\r\n`, 'close');
    const client = new ReadClient(endpointAt(server.url), recordingHooks());
    assert.equal((await collect((await client.read(request, once())).body)).toString(), 'abc');
    client.close();
  });

  it('does not accept a stream whose end cannot be distinguished from a truncation', async () => {
    await using server = await rawServer(`HTTP/1.1 200 OK\r\nContent-Type: ${streamed}\r\n\r\nabc`, 'close');
    const client = new ReadClient(endpointAt(server.url), recordingHooks());
    const failure = await failureOf(client.read(request, once()));
    client.close();
    assert.equal(failure.code, 'unframed-stream');
    assert.equal(failure.class, 'unsupported');
  });

  it('names the largest header of a request whose headers are too large, but not its value', async () => {
    await using server = await httpServer((_, response) => response.writeHead(431).end());
    const auth = { kind: 'basic', username: new Secret('user'), password: new Secret('p'.repeat(8000)) } as const;
    const client = new ReadClient(
      endpointAt(server.url, { auth, headers: secretValues({ 'X-Other': 'short' }) }),
      recordingHooks(),
    );
    const failure = await failureOf(client.read(request, once()));
    client.close();
    assert.equal(failure.code, 'headers-too-large');
    assert.equal(failure.class, 'refused');
    assert.match(failure.hint ?? '', /^the largest header of the request is authorization with 10682 bytes: shorten /);
    assert.match(failure.hint ?? '', /spec\.source\.basicAuth/);
    assert.doesNotMatch(inspect(failure, { depth: 5 }), /pppp|cHBw/);
  });

  it('does not follow a redirect, and names its target without secrets', async () => {
    let followed = 0;
    await using other = await httpServer((_, response) => {
      followed += 1;
      response.end();
    });
    await using server = await httpServer((_, response) =>
      response.writeHead(307, { Location: `${other.url.replace('//', '//me:pw@')}/login?token=abcdef` }).end(),
    );
    const auth = { kind: 'authorization', type: 'Bearer', credentials: new Secret('s3cret-token') } as const;
    const client = new ReadClient(endpointAt(server.url, { auth }), recordingHooks());
    const failure = await failureOf(client.read(request, once()));
    client.close();
    assert.equal(followed, 0);
    assert.equal(failure.code, 'redirected');
    assert.equal(failure.class, 'refused');
    assert.match(failure.hint ?? '', new RegExp(`127.0.0.1:${other.port}/login\\?token=\\*\\*\\*`));
    assert.doesNotMatch(inspect(failure), /abcdef|s3cret|pw@/);
  });

  it('rejects a login page, a response of another type and one that is compressed although the request did not allow it', async () => {
    const responses: Record<string, [Record<string, string>, string | Buffer]> = {
      '/html': [{ 'Content-Type': 'text/html' }, '<!doctype html><html><head><title>Sign in</title></head></html>'],
      '/json': [{ 'Content-Type': 'application/json' }, '{"status":"success"}'],
      '/none': [{}, 'hello'],
      '/gzip': [{ 'Content-Type': 'application/x-protobuf', 'Content-Encoding': 'gzip' }, gzipSync('x')],
    };
    await using server = await httpServer(({ url }, response) => {
      const [headers, body] = responses[url ?? ''] ?? [{}, ''];
      response.writeHead(200, headers).end(body);
    });
    const codes: Record<string, string> = {};
    for (const path of Object.keys(responses)) {
      const client = new ReadClient(endpointAt(server.url + path), recordingHooks());
      const failure = await failureOf(client.read(request, once()));
      client.close();
      codes[path] = failure.code;
      assert.equal(failure.class, 'refused');
      if (path === '/html') assert.match(failure.message, /^source returned 200: Sign in$/);
    }
    assert.deepEqual(codes, {
      '/html': 'wrong-content-type',
      '/json': 'wrong-content-type',
      '/none': 'wrong-content-type',
      '/gzip': 'compressed-response',
    });
  });

  it('shows no secret in an error, whatever the server repeats', async () => {
    await using server = await httpServer(({ url, headers }, response) =>
      response
        .writeHead(401)
        .end(`no ${url} for ${headers.authorization} ${headers['x-api-key']} at http://u:hunter2@host/`),
    );
    const endpoint = endpointAt(`${server.url}/read?db=metrics&u=admin&p=db%2Fpass`, {
      headers: secretValues({ 'X-Api-Key': 'key-123456' }),
      auth: { kind: 'basic', username: new Secret('me'), password: new Secret('top-secret') },
    });
    const client = new ReadClient(endpoint, recordingHooks());
    const failure = await failureOf(client.read(request, once()));
    client.close();
    assert.equal(failure.code, 'unauthorized');
    assert.equal(failure.status, 401);
    assert.match(failure.hint ?? '', /spec\.source\.basicAuth/);
    const everything = `${inspect(failure, { depth: 9, showHidden: true })} ${JSON.stringify(failure)} ${failure.stack}`;
    for (const secret of [
      'db/pass',
      'db%2Fpass',
      'admin',
      'key-123456',
      'top-secret',
      'hunter2',
      Buffer.from('me:top-secret').toString('base64'),
    ]) {
      assert.ok(!everything.includes(secret), `${secret} in ${everything}`);
    }
    assert.match(failure.message, /returned 401: no \/read\?db=/);
  });

  it('names what is unreachable', async () => {
    const gone = await httpServer(() => {});
    const { port } = gone;
    await gone[Symbol.asyncDispose]();
    const client = new ReadClient(endpointAt(`http://127.0.0.1:${port}/read?p=hidden`), recordingHooks());
    const refused = await failureOf(client.read(request, once()));
    client.close();
    assert.equal(refused.code, 'connection-refused');
    assert.equal(refused.class, 'transient');
    assert.equal(refused.message, `source refuses connections at 127.0.0.1:${port}`);
    assert.doesNotMatch(inspect(refused), /hidden/);

    const nameless = new ReadClient(endpointAt('http://no-such-host.invalid/read'), recordingHooks());
    const unknown = await failureOf(nameless.read(request, once()));
    nameless.close();
    assert.equal(unknown.code, 'dns-not-found');
    assert.equal(unknown.class, 'transient');
    assert.match(unknown.message, /no-such-host\.invalid/);
  });

  it('distinguishes a server that hangs up from one that does not speak HTTP', async () => {
    await using mute = await rawServer('', 'close');
    await using grpc = await rawServer('\0\0\0\x04', 'close');
    const [first, second] = [
      new ReadClient(endpointAt(mute.url), recordingHooks()),
      new ReadClient(endpointAt(grpc.url), recordingHooks()),
    ];
    assert.equal((await failureOf(first.read(request, once()))).code, 'connection-reset');
    assert.equal((await failureOf(second.read(request, once()))).code, 'not-http');
    first.close();
    second.close();
  });

  it('stops reading an endless error text', async () => {
    await using server = await httpServer((_, response) => {
      response.writeHead(503, { 'Retry-After': '7' });
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(1000)));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    });
    const hooks = recordingHooks();
    const client = new ReadClient(endpointAt(server.url), hooks);
    const failure = await failureOf(client.read(request, once()));
    client.close();
    assert.equal(failure.code, 'unavailable');
    assert.equal(failure.retryAfterMs, 7000);
    assert.ok(failure.message.length < 600);
    assert.equal(hooks.events.length, 1);
    assert.ok(hooks.events[0]!.receivedBytes < 1 << 20);
  });
});
