import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';

import { WriteClient } from '../../src/remote/write-client.ts';
import { Secret } from '../../src/telemetry/secret.ts';
import { secretValues } from '../support/secrets.ts';
import { endpointAt, failureOf, httpServer, once, rawServer, recordingHooks } from './servers.ts';

const request = Buffer.from('a write request');

describe('WriteClient', () => {
  it('sends the headers of remote write 1.0 and the unchanged body', async () => {
    let seen: Record<string, unknown> = {};
    let sent: Buffer = Buffer.alloc(0);
    await using server = await httpServer(({ headers, url }, response, body) => {
      seen = { ...headers, url };
      sent = body;
      response.writeHead(204).end();
    });
    const endpoint = endpointAt(`${server.url}/api/v1/write?api-version=2`, {
      side: 'destination',
      auth: { kind: 'authorization', type: 'Bearer', credentials: new Secret('token') },
      headers: secretValues({ 'Content-Type': 'text/plain' }),
    });
    const hooks = recordingHooks();
    const client = new WriteClient(endpoint, hooks, 2);
    // A part of a larger buffer, like the output of the encoder.
    const larger = new Uint8Array([0, 0, ...request, 0, 0]);
    assert.deepEqual(await client.write(larger.subarray(2, 2 + request.length), once()), {});
    client.close();
    assert.deepEqual(sent, request);
    assert.equal(seen['url'], '/api/v1/write?api-version=2');
    assert.equal(seen['content-type'], 'application/x-protobuf');
    assert.equal(seen['content-encoding'], 'snappy');
    assert.equal(seen['x-prometheus-remote-write-version'], '0.1.0');
    assert.equal(seen['authorization'], 'Bearer token');
    assert.equal(seen['accept-encoding'], undefined);
    assert.deepEqual(
      hooks.events.map(({ side, status, sentBytes }) => ({ side, status, sentBytes })),
      [{ side: 'destination', status: 204, sentBytes: request.length }],
    );
  });

  it('limits its connections and reuses them, after rejections too', async () => {
    let running = 0;
    let most = 0;
    let responded = 0;
    await using server = await httpServer(async (_, response) => {
      running += 1;
      most = Math.max(most, running);
      await delay(5);
      running -= 1;
      responded += 1;
      response.writeHead(responded % 2 === 0 ? 400 : 200).end('out of order sample');
    });
    const client = new WriteClient(endpointAt(server.url, { side: 'destination' }), recordingHooks(), 3);
    const results = await Promise.allSettled(Array.from({ length: 12 }, () => client.write(request, once())));
    client.close();
    assert.equal(results.filter(({ status }) => status === 'rejected').length, 6);
    assert.equal(most, 3);
    assert.equal(server.connections(), 3);
  });

  it('returns the reason of a rejection, and sanitizes the response text', async () => {
    await using server = await httpServer((_, response) =>
      response.writeHead(400).end(`out of order sample\n\x1b[31m${'y'.repeat(100_000)}`),
    );
    const client = new WriteClient(endpointAt(server.url, { side: 'destination' }), recordingHooks(), 1);
    const failure = await failureOf(client.write(request, once()));
    client.close();
    assert.equal(failure.class, 'rejected');
    assert.equal(failure.reason, 'out_of_order');
    assert.equal(failure.status, 400);
    assert.equal(failure.side, 'destination');
    assert.match(failure.message, /^destination returned 400: out of order sample \[31my+…$/);
    assert.ok(failure.message.length < 560);
    assert.match(failure.hint ?? '', /out_of_order_time_window/);
  });

  it('does not treat a 202 as proof', async () => {
    const text = 'replicas did not match, rejecting sample: replica=r2, elected=r1';
    await using server = await httpServer((_, response) => response.writeHead(202).end(text));
    const client = new WriteClient(endpointAt(server.url, { side: 'destination' }), recordingHooks(), 1);
    const { unproven } = await client.write(request, once());
    client.close();
    assert.equal(unproven?.code, 'ha-tracker');
    assert.equal(unproven.reason, 'ha_tracker');
    assert.equal(unproven.message, `destination returned 202: ${text}`);
    assert.match(unproven.hint ?? '', /spec\.relabelings/);
  });

  it('rejects a web page as the response, with or without its Content-Type', async () => {
    for (const headers of [{ 'Content-Type': 'text/html; charset=utf-8' }, {}]) {
      await using server = await httpServer((_, response) =>
        response.writeHead(200, headers).end('<!DOCTYPE html><p>Welcome'),
      );
      const client = new WriteClient(endpointAt(server.url, { side: 'destination' }), recordingHooks(), 1);
      assert.equal((await failureOf(client.write(request, once()))).code, 'wrong-content-type');
      client.close();
    }
  });

  it('uses the status of a response even when its body is truncated', async () => {
    await using server = await rawServer(
      'HTTP/1.1 400 Bad Request\r\nContent-Length: 100\r\n\r\ntoo old sample',
      'reset',
    );
    const client = new WriteClient(endpointAt(server.url, { side: 'destination' }), recordingHooks(), 1);
    assert.equal((await failureOf(client.write(request, once()))).class, 'rejected');
    client.close();
  });

  it('aborts when the server does not accept the request', async () => {
    await using server = await rawServer('', 'stay');
    const endpoint = endpointAt(server.url, {
      side: 'destination',
      timeouts: { connectMs: 1000, firstByteMs: 100, silenceMs: 1000 },
    });
    const client = new WriteClient(endpoint, recordingHooks(), 1);
    const writing = failureOf(client.write(Buffer.alloc(32 << 20), once()));
    await delay(20);
    for (const socket of server.sockets) socket.pause();
    const failure = await writing;
    client.close();
    assert.ok(['send-timeout', 'first-byte-timeout'].includes(failure.code), failure.code);
    assert.equal(failure.class, 'transient');
  });
});
