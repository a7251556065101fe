import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { Exchange } from '../../../src/remote/http/exchange.ts';
import { closeAgents, createAgents } from '../../../src/remote/http/agents.ts';
import { BufferPool } from '../../../src/migration/limits/buffer-pool.ts';
import { SYSTEM_CLOCK } from '../../../src/telemetry/clock.ts';
import { SecretUrl } from '../../../src/telemetry/secret.ts';

const MEBIBYTE = 2 ** 20;

/** Serves `/<seed>/<bytes>`: bytes of a generator in chunks of all sizes, in a thread of its own, so that its memory is not this one's. */
const SERVER = `
const { createServer } = require('node:http');
const { parentPort } = require('node:worker_threads');
const sizes = [1, 7, 700, 3000, 5000, 64511, 20, 70000, 65536, 200000, 2, 30000];
createServer(async (request, response) => {
  const [, seed, bytes] = request.url.split('/').map(Number);
  response.writeHead(200, { 'content-type': 'application/octet-stream' });
  const source = Buffer.alloc(262144);
  for (let i = 0; i < source.length; i++) source[i] = (i * 31 + seed * 7 + (i >> 8)) & 255;
  for (let sent = 0, turn = seed; sent < bytes; turn++) {
    const size = Math.min(sizes[turn % sizes.length], bytes - sent);
    if (!response.write(source.subarray(0, size))) await new Promise((drained) => response.once('drain', drained));
    sent += size;
  }
  response.end();
}).listen(0, '127.0.0.1', function () { parentPort.postMessage(this.address().port); });
`;
const SIZES = [1, 7, 700, 3000, 5000, 64511, 20, 70000, 65536, 200000, 2, 30000];

function expectedHash(seed: number, bytes: number): string {
  const source = Buffer.alloc(262_144);
  for (let i = 0; i < source.length; i++) source[i] = (i * 31 + seed * 7 + (i >> 8)) & 255;
  const hash = createHash('sha256');
  for (let sent = 0, turn = seed; sent < bytes; turn++) {
    const size = Math.min(SIZES[turn % SIZES.length]!, bytes - sent);
    hash.update(source.subarray(0, size));
    sent += size;
  }
  return hash.digest('hex');
}

describe('the blocks of a body', function () {
  this.timeout(60_000);
  let server: Worker;
  let url: string;
  const agents = createAgents(
    {
      side: 'source',
      url: new SecretUrl('http://127.0.0.1'),
      headers: {},
      auth: { kind: 'none' },
      tls: { insecureSkipVerify: false, minVersion: 'TLSv1.2' },
      timeouts: { connectMs: 5_000, firstByteMs: 5_000, silenceMs: 5_000 },
    },
    2,
  );
  const pool = new BufferPool();

  before(async () => {
    pool.allow(8 * MEBIBYTE);
    server = new Worker(SERVER, { eval: true });
    const port = await new Promise((resolve) => server.once('message', resolve));
    url = `http://127.0.0.1:${port}`;
  });

  after(async () => {
    closeAgents(agents);
    await server.terminate();
  });

  /** The hash of a body, and the most array buffers that there were while it was read. */
  async function read(path: string, pauses: boolean): Promise<{ hash: string; most: number }> {
    const exchange = new Exchange('source', { clock: SYSTEM_CLOCK, buffers: pool, request: () => {} }, 5_000, {
      method: 'GET',
      url: new SecretUrl(`${url}${path}`),
      headers: {},
      attempt: 1,
      signal: new AbortController().signal,
    });
    const endpoint = { timeouts: { connectMs: 5_000, firstByteMs: 5_000, silenceMs: 5_000 } };
    const response = await exchange.open(agents, endpoint as Parameters<Exchange['open']>[1], {});
    const hash = createHash('sha256');
    let most = 0;
    let blocks = 0;
    for await (const block of response.body) {
      if (pauses && blocks++ % 3 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
      hash.update(block);
      pool.give(block);
      most = Math.max(most, process.memoryUsage().arrayBuffers);
    }
    return { hash: hash.digest('hex'), most };
  }

  for (const pauses of [false, true]) {
    it(`match what the server sent, ${pauses ? 'with' : 'without'} pauses, in parallel on reused connections`, async () => {
      for (let round = 0; round < 4; round++) {
        const bodies = [1, 2, 3, 4].map(async (seed) => {
          const bytes = 3_000_000 + seed * 12_345;
          const { hash } = await read(`/${seed}/${bytes}`, pauses);
          assert.equal(hash, expectedHash(seed, bytes), `seed ${seed}`);
        });
        await Promise.all(bodies);
      }
    });
  }

  it('reuse the memory that the socket is read into', async () => {
    const before = process.memoryUsage().arrayBuffers;
    const { most } = await read(`/5/${200 * MEBIBYTE}`, false);
    assert.ok(most - before < 10 * MEBIBYTE, `${Math.round((most - before) / MEBIBYTE)} MiB`);
  });
});
