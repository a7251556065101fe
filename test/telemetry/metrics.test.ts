import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { METRICS, type MetricDefinition, metricsTable } from '../../src/telemetry/metric-catalogue.ts';
import { MigrationMetrics, type MigrationTotals } from '../../src/telemetry/metrics.ts';

const totals: MigrationTotals = {
  stretches: undefined,
  phase: 'Running',
  work: 'Copy',
  verification: undefined,
  startMs: 1_000_000,
  endMs: 2_000_000,
  watermarkMs: 1_250_000,
  reachedMs: 1_400_000,
  samplesRead: 100,
  samplesWritten: 70,
  samplesFiltered: 10,
  samplesAlreadyPresent: 11,
  samplesConflicting: 4,
  samplesRejected: { too_old: 3, out_of_order: 2 },
  samplesReadPlain: 30,
  samplesAlteredAtMost: 6,
  windowSeries: 9,
  windows: 5,
  windowMs: 60_000,
  inFlightBytes: 4096,
  inFlightWrites: 2,
  heldBy: undefined,
};

async function exposed(metrics: MigrationMetrics): Promise<Map<string, number>> {
  const { body } = await metrics.exposition();
  const values = new Map<string, number>();
  for (const line of body.split('\n')) {
    const match = /^([^#]\S*(?:\{.*\})?) (\S+)$/.exec(line);
    if (match?.[1] !== undefined) values.set(match[1], Number(match[2]));
  }
  return values;
}

describe('the metric catalogue', () => {
  const definitions: readonly MetricDefinition[] = Object.values(METRICS);

  for (const { name, type, labels, help, buckets } of definitions) {
    it(`${name} follows Prometheus' naming conventions`, () => {
      assert.match(name, /^(prom_migrator|process|nodejs)(_[a-z0-9]+)+$/);
      assert.equal(name.endsWith('_total'), type === 'counter');
      assert.ok(!/_(ms|milliseconds|minutes|kb|mb|percent|count|sum|bucket)(_|$)/.test(name));
      assert.ok(!name.includes(type));
      assert.ok(help.endsWith('.') && !help.includes('|'));
      for (const label of labels) assert.match(label, /^[a-z_]+$/);
      assert.ok(!labels.includes('le') && !labels.includes('quantile'));
      assert.equal(buckets !== undefined, type === 'histogram');
      assert.deepEqual(buckets, buckets && [...buckets].sort((a, b) => a - b));
    });
  }

  it('has unique names, different from the progress series', () => {
    const names = definitions.map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
    assert.ok(!names.includes('prom_migrator_progress'));
  });

  it('is the table of docs/metrics.md', () => {
    const text = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
    assert.ok(text.includes(`\n${metricsTable()}\n`), `the table should be:\n${metricsTable()}`);
  });

  it('matches what is exposed, no more and no less', async () => {
    const metrics = new MigrationMetrics();
    const { body, contentType } = await metrics.exposition();
    assert.match(contentType, /^text\/plain; version=0\.0\.4/);
    const types = [...body.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => `${name} ${type}`);
    assert.deepEqual(
      types,
      definitions.map(({ name, type }) => `${name} ${type}`),
    );
  });
});

describe('the metrics of a migration', () => {
  it('take over the totals', async () => {
    const metrics = new MigrationMetrics();
    metrics.update('default/demo', totals);
    const values = await exposed(metrics);
    const of = (name: string, more = '') => values.get(`prom_migrator_${name}{migration="default/demo"${more}}`);
    assert.equal(of('samples_read_total'), 100);
    assert.equal(of('samples_written_total'), 70);
    assert.equal(of('samples_filtered_total'), 10);
    assert.equal(of('samples_already_present_total'), 11);
    assert.equal(of('samples_conflicting_total'), 4);
    assert.equal(of('samples_rejected_total', ',reason="too_old"'), 3);
    assert.equal(of('samples_rejected_total', ',reason="out_of_order"'), 2);
    assert.equal(of('samples_read_plain_total'), 30);
    assert.equal(of('samples_altered_at_most_total'), 6);
    assert.equal(of('windows_total'), 5);
    assert.equal(of('window_length_seconds'), 60);
    assert.equal(of('window_series'), 9);
    assert.equal(of('watermark_timestamp_seconds'), 1250);
    assert.equal(of('range_start_timestamp_seconds'), 1000);
    assert.equal(of('range_end_timestamp_seconds'), 2000);
    assert.equal(of('completed_ratio'), 0.4);
    assert.equal(of('in_flight_bytes'), 4096);
    assert.equal(of('in_flight_writes'), 2);
    assert.equal(of('phase', ',phase="Running"'), 1);
  });

  it('have the limit of the destination while it holds the migration back', async () => {
    const metrics = new MigrationMetrics();
    const shown = async () => {
      const values = await exposed(metrics);
      return values.get('prom_migrator_destination_limit_samples_per_second{migration="a/b"}');
    };
    for (const heldBy of [undefined, { samplesPerSecond: 24_600 }, undefined]) {
      metrics.update('a/b', { ...totals, heldBy });
      assert.equal(await shown(), heldBy?.samplesPerSecond);
    }
  });

  it('count the stretches of a divided range, as long as it is divided', async () => {
    const metrics = new MigrationMetrics();
    const names = ['stretches', 'stretches_finished', 'stretches_running'];
    const shown = async () => {
      const values = await exposed(metrics);
      return names.map((name) => values.get(`prom_migrator_${name}{migration="a/b"}`));
    };
    metrics.update('a/b', totals);
    assert.deepEqual(await shown(), [undefined, undefined, undefined]);
    metrics.update('a/b', { ...totals, stretches: { total: 256, finished: 12, running: [{}, {}, {}] } });
    assert.deepEqual(await shown(), [256, 12, 3]);
    metrics.update('a/b', totals);
    assert.deepEqual(await shown(), [undefined, undefined, undefined]);
    metrics.update('a/b', { ...totals, stretches: { total: 256, finished: 12, running: [] } });
    assert.deepEqual(await shown(), [256, 12, 0]);
    await metrics.forget('a/b');
    assert.deepEqual(await shown(), [undefined, undefined, undefined]);
  });

  it('show what a verification has found, and count a copy and its verification as halves', async () => {
    const metrics = new MigrationMetrics();
    const verification = {
      startMs: 1_000_000,
      endMs: 2_000_000,
      reachedMs: 1_500_000,
      throughMs: 1_450_000,
      samplesCompared: 90,
      repaired: 2,
      missing: 3,
      extra: 4,
      different: 5,
      repeated: 6,
      expected: { rejected: 7 },
    };
    const work = 'CopyAndVerify';
    metrics.update('a/b', { ...totals, work, phase: 'Verifying', reachedMs: totals.endMs, verification });
    metrics.update('a/c', { ...totals, work });
    const values = await exposed(metrics);
    const of = (name: string, more = '') => values.get(`prom_migrator_${name}{migration="a/b"${more}}`);
    assert.equal(of('samples_compared_total'), 90);
    assert.equal(of('samples_repaired_total'), 2);
    const kinds = ['missing', 'extra', 'different', 'repeated'];
    assert.deepEqual(
      kinds.map((kind) => of('verification_differences', `,kind="${kind}"`)),
      [3, 4, 5, 6],
    );
    assert.equal(of('verification_expected_changes', ',reason="rejected"'), 7);
    assert.equal(of('verified_through_timestamp_seconds'), 1450);
    assert.equal(of('completed_ratio'), 0.75);
    assert.equal(values.get('prom_migrator_completed_ratio{migration="a/c"}'), 0.2);
    assert.equal(values.has('prom_migrator_samples_compared_total{migration="a/c"}'), false);
  });

  it('continue over several updates and over a restarted run', async () => {
    const metrics = new MigrationMetrics();
    for (const samplesWritten of [70, 70, 90, 5, 6]) metrics.update('a/b', { ...totals, samplesWritten });
    metrics.update('a/c', totals);
    const values = await exposed(metrics);
    assert.equal(values.get('prom_migrator_samples_written_total{migration="a/b"}'), 96);
    assert.equal(values.get('prom_migrator_samples_written_total{migration="a/c"}'), 70);
  });

  it('show one phase at a time', async () => {
    const metrics = new MigrationMetrics();
    metrics.update('a/b', totals);
    metrics.update('a/b', { ...totals, phase: 'Succeeded' });
    const values = await exposed(metrics);
    assert.equal(values.get('prom_migrator_phase{migration="a/b",phase="Running"}'), 0);
    assert.equal(values.get('prom_migrator_phase{migration="a/b",phase="Succeeded"}'), 1);
  });

  it('omit a range that is not known yet', async () => {
    const metrics = new MigrationMetrics();
    metrics.update('a/b', { ...totals, endMs: totals.startMs });
    const values = await exposed(metrics);
    assert.equal(values.has('prom_migrator_range_end_timestamp_seconds{migration="a/b"}'), false);
    assert.equal(values.has('prom_migrator_completed_ratio{migration="a/b"}'), false);
  });

  it('count requests by side and code, and combine all invalid codes in one series', async () => {
    const metrics = new MigrationMetrics();
    const request = { side: 'source', code: 200, seconds: 0.2, sentBytes: 10, receivedBytes: 1000 };
    metrics.request('a/b', request);
    metrics.request('a/b', { ...request, code: 'ECONNRESET', seconds: 2 });
    metrics.request('a/b', { ...request, code: 'no route to "host" 1' });
    metrics.request('a/b', { ...request, code: 'x'.repeat(100) });
    metrics.retry('a/b', 'destination', '503');
    const values = await exposed(metrics);
    const requests = (code: string) =>
      values.get(`prom_migrator_http_requests_total{migration="a/b",side="source",code="${code}"}`);
    assert.deepEqual([requests('200'), requests('ECONNRESET'), requests('other')], [1, 1, 2]);
    assert.equal(values.get('prom_migrator_http_received_bytes_total{migration="a/b",side="source"}'), 4000);
    assert.equal(values.get('prom_migrator_http_sent_bytes_total{migration="a/b",side="source"}'), 40);
    assert.equal(
      values.get('prom_migrator_http_request_duration_seconds_bucket{le="0.3",migration="a/b",side="source"}'),
      3,
    );
    assert.equal(
      values.get('prom_migrator_http_request_duration_seconds_bucket{le="3",migration="a/b",side="source"}'),
      4,
    );
    assert.equal(values.get('prom_migrator_retries_total{migration="a/b",side="destination",reason="503"}'), 1);
  });

  it('are updated before a scrape, until this is stopped', async () => {
    const metrics = new MigrationMetrics();
    let samplesWritten = 1;
    const end = metrics.beforeScrape(() => metrics.update('a/b', { ...totals, samplesWritten }));
    await metrics.exposition();
    samplesWritten = 8;
    assert.equal((await exposed(metrics)).get('prom_migrator_samples_written_total{migration="a/b"}'), 8);
    end();
    samplesWritten = 20;
    assert.equal((await exposed(metrics)).get('prom_migrator_samples_written_total{migration="a/b"}'), 8);
  });

  it('of a thousand are removed at once for little more than the cost of one', async () => {
    const metrics = new MigrationMetrics();
    const names = Array.from({ length: 1_000 }, (_, number) => `team/small-${number}`);
    for (const name of ['team/stays', ...names]) {
      metrics.update(name, totals);
      for (const side of ['source', 'destination']) {
        metrics.request(name, { side, code: 200, seconds: 1, sentBytes: 1, receivedBytes: 1 });
      }
    }
    const started = performance.now();
    await Promise.all(names.map((name) => metrics.forget(name)));
    // A pass over all series for each of them would take minutes, and gigabytes.
    assert.ok(performance.now() - started < 5_000);
    const { body } = await metrics.exposition();
    assert.ok(!body.includes('team/small-'));
    assert.ok(body.includes('prom_migrator_http_requests_total{migration="team/stays",side="source",code="200"} 1'));
    metrics.update('team/small-1', totals);
    assert.ok((await metrics.exposition()).body.includes('team/small-1'), 'it may come back');
  }).timeout(20_000);

  it('of two instances are independent', async () => {
    const one = new MigrationMetrics();
    one.update('a/b', totals);
    assert.ok(!(await new MigrationMetrics().exposition()).body.includes('a/b'));
  });

  it('include those of the process', async () => {
    const values = await exposed(new MigrationMetrics());
    assert.ok((values.get('process_resident_memory_bytes') ?? 0) > 1e7);
    assert.ok((values.get('process_cpu_seconds_total') ?? 0) > 0);
    assert.ok(Math.abs((values.get('process_start_time_seconds') ?? 0) + process.uptime() - Date.now() / 1000) < 5);
  });
});
