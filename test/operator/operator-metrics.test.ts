import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { PromMigration } from '../../src/api/prom-migration.ts';
import { OPERATOR_METRICS, OperatorMetrics, operatorMetricsTable } from '../../src/operator/operator-metrics.ts';
import { METRICS } from '../../src/telemetry/metric-catalogue.ts';
import { endMs, migrationOf, progressOf, startMs } from './support/migrations.ts';

function metricsWith(
  scene: { leading?: boolean; resources?: readonly PromMigration[]; monotonicMs?: () => number } = {},
): OperatorMetrics {
  const { leading = true, resources = [], monotonicMs = () => 0 } = scene;
  return new OperatorMetrics({ leading: () => leading, queueDepth: () => 3, resources: () => resources, monotonicMs });
}

async function exposed(metrics: OperatorMetrics): Promise<string[]> {
  const { body, contentType } = await metrics.exposition();
  assert.match(contentType, /^text\/plain/);
  return body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

const running = migrationOf({
  status: {
    phase: 'Running',
    conditions: [
      {
        type: 'Degraded',
        status: 'True',
        reason: 'WorkerCrashed',
        message: 'm',
        lastTransitionTime: '2025-06-01T12:00:00Z',
      },
    ],
  },
});

describe("the operator's metrics", () => {
  it('are in docs/metrics.md', () => {
    const text = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
    assert.ok(text.includes(operatorMetricsTable()), `the table should be:\n${operatorMetricsTable()}`);
  });

  it("have unique names, distinct from the engine's", () => {
    const names = [...Object.values(METRICS), ...Object.values(OPERATOR_METRICS)].map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
    for (const { name } of Object.values(OPERATOR_METRICS)) assert.match(name, /^prom_migrator_operator_/);
  });

  it('show the phases and conditions as the leader sees them', async () => {
    const lines = await exposed(metricsWith({ resources: [running, migrationOf({ name: 'new' })] }));
    assert.ok(lines.includes('prom_migrator_operator_leader 1'));
    assert.ok(lines.includes('prom_migrator_operator_queue_depth 3'));
    assert.ok(lines.includes('prom_migrator_operator_migrations{phase="Running"} 1'));
    assert.ok(lines.includes('prom_migrator_operator_migrations{phase="Pending"} 1'));
    assert.ok(lines.includes('prom_migrator_operator_migrations{phase="Failed"} 0'));
    const condition = 'migration="team/copy",type="Degraded",status="True",reason="WorkerCrashed"';
    assert.ok(lines.includes(`prom_migrator_operator_condition{${condition}} 1`));
  });

  it('are exposed once: a replica on standby has no metrics of migrations', async () => {
    const lines = await exposed(metricsWith({ leading: false, resources: [running] }));
    assert.ok(lines.includes('prom_migrator_operator_leader 0'));
    assert.deepEqual(
      lines.filter((line) => /operator_(migrations|condition)\{/.test(line)),
      [],
    );
  });

  it("include the engine's for each migration, as long as it exists", async () => {
    const metrics = metricsWith();
    for (const key of ['team/copy', 'team/other']) {
      metrics.report(key, {
        type: 'report',
        progress: progressOf({
          samplesWritten: 7,
          samplesRejected: { too_old: 2 },
          stretches: { total: 9, finished: 4, running: [{ startMs, endMs, completedRatio: 0 }], failed: [] },
        }),
        events: [
          { type: 'request', side: 'source', status: 200, seconds: 0.5, sentBytes: 1, receivedBytes: 2 },
          { type: 'retry', side: 'source', code: 'unavailable', message: 'm', attempt: 1, delayMs: 1 },
        ],
      });
    }
    const before = await exposed(metrics);
    assert.ok(before.includes('prom_migrator_samples_written_total{migration="team/copy"} 7'));
    assert.ok(before.includes('prom_migrator_http_requests_total{migration="team/copy",side="source",code="200"} 1'));
    for (const [name, value] of Object.entries({ stretches: 9, stretches_finished: 4, stretches_running: 1 })) {
      assert.ok(before.includes(`prom_migrator_${name}{migration="team/copy"} ${value}`));
    }
    metrics.forget('team/copy');
    await new Promise((resolve) => setImmediate(resolve));
    const after = await exposed(metrics);
    assert.deepEqual(
      after.filter((line) => line.includes('team/copy')),
      [],
    );
    const others = (lines: string[]) => lines.filter((line) => line.includes('team/other')).length;
    assert.equal(others(after), others(before));
    metrics.close();
  });

  it('count what a look before a copy has found, until the migration is gone', async () => {
    const metrics = metricsWith();
    const findings = [{ grade: 'blocks' }, { grade: 'warns' }, { grade: 'warns' }] as const;
    metrics.preflight('team/copy', findings);
    metrics.preflight('team/other', []);
    const ofFindings = async () => (await exposed(metrics)).filter((line) => line.includes('preflight_findings{'));
    const series = (grade: string, value: number, name = 'copy') =>
      `prom_migrator_operator_preflight_findings{migration="team/${name}",grade="${grade}"} ${value}`;
    const others = ['blocks', 'warns', 'informs'].map((grade) => series(grade, 0, 'other'));
    assert.deepEqual(await ofFindings(), [series('blocks', 1), series('warns', 2), series('informs', 0), ...others]);
    metrics.forget('team/copy');
    assert.deepEqual(await ofFindings(), others);
    metrics.forgetAll();
    assert.deepEqual(await ofFindings(), []);
    metrics.close();
  });

  it("drop the engine's some time after the end, unless the migration has started again", async () => {
    let nowMs = 0;
    const metrics = metricsWith({ monotonicMs: () => nowMs });
    const report = (key: string) => metrics.report(key, { type: 'report', progress: progressOf(), events: [] });
    report('team/copy');
    report('team/again');
    metrics.ended('team/copy');
    metrics.ended('team/again');
    report('team/again');
    nowMs = 15 * 60_000 - 1;
    assert.ok((await exposed(metrics)).some((line) => line.includes('team/copy')));
    nowMs++;
    await exposed(metrics);
    await new Promise((resolve) => setImmediate(resolve));
    const lines = await exposed(metrics);
    assert.ok(!lines.some((line) => line.includes('team/copy')));
    assert.ok(lines.some((line) => line.includes('team/again')));
    metrics.close();
  });

  it('continue counting when a worker is restarted', async () => {
    const metrics = metricsWith();
    const report = (samplesWritten: number) =>
      metrics.report('team/copy', { type: 'report', progress: progressOf({ samplesWritten }), events: [] });
    report(7);
    await exposed(metrics);
    report(2);
    const lines = await exposed(metrics);
    assert.ok(lines.includes('prom_migrator_samples_written_total{migration="team/copy"} 9'));
    metrics.close();
  });

  it('count requests, reconciles and writes', async () => {
    const metrics = metricsWith();
    metrics.apiRequest({ verb: 'patch', resource: 'prommigrations/status', code: 200, seconds: 1 });
    metrics.reconciled('success', 0.002);
    metrics.reconciled('error', 0.002);
    metrics.statusWrite('conflict');
    metrics.watchReconnect('failure');
    metrics.watchActivity(1_500);
    const lines = await exposed(metrics);
    for (const line of [
      'prom_migrator_operator_api_requests_total{verb="patch",resource="prommigrations/status",code="200"} 1',
      'prom_migrator_operator_reconcile_total{result="error"} 1',
      'prom_migrator_operator_reconcile_duration_seconds_bucket{le="0.003"} 2',
      'prom_migrator_operator_queue_retries_total 1',
      'prom_migrator_operator_status_writes_total{result="conflict"} 1',
      'prom_migrator_operator_watch_reconnects_total{cause="failure"} 1',
      'prom_migrator_operator_watch_last_event_timestamp_seconds 1.5',
    ]) {
      assert.ok(lines.includes(line), line);
    }
    metrics.close();
  });
});
