import assert from 'node:assert/strict';
import fc from 'fast-check';

import { parseExportLine, parseQueryResponse } from '../../src/remote/query-response.ts';
import { QueryClient } from '../../src/remote/query-client.ts';
import { apiUrl } from '../../src/remote/query-url.ts';
import { rangeSamples } from '../../src/remote/sample-query.ts';
import { endpointAt, failureOf, httpServer, once, recordingHooks } from './servers.ts';

const options = () => ({ ...once(), maxBytes: 1 << 20 });
const json = { 'Content-Type': 'application/json' };

async function drain(series: AsyncIterable<unknown>): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const one of series) all.push(one);
  return all;
}

describe('QueryClient', () => {
  it('finds the API from a base URL and from a full path, and keeps the query string', () => {
    for (const [from, to] of [
      ['http://h:9090', 'http://h:9090/api/v1/query'],
      ['http://h:9090/', 'http://h:9090/api/v1/query'],
      ['http://h:9090/api/v1/query', 'http://h:9090/api/v1/query'],
      ['http://h:9090/api/v1/', 'http://h:9090/api/v1/query'],
      ['http://h/select/0/prometheus', 'http://h/select/0/prometheus/api/v1/query'],
      ['http://h/prom/api/v1/query?x=a%20b', 'http://h/prom/api/v1/query?x=a%20b'],
    ] as const) {
      assert.equal(apiUrl(new URL(from), 'query').href, to);
    }
    assert.equal(apiUrl(new URL('http://h/api/v1/query?x=1'), 'export').href, 'http://h/api/v1/export?x=1');
  });

  it('queries a time to the millisecond, bypasses caches, and parses vectors', async () => {
    let seen = new URLSearchParams();
    let path = '';
    await using server = await httpServer(({ url }, response) => {
      const asked = new URL(url ?? '', 'http://x');
      seen = asked.searchParams;
      path = asked.pathname;
      response.writeHead(200, json).end(
        JSON.stringify({
          status: 'success',
          data: {
            resultType: 'vector',
            result: [
              { metric: { __name__: 'up' }, value: [1700000000.123, 'NaN'] },
              { metric: {}, histogram: [1.001, { count: '1' }] },
            ],
          },
        }),
      );
    });
    const client = new QueryClient(endpointAt(`${server.url}/p?tenant=7`, { side: 'progress' }), recordingHooks());
    const result = await client.query('max(up{a="b c+d"})', 1700000000123, options());
    client.close();
    assert.equal(path, '/p/api/v1/query');
    assert.deepEqual(Object.fromEntries(seen), {
      tenant: '7',
      query: 'max(up{a="b c+d"})',
      time: '1700000000.123',
      nocache: '1',
      latency_offset: '1ms',
      max_source_resolution: '0s',
      partial_response: 'false',
    });
    assert.deepEqual(result.series, [
      { metric: { __name__: 'up' }, samples: [[1700000000123, 'NaN']], histogramTimesMs: [] },
      { metric: {}, samples: [], histogramTimesMs: [1001] },
    ]);
  });

  it('sends a long query in the body', async () => {
    let seen = '';
    await using server = await httpServer(({ method, url }, response, body) => {
      seen = `${method} ${url} ${new URLSearchParams(body.toString()).get('query')?.length}`;
      response.writeHead(200, json).end('{"status":"success","data":{"resultType":"matrix","result":[]}}');
    });
    const client = new QueryClient(endpointAt(server.url, { side: 'progress' }), recordingHooks());
    const result = await client.query(`{a=~"${'x'.repeat(9000)}"}[1h]`, 0, options());
    client.close();
    assert.equal(seen, 'POST /api/v1/query 9011');
    assert.deepEqual(result, { resultType: 'matrix', series: [], warnings: [] });
  });

  it('retries a partial response, rejects an invalid query, and limits the response size', async () => {
    await using server = await httpServer(({ url }, response) => {
      const query = new URL(url ?? '', 'http://x').searchParams.get('query');
      if (query === 'partial') {
        response
          .writeHead(200, json)
          .end('{"status":"success","isPartial":true,"data":{"resultType":"vector","result":[]}}');
      } else if (query === 'bad') {
        response
          .writeHead(400, json)
          .end('{"status":"error","errorType":"bad_data","error":"parse error: unexpected end"}');
      } else if (query === 'garbage') {
        response.writeHead(200, json).end('{"status":"success","data":{"resultType":"vector","result":[{}]}}');
      } else if (query === 'proto') {
        response.writeHead(200, { 'Content-Type': 'application/x-protobuf' }).end('x');
      } else {
        response.writeHead(200, json).end(`"${'x'.repeat(5000)}"`);
      }
    });
    const client = new QueryClient(endpointAt(server.url, { side: 'progress' }), recordingHooks());
    const failures: string[] = [];
    for (const query of ['partial', 'bad', 'garbage', 'proto', 'long']) {
      const failure = await failureOf(client.query(query, 0, { ...once(), maxBytes: 4000 }));
      failures.push(`${query}: ${failure.class} ${failure.code}`);
    }
    client.close();
    assert.deepEqual(failures, [
      'partial: transient partial-response',
      'bad: refused bad-query',
      'garbage: ambiguous bad-response',
      'proto: refused wrong-content-type',
      'long: too-large response-too-large',
    ]);
  });

  describe('with warnings in a response', () => {
    const gone = 'receive series from Addr: 10.0.0.1:10901: rpc error: code = Unavailable desc = connection refused';
    const cases: readonly (readonly [title: string, warnings: readonly string[], isPartial: boolean])[] = [
      ['Thanos, a store is unavailable', [gone], true],
      ['a warning longer than a token', ['PromQL info: x', `fetch series for ${'x'.repeat(10_000)}`], true],
      ['M3, results are limited', ['m3db exceeded query limit: results not exhaustive'], true],
      ['Prometheus, its own remote_read has failed', ['remote_read: server returned HTTP status 500'], true],
      ['annotations of PromQL', ['PromQL info: metric might not be a counter: "up" (1:6)', 'PromQL warning: x'], false],
      ['Thanos, no store has such data', ['No StoreAPIs matched for this query'], false],
      ['no warning', [], false],
    ];
    for (const [title, warnings, isPartial] of cases) {
      it(`${isPartial ? 'does not accept' : 'accepts'} it: ${title}`, async () => {
        const infos = [`PromQL info: ${'long '.repeat(1000)}`];
        await using server = await httpServer(({ url }, response) => {
          const data = url?.includes('/series') ? [] : { resultType: 'matrix', result: [] };
          response.writeHead(200, json).end(JSON.stringify({ status: 'success', data, warnings, infos }));
        });
        const client = new QueryClient(endpointAt(server.url, { side: 'progress' }), recordingHooks());
        const range = { fromMs: 0, toMs: 1 };
        const reads: readonly (() => Promise<unknown>)[] = [
          () => client.query('x', 0, options()),
          () => drain(client.rangeTimes('x[1m]', 0, range, options())),
          () => drain(rangeSamples(client, { promql: 'x[1m]', timeMs: 0 }, options())),
        ];
        for (const read of reads) {
          if (!isPartial) {
            await read();
            continue;
          }
          const failure = await failureOf(read());
          assert.deepEqual([failure.class, failure.code], ['transient', 'partial-response']);
          assert.match(
            failure.message,
            /only a part of its storage: .*(?:unavailable|fetch series|exhaustive|remote_read)/i,
          );
        }
        // Whether there is a series is not known if a part of the index was not read.
        assert.equal(await client.hasSeries('x', 0, 1, options()), isPartial);
        client.close();
      });
    }

    it('requests an error instead', async () => {
      const seen: (string | null)[] = [];
      await using server = await httpServer(({ url }, response) => {
        seen.push(new URL(url ?? '', 'http://x').searchParams.get('partial_response'));
        response.writeHead(200, json).end('{"status":"success","data":[]}');
      });
      const client = new QueryClient(endpointAt(server.url, { side: 'progress' }), recordingHooks());
      await failureOf(client.query('x', 0, options()));
      await client.hasSeries('x', 0, 1, options());
      client.close();
      assert.deepEqual(seen, ['false', 'false']);
    });
  });

  it('parses the lines of an export however they are split', async () => {
    const lines = [
      '{"metric":{"__name__":"ä","a":"b"},"values":[1,null,"Infinity"],"timestamps":[1,2,1700000000123]}',
      '{"metric":{},"values":[],"timestamps":[]}',
    ];
    let seen = new URLSearchParams();
    await using server = await httpServer(async ({ url }, response) => {
      seen = new URL(url ?? '', 'http://x').searchParams;
      response.writeHead(200, { 'Content-Type': 'application/stream+json; charset=utf-8' });
      // As VictoriaMetrics 1.145 was seen to do on a busy machine: the line of one series with timestamps of another.
      const sent = seen.has('reduce_mem_usage') ? lines.map((line) => line.replace('[1,2,', '[1,5,')) : lines;
      const bytes = Buffer.from(`${sent.join('\n')}\n\n`);
      for (let from = 0; from < bytes.length; from += 7) {
        response.write(bytes.subarray(from, from + 7));
        await new Promise(setImmediate);
      }
      response.end();
    });
    const client = new QueryClient(endpointAt(server.url, { side: 'progress' }), recordingHooks());
    const all = await drain(client.exportSeries(['{a="1"}', '{a="2"}'], 1, 1700000000123, options()));
    client.close();
    assert.deepEqual(all, [
      { metric: { __name__: 'ä', a: 'b' }, timesMs: [1, 2, 1700000000123] },
      { metric: {}, timesMs: [] },
    ]);
    assert.deepEqual(seen.getAll('match[]'), ['{a="1"}', '{a="2"}']);
    assert.equal(seen.get('start'), '0.001');
    assert.equal(seen.get('end'), '1700000000.123');
  });

  it('reports a missing export endpoint and an invalid export', async () => {
    await using server = await httpServer(({ url }, response) => {
      if (url?.startsWith('/404')) response.writeHead(404).end('404 page not found');
      else if (url?.startsWith('/html')) response.writeHead(200, { 'Content-Type': 'text/html' }).end('<html>');
      else if (url?.startsWith('/busy')) response.writeHead(503).end();
      else if (url?.startsWith('/long')) response.writeHead(200, json).end('x'.repeat(5000));
      else if (url?.startsWith('/cut')) {
        response.writeHead(200, json);
        response.write('{"metric":{},"timestamps":[]}\n', () => response.socket?.destroy());
      } else response.writeHead(200, json).end('{"metric":{}}');
    });
    const outcomes: string[] = [];
    for (const path of ['404', 'html', 'busy', 'long', 'cut', 'bad']) {
      const client = new QueryClient(endpointAt(`${server.url}/${path}`, { side: 'progress' }), recordingHooks());
      const failure = await failureOf(drain(client.exportSeries(['x'], 0, 1, { ...once(), maxBytes: 1000 })));
      client.close();
      outcomes.push(`${path}: ${failure.class} ${failure.code}`);
    }
    assert.deepEqual(outcomes, [
      '404: unsupported export-not-offered',
      'html: unsupported export-not-offered',
      'busy: transient unavailable',
      'long: too-large response-too-large',
      'cut: transient cut-off',
      'bad: ambiguous bad-response',
    ]);
  });
});

describe('parseQueryResponse', () => {
  it('returns every millisecond that a server can write', () => {
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 46), max: 2 ** 46 }), (timeMs) => {
        const text = `{"status":"success","data":{"resultType":"scalar","result":[${(timeMs / 1000).toFixed(3)},"1"]}}`;
        const parsed = parseQueryResponse(text);
        assert.ok('result' in parsed);
        assert.equal(parsed.result.series[0]?.samples[0]?.[0], timeMs + 0);
      }),
    );
  });

  it('never throws, whatever the JSON', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom('vector', 'matrix', 'scalar', 'string'), (value, type) => {
        parseExportLine(value);
        parseQueryResponse(value);
        parseQueryResponse(`{"status":"success","data":{"resultType":"${type}","result":${value}}}`);
        parseQueryResponse(
          `{"status":"success","data":{"resultType":"${type}","result":[{"metric":{},"values":${value},"value":${value}}]}}`,
        );
      }),
    );
  });

  it('parses a matrix with histograms, and warnings', () => {
    const parsed = parseQueryResponse(
      JSON.stringify({
        status: 'success',
        warnings: ['a store is gone'],
        data: {
          resultType: 'matrix',
          result: [
            {
              metric: { a: 'b' },
              values: [
                [0.001, '1'],
                [2, '+Inf'],
              ],
              histograms: [[3.5, {}]],
            },
          ],
        },
      }),
    );
    assert.deepEqual(parsed, {
      missing: 'a store is gone',
      result: {
        resultType: 'matrix',
        warnings: ['a store is gone'],
        series: [
          {
            metric: { a: 'b' },
            samples: [
              [1, '1'],
              [2000, '+Inf'],
            ],
            histogramTimesMs: [3500],
          },
        ],
      },
    });
  });
});
