import assert from 'node:assert/strict';
import { QueryClient } from '../../src/remote/query-client.ts';
import { exportedSamples } from '../../src/remote/sample-query.ts';
import { endpointAt, failureOf, httpServer, once, recordingHooks } from './servers.ts';

const json = { 'Content-Type': 'application/json' };

describe('exportedSamples', () => {
  it('counts the memory that a line of an export takes with its samples, and not only its bytes', async () => {
    const samples = 1000;
    const metric = { metric: { __name__: 'x' }, values: new Array(samples).fill(1) };
    const line = `${JSON.stringify({ ...metric, timestamps: new Array(samples).fill(1_700_000_000_000) })}\n`;
    await using server = await httpServer((_, response) => response.writeHead(200, json).end(line));
    const client = new QueryClient(endpointAt(server.url, { side: 'progress' }), recordingHooks());
    const read = async (maxBytes: number) => {
      const range = { matches: ['x'], fromMs: 0, toMs: 1 };
      for await (const { columns } of exportedSamples(client, range, { ...once(), maxBytes })) {
        return columns.floatTimesMs.byteLength + columns.floatBits.byteLength;
      }
      return 0;
    };
    // The pieces, the line made of them, the columns.
    const needed = 2 * line.length + (await read(2 ** 20));
    assert.equal((await failureOf(read(needed - 1))).code, 'response-too-large');
    assert.ok((await read(5 * line.length)) > 0);
    client.close();
  });
});
