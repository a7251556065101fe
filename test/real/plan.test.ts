// `prom-migrator plan` with real servers: what it finds, what it estimates, and that it writes nothing.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeBlocksExactly } from '../support/blocks.ts';
import { generateDataset, PLAIN_KINDS } from '../support/dataset.ts';
import { pushSamples } from '../support/load.ts';
import { dumpPrometheus, exportVictoriaMetrics } from '../support/readers.ts';
import { countSamples, type SeriesSet } from '../support/series-set.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { startPrometheus, startVictoriaMetrics } from '../support/servers.ts';
import { runCommand } from './support/command.ts';
import { assertExit } from './support/expectations.ts';
import { manifestOf, type MigrationSpec, runMigration } from './support/migration.ts';
import { assertEqualSets, fromPrometheus, range, toPrometheus, toVictoriaMetrics } from './support/pairs.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const endMs = Date.now() - (Date.now() % HOUR_MS) - DAY_MS;
const startMs = endMs - 8 * HOUR_MS;

interface Planned {
  readonly exitCode: number | null;
  readonly stderr: string;
  readonly json: PlanJson;
  readonly seconds: number;
}

interface PlanJson {
  readonly verdict: string;
  readonly findings: readonly {
    code: string;
    grade: string;
    side: string | null;
    has: string;
    setting: string | null;
  }[];
  readonly notJudged: readonly { side: string; code: string }[];
  readonly servers: Record<string, { product: string | null; version: string | null }>;
  readonly estimate: Record<
    'series' | 'samples' | 'windows' | 'bytesRead' | 'bytesWritten',
    { value: number; low: number; high: number }
  >;
}

async function plan(spec: MigrationSpec, flags: readonly string[] = []): Promise<Planned> {
  const files = { 'migration.json': JSON.stringify(manifestOf(spec)) };
  const { exitCode, stdout, stderr, seconds } = await runCommand(
    ['plan', '-f', 'migration.json', '-o', 'json', ...flags],
    {
      files,
    },
  );
  return { exitCode, stderr, seconds, json: JSON.parse(stdout) as PlanJson };
}

const codesOf = ({ json }: Planned, grade: string) =>
  json.findings.filter((finding) => finding.grade === grade).map(({ code }) => code);

/** Forwards everything, and records it. */
async function recordingProxy(target: string) {
  const requests: { method: string; path: string; bytes: number }[] = [];
  const { port } = new URL(target);
  const server = createServer(async (incoming, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of incoming) pieces.push(piece as Buffer);
    const body = Buffer.concat(pieces);
    const { method = '', url = '', headers } = incoming;
    requests.push({ method, path: url.split('?')[0] ?? '', bytes: body.length });
    const forwarded = httpRequest({ host: '127.0.0.1', port, method, path: url, headers }, (reply) => {
      response.writeHead(reply.statusCode ?? 500, reply.headers);
      reply.pipe(response);
    });
    forwarded.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    requests,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe('plan', () => {
  let dataDir: string;
  let source: ServerProcess;
  let data: SeriesSet;

  before(async () => {
    data = generateDataset({ series: 400, startMs, endMs, kinds: PLAIN_KINDS });
    dataDir = await mkdtemp(join(tmpdir(), 'prom-migrator-plan-'));
    await writeBlocksExactly(data, dataDir);
    source = await startPrometheus({ version: '3.5', dataDir });
  });

  after(async () => {
    await source?.[Symbol.asyncDispose]();
    await rm(dataDir, { recursive: true, force: true });
  });

  const specOf = (destination: MigrationSpec, others: MigrationSpec = {}) => ({
    source: fromPrometheus(source),
    destination,
    timeRange: range(startMs, endMs),
    ...others,
  });

  it('finds nothing that blocks a copy into an empty Prometheus, and counts what the source has', async () => {
    await using destination = await startPrometheus({ version: '3.5', receiver: true });
    const planned = await plan(specOf(toPrometheus(destination)));
    assert.equal(planned.exitCode, 0, planned.stderr);
    assert.deepEqual(codesOf(planned, 'blocks'), []);
    assert.deepEqual(planned.json.notJudged, []);
    const { product, version } = planned.json.servers['destination'] ?? {};
    assert.equal(product, 'Prometheus');
    assert.match(version ?? '', /^3\.5\./);
    const { samples, series } = planned.json.estimate;
    console.log('      samples', countSamples(data), samples, 'series', data.size, series, planned.seconds, 's');
    assert.ok(Math.abs(samples.value / countSamples(data) - 1) < 0.25);
    assert.ok(Math.abs(series.value / data.size - 1) < 0.25);
  });

  it('estimates what a run then reads and writes, also after a probe write, which changes nothing of it', async () => {
    await using destination = await startPrometheus({ version: '3.5', receiver: true });
    const spec = specOf(toPrometheus(destination));
    const planned = await plan(spec, ['--probe-write']);
    assert.equal(planned.exitCode, 0, planned.stderr);
    assert.ok(codesOf(planned, 'informs').includes('probe-written'));
    const { estimate } = planned.json;
    const run = await runMigration(spec);
    assertExit(run, 0);
    assert.equal(run.result.samplesWritten, countSamples(data));
    const written = await dumpPrometheus(destination);
    assertEqualSets('after a probe', data, written);
    const probes = [...written].filter(([labels]) => labels.includes('probe="plan"'));
    assert.ok(probes.length > 0 && probes.length <= 3, `${probes.length} series of the probe`);
    for (const [labels, { timesMs }] of probes) {
      assert.match(labels, /prom_migrator_progress/);
      assert.deepEqual([...timesMs], [startMs]);
    }
    const { samplesWritten, windows, bytesRead, bytesWritten } = run.result;
    const truths = { samples: samplesWritten, windows, bytesRead, bytesWritten };
    for (const [name, truth] of Object.entries(truths) as [keyof typeof truths, number][]) {
      const off = estimate[name].value / truth - 1;
      console.log(
        `      ${name}: ${estimate[name].value} estimated, ${truth} in the run, ${(100 * off).toFixed(1)} % off`,
      );
      assert.ok(Math.abs(off) < 0.25, name);
    }
  });

  for (const [protocol, url] of [
    ['VictoriaMetrics', async () => startVictoriaMetrics({ version: '1.145' })],
    ['PromQL', undefined],
  ] as const) {
    it(`reads a source by ${protocol}`, async () => {
      await using own = await url?.();
      if (own !== undefined) {
        await pushSamples(`${own.url}/api/v1/write`, data);
        // Waits until it shows them.
        await exportVictoriaMetrics(own.url);
      }
      await using destination = await startPrometheus({ version: '3.5', receiver: true });
      const planned = await plan({
        ...specOf(toPrometheus(destination)),
        source: { protocol, url: (own ?? source).url },
      });
      assert.equal(planned.exitCode, 0, planned.stderr);
      assert.deepEqual(planned.json.notJudged, []);
      const { samples } = planned.json.estimate;
      console.log(
        `      ${protocol}: ${samples.value} of ${countSamples(data)} samples, ${planned.seconds.toFixed(1)} s`,
      );
      assert.ok(Math.abs(samples.value / countSamples(data) - 1) < 0.25);
    });
  }

  it('sends no write request', async () => {
    await using destination = await startPrometheus({ version: '3.5', receiver: true });
    await using proxy = await recordingProxy(destination.url);
    const progress = { protocol: 'RemoteRead', url: `${proxy.url}/api/v1/read` };
    const planned = await plan(specOf({ url: `${proxy.url}/api/v1/write`, progress }));
    assert.equal(planned.exitCode, 0, planned.stderr);
    const posts = proxy.requests.filter(({ method }) => method !== 'GET');
    assert.ok(posts.length > 0, 'the progress was read');
    assert.deepEqual([...new Set(posts.map(({ path }) => path))], ['/api/v1/read']);
    assert.ok(
      proxy.requests.some(({ method, path, bytes }) => path === '/api/v1/write' && method === 'GET' && bytes === 0),
    );
    assert.equal((await dumpPrometheus(destination)).size, 0);
  });

  it('names every setting of a Prometheus that is in the way', async () => {
    await using destination = await startPrometheus({ version: '3.5', receiver: false });
    const execution = { parallelism: 4 };
    const planned = await plan(specOf({ ...toPrometheus(destination), ordering: 'Any' }, { execution }));
    assert.equal(planned.exitCode, 5, planned.stderr);
    assert.deepEqual(codesOf(planned, 'blocks'), ['receiver-off', 'any-needs-window', 'stretches-need-window']);
  });

  it('finds newer data in the destination, and the out-of-order window that would take it', async () => {
    const newer = generateDataset({
      series: 3,
      startMs: endMs + DAY_MS - 6 * HOUR_MS,
      endMs: endMs + DAY_MS - 5 * HOUR_MS,
    });
    await using without = await startPrometheus({ version: '3.5', receiver: true });
    await pushSamples(`${without.url}/api/v1/write`, newer);
    const blocked = await plan(specOf(toPrometheus(without)));
    assert.equal(blocked.exitCode, 5, blocked.stderr);
    assert.deepEqual(codesOf(blocked, 'blocks'), ['behind-newer-data']);

    await using within = await startPrometheus({ version: '3.5', receiver: true, outOfOrderWindow: '30d' });
    await pushSamples(`${within.url}/api/v1/write`, newer);
    const ready = await plan(specOf(toPrometheus(within)));
    assert.equal(ready.exitCode, 0, ready.stderr);
  });

  it('finds a retention that is too short', async () => {
    await using short = await startVictoriaMetrics({ version: '1.145', retention: '1d' });
    const planned = await plan(specOf(toVictoriaMetrics(short)), ['--probe-write']);
    assert.equal(planned.exitCode, 5, planned.stderr);
    // The samples are accepted, and dropped.
    assert.deepEqual(codesOf(planned, 'blocks'), ['destination-retention', 'probe-not-shown']);
    assert.deepEqual(codesOf(planned, 'informs'), ['any-is-faster', 'probe-written']);
  });

  it('does not judge a side that does not respond, and says which', async () => {
    const planned = await plan(specOf({ url: 'http://127.0.0.1:9/api/v1/write', progress: { protocol: 'None' } }));
    assert.equal(planned.exitCode, 1, planned.stderr);
    assert.deepEqual(
      planned.json.notJudged.map(({ side, code }) => [side, code]),
      [['destination', 'connection-refused']],
    );
    assert.deepEqual(codesOf(planned, 'blocks'), []);
  });

  for (const [path, code] of [
    ['/api/v1/wrote', 'wrong-path'],
    ['/', 'redirected'],
  ] as const) {
    it(`names a path that is wrong: ${path}`, async () => {
      await using destination = await startPrometheus({ version: '3.5', receiver: true });
      const planned = await plan(specOf({ ...toPrometheus(destination), url: `${destination.url}${path}` }));
      assert.equal(planned.exitCode, 5, planned.stderr);
      const [first] = planned.json.findings;
      assert.deepEqual([first?.code, first?.side], ['side-refuses', 'destination']);
      assert.match(first?.has ?? '', new RegExp(`^${code}: `));
    });
  }
});
