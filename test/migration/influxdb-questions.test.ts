import assert from 'node:assert/strict';
import snappy from 'snappyjs';
import { MemoryBudget } from '../../src/migration/limits/memory-budget.ts';
import { Reservation } from '../../src/migration/limits/reservation.ts';
import { readSeries } from '../../src/remote/read-series.ts';
import { ReadClient } from '../../src/remote/read-client.ts';
import { endpointAt, httpServer, once, recordingHooks } from '../remote/servers.ts';
import { decodeMessage, encodeMessage } from '../wire/support/oracle.ts';

interface ReadRequest {
  queries: { matchers: { type: string; name: string; value: string }[] }[];
}

const matchers = [
  { kind: '=~', name: '__name__', value: 'up|down' },
  { kind: '!~', name: 'job', value: 'a.' },
  { kind: '!=', name: 'zone', value: 'b' },
] as const;
const asTheyAre = ['up|down', 'a.', 'b'];
const writtenOut = ['^(?s:up|down)$', '^(?s:a.)$', 'b'];
const body = snappy.compress(encodeMessage('ReadResponse', { results: [{}] }));

/** The matcher values of each request that two queries cause. */
async function askTwice(path: string, headers: Record<string, string>): Promise<string[][]> {
  const asked: string[][] = [];
  await using server = await httpServer((_, response, request) => {
    const { queries } = decodeMessage(
      'ReadRequest',
      new Uint8Array(snappy.uncompress(request)),
    ) as unknown as ReadRequest;
    asked.push(queries[0]?.matchers.map(({ value }) => value) ?? []);
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    response.setHeader('Content-Type', 'application/x-protobuf').end(body);
  });
  const client = new ReadClient(endpointAt(`${server.url}${path}`), recordingHooks());
  for (let i = 0; i < 2; i++) {
    const query = { matchers, fromMs: 0, toMs: 1000, samplesOnly: false };
    const reservation = new Reservation(new MemoryBudget(1_000_000), client.buffers);
    await readSeries(client, query, { ...once(), memory: reservation, maxFrameBytes: 1_000_000 });
    reservation.release();
  }
  client.close();
  return asked;
}

describe('the regular expressions of a remote_read query', () => {
  it('are sent unchanged to a Prometheus, which anchors them itself', async () => {
    assert.deepEqual(await askTwice('/api/v1/read', {}), [asTheyAre, asTheyAre]);
  });

  it('are anchored from the start for the path of InfluxDB, which does not anchor them', async () => {
    const path = '/api/v1/prom/read?db=x';
    assert.deepEqual(await askTwice(path, { 'X-Influxdb-Version': '1.8.10' }), [writtenOut, writtenOut]);
  });

  it('are anchored and sent again when the response shows that the source is InfluxDB', async () => {
    const asked = await askTwice('/metrics-store', { 'X-Influxdb-Version': '1.8.10' });
    assert.deepEqual(asked, [asTheyAre, writtenOut, writtenOut]);
  });
});
