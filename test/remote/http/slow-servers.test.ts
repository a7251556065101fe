// Servers that are slower than any real one: every way of sending slowly has a time limit.
import assert from 'node:assert/strict';
import { createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { QueryClient } from '../../../src/remote/query-client.ts';
import { ReadClient } from '../../../src/remote/read-client.ts';
import { WriteClient } from '../../../src/remote/write-client.ts';
import type { Clock } from '../../../src/telemetry/clock.ts';
import { SYSTEM_CLOCK } from '../../../src/telemetry/clock.ts';
import { collect, endpointAt, failureOf, listening, once, recordingHooks, type TestServer } from '../servers.ts';

const STREAMED = 'application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse';
const DRIP_MS = 5;

/** Two hundred times faster: a minute takes 300 ms. */
const fastClock: Clock = {
  now: SYSTEM_CLOCK.now,
  monotonicMs: () => performance.now() * 200,
  sleep: (ms, signal) => SYSTEM_CLOCK.sleep(ms / 200, signal),
};
const timeouts = { connectMs: 2000, firstByteMs: 2000, silenceMs: 50_000 };

/** Sends `whole` immediately and then a byte every few milliseconds while the connection is open. */
function dripping(whole: string, byte: string): Promise<TestServer> {
  return listening(
    createServer((socket) => {
      socket.once('data', () => {
        socket.write(whole);
        dripInto(socket, byte);
      });
    }),
  );
}

function dripInto(socket: Socket, byte: string): void {
  const timer = setInterval(() => socket.write(byte), DRIP_MS);
  socket.on('close', () => clearInterval(timer));
}

describe('a server that sends slowly', () => {
  it('its body, a byte at a time in chunks, is aborted after a minute of waiting', async () => {
    await using server = await dripping(
      `HTTP/1.1 200 OK\r\nContent-Type: ${STREAMED}\r\nTransfer-Encoding: chunked\r\n\r\n`,
      '1\r\nx\r\n',
    );
    const context = { ...recordingHooks(), clock: fastClock };
    const client = new ReadClient(endpointAt(server.url, { timeouts }), context);
    const failure = await failureOf(collect((await client.read(Buffer.from('q'), once())).body));
    client.close();
    assert.equal(failure.code, 'too-slow');
    assert.equal(failure.class, 'transient');
    assert.match(failure.message, /^source sends its response too slowly: \d+ bytes in 60 s$/);
    assert.deepEqual(
      context.events.map(({ status }) => status),
      ['too-slow'],
    );
  });

  it('its JSON is aborted in the same way', async () => {
    await using server = await dripping(
      'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n',
      ' ',
    );
    const client = new QueryClient(endpointAt(server.url, { side: 'progress', timeouts }), {
      ...recordingHooks(),
      clock: fastClock,
    });
    const failure = await failureOf(client.query('up', 0, { ...once(), maxBytes: 1 << 20 }));
    client.close();
    assert.equal(failure.code, 'too-slow');
    assert.equal(failure.side, 'progress');
  });

  it('is not aborted as long as the client reads nothing', async () => {
    await using server = await dripping(
      `HTTP/1.1 200 OK\r\nContent-Type: ${STREAMED}\r\nTransfer-Encoding: chunked\r\n\r\n`,
      '1\r\nx\r\n',
    );
    const client = new ReadClient(endpointAt(server.url, { timeouts }), { ...recordingHooks(), clock: fastClock });
    const { body } = await client.read(Buffer.from('q'), once());
    const pieces = body[Symbol.asyncIterator]();
    assert.equal((await pieces.next()).done, false);
    // Two minutes of the fast clock, without a pending read.
    await delay(120);
    const next = await pieces.return?.(undefined);
    client.close();
    assert.equal(next?.done, true);
  });

  it('its headers is aborted after the timeout for the first byte', async () => {
    await using server = await dripping('HTTP/1.1 200 OK\r\nX-Header: ', 'x');
    const client = new ReadClient(
      endpointAt(server.url, { timeouts: { ...timeouts, firstByteMs: 100 } }),
      recordingHooks(),
    );
    const failure = await failureOf(client.read(Buffer.from('q'), once()));
    client.close();
    assert.equal(failure.code, 'first-byte-timeout');
  });

  it('its error text is not awaited for longer than ten seconds', async () => {
    await using server = await dripping(
      'HTTP/1.1 500 Internal\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nbroken\r\n',
      '1\r\nx\r\n',
    );
    const client = new ReadClient(endpointAt(server.url, { timeouts }), { ...recordingHooks(), clock: fastClock });
    const failure = await failureOf(client.read(Buffer.from('q'), once()));
    client.close();
    assert.equal(failure.code, 'server-error');
    assert.match(failure.message, /broken/);
  });

  it('accepts a request a byte at a time is aborted after the send timeout', async () => {
    await using server = await listening(
      createServer({ pauseOnConnect: true }, (socket) => {
        // The system's socket buffers accept megabytes; then nothing is read.
        socket.pause();
      }),
    );
    const client = new WriteClient(
      endpointAt(server.url, { side: 'destination', timeouts: { ...timeouts, firstByteMs: 200 } }),
      recordingHooks(),
      1,
    );
    const failure = await failureOf(client.write(new Uint8Array(64 * 1024 * 1024), once()));
    client.close();
    assert.equal(failure.code, 'send-timeout');
    assert.equal(failure.class, 'transient');
  });
});
