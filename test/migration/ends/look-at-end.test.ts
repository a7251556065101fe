// What follows from what a server says about itself: each product once, as a source and as a destination. Real servers are in test/real.

import assert from 'node:assert/strict';
import { chooseDestination, type ProgressChoice } from '../../../src/migration/ends/choose-destination.ts';
import { chooseSource, chooseStart } from '../../../src/migration/ends/choose-source.ts';
import { type EndLook, NeedsChoice } from '../../../src/migration/ends/end-look.ts';
import { lookAtEnd, unaskedLook } from '../../../src/migration/ends/look-at-end.ts';
import { SYSTEM_CLOCK } from '../../../src/telemetry/clock.ts';
import { BUILDINFO, busy, M3, type Pages, PROMETHEUS, servePages, victoriaMetrics } from './page-server.ts';

const CONTEXT = { clock: SYSTEM_CLOCK, random: () => 0, waitMs: 0 };
const PATIENT = { ...CONTEXT, waitMs: 10_000 };
const NOW_MS = Date.UTC(2026, 0, 2);

const MIMIR: Pages = { pages: { [BUILDINFO]: { version: '2.15.0', application: 'Grafana Mimir', revision: 'x' } } };
const THANOS: Pages = {
  pages: {
    [BUILDINFO]: { version: '0.42.4', revision: 'x' },
    '/api/v1/status/flags': { 'query.replica-label': 'replica' },
  },
};
const INFLUXDB: Pages = { headers: { 'x-influxdb-version': '1.6.7' }, pages: {} };
const PROMSCALE: Pages = { pages: { '/write': 400, '/read': 405 } };
const QUERY_ONLY: Pages = { pages: { '/api/v1/query': { resultType: 'scalar' }, '/read': '<html>' } };
const UNKNOWN: Pages = { pages: { '/api/v1/write': 405, '/api/v1/query': { resultType: 'scalar' } } };

type SourceCase = [name: string, pages: Pages, given: string, protocol: string, url: string];
const SOURCES: SourceCase[] = [
  ['Prometheus', PROMETHEUS, '', 'RemoteRead', '/api/v1/read'],
  ['Prometheus with its path', PROMETHEUS, '/api/v1/read', 'RemoteRead', '/api/v1/read'],
  ['VictoriaMetrics', victoriaMetrics('-retentionPeriod="1"\n'), '', 'VictoriaMetrics', ''],
  [
    'VictoriaMetrics with a path that it does not have',
    victoriaMetrics('-x="1"\n'),
    '/api/v1/read',
    'VictoriaMetrics',
    '',
  ],
  ['a VictoriaMetrics cluster', victoriaMetrics('-storageNode="a"\n'), '', 'VictoriaMetrics', '/select/0/prometheus'],
  ['Mimir', MIMIR, '', 'RemoteRead', '/prometheus/api/v1/read'],
  ['Thanos Query', THANOS, '', 'PromQL', ''],
  ['InfluxDB', INFLUXDB, '', 'RemoteRead', '/api/v1/prom/read?db=prometheus'],
  ['InfluxDB with its database', INFLUXDB, '/?db=mine', 'RemoteRead', '/api/v1/prom/read?db=mine'],
  ['M3', M3, '', 'RemoteRead', '/api/v1/prom/remote/read'],
  ['Promscale', PROMSCALE, '', 'RemoteRead', '/read'],
  ['a query API', QUERY_ONLY, '', 'PromQL', ''],
  ['nothing known', { pages: {} }, '', 'RemoteRead', '/api/v1/read'],
];

type DestinationCase = [
  name: string,
  pages: Pages,
  given: string,
  expected: [url: string, ordering: string, progress: string, progressUrl?: string],
];
const DESTINATIONS: DestinationCase[] = [
  ['Prometheus', PROMETHEUS, '', ['/api/v1/write', 'InOrder', 'RemoteRead', '/api/v1/read']],
  ['VictoriaMetrics', victoriaMetrics('-x="1"\n'), '', ['/api/v1/write', 'Any', 'PromQL', '']],
  ['Mimir', MIMIR, '', ['/api/v1/push', 'InOrder', 'RemoteRead', '/prometheus/api/v1/read']],
  [
    'Mimir by the prefix of its queries',
    MIMIR,
    '/prometheus',
    ['/api/v1/push', 'InOrder', 'RemoteRead', '/prometheus/api/v1/read'],
  ],
  [
    'InfluxDB',
    INFLUXDB,
    '',
    ['/api/v1/prom/write?db=prometheus', 'Any', 'RemoteRead', '/api/v1/prom/read?db=prometheus'],
  ],
  ['M3', M3, '', ['/api/v1/prom/remote/write', 'Any', 'RemoteRead', '/api/v1/prom/remote/read']],
  ['Promscale', PROMSCALE, '', ['/write', 'Any', 'RemoteRead', '/read']],
  ['a store with a query API', UNKNOWN, '', ['/api/v1/write', 'InOrder', 'PromQL', '']],
  ['the same with its path', UNKNOWN, '/api/v1/write', ['/api/v1/write', 'InOrder', 'PromQL', '']],
  ['nothing known', { pages: {} }, '', ['/api/v1/write', 'InOrder', 'None']],
];

describe('an end that is asked what it is', () => {
  for (const [name, pages, given, protocol, url] of SOURCES)
    it(`is read as a source: ${name}`, async () => {
      await using server = await servePages({
        ...pages,
        pages: { ...pages.pages, [`${given}${BUILDINFO}`]: pages.pages[BUILDINFO] ?? 404 },
      });
      const source = `${server.url}${given}`;
      const choice = chooseSource(source, await lookAtEnd('source', source, CONTEXT), true);
      assert.deepEqual([choice.protocol, choice.url], [protocol, `${server.url}${url}`]);
    });

  for (const [name, pages, given, [url, ordering, protocol, progressUrl]] of DESTINATIONS)
    it(`is written as a destination: ${name}`, async () => {
      await using server = await servePages({
        ...pages,
        pages: { ...pages.pages, [`${given}${BUILDINFO}`]: pages.pages[BUILDINFO] ?? 404 },
      });
      const destination = `${server.url}${given}`;
      const look = await lookAtEnd('destination', destination, CONTEXT);
      const choice = chooseDestination(destination, look, { mayGuess: true });
      const progress: ProgressChoice =
        progressUrl === undefined
          ? { protocol: 'None' }
          : { protocol: protocol as 'PromQL', url: `${server.url}${progressUrl}` };
      assert.deepEqual(
        { url: choice.url, ordering: choice.ordering, progress: choice.progress },
        { url: `${server.url}${url}`, ordering, progress },
      );
    });

  it('says since when a Prometheus has samples, and that it accepts none', async () => {
    await using server = await servePages(PROMETHEUS);
    const look = await lookAtEnd('source', server.url, CONTEXT);
    assert.equal(chooseStart(look, NOW_MS)?.startMs, 1_700_000_000_000);
    const { notes } = chooseDestination(server.url, look, { mayGuess: true });
    assert.ok(notes.some(({ text }) => text.includes('--web.enable-remote-write-receiver')));
    assert.ok(notes.some(({ text }) => text === 'an out-of-order window of 30m'));
  });

  it('is only guessed at if it wants credentials', async () => {
    await using server = await servePages({ pages: {}, others: 401 });
    const look = await lookAtEnd('source', server.url, CONTEXT);
    assert.equal(look.isRefused, true);
    assert.equal(look.product.how, 'guessed');
    assert.ok(chooseSource(server.url, look, true).notes.some(({ text }) => text.includes('basicAuth')));
  });

  it('is asked again while it starts', async () => {
    const buildinfo = busy([503, 502], PROMETHEUS.pages[BUILDINFO]!);
    await using server = await servePages({ pages: { ...PROMETHEUS.pages, [BUILDINFO]: buildinfo } });
    const retries: [error: unknown, untilMs: number][] = [];
    const startedMs = Date.now();
    const look = await lookAtEnd('source', server.url, {
      ...PATIENT,
      onFirstFailure: (error, untilMs) => retries.push([error, untilMs]),
    });
    assert.equal(look.product.name, 'Prometheus');
    assert.equal(retries.length, 1, 'one message for all failures');
    assert.match(String(retries[0]?.[0]), /source returned 503/);
    assert.ok(retries[0]![1] > startedMs);
  });

  for (const status of [429, 502, 503, 504])
    it(`chooses the same although a request gets ${status}`, async () => {
      const query = { '/api/v1/query': { resultType: 'scalar' } };
      await using store = await servePages({ pages: { '/api/v1/read': busy([status], 405), ...query } });
      const look = await lookAtEnd('source', store.url, PATIENT);
      assert.equal(chooseSource(store.url, look, false).protocol, 'RemoteRead');

      const cluster = victoriaMetrics('');
      // The first request is that of the report.
      const flags = busy([200, status], '-storageNode="a"\n');
      await using victoria = await servePages({ ...cluster, pages: { ...cluster.pages, '/flags': flags } });
      assert.equal((await lookAtEnd('source', victoria.url, PATIENT)).isCluster, true);

      const metrics = busy([status], PROMETHEUS.pages['/metrics'] as string);
      await using prometheus = await servePages({ pages: { ...PROMETHEUS.pages, '/metrics': metrics } });
      assert.equal((await lookAtEnd('source', prometheus.url, PATIENT)).oldestMs, 1_700_000_000_000);
    });

  it('is an error if a request is refused for the moment until there is no time left', async () => {
    await using server = await servePages({
      pages: { '/api/v1/read': 503, '/api/v1/query': { resultType: 'scalar' } },
    });
    await assert.rejects(lookAtEnd('source', server.url, CONTEXT), { name: 'RemoteError', status: 503 });
  });

  for (const status of [401, 403])
    it(`wants credentials also if only its data does: ${status}`, async () => {
      await using server = await servePages({ pages: { '/api/v1/read': status } });
      assert.equal((await lookAtEnd('source', server.url, CONTEXT)).isRefused, true);
    });

  it('is an error if it does not respond', async () => {
    const server = await servePages({ pages: {} });
    await server[Symbol.asyncDispose]();
    await assert.rejects(lookAtEnd('destination', server.url, CONTEXT), {
      code: 'connection-refused',
      side: 'destination',
    });
  });

  it('is no store because every path has a page of a user interface', async () => {
    await using server = await servePages({ pages: {}, others: 200 });
    const look = await lookAtEnd('source', server.url, CONTEXT);
    assert.deepEqual([look.product.name, look.served], [undefined, []]);
  });
});

describe('a destination that is read somewhere else', () => {
  const receive = 'http://thanos-receive:19291/api/v1/receive';
  const insert = 'http://vminsert:8480';
  it('is a choice of the user', () => {
    for (const url of [receive, insert])
      assert.throws(() => chooseDestination(url, unaskedLook(url), { mayGuess: false }), NeedsChoice);
  });

  const guesses: [url: string, progress: string][] = [
    [receive, 'http://thanos-query:10902'],
    [insert, 'http://vmselect:8481/select/0/prometheus'],
    ['http://vminsert:8480/insert/7:2/prometheus/api/v1/write', 'http://vmselect:8481/select/7:2/prometheus'],
  ];
  for (const [url, progress] of guesses)
    it(`is guessed at: ${url}`, () => {
      const choice = chooseDestination(url, unaskedLook(url), { mayGuess: true });
      assert.deepEqual(choice.progress, { protocol: 'PromQL', url: progress });
      assert.ok(
        choice.notes.some(({ how, path }) => how === 'guessed' && path.join('.') === 'destination.progress.url'),
      );
    });

  const given: [progress: string, choice: ProgressChoice][] = [
    ['none', { protocol: 'None' }],
    ['http://a/api/v1/read', { protocol: 'RemoteRead', url: 'http://a/api/v1/read' }],
    ['http://a/select/0/prometheus', { protocol: 'PromQL', url: 'http://a/select/0/prometheus' }],
  ];
  for (const [progress, choice] of given)
    it(`is read where the user says: ${progress}`, () =>
      assert.deepEqual(
        chooseDestination(receive, unaskedLook(receive), { progress, mayGuess: false }).progress,
        choice,
      ));
});

describe('a Thanos that is read', () => {
  it('by its query API is a choice of the user', () => {
    const look: EndLook = { product: { name: 'Thanos', how: 'found' }, storeUrl: 'grpc://a:10901' };
    assert.throws(() => chooseSource('http://a:10902', look, false), NeedsChoice);
    assert.deepEqual(chooseSource('http://a:10902', look, true).url, 'grpc://a:10901');
    assert.equal(chooseSource('grpc://a:10901', look, false).protocol, 'ThanosStore');
  });
});

describe('what a run does not choose on its own', () => {
  const query: EndLook = { product: { name: undefined, how: 'found' }, served: ['/api/v1/query'] };
  const lossy: [url: string, look: EndLook][] = [
    ['http://a:1', query],
    ['http://a:1/api/v1/query', query],
    ['https://aps-workspaces.eu.amazonaws.com/workspaces/x', unaskedLook('https://aps-workspaces.eu.amazonaws.com')],
  ];
  for (const [url, look] of lossy)
    it(`is a source without stale markers: ${url}`, () => {
      assert.throws(
        () => chooseSource(url, look, false),
        (error) => error instanceof NeedsChoice && /stale markers/.test(error.message) && /init/.test(error.cure),
      );
      assert.equal(chooseSource(url, look, true).protocol, 'PromQL');
    });

  it('is any order in a store that is only guessed at', async () => {
    for (const pages of [M3, PROMSCALE]) {
      await using server = await servePages(pages);
      const look = await lookAtEnd('destination', server.url, CONTEXT);
      assert.equal(chooseDestination(server.url, look, { mayGuess: false }).ordering, 'InOrder');
    }
    const url = 'http://m3:7201/api/v1/prom/remote/write';
    const known: EndLook = { product: { name: 'M3', how: 'found' } };
    assert.equal(chooseDestination(url, known, { mayGuess: false }).ordering, 'Any');
  });

  it('is a destination that is never read', () => {
    const url = 'https://x.eu.ingest.monitor.azure.com/api/v1/write';
    const look: EndLook = { product: { name: 'Azure Monitor', how: 'found' } };
    assert.throws(() => chooseDestination(url, look, { mayGuess: false }), NeedsChoice);
    for (const options of [{ mayGuess: true }, { mayGuess: false, progress: 'none' }])
      assert.deepEqual(chooseDestination(url, look, options).progress, { protocol: 'None' });
  });
});

describe('the start of a migration without one', () => {
  const look = (more: Partial<EndLook>): EndLook => ({ product: { name: 'Mimir', how: 'found' }, ...more });
  const report = {
    product: undefined,
    version: undefined,
    clockAheadMs: undefined,
    startedAt: undefined,
    newestMs: undefined,
  } as const;
  const rest = {
    outOfOrderMs: undefined,
    scrapes: undefined,
    acceptsWrites: undefined,
    acceptsHistograms: undefined,
  } as const;
  it('follows from the retention', () =>
    assert.equal(
      chooseStart(look({ report: { ...report, ...rest, retentionMs: 86_400_000 } }), NOW_MS)?.startMs,
      Date.UTC(2026, 0, 1),
    ));
  it('is unknown without one, and if nothing is ever deleted', () => {
    assert.equal(chooseStart(look({}), NOW_MS), undefined);
    assert.equal(
      chooseStart(look({ report: { ...report, ...rest, retentionMs: Number.POSITIVE_INFINITY } }), NOW_MS),
      undefined,
    );
  });
  it('is not after the end', () => assert.equal(chooseStart(look({ oldestMs: NOW_MS + 1 }), NOW_MS), undefined));
});
