// The timeouts of a read request, and how it is aborted.

import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { ReadClient } from '../../src/remote/read-client.ts';
import { collect, endpointAt, failureOf, httpServer, once, rawServer, recordingHooks } from './servers.ts';

const request = Buffer.from('a read request');
const streamed = 'application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse';
describe('ReadClient, waiting for a response', () => {
  it('aborts a response that pauses too long, but not for a slow reader', async () => {
    await using server = await httpServer((incoming, response) => {
      response.setHeader('Content-Type', streamed);
      response.write('abc');
      if (incoming.url === '/whole') response.end('def');
    });
    const timeouts = { connectMs: 2000, firstByteMs: 2000, silenceMs: 60 };
    const patient = new ReadClient(endpointAt(`${server.url}/whole`, { timeouts }), recordingHooks());
    let text = '';
    for await (const piece of (await patient.read(request, once())).body) {
      text += Buffer.from(piece).toString();
      await delay(150);
    }
    patient.close();
    assert.equal(text, 'abcdef');

    const client = new ReadClient(endpointAt(`${server.url}/silent`, { timeouts }), recordingHooks());
    const failure = await failureOf(collect((await client.read(request, once())).body));
    client.close();
    assert.equal(failure.code, 'silence-timeout');
    assert.equal(failure.class, 'transient');
  });

  it('aborts when the server does not start to respond', async () => {
    await using server = await rawServer('', 'stay');
    const hooks = recordingHooks();
    const client = new ReadClient(
      endpointAt(server.url, { timeouts: { connectMs: 2000, firstByteMs: 60, silenceMs: 2000 } }),
      hooks,
    );
    const failure = await failureOf(client.read(request, once()));
    client.close();
    assert.equal(failure.code, 'first-byte-timeout');
    assert.deepEqual(
      hooks.events.map((event) => event.status),
      ['first-byte-timeout'],
    );
  });

  it('applies backpressure while the reader pauses', async () => {
    const piece = Buffer.alloc(1 << 20, 1);
    let written = 0;
    await using server = await httpServer((_, response) => {
      response.setHeader('Content-Type', streamed);
      const more = () => {
        while (written < 64 && response.write(piece, () => {})) written += 1;
        if (written < 64)
          response.once('drain', () => {
            written += 1;
            more();
          });
        else response.end();
      };
      more();
    });
    const client = new ReadClient(endpointAt(server.url), recordingHooks());
    const reply = await client.read(request, once());
    await delay(150);
    const before = written;
    await delay(150);
    assert.equal(written, before);
    assert.ok(before < 32, `${before} MiB were taken without a reader`);
    let received = 0;
    for await (const part of reply.body) received += part.byteLength;
    client.close();
    assert.ok(received >= 64 << 20);
  });

  it('aborts the request when the reader breaks out of the loop', async () => {
    await using server = await httpServer((_, response) => {
      response.setHeader('Content-Type', streamed);
      response.write('abc');
    });
    const hooks = recordingHooks();
    const client = new ReadClient(endpointAt(server.url), hooks);
    for await (const _ of (await client.read(request, once())).body) break;
    for (let waited = 0; server.sockets.size > 0 && waited < 100; waited++) await delay(20);
    assert.equal(server.sockets.size, 0, 'without the help of close()');
    client.close();
    assert.equal(hooks.events.length, 1);
  });

  it('stops immediately when aborted before the first byte, in the middle of the body, and before the start', async () => {
    await using server = await httpServer((incoming, response) => {
      if (incoming.url === '/mute') return;
      response.setHeader('Content-Type', streamed);
      response.write('abc');
    });
    const started = performance.now();

    const early = new AbortController();
    const mute = new ReadClient(endpointAt(`${server.url}/mute`), recordingHooks());
    setTimeout(() => early.abort(), 20);
    assert.equal((await failureOf(mute.read(request, { attempt: 1, signal: early.signal }))).class, 'aborted');
    assert.equal((await failureOf(mute.read(request, { attempt: 1, signal: early.signal }))).code, 'aborted');
    mute.close();

    const late = new AbortController();
    const hooks = recordingHooks();
    const talking = new ReadClient(endpointAt(server.url), hooks);
    const { body } = await talking.read(request, { attempt: 1, signal: late.signal });
    setTimeout(() => late.abort(new Error('shutting down')), 20);
    assert.equal((await failureOf(collect(body))).class, 'aborted');
    await delay(20);
    assert.equal(server.sockets.size, 0);
    talking.close();
    assert.deepEqual(
      hooks.events.map((event) => event.status),
      ['aborted'],
    );
    assert.ok(performance.now() - started < 8000);
  });

  it('leaves no listeners on a signal used for many requests', async () => {
    await using server = await httpServer((_, response) =>
      response.setHeader('Content-Type', 'application/x-protobuf').end(),
    );
    const client = new ReadClient(endpointAt(server.url), recordingHooks());
    let listeners = 0;
    const { signal } = new AbortController();
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners += 1;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners -= 1;
      remove(...args);
    };
    for (let i = 0; i < 5; i += 1) await collect((await client.read(request, { attempt: 1, signal })).body);
    client.close();
    assert.equal(listeners, 0);
  });
});
