// What servers say about themselves. The texts are those of real servers, shortened.

import assert from 'node:assert/strict';
import { serverReport, type StatusText, type StatusTexts } from '../../src/remote/server-report.ts';

const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
const DATE = new Date(NOW_MS).toUTCString();
const DAY_MS = 86_400_000;

const ok = (text: string, headers: StatusText['headers'] = {}): StatusText => ({ status: 200, headers, text });
const data = (fields: object, headers: StatusText['headers'] = {}) =>
  ok(JSON.stringify({ status: 'success', data: fields }), headers);

function prometheus(
  changes: { version?: string; flags?: object; yaml?: string; retention?: string; maxTime?: number } = {},
): StatusTexts {
  const { version = '3.5.0', flags, yaml = 'global:\n  scrape_interval: 1m\n', retention = '15d' } = changes;
  return {
    buildinfo: data({ version, revision: 'abc' }, { date: DATE }),
    flags: data({ 'enable-feature': '', 'storage.tsdb.min-block-duration': '2h', ...flags }),
    config: data({ yaml }),
    runtimeinfo: data({ startTime: '2026-01-01T00:00:00Z', storageRetention: retention }),
    tsdb: data({ headStats: { maxTime: changes.maxTime ?? Number.MIN_SAFE_INTEGER } }),
  };
}

const reportOf = (texts: StatusTexts) => serverReport(texts, NOW_MS);

describe('the report of a Prometheus', () => {
  it('has its version, the start of the process, and the clock', () => {
    const { product, version, startedAt, clockAheadMs } = reportOf(prometheus());
    assert.deepEqual([product, version, startedAt, clockAheadMs], ['Prometheus', '3.5.0', '2026-01-01T00:00:00Z', 0]);
  });

  const windows: readonly [yaml: string, expected: number | undefined][] = [
    ['global:\n  scrape_interval: 1m\n', 0],
    ['storage:\n  tsdb:\n    outofordertimewindow: 2592000000\n    out_of_order_time_window: 30d\n', 30 * DAY_MS],
    ['storage:\n  tsdb:\n    out_of_order_time_window: 1d12h\nrule_files: []\n', 1.5 * DAY_MS],
    ['storage:\n  exemplars:\n    max_exemplars: 5\n  tsdb:\n    out_of_order_time_window: 1w\n', 7 * DAY_MS],
    // Not of the storage.
    ['x:\n  y:\n    out_of_order_time_window: 30d\nstorage:\n  exemplars: {}\n', 0],
    ['storage:\n  tsdb:\n    out_of_order_time_window: soon\n', undefined],
  ];
  for (const [yaml, expected] of windows) {
    it(`has the out-of-order window ${expected} of ${JSON.stringify(yaml)}`, () =>
      assert.equal(reportOf(prometheus({ yaml })).outOfOrderMs, expected));
  }

  const retentions: readonly [text: string, expected: number | undefined][] = [
    ['15d', 15 * DAY_MS],
    ['100y', 100 * 365 * DAY_MS],
    ['15d or 5GiB', 15 * DAY_MS],
    ['5GiB', Number.POSITIVE_INFINITY],
    ['0s', Number.POSITIVE_INFINITY],
    ['', undefined],
    ['?', undefined],
  ];
  for (const [retention, expected] of retentions) {
    it(`has the retention ${expected} of ${JSON.stringify(retention)}`, () =>
      assert.equal(reportOf(prometheus({ retention })).retentionMs, expected));
  }

  it('says whether it accepts remote write, by the flag or by the feature of old versions', () => {
    const accepts = (flags: object) => reportOf(prometheus({ flags })).acceptsWrites;
    assert.equal(accepts({ 'web.enable-remote-write-receiver': 'true' }), true);
    assert.equal(accepts({ 'enable-feature': 'agent,remote-write-receiver' }), true);
    assert.equal(accepts({ 'web.enable-remote-write-receiver': 'false' }), false);
    assert.equal(accepts({}), false);
  });

  it('says whether it accepts native histograms', () => {
    const accepts = (version: string, feature = '') =>
      reportOf(prometheus({ version, flags: { 'enable-feature': feature } })).acceptsHistograms;
    assert.equal(accepts('2.53.0'), false);
    assert.equal(accepts('2.53.0', 'native-histograms'), true);
    assert.equal(accepts('3.8.1'), false);
    assert.equal(accepts('3.9.0'), true);
    assert.equal(accepts('3.16.0-rc.0'), true);
  });

  it('says whether it scrapes, and how new its newest sample is', () => {
    const yaml = 'global: {}\nscrape_configs:\n- job_name: prometheus\n  static_configs: []\n';
    assert.equal(reportOf(prometheus({ yaml })).scrapes, true);
    assert.equal(reportOf(prometheus()).scrapes, false);
    assert.equal(reportOf(prometheus({ maxTime: 1_700_000_000_000 })).newestMs, 1_700_000_000_000);
    assert.equal(reportOf(prometheus({ maxTime: -(2 ** 63) })).newestMs, undefined);
  });

  it('shows the labels that remote_read adds, the size of its blocks and of its frames', () => {
    const yaml = 'global:\n  external_labels:\n    cluster: eu-1\n    "a.b": \'x y\'\n  runtime: {}\nrule_files: []\n';
    const flags = { 'storage.tsdb.min-block-duration': '30m', 'storage.remote.read-max-bytes-in-frame': '1048576' };
    const { externalLabels, minBlockMs, frameBytes } = reportOf(prometheus({ yaml, flags }));
    assert.deepEqual(externalLabels, { cluster: 'eu-1', 'a.b': 'x y' });
    assert.deepEqual([minBlockMs, frameBytes], [30 * 60_000, 1_048_576]);
    assert.deepEqual(reportOf(prometheus()).externalLabels, {});
  });

  it('knows nothing that is not shown', () => {
    const { flags, buildinfo } = prometheus();
    const report = reportOf({
      ...(flags && { flags }),
      ...(buildinfo && { buildinfo }),
      config: { ...ok(''), status: 403 },
    });
    assert.equal(report.product, 'Prometheus');
    for (const value of [report.outOfOrderMs, report.scrapes, report.retentionMs, report.newestMs])
      assert.equal(value, undefined);
  });
});

describe('the report of other stores', () => {
  const victoriaMetrics = (flags?: StatusText) =>
    reportOf({
      buildinfo: data({ version: '2.24.0' }, { 'x-server-hostname': 'vm' }),
      ...(flags && { plainFlags: flags }),
    });

  it('recognizes VictoriaMetrics, which does not report its version', () => {
    const { product, version } = victoriaMetrics();
    assert.deepEqual([product, version], ['VictoriaMetrics', undefined]);
  });

  const retentions: readonly [flags: string, expected: number | undefined][] = [
    ['-httpListenAddr=":8428"\n-retentionPeriod="100y"\n', 100 * 365 * DAY_MS],
    ['-retentionPeriod="3"\n', 93 * DAY_MS],
    ['-retentionPeriod="1.5"\n', 46.5 * DAY_MS],
    // Its default is a month.
    ['-httpListenAddr=":8428"\n', 31 * DAY_MS],
    ['<html>', undefined],
  ];
  for (const [flags, expected] of retentions) {
    it(`has the retention ${expected} of ${JSON.stringify(flags)}`, () =>
      assert.equal(victoriaMetrics(ok(flags)).retentionMs, expected));
  }

  it('recognizes Mimir and InfluxDB', () => {
    const mimir = reportOf({ buildinfo: data({ application: 'Grafana Mimir', version: '2.15.0', revision: 'x' }) });
    assert.deepEqual([mimir.product, mimir.version], ['Mimir', '2.15.0']);
    const influxdb = reportOf({ ping: { status: 204, headers: { 'x-influxdb-version': '1.8.10' }, text: '' } });
    assert.deepEqual([influxdb.product, influxdb.version], ['InfluxDB', '1.8.10']);
  });

  it('does not take Thanos or Cortex for a Prometheus', () => {
    const thanos = { ...prometheus(), flags: data({ 'query.replica-label': 'x' }) };
    assert.equal(reportOf(thanos).product, 'Thanos');
    assert.equal(reportOf({ buildinfo: data({ version: '2.13.0' }) }).product, undefined);
  });

  const CORTEX = 'auth_enabled: true\nlimits:\n  ingestion_rate: 25000\n  out_of_order_time_window: 10m\n';

  it('recognizes Cortex by its configuration', () => {
    const report = reportOf({ buildinfo: { ...ok(''), status: 404 }, tenantConfig: ok(CORTEX) });
    assert.deepEqual([report.product, report.outOfOrderMs], ['Cortex', 600_000]);
    assert.equal(report.limits?.samplesPerSecond?.value, 25_000);
  });

  it('has the limits of the tenant that the endpoint names', () => {
    const runtimeConfig = ok(
      'overrides:\n  team-a:\n    ingestion_rate: 7\n    compactor_blocks_retention_period: 30d\n',
    );
    const report = serverReport({ tenantConfig: ok(CORTEX), runtimeConfig }, NOW_MS, {
      urlProduct: undefined,
      tenant: 'team-a',
    });
    assert.deepEqual(report.limits?.samplesPerSecond, { value: 7, setting: 'ingestion_rate' });
    assert.equal(report.retentionMs, 30 * DAY_MS);
  });

  it('takes the product of the URL if the server shows none', () => {
    const report = serverReport({ buildinfo: { ...ok(''), status: 404 } }, NOW_MS, {
      urlProduct: 'M3',
      tenant: undefined,
    });
    assert.equal(report.product, 'M3');
  });

  it('shows how far a clock is ahead', () => {
    const late = new Date(NOW_MS + 90_000).toUTCString();
    assert.equal(reportOf({ buildinfo: { status: 404, headers: { date: late }, text: '' } }).clockAheadMs, 90_000);
  });

  it('takes a page, broken JSON and null for nothing', () => {
    for (const text of ['<html>', '{', 'null', '{"data":null}', '{"data":[]}', '']) {
      const { product, version } = reportOf({ buildinfo: ok(text) });
      assert.deepEqual([product, version], [undefined, undefined], text);
    }
  });
});
