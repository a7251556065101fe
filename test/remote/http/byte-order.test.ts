// The bytes of a response arrive in their order, however they are framed and however slowly they are read. The sockets rest between reads,
// and what is read meanwhile must not overtake anything.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { BufferPool } from '../../../src/migration/limits/buffer-pool.ts';
import { CredentialPool } from '../../../src/remote/credentials/credential-pool.ts';
import { ReadClient } from '../../../src/remote/read-client.ts';
import { SYSTEM_CLOCK } from '../../../src/telemetry/clock.ts';
import { Secret } from '../../../src/telemetry/secret.ts';
import { createAuthority } from '../../support/certificates.ts';
import { endpointAt, once } from '../servers.ts';

const ROUNDS = 20;
const BYTES = 1_500_000;

/** `/<framing>/<seed>` in pieces of all sizes, most of them as small as a frame; some in a segment of their own. In a thread of its own. */
const SERVER = `
const { parentPort, workerData } = require('node:worker_threads');
const { createServer } = require(workerData.tls === undefined ? 'node:http' : 'node:https');
const sizes = [900, 1, 1300, 7, 2100, 64511, 1500, 1500, 200000, 20, 1500, 70000, 2];
const turnOver = () => new Promise(setImmediate);
createServer(workerData.tls ?? {}, async (request, response) => {
  request.resume();
  const [, framing, text] = request.url.split('/');
  const seed = Number(text);
  const bytes = ${BYTES} + seed * 1237;
  const source = Buffer.alloc(bytes);
  for (let i = 0; i < bytes; i++) source[i] = (i * 31 + seed * 7 + (i >> 8) * 13 + (i >> 16)) & 255;
  const headers = { 'content-type': 'application/x-protobuf' };
  if (framing === 'length') headers['content-length'] = bytes;
  if (framing === 'close') { response.useChunkedEncodingByDefault = false; response.shouldKeepAlive = false; headers.connection = 'close'; }
  response.writeHead(200, headers);
  for (let sent = 0, turn = seed; sent < bytes; turn++) {
    const size = Math.min(sizes[turn % sizes.length], bytes - sent);
    if (!response.write(source.subarray(sent, sent + size))) await new Promise((drained) => response.once('drain', drained));
    if (turn % 3 === 0) await turnOver();
    sent += size;
  }
  response.end();
}).listen(0, '127.0.0.1', function () { parentPort.postMessage(this.address().port); });
`;

const READERS: Readonly<Record<string, (block: number) => number>> = {
  fast: () => 0,
  slow: () => 4,
  'sometimes slow': (block) => (block % 3 === 0 ? 9 : 0),
};

for (const scheme of ['http', 'https']) {
  describe(`the order of a response's bytes over ${scheme}`, function () {
    this.timeout(120_000);
    let server: Worker;
    let client: (path: string) => ReadClient;
    const clients: ReadClient[] = [];
    const pool = new BufferPool();

    before(async () => {
      pool.allow(8 * 2 ** 20);
      const authority = scheme === 'https' ? createAuthority() : undefined;
      server = new Worker(SERVER, { eval: true, workerData: { tls: authority?.issue('127.0.0.1') } });
      const port = await new Promise((resolve) => server.once('message', resolve));
      const tls = {
        insecureSkipVerify: false,
        minVersion: 'TLSv1.2' as const,
        ...(authority !== undefined && { ca: new Secret(authority.cert) }),
      };
      client = (path) => {
        const made = new ReadClient(endpointAt(`${scheme}://127.0.0.1:${port}${path}`, { tls }), {
          clock: SYSTEM_CLOCK,
          buffers: pool,
          credentials: new CredentialPool(SYSTEM_CLOCK, {}),
          request: () => {},
        });
        clients.push(made);
        return made;
      };
    });

    after(async () => {
      for (const made of clients) made.close();
      await server.terminate();
    });

    for (const framing of ['chunked', 'length', 'close']) {
      for (const [reader, pauseMs] of Object.entries(READERS)) {
        it(`is kept, ${framing === 'close' ? 'up to the end of the connection' : framing}, ${reader} reader, ${ROUNDS} times`, async () => {
          const seed = framing.length * 3 + reader.length;
          const reading = client(`/${framing}/${seed}`);
          for (let round = 0; round < ROUNDS; round++) {
            // Two at once, so that connections are reused in changing order.
            await Promise.all([0, 1].map(() => assertWhole(reading, pauseMs, seed)));
          }
        });
      }
    }

    async function assertWhole(reading: ReadClient, pauseMs: (block: number) => number, seed: number): Promise<void> {
      const { body } = await reading.read(Buffer.from('q'), once());
      const hash = createHash('sha256');
      let bytes = 0;
      let blocks = 0;
      for await (const block of body) {
        const ms = pauseMs(blocks++);
        if (ms > 0) await delay(ms);
        bytes += block.length;
        hash.update(block);
        pool.give(block);
      }
      assert.equal(bytes, BYTES + seed * 1237);
      assert.equal(hash.digest('hex'), expectedHash(seed));
    }
  });
}

const hashes = new Map<number, string>();

function expectedHash(seed: number): string {
  const known = hashes.get(seed);
  if (known !== undefined) return known;
  const source = Buffer.alloc(BYTES + seed * 1237);
  for (let i = 0; i < source.length; i++) source[i] = (i * 31 + seed * 7 + (i >> 8) * 13 + (i >> 16)) & 255;
  const hash = createHash('sha256').update(source).digest('hex');
  hashes.set(seed, hash);
  return hash;
}
