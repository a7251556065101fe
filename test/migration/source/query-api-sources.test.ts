import assert from 'node:assert/strict';
import { VictoriaMetricsSource } from '../../../src/migration/source/victoriametrics-source.ts';
import { PromqlSource } from '../../../src/migration/source/promql-source.ts';
import { readWhole, type SeriesSource } from '../../../src/migration/source/series-source.ts';
import { MemoryBudget } from '../../../src/migration/limits/memory-budget.ts';
import { Reservation } from '../../../src/migration/limits/reservation.ts';
import type { MigrationEvent } from '../../../src/migration/report/observer.ts';
import { RemoteError } from '../../../src/remote/meaning/remote-error.ts';
import type { Matcher } from '../../../src/wire/messages.ts';
import { decodeLabels } from '../../../src/wire/labels.ts';
import { endpointAt, httpServer, recordingHooks } from '../../remote/servers.ts';

type Answer = readonly [status: number, body: string];

const ABSENT: Answer = [404, 'no such page'];
const BROKEN: Answer = [503, 'starting'];
const MATRIX: Answer = [
  200,
  JSON.stringify({
    status: 'success',
    data: { resultType: 'matrix', result: [{ metric: { job: 'a' }, values: [[1700000000.5, '1.5']] }] },
  }),
];
const LINE: Answer = [200, `{"metric":{"__name__":"up"},"values":[1],"timestamps":[1700000000500]}\n`];

/** A server whose exports answer with these in turn, the last one again and again. */
async function serverOf(exports: readonly Answer[], result = MATRIX) {
  const asked: string[] = [];
  let exported = 0;
  const server = await httpServer(({ url }, response) => {
    const { pathname, searchParams } = new URL(url ?? '', 'http://x');
    asked.push(searchParams.get('query') ?? pathname);
    const [status, body] = pathname.endsWith('/export')
      ? (exports[Math.min(exported++, exports.length - 1)] as Answer)
      : pathname.endsWith('/query')
        ? result
        : ABSENT;
    response.writeHead(status, { 'content-type': status === 200 ? 'application/json' : 'text/plain' }).end(body);
  });
  return { url: server.url, asked, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

const Sources = { PromQL: PromqlSource, VictoriaMetrics: VictoriaMetricsSource };

function sourceAt(url: string, protocol: keyof typeof Sources, events: MigrationEvent[] = []): SeriesSource {
  const endpoint = endpointAt(url, { side: 'source' });
  const observer = { event: (event: MigrationEvent) => void events.push(event) };
  const limits = { maxBytes: 1 << 20, longestMs: 3_600_000 };
  return new Sources[protocol]({ endpoint, client: recordingHooks(), ...limits, random: () => 0.5, observer });
}

const SELECTOR: readonly Matcher[] = [{ kind: '=~', name: 'job', value: 'a|b' }];

/** The labels of what was read, or the code of the failure. */
async function attempt(source: SeriesSource, number: number): Promise<unknown> {
  const memory = new Reservation(new MemoryBudget(1 << 24, () => undefined), source.buffers);
  const query = { matchers: SELECTOR, fromMs: 1_700_000_000_000, toMs: 1_700_000_060_000, samplesOnly: false };
  const { signal } = new AbortController();
  try {
    const { cursor } = await readWhole(source, query, { attempt: number, signal, memory });
    const found: unknown[] = [];
    while (cursor.next()) found.push(decodeLabels(cursor.labels));
    return found;
  } catch (error) {
    assert.ok(error instanceof RemoteError);
    return error.code;
  } finally {
    memory.release();
  }
}

describe('a query API as a source', () => {
  it('is not taken for another store because it fails to answer whether it has exports', async () => {
    await using server = await serverOf([BROKEN, LINE]);
    const source = sourceAt(server.url, 'PromQL');
    assert.equal(await attempt(source, 1), 'unavailable');
    assert.equal(await attempt(source, 2), 'source-is-victoriametrics');
    source.close();
  });

  it('is read although it never answers that', async () => {
    await using server = await serverOf([BROKEN]);
    const source = sourceAt(server.url, 'PromQL');
    assert.equal(await attempt(source, 5), 'unavailable');
    assert.deepEqual(await attempt(source, 6), [[['job', 'a']]]);
    source.close();
  });

  it('is asked for series without a name too, if the selector selects them', async () => {
    await using server = await serverOf([ABSENT]);
    const source = sourceAt(server.url, 'PromQL');
    assert.deepEqual(await attempt(source, 1), [[['job', 'a']]]);
    assert.equal(server.asked.at(-1), '{job=~"a|b"}[60000ms]');
    source.close();
  });
});

describe('native histograms of a query API', () => {
  const histogram = { count: '5', sum: '9', buckets: [[0, '1', '2', '5']] };
  const result = [{ metric: { __name__: 'sizes' }, histograms: [[1_700_000_000.5, histogram]] }];
  const shown: Answer = [200, JSON.stringify({ status: 'success', data: { resultType: 'matrix', result } })];

  it('are reported where nothing shows of which kind their buckets are: at first, twice as many, and at the end', async () => {
    await using server = await serverOf([ABSENT], shown);
    const events: MigrationEvent[] = [];
    const source = sourceAt(server.url, 'PromQL', events);
    for (let i = 0; i < 5; i++) await attempt(source, 1);
    source.close();
    const counts = events.map((event) => {
      assert.ok(event.type === 'warning' && event.code === 'histogram-buckets-assumed');
      return /^(\d+) native histograms so far, the first of \{__name__="sizes"\}/.exec(event.message)?.[1];
    });
    assert.deepEqual(counts, ['1', '2', '4', '5']);
  });
});

describe('a VictoriaMetrics as a source', () => {
  it('is asked again after it did not have its export once', async () => {
    await using server = await serverOf([LINE, ABSENT, LINE]);
    const source = sourceAt(server.url, 'VictoriaMetrics');
    assert.deepEqual(await attempt(source, 1), [[['__name__', 'up']]]);
    assert.equal(await attempt(source, 1), 'source-without-export');
    assert.deepEqual(await attempt(source, 2), [[['__name__', 'up']]]);
    source.close();
  });
});
