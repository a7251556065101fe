// Checks the servers of all other real tests: each server of each version starts, accepts samples, and returns them to an independent
// reader.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { snapshotPrometheus, writeBlocksExactly, writeBlocksFromText } from '../support/blocks.ts';
import { createAuthority } from '../support/certificates.ts';
import {
  COUNTER_HISTOGRAM_KINDS,
  generateDataset,
  HISTOGRAM_KINDS,
  PLAIN_KINDS,
  type SeriesKind,
} from '../support/dataset.ts';
import { request } from '../support/http.ts';
import { pushSamples } from '../support/load.ts';
import { chunkEncodings, dumpPrometheus, exportVictoriaMetrics, readInflux } from '../support/readers.ts';
import {
  type ComparisonOptions,
  compareSeries,
  keptByInfluxdb,
  keptByVictoriaMetrics,
} from '../support/series-comparison.ts';
import { countSamples, type SeriesSet, sliceSeries } from '../support/series-set.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { BASIC_AUTH, startInfluxdb, startPrometheus, startVictoriaMetrics } from '../support/servers.ts';

const startMs = Date.UTC(2025, 5, 1);
const endMs = startMs + 6 * 3_600_000;

function assertSame(expected: SeriesSet, actual: SeriesSet, options: ComparisonOptions = { values: 'bits' }): void {
  assert.ok(countSamples(expected) > 1_000, 'there must be something to compare');
  const { differences, first } = compareSeries(expected, actual, options);
  assert.equal(differences, 0, first ?? '');
}

function writeUrl(server: ServerProcess): string {
  return `${server.url}/api/v1/write`;
}

describe('the test servers', () => {
  const receivers: { version: string; kinds: readonly SeriesKind[] }[] = [
    { version: '2.42', kinds: [...PLAIN_KINDS, 'extremes', ...COUNTER_HISTOGRAM_KINDS] },
    { version: '2.53', kinds: [...PLAIN_KINDS, 'extremes', ...HISTOGRAM_KINDS] },
    {
      version: '3.5',
      kinds: [...PLAIN_KINDS, 'extremes', ...HISTOGRAM_KINDS, 'custom-bucket-histogram', 'utf8-names'],
    },
    {
      version: 'current',
      kinds: [...PLAIN_KINDS, 'extremes', ...HISTOGRAM_KINDS, 'custom-bucket-histogram', 'utf8-names'],
    },
  ];
  for (const { version, kinds } of receivers) {
    it(`Prometheus ${version} accepts samples by remote write and stores them bit for bit`, async () => {
      await using prometheus = await startPrometheus({ version, receiver: true, nativeHistograms: true });
      const set = generateDataset({ series: kinds.length * 2, startMs, endMs, kinds });
      await pushSamples(writeUrl(prometheus), set);
      assertSame(set, await dumpPrometheus(prometheus));
      assertSame(set, await dumpPrometheus(await snapshotPrometheus(prometheus)));
      await prometheus.stop();
      assertSame(set, await dumpPrometheus(prometheus));
    });
  }

  it('Prometheus 2.24 reads blocks created by a newer one, bit for bit', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'prom-migrator-blocks-'));
    try {
      const set = generateDataset({ series: 22, startMs, endMs });
      await writeBlocksExactly(set, join(directory, 'data'));
      await using prometheus = await startPrometheus({ version: '2.24', dataDir: join(directory, 'data') });
      assertSame(set, await dumpPrometheus(prometheus));
      const query = encodeURIComponent('count(count_over_time({job=~".+"}[6h]))');
      const response = await request(`${prometheus.url}/api/v1/query?query=${query}&time=${endMs / 1000}`);
      assert.equal(JSON.parse(response.body.toString('utf8')).data.result[0].value[1], String(set.size));
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });

  it('blocks created from text overlap, contain samples twice, and are read once', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'prom-migrator-blocks-'));
    try {
      const kinds: SeriesKind[] = ['counter', 'decimal', 'random', 'gaps', 'one-second', 'unicode-values'];
      const set = generateDataset({ series: 12, startMs, endMs, kinds });
      const hour = (n: number) => startMs + n * 3_600_000;
      await writeBlocksFromText(sliceSeries(set, hour(0), hour(4)), join(directory, 'data'));
      await writeBlocksFromText(sliceSeries(set, hour(2), hour(6)), join(directory, 'data'));
      await using prometheus = await startPrometheus({ version: '3.5', dataDir: join(directory, 'data') });
      assertSame(set, await dumpPrometheus(prometheus));
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });

  it("promtool's dump, as text, shows what the bit reader shows", async () => {
    await using prometheus = await startPrometheus({ version: '3.5', receiver: true });
    const set = generateDataset({ series: 24, startMs, endMs, kinds: [...PLAIN_KINDS, 'utf8-names'] });
    await pushSamples(writeUrl(prometheus), set);
    await prometheus.stop();
    assertSame(set, await dumpPrometheus(prometheus, 'text'), { values: 'relative-1e-11' });
  });

  it('Prometheus 3.5 accepts old data behind newer data inside an out-of-order window', async () => {
    await using prometheus = await startPrometheus({
      version: '3.5',
      receiver: true,
      nativeHistograms: true,
      outOfOrderWindow: '30d',
    });
    const newer = generateDataset({
      series: 11,
      startMs: endMs + 86_400_000,
      endMs: endMs + 90_000_000,
      prefix: 'newer',
    });
    const older = generateDataset({ series: 24, startMs, endMs, kinds: [...PLAIN_KINDS, 'integer-histogram'] });
    await pushSamples(writeUrl(prometheus), newer);
    await pushSamples(writeUrl(prometheus), older);
    assertSame(new Map([...newer, ...older]), await dumpPrometheus(prometheus));
  });

  it('Prometheus 3.5 without that window rejects it', async () => {
    await using prometheus = await startPrometheus({ version: '3.5', receiver: true });
    await pushSamples(writeUrl(prometheus), generateDataset({ series: 1, startMs: endMs, endMs: endMs + 7_200_000 }));
    await assert.rejects(
      pushSamples(writeUrl(prometheus), generateDataset({ series: 1, startMs, endMs: startMs + 60_000 })),
      /returned 400: (out of bounds|too old sample)/,
    );
  });

  it('the current Prometheus writes XOR2 chunks when configured', async () => {
    await using prometheus = await startPrometheus({ version: 'current', receiver: true, floatChunks: 'xor2' });
    const set = generateDataset({ series: 22, startMs, endMs });
    await pushSamples(writeUrl(prometheus), set);
    const snapshot = await snapshotPrometheus(prometheus);
    assert.deepEqual([...(await chunkEncodings(snapshot)).keys()], ['XOR2']);
    assertSame(set, await dumpPrometheus(snapshot));
  });

  it('the current Prometheus stores start timestamps from remote write 2.0', async () => {
    await using prometheus = await startPrometheus({ version: 'current', receiver: true, startTimestamps: true });
    const kinds = [...PLAIN_KINDS, ...HISTOGRAM_KINDS, 'custom-bucket-histogram'] as const;
    const set = generateDataset({ series: kinds.length * 2, startMs, endMs, kinds, startTimes: true });
    await pushSamples(writeUrl(prometheus), set, { protocol: '2.0' });
    const snapshot = await snapshotPrometheus(prometheus);
    assert.deepEqual([...(await chunkEncodings(snapshot)).keys()].sort(), ['XOR2', 'floathistogramST', 'histogramST']);
    assertSame(set, await dumpPrometheus(snapshot), { values: 'bits', startTimes: true });
  });

  it('Prometheus 3.5 with a web configuration requires the certificate and the password', async () => {
    const authority = createAuthority();
    const client = { ca: authority.cert, ...authority.issue('a client') };
    const { username, password } = BASIC_AUTH;
    await using prometheus = await startPrometheus({
      version: '3.5',
      receiver: true,
      web: {
        basicAuth: BASIC_AUTH,
        tls: { ...authority.issue('prometheus'), clientCa: authority.cert },
        identity: { ...client, username, password },
      },
    });
    const set = generateDataset({ series: 11, startMs, endMs });
    await assert.rejects(
      pushSamples(writeUrl(prometheus), set, { identity: { ca: authority.cert, username, password } }),
    );
    await assert.rejects(pushSamples(writeUrl(prometheus), set, { identity: client }), /returned 401/);
    await pushSamples(writeUrl(prometheus), set, { identity: { ...client, username, password } });
    assertSame(set, await dumpPrometheus(prometheus));
  });

  it('VictoriaMetrics accepts samples and exports all but ordinary NaNs', async () => {
    await using victoriaMetrics = await startVictoriaMetrics();
    const set = generateDataset({ series: 24, startMs, endMs, kinds: [...PLAIN_KINDS, 'utf8-names'] });
    await pushSamples(writeUrl(victoriaMetrics), set);
    const exported = await exportVictoriaMetrics(victoriaMetrics.url);
    assertSame(keptByVictoriaMetrics(set), exported, { values: 'relative-1e-11' });
  });

  it('VictoriaMetrics shows a sample twice that was written twice', async () => {
    await using victoriaMetrics = await startVictoriaMetrics();
    const set = generateDataset({ series: 1, startMs, endMs: startMs + 600_000 });
    await pushSamples(writeUrl(victoriaMetrics), set);
    await pushSamples(writeUrl(victoriaMetrics), set);
    assert.equal(countSamples(await exportVictoriaMetrics(victoriaMetrics.url)), 2 * countSamples(set));
  });

  it('InfluxDB 1.6 accepts finite samples through its Prometheus endpoint and stores them bit for bit', async () => {
    await using influxdb = await startInfluxdb({ database: 'metrics' });
    const set = keptByInfluxdb(generateDataset({ series: 22, startMs, endMs }));
    await pushSamples(`${influxdb.url}/api/v1/prom/write?db=metrics`, set);
    assertSame(set, await readInflux(influxdb.url, 'metrics'));
  });

  it('a server that does not start reports the cause', async () => {
    await assert.rejects(
      startPrometheus({ version: '3.5', extraArgs: ['--no.such.flag'] }),
      /prometheus 3\.\S+ ended at its start[\s\S]*unknown long flag/,
    );
  });

  it('a server exits when its test process is killed', async () => {
    const servers = new URL('../support/servers.ts', import.meta.url);
    const script = `const { startPrometheus } = await import(${JSON.stringify(servers.href)});
      const prometheus = await startPrometheus({ version: '3.5' });
      console.log(prometheus.pid);`;
    const directory = await mkdtemp(join(tmpdir(), 'prom-migrator-killed-'));
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, TMPDIR: directory },
    });
    const [printed] = await once(child.stdout, 'data');
    const pid = Number(String(printed));
    process.kill(pid, 0);
    child.kill('SIGKILL');
    const gone = () => {
      try {
        return !process.kill(pid, 0);
      } catch {
        return true;
      }
    };
    for (let waits = 0; waits < 50 && !gone(); waits++) await sleep(100);
    assert.ok(gone(), `Prometheus ${pid} is still there five seconds later`);
    await rm(directory, { recursive: true, force: true });
  });

  it('a server is stopped at the end of its block', async () => {
    let pid = 0;
    {
      await using prometheus = await startPrometheus({ version: '3.5' });
      pid = prometheus.pid;
      process.kill(pid, 0);
    }
    await sleep(10);
    assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
  });
});
