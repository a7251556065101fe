// Two operators on a loaded machine whose Lease is repeatedly deleted and emptied: never do both work at once, and nothing is written
// twice.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { tell } from '../real/support/expectations.ts';
import { SlowCopy, VICTORIA_METRICS } from '../real/support/slow-copy.ts';
import { type Cluster, startCluster } from '../support/kubernetes/cluster.ts';
import {
  eventually,
  type InstalledChart,
  installChart,
  type OperatorProcess,
  startOperator,
  succeeded,
  untilReady,
} from './support/operator.ts';
import { leads, readLease, SlowMigration } from './support/slow-migration.ts';

const NAMESPACE = 'leased';
/** Shorter than the chart's, in the same proportions, because the test waits for it often. */
const LEASE_MS = 6_000;
const TIMES = { leaseDurationSeconds: 6, renewDeadlineSeconds: 4, retryPeriodSeconds: 1 };
const BURNERS = 2;

interface Span {
  readonly podName: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** When the workers of an operator ran, according to its log. */
function workSpans(operator: OperatorProcess): Span[] {
  const spans: Span[] = [];
  let fromMs: number | undefined;
  for (const { time, message } of operator.logLines()) {
    const timeMs = Date.parse(String(time));
    if (message === 'worker started') fromMs = timeMs;
    if (fromMs === undefined || !/^(worker stopped|migration finished|attempt ended)/.test(String(message))) continue;
    spans.push({ podName: operator.podName, fromMs, toMs: timeMs });
    fromMs = undefined;
  }
  if (fromMs !== undefined) spans.push({ podName: operator.podName, fromMs, toMs: Number.POSITIVE_INFINITY });
  return spans;
}

function overlaps(operators: readonly OperatorProcess[]): string[] {
  const spans = operators.flatMap(workSpans).sort((one, other) => one.fromMs - other.fromMs);
  return spans.flatMap((span, index) => {
    const before = spans[index - 1];
    return before !== undefined && before.toMs > span.fromMs
      ? [`${span.podName} began ${before.toMs - span.fromMs} ms before ${before.podName} had ended`]
      : [];
  });
}

describe('two operators whose lease is deleted', () => {
  let cluster: Cluster;
  let copy: SlowCopy;
  let chart: InstalledChart;
  let migration: SlowMigration;
  const operators: OperatorProcess[] = [];
  const burners: ChildProcess[] = [];

  before(async function () {
    this.timeout(900_000);
    cluster = await startCluster();
    copy = await SlowCopy.start(24);
    succeeded(await cluster.kubectl(['create', 'namespace', NAMESPACE]));
    const values = { watchNamespaces: [NAMESPACE], replicaCount: 2, leaderElection: TIMES };
    chart = await installChart(cluster, values, { namespace: `${NAMESPACE}-system`, lease: 'none' });
    // It returns a duplicate sample as often as it was written.
    const destination = VICTORIA_METRICS;
    migration = await SlowMigration.prepare({
      cluster,
      copy,
      namespace: NAMESPACE,
      samplesPerSecond: 4_000,
      destination,
    });
  });

  after(async () => {
    for (const burner of burners) burner.kill('SIGKILL');
    for (const operator of operators) await operator.kill();
    await migration?.[Symbol.asyncDispose]();
    await copy?.[Symbol.asyncDispose]();
    await cluster?.[Symbol.asyncDispose]();
  });

  async function start(): Promise<OperatorProcess> {
    const operator = await startOperator({ chart });
    operators.push(operator);
    await untilReady(operator);
    return operator;
  }

  const lease = (...args: string[]) =>
    cluster.kubectl([args[0] ?? '', 'lease', 'prom-migrator', '-n', chart.namespace, ...args.slice(1)]);

  async function renewal(): Promise<void> {
    const { renewTime } = await readLease(cluster, chart.namespace);
    await eventually('the lease is renewed', async () => {
      return (await readLease(cluster, chart.namespace)).renewTime !== renewTime;
    });
  }

  async function leader(): Promise<OperatorProcess> {
    let found: OperatorProcess | undefined;
    await eventually('one of them leads', async () => {
      const flags = await Promise.all(operators.map(leads));
      assert.ok(flags.filter(Boolean).length <= 1, 'two of them lead');
      found = operators[flags.indexOf(true)];
      return found !== undefined;
    });
    return found ?? assert.fail();
  }

  it('work only after the lease that one of them has created is as old as its duration', async function () {
    this.timeout(120_000);
    const first = await start();
    await eventually('the first one leads', () => leads(first));
    const saidMs = (pattern: RegExp) =>
      Date.parse(String(first.logLines().find(({ message }) => pattern.test(String(message)))?.['time']));
    const waitedMs = saidMs(/^leading$/) - saidMs(/^claimed the lease/);
    tell(`without a lease it leads ${waitedMs} ms after it has created one`);
    assert.ok(waitedMs >= LEASE_MS, `${waitedMs} ms`);
    await start();
    for (let index = 0; index < BURNERS; index++) {
      burners.push(spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }));
    }
    await migration.apply();
    await migration.finishes(1, first);
  });

  const meddling: [what: string, act: () => Promise<void>][] = [
    ['deletes it just after a renewal', async () => void succeeded(await lease('delete'))],
    [
      'empties it just after a renewal',
      async () => void succeeded(await lease('patch', '--type=merge', '-p', '{"spec":{"holderIdentity":""}}')),
    ],
    [
      'deletes it, and again while it is being acquired',
      async () => {
        succeeded(await lease('delete'));
        await eventually('it is claimed', async () => (await lease('get')).code === 0);
        succeeded(await lease('delete'));
      },
    ],
    [
      'deletes it and starts a third one',
      async () => {
        succeeded(await lease('delete'));
        await start();
      },
    ],
    ['deletes it just after a renewal again', async () => void succeeded(await lease('delete'))],
  ];
  for (const [what, act] of meddling) {
    it(`work one after the other when another client ${what}`, async function () {
      this.timeout(180_000);
      const before = await leader();
      const windows = await migration.windows(before);
      await migration.finishes(windows + 1, before);
      await renewal();
      const losses = before.log().split('the lease is lost').length;
      const actedMs = Date.now();
      await act();
      await eventually('the leader has noticed', () => before.log().split('the lease is lost').length > losses);
      const lostMs = Date.now() - actedMs;
      const next = await leader();
      tell(`lost after ${lostMs} ms, the next one leads after ${Date.now() - actedMs} ms`);
      const since = await migration.windows(next);
      await migration.finishes(since + 1, next);
      assert.deepEqual(overlaps(operators), []);
    });
  }

  it('have lost nothing and written nothing twice afterwards', async function () {
    this.timeout(180_000);
    await migration.finish();
    const samples = await migration.assertAllThereOnce();
    const spans = operators.flatMap(workSpans);
    tell(`${samples} samples compared, 0 differences; ${spans.length} workers, no two of them at once`);
    assert.ok(spans.length > meddling.length);
    assert.deepEqual(overlaps(operators), []);
    for (const operator of operators) assert.equal(await operator.stop(), 0, operator.log().slice(-4_000));
  });
});
