// A destination that becomes unavailable and returns, and responses that are lost in transit: the migration reports that it waits,
// continues, and has written everything once at the end.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerProcess } from '../support/server-process.ts';
import { runMigration, startMigration } from './support/migration.ts';
import { startReverseProxy } from './support/reverse-proxy.ts';
import { type Destination, PROMETHEUS, PROMETHEUS_BY_PROMQL, SlowCopy, VICTORIA_METRICS } from './support/slow-copy.ts';

let copy: SlowCopy;
before(async () => {
  copy = await SlowCopy.start(6);
});
after(() => copy[Symbol.asyncDispose]());

interface Outage {
  readonly title: string;
  readonly destination: Destination;
  readonly end: (server: ServerProcess) => Promise<void>;
}

const OUTAGES: readonly Outage[] = [
  {
    // Data acknowledged in the last seconds is lost on a kill: it has no write-ahead log on disk.
    title: 'VictoriaMetrics is stopped and started again',
    destination: VICTORIA_METRICS,
    end: (server) => server.stop(),
  },
  {
    title: 'Prometheus is killed and started again',
    destination: PROMETHEUS,
    end: async (server) => {
      process.kill(server.pid, 'SIGKILL');
      await server.stop();
    },
  },
];

describe('a migration whose destination becomes unavailable', () => {
  for (const { title, destination, end } of OUTAGES) {
    it(`waits for it, reports it, and continues: ${title}`, async () => {
      const directory = await mkdtemp(join(tmpdir(), 'prom-migrator-outage-'));
      try {
        await using first = await destination.start(join(directory, 'data'));
        await using proxy = await startReverseProxy({ target: first.url });
        const spec = copy.spec(destination, first, { through: proxy, samplesPerSecond: 25_000 });
        await using migration = await startMigration(spec, { args: ['--log-level', 'debug'] });
        await migration.saying(/(?: window finished [\s\S]*){3}/);
        // The configured address is that of the proxy: nothing listens there during the outage.
        await proxy.shut();
        await end(first);
        // When a response is lost, the read-back looks for the samples before the request is repeated.
        await migration.saying(/ warn {2}retrying side=(?:destination|progress) code=connection-refused /);
        await sleep(500);
        await using second = await destination.start(join(directory, 'data'));
        await proxy.reopen(second.url);
        const { exitCode, result, stderr } = await migration.ended;
        assert.equal(exitCode, 0, stderr);
        assert.ok(result.retries > 0);
        await copy.assertAllThereOnce(destination, second);
      } finally {
        await rm(directory, { recursive: true, force: true });
      }
    });
  }
});

describe('a migration that loses responses to its writes', () => {
  const destinations = [
    ['VictoriaMetrics', VICTORIA_METRICS],
    ['Prometheus by RemoteRead', PROMETHEUS],
    ['Prometheus by PromQL', PROMETHEUS_BY_PROMQL],
  ] as const;
  // In parallel: most of the time they wait for the destination to show the samples.
  const running = new Map<string, Promise<void>>();

  before(() => {
    for (const [title, destination] of destinations) {
      const ended = loseResponses(destination);
      ended.catch(() => {});
      running.set(title, ended);
    }
  });

  after(() => Promise.allSettled(running.values()));

  for (const [title] of destinations) {
    it(`writes nothing twice, and does not mistake a repeated request for a rejection: ${title}`, () =>
      running.get(title));
  }
});

async function loseResponses(destination: Destination): Promise<void> {
  await using server = await destination.start();
  let writes = 0;
  await using proxy = await startReverseProxy({
    target: server.url,
    losesResponse: ({ url }) => url === '/api/v1/write' && ++writes % 40 === 7,
  });
  // The limit makes the requests small, so that there are many.
  const spec = copy.spec(destination, server, { through: proxy, samplesPerSecond: 1_000_000 });
  const { exitCode, stderr, result } = await runMigration(spec);
  assert.equal(exitCode, 0, stderr);
  assert.ok(proxy.lost >= 3, `${proxy.lost} answers were lost`);
  assert.ok(result.samplesAlreadyPresent >= proxy.lost, 'what had arrived was found there');
  await copy.assertAllThereOnce(destination, server);
}
