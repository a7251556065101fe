// The connections of the bulk streams: their ends, their reuse, their limits. The classes of failures are in read-client.test.ts and
// write-client.test.ts.

import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { createServer, type Socket } from 'node:net';
import { setImmediate, setTimeout as delay } from 'node:timers/promises';
import { ReadClient } from '../../../src/remote/read-client.ts';
import { WriteClient } from '../../../src/remote/write-client.ts';
import {
  collect,
  endpointAt,
  failureOf,
  httpServer,
  listening,
  once,
  rawServer,
  recordingHooks,
  type TestServer,
} from '../servers.ts';

const request = Buffer.from('a request');
const SAMPLES = 'HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\n';

function readerOf(server: TestServer, timeouts = { connectMs: 2000, firstByteMs: 2000, silenceMs: 2000 }): ReadClient {
  return new ReadClient(endpointAt(server.url, { timeouts }), recordingHooks());
}

function writerTo(server: TestServer, connections = 1): WriteClient {
  return new WriteClient(endpointAt(server.url, { side: 'destination' }), recordingHooks(), connections);
}

/** The sockets of clients that are opened meanwhile. Those of the server are closed earlier, and say nothing about what the client has seen. */
async function openedDuring(work: () => Promise<unknown>): Promise<Socket[]> {
  const sockets: Socket[] = [];
  const opened = (message: unknown) => sockets.push((message as { socket: Socket }).socket);
  subscribe('net.client.socket', opened);
  try {
    await work();
  } finally {
    unsubscribe('net.client.socket', opened);
  }
  return sockets;
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let waited = 0; !condition(); waited++) {
    assert.ok(waited < 200, what);
    await delay(10);
  }
}

describe('a response whose connection is to be closed', () => {
  for (const end of ['close', 'reset'] as const) {
    it(`is cut off when a chunked one ends early by ${end}`, async () => {
      await using server = await rawServer(
        `${SAMPLES}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n`,
        end,
      );
      const client = readerOf(server);
      const failure = await failureOf(collect((await client.read(request, once())).body));
      client.close();
      assert.equal(failure.code, 'cut-off');
    });

    it(`is cut off when one with a length ends early by ${end}`, async () => {
      await using server = await rawServer(`${SAMPLES}Content-Length: 9\r\nConnection: close\r\n\r\nabc`, end);
      const client = readerOf(server);
      const failure = await failureOf(collect((await client.read(request, once())).body));
      client.close();
      assert.equal(failure.code, 'cut-off');
    });
  }

  it('is complete at the end of the connection when it has no length, but not when the connection is reset', async () => {
    for (const [end, code] of [
      ['close', undefined],
      ['reset', 'cut-off'],
    ] as const) {
      await using server = await rawServer(`${SAMPLES}\r\nabc`, end);
      const client = readerOf(server);
      const body = collect((await client.read(request, once())).body);
      if (code === undefined) assert.equal((await body).toString(), 'abc');
      else assert.equal((await failureOf(body)).code, code);
      client.close();
    }
  });

  it('is used when it has arrived completely before the connection is reset', async () => {
    await using server = await rawServer(`${SAMPLES}Content-Length: 3\r\n\r\nabc`, 'reset');
    const client = readerOf(server);
    assert.equal((await collect((await client.read(request, once())).body)).toString(), 'abc');
    client.close();
  });
});

describe('a connection for bulk streams', () => {
  for (const end of ['end', 'resetAndDestroy'] as const) {
    it(`is replaced after the server has closed it by ${end}`, async () => {
      await using server = await httpServer((_, response) => response.writeHead(204).end());
      const client = writerTo(server);
      const sockets = await openedDuring(() => client.write(request, once()));
      assert.equal(sockets.length, 1);
      for (const socket of server.sockets) socket[end]();
      await until(() => sockets.every(({ closed }) => closed), 'the client closes its side');
      // The end is passed on in the next turn of the event loop.
      for (let turn = 0; turn < 2; turn++) await setImmediate();
      await client.write(request, once());
      client.close();
      assert.equal(server.connections(), 2);
    });
  }

  it('is not reused when the server responds before it has read the request', async () => {
    const large = Buffer.alloc(32 << 20);
    await using server = await listening(
      createServer((socket) => {
        socket.once('data', () => {
          // The rest of the request is never read.
          socket.pause();
          socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\n\r\nlarge');
        });
      }),
    );
    const client = writerTo(server);
    for (const connections of [1, 2]) {
      const failure = await failureOf(client.write(large, once()));
      assert.equal(failure.class, 'too-large');
      assert.equal(server.connections(), connections);
    }
    client.close();
  });

  it('ignores responses that only announce another one', async () => {
    const early = 'HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n';
    await using server = await rawServer(`${early}${SAMPLES}Content-Length: 3\r\n\r\nabc`, 'stay');
    const client = readerOf(server);
    const response = await client.read(request, once());
    assert.equal(response.status, 200);
    assert.equal((await collect(response.body)).toString(), 'abc');
    client.close();
  });

  it('is closed when the request is aborted or the client is closed while the server does not complete the TLS handshake', async () => {
    await using server = await listening(
      createServer((socket) => socket.resume()),
      'https',
    );
    const aborting = new AbortController();
    const first = readerOf(server);
    const aborted = failureOf(first.read(request, { attempt: 1, signal: aborting.signal }));
    await until(() => server.sockets.size === 1, 'the client connects');
    aborting.abort();
    assert.equal((await aborted).code, 'aborted');
    await until(() => server.sockets.size === 0, 'the connection is closed');
    const second = readerOf(server);
    const closed = failureOf(second.read(request, once()));
    await until(() => server.sockets.size === 1, 'the client connects again');
    second.close();
    assert.equal((await closed).class, 'transient');
    await until(() => server.sockets.size === 0, 'the connection is closed again');
    first.close();
  });

  it('is given up when the TLS handshake takes longer than the time limit', async () => {
    await using server = await listening(
      createServer((socket) => socket.resume()),
      'https',
    );
    const client = readerOf(server, { connectMs: 100, firstByteMs: 2000, silenceMs: 2000 });
    const failure = await failureOf(client.read(request, once()));
    client.close();
    assert.equal(failure.code, 'connect-timeout');
    await until(() => server.sockets.size === 0, 'the connection is closed');
  });

  it('is waited for in the order of the requests, and an aborted request leaves the queue', async () => {
    const seen: string[] = [];
    const waiting: (() => void)[] = [];
    await using server = await httpServer((incoming, response) => {
      seen.push(String(incoming.headers['retry-attempt']));
      waiting.push(() => response.writeHead(204).end());
    });
    const client = writerTo(server);
    const aborting = new AbortController();
    const writes = [2, 3, 4].map((attempt) =>
      client.write(request, { attempt, signal: attempt === 3 ? aborting.signal : once().signal }),
    );
    const aborted = failureOf(writes[1]!);
    await until(() => waiting.length === 1, 'the first request arrives');
    aborting.abort();
    assert.equal((await aborted).code, 'aborted');
    waiting.shift()?.();
    await until(() => waiting.length === 1, 'the third request arrives');
    waiting.shift()?.();
    await Promise.all([writes[0], writes[2]]);
    client.close();
    assert.deepEqual(seen, ['1', '3']);
    assert.equal(server.connections(), 1);
  });

  it('fails a request that waits for it when the client is closed', async () => {
    await using server = await rawServer('', 'stay');
    const client = writerTo(server);
    const failures = [1, 2].map(() => failureOf(client.write(request, once())));
    await until(() => server.sockets.size === 1, 'the client connects');
    client.close();
    for (const failure of await Promise.all(failures)) assert.equal(failure.code, 'connection-reset');
  });

  it('rejects headers that are too large', async () => {
    await using server = await rawServer(`HTTP/1.1 200 OK\r\nX-Large: ${'x'.repeat(100_000)}\r\n\r\n`, 'stay');
    const client = readerOf(server);
    assert.equal((await failureOf(client.read(request, once()))).code, 'not-http');
    client.close();
  });

  it('reads a header that comes in pieces, the last one with much of the body', async () => {
    const body = 'b'.repeat(200_000);
    const whole = `${SAMPLES}X-Long: ${'x'.repeat(9000)}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    await using server = await listening(
      createServer((socket) => {
        socket.once('data', async () => {
          for (const part of [whole.slice(0, 30), whole.slice(30, 60), whole.slice(60)]) {
            socket.write(part);
            await delay(10);
          }
        });
      }),
    );
    const client = readerOf(server);
    for (let i = 0; i < 3; i++) {
      const response = await client.read(request, once());
      assert.equal(response.kind, 'samples');
      assert.equal((await collect(response.body)).toString(), body);
      client.close();
    }
  });

  it('reads the first of several Content-Types, as node:http does', async () => {
    await using server = await rawServer(`${SAMPLES}Content-Type: text/html\r\nContent-Length: 3\r\n\r\nabc`, 'stay');
    const client = readerOf(server);
    const response = await client.read(request, once());
    client.close();
    assert.equal(response.kind, 'samples');
  });
});
