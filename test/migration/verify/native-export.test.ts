// Reading a VictoriaMetrics through its native export: what is compared on arrival, what is held, and when JSON is read instead.

import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { MemoryBudget } from '../../../src/migration/limits/memory-budget.ts';
import { Reservation } from '../../../src/migration/limits/reservation.ts';
import type { MigrationEvent } from '../../../src/migration/report/observer.ts';
import type { ArrivingSeries } from '../../../src/migration/verify/arriving-series.ts';
import type { DestinationReaderOptions } from '../../../src/migration/verify/destination-reader.ts';
import { PromqlReader } from '../../../src/migration/verify/promql-reader.ts';
import { WireError } from '../../../src/wire/errors.ts';
import { metricName } from '../../../src/wire/labels.ts';
import { SampleColumns } from '../../../src/wire/sample-columns.ts';
import { endpointAt, httpServer, once, recordingHooks } from '../../remote/servers.ts';
import { encodeBlock, encodeRecord } from '../../wire/native-export/encoder.ts';

const MEMORY = 32 * 2 ** 20;
const RANGE = { selectors: [[]], fromMs: 0, toMs: 100, untilMs: 100, confirms: false };

type Block = readonly [name: string, ...times: number[]];
type Respond = (response: ServerResponse) => void;

/** The value of a sample is its time. */
function exportOf(...blocks: readonly Block[]): Buffer {
  const records = blocks.map(([name, ...times]) => {
    const integers = times.map(BigInt);
    const one = { times: integers, mantissas: integers, exponent: 0, timesEncoding: 6, valuesEncoding: 6 };
    return encodeRecord(Buffer.from(`${name}\u0001`), encodeBlock(one));
  });
  return Buffer.concat([Buffer.alloc(16), ...records]);
}

const native =
  (...blocks: readonly Block[]): Respond =>
  (response) =>
    response.writeHead(200, { 'content-type': 'VictoriaMetrics/native' }).end(exportOf(...blocks));

const status =
  (code: number): Respond =>
  (response) =>
    response.writeHead(code, { 'content-type': 'text/plain' }).end('no');

const JSON_LINE = '{"metric":{"__name__":"json"},"values":[1],"timestamps":[1]}\n';

async function reading(respond: Respond, options: { flags?: string; memory?: number; compares?: boolean } = {}) {
  const { flags = '', memory = MEMORY, compares = true } = options;
  const requests: string[] = [];
  const server = await httpServer((request, response) => {
    const path = (request.url ?? '').replace(/\?.*/, '');
    requests.push(path);
    if (path === '/flags') response.writeHead(200).end(flags);
    else if (path === '/api/v1/export/native') respond(response);
    else response.writeHead(200, { 'content-type': 'application/stream+json' }).end(JSON_LINE);
  });
  const events: MigrationEvent[] = [];
  const client = recordingHooks();
  const budget = new MemoryBudget(memory);
  const reader = new PromqlReader({
    endpoint: endpointAt(server.url, { side: 'progress' }),
    client,
    budget,
    random: () => 0.5,
    observer: { event: (event: MigrationEvent) => events.push(event) },
  } as unknown as DestinationReaderOptions);
  const reserved: number[] = [];
  const offered: string[] = [];
  const arriving = {
    begin: () => undefined,
    /** Series whose name begins with `equal` are the same if they have three samples. */
    take: (labels: Uint8Array, columns: SampleColumns, mayContinue = false) => {
      offered.push(
        `${metricName(labels)} ${columns.floatTimesMs.slice(0, columns.floats).join()}${mayContinue ? ' …' : ''}`,
      );
      return metricName(labels).startsWith('equal') && columns.floats === 3;
    },
  } as unknown as ArrivingSeries;
  return {
    requests,
    events,
    offered,
    reader,
    /** After each response. */
    reserved,
    async read(range = RANGE): Promise<string[]> {
      const reservation = new Reservation(budget, client.buffers);
      try {
        const read = await reader.read(range, reservation, { ...once(), arriving: compares ? arriving : undefined });
        reserved.push(reservation.bytes);
        const kept: string[] = [];
        for (const cursor of read.cursors) {
          while (cursor.next()) {
            const columns = new SampleColumns();
            cursor.decode(0, 1000, columns);
            kept.push(`${metricName(cursor.labels)} ${columns.floatTimesMs.slice(0, columns.floats).join()}`);
          }
        }
        return kept;
      } finally {
        reservation.release();
      }
    },
    async [Symbol.asyncDispose]() {
      reader.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

describe('a destination read through the native export of VictoriaMetrics', () => {
  it('is compared as its series arrive, without samples outside the range', async () => {
    const blocks: Block[] = [
      ['equal_a', 1, 2, 3, 200],
      ['outside', 100, 150],
      ['other', 5, 6],
    ];
    await using run = await reading(native(...blocks));
    assert.deepEqual(await run.read(), ['other 5,6']);
    assert.deepEqual(run.offered, ['equal_a 1,2,3 …', 'other 5,6 …', 'other 5,6']);
    assert.ok(run.reserved[0] !== undefined && run.reserved[0] < 200_000, `${run.reserved}`);
  });

  it('has series in several blocks that are far apart and in any order', async () => {
    const blocks: Block[] = [
      ['equal_b', 3],
      ['equal_a', 1, 2, 3],
      ['other', 9],
      ['equal_b', 1, 2],
    ];
    await using run = await reading(native(...blocks));
    assert.deepEqual(await run.read(), ['other 9']);
    assert.deepEqual(run.offered.slice(-2), ['equal_b 1,2,3', 'other 9']);
  });

  it('is held until its end where most series are in pieces, and after one was counted too early', async () => {
    await using run = await reading(native(['equal_a', 3], ['equal_a', 1, 2]));
    await run.read();
    run.offered.length = 0;
    await run.read();
    assert.deepEqual(run.offered, ['equal_a 1,2,3']);
    await using other = await reading(native(['equal_a', 1, 2, 3]));
    await other.read();
    other.reader.noteSeriesInPieces();
    assert.equal(other.reader.comparesOnArrival, true);
    other.offered.length = 0;
    await other.read();
    assert.deepEqual(other.offered, ['equal_a 1,2,3']);
  });

  it('is kept as a whole if nothing is compared on arrival', async () => {
    await using run = await reading(native(['a', 3], ['b', 4], ['a', 1, 3]), { compares: false });
    assert.deepEqual(await run.read(), ['a 1,3,3', 'b 4']);
  });

  it('is read as JSON to look again at series that differed', async () => {
    await using run = await reading(native(['equal_a', 1, 2, 3]));
    assert.deepEqual(await run.read({ ...RANGE, confirms: true }), ['json 1']);
    assert.deepEqual(run.requests, ['/api/v1/export']);
    assert.deepEqual(run.events, []);
  });

  const fallbacks: readonly (readonly [
    title: string,
    respond: Respond,
    options: { flags?: string; memory?: number },
  ])[] = [
    ['is not there', status(404), {}],
    ['is forbidden', status(403), {}],
    ['is not allowed without credentials', status(401), {}],
    ['is a page of another program', (response) => response.writeHead(200).end('<html></html>'), {}],
    ['would show samples that deduplication hides', native(), { flags: '-dedup.minScrapeInterval="1ms"\n' }],
  ];
  for (const [title, respond, options] of fallbacks) {
    it(`is read as JSON, which is logged once, if the native export ${title}`, async () => {
      await using run = await reading(respond, options);
      assert.deepEqual(await run.read(), ['json 1']);
      assert.deepEqual(await run.read(), ['json 1']);
      assert.deepEqual(run.requests.slice(-2), ['/api/v1/export', '/api/v1/export']);
      assert.deepEqual(
        run.events.map(({ type }) => type),
        ['reads-json'],
      );
    });
  }

  it('is read again as JSON if the labels of a series do not fit, because what has arrived before was counted', async () => {
    await using run = await reading(native([`equal_${'a'.repeat(600_000)}`, 1]));
    await assert.rejects(run.read(), { name: 'RemoteError', class: 'transient' });
    assert.deepEqual(run.requests.slice(-1), ['/api/v1/export/native']);
    assert.deepEqual(await run.read(), ['json 1']);
    assert.deepEqual(
      run.events.map(({ type }) => type),
      ['reads-json'],
    );
  });

  it('is read as JSON with little memory', async () => {
    await using run = await reading(native(['equal_a', 1]), { memory: 2 ** 20 });
    assert.deepEqual(await run.read(), ['json 1']);
  });

  it('is read as JSON for some ranges where its blocks are much longer than the range', async () => {
    const long: Block = ['equal_a', ...Array.from({ length: 100 }, (_, i) => i * 50)];
    await using run = await reading(native(long));
    const forms: (string | undefined)[] = [];
    for (let i = 0; i < 18; i++) {
      await run.read();
      forms.push(run.requests.at(-1));
    }
    assert.equal(forms.indexOf('/api/v1/export'), 1);
    assert.equal(forms.lastIndexOf('/api/v1/export'), 16);
    assert.equal(forms[17], '/api/v1/export/native');
  });

  it('is read as JSON after a response that cannot be decoded, and after a server error it is not', async () => {
    const damaged = exportOf(['equal_a', 1, 2, 3]);
    damaged[16] = 1;
    await using run = await reading((response) =>
      response.writeHead(200, { 'content-type': 'VictoriaMetrics/native' }).end(damaged),
    );
    await assert.rejects(run.read(), WireError);
    assert.deepEqual(await run.read(), ['json 1']);
    await using failing = await reading(status(503));
    await assert.rejects(failing.read(), { status: 503 });
    await assert.rejects(failing.read(), { status: 503 });
  });
});
