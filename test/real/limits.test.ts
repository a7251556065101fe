// Low limits of real servers and of this process: the migration adapts to them, and everything arrives.
import assert from 'node:assert/strict';
import { generateDataset, PLAIN_KINDS } from '../support/dataset.ts';
import { request } from '../support/http.ts';
import { pushSamples } from '../support/load.ts';
import { dumpPrometheus, exportVictoriaMetrics } from '../support/readers.ts';
import { keptByVictoriaMetrics } from '../support/series-comparison.ts';
import { countSamples, type SeriesSet, sliceSeries } from '../support/series-set.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { startPrometheus, startVictoriaMetrics } from '../support/servers.ts';
import { assertAllWritten, assertEqualSeries, assertExit, tell, union } from './support/expectations.ts';
import { type MigrationSpec, runMigration } from './support/migration.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const startMs = Date.UTC(2025, 6, 20, 11, 2, 33, 777);
const MEBIBYTE = 2 ** 20;

function specOf(source: ServerProcess, destination: ServerProcess, fromMs: number, toMs: number): MigrationSpec {
  return {
    source: { url: `${source.url}/api/v1/read` },
    destination: { url: `${destination.url}/api/v1/write`, progress: { protocol: 'PromQL', url: destination.url } },
    timeRange: { start: new Date(fromMs).toISOString(), end: new Date(toMs).toISOString() },
  };
}

async function load(source: ServerProcess, set: SeriesSet): Promise<SeriesSet> {
  await pushSamples(`${source.url}/api/v1/write`, set);
  const loaded = await dumpPrometheus(source);
  assertEqualSeries(set, loaded, 'bits');
  return loaded;
}

describe('a destination that accepts only small requests', () => {
  it("gets everything despite VictoriaMetrics' -maxInsertRequestSize", async () => {
    const endMs = startMs + 2 * HOUR_MS;
    await using source = await startPrometheus({ version: '3.5', receiver: true });
    await using destination = await startVictoriaMetrics({ extraArgs: ['-maxInsertRequestSize=64KiB'] });
    const sourceSeries = await load(source, generateDataset({ series: 220, startMs, endMs, kinds: PLAIN_KINDS }));
    const run = await runMigration(specOf(source, destination, startMs, endMs));
    assertExit(run, 0);
    assertAllWritten(run.result, sourceSeries);
    assertEqualSeries(
      keptByVictoriaMetrics(sourceSeries),
      await exportVictoriaMetrics(destination.url),
      'relative-1e-11',
    );
    assert.ok((await refusedInserts(destination)) > 0, 'the limit was never met');
  });
});

describe('a source that limits its responses', () => {
  it("is read in smaller windows until Prometheus' sample limit is respected", async () => {
    const denseMs = startMs + HOUR_MS;
    const endMs = denseMs + 20_000;
    await using source = await startPrometheus({
      version: '3.5',
      receiver: true,
      extraArgs: ['--storage.remote.read-sample-limit=400'],
    });
    await using destination = await startPrometheus({ version: '3.5', receiver: true });
    // Hundreds in five minutes, which requires shorter windows; then 450 in a second, which requires a split by name; and one name that
    // exceeds the limit by itself.
    const generated = union(
      generateDataset({ series: 44, startMs, endMs, kinds: PLAIN_KINDS }),
      ...['a', 'b'].map((prefix) =>
        generateDataset({ series: 150, startMs: denseMs, endMs, kinds: ['one-second'], prefix }),
      ),
      generateDataset({ series: 500, startMs: endMs - 4_000, endMs, kinds: ['one-second'], prefix: 'c' }),
    );
    const sourceSeries = await load(source, generated);
    const spec = specOf(source, destination, startMs, endMs);
    const run = await runMigration({ ...spec, source: { ...(spec['source'] as object), readMode: 'Samples' } });
    assertExit(run, 0);
    assertAllWritten(run.result, sourceSeries);
    assert.match(run.stderr, /window split by=time .*exceeded sample limit \(400\)/);
    assert.match(run.stderr, /window split by=name /);
    assertEqualSeries(asPlainResponse(sourceSeries), await dumpPrometheus(destination), 'bits');
  });
});

describe('a migration with little memory', () => {
  const endMs = startMs + 2.5 * HOUR_MS;
  let source: ServerProcess;
  let sourceSeries: SeriesSet;

  before(async () => {
    source = await startPrometheus({ version: '3.5', receiver: true });
    // Chunks of random mantissas take more than eight bytes per sample.
    const set = union(
      ...Object.entries({ a: 60, b: 60, c: 230, d: 60, e: 60 }).map(([prefix, series]) =>
        generateDataset({ series, startMs, endMs, kinds: ['random'], intervalMs: 1_000, prefix }),
      ),
    );
    sourceSeries = await load(source, set);
  });

  after(async () => {
    await source?.[Symbol.asyncDispose]();
  });

  for (const [readMode, inFlightWrites, fromMs] of [
    ['Auto', 2, startMs],
    ['Samples', 1, startMs + 1.25 * HOUR_MS],
  ] as const) {
    it(`copies more than fits into the memory (readMode ${readMode}, inFlightWrites ${inFlightWrites})`, async () => {
      await using destination = await startVictoriaMetrics();
      const spec = specOf(source, destination, fromMs, endMs);
      const run = await runMigration({
        ...spec,
        source: { ...(spec['source'] as object), readMode },
        limits: { memory: '32Mi', inFlightWrites },
      });
      assertExit(run, 0);
      const part = sliceSeries(sourceSeries, fromMs, endMs);
      assert.ok(countSamples(part) * (readMode === 'Auto' ? 8 : 16) > 32 * MEBIBYTE, 'the data fit into the memory');
      assertAllWritten(run.result, part);
      assertEqualSeries(part, await exportVictoriaMetrics(destination.url), 'relative-1e-11');
      const { peakRssBytes } = run;
      tell(`32 MiB of limits.memory, ${countSamples(part)} samples`);
      if (peakRssBytes !== undefined) {
        // The budget, plus the memory of Node itself.
        assert.ok(peakRssBytes < (32 + 256) * MEBIBYTE, `peak RSS ${Math.round(peakRssBytes / MEBIBYTE)} MiB`);
      }
    });
  }

  it('copies an hour of SAMPLES in one window, in portions of the names, into a Prometheus that takes them in order', async () => {
    await using destination = await startPrometheus({ version: '3.5', receiver: true });
    const fromMs = endMs - 1.25 * HOUR_MS;
    const spec = specOf(source, destination, fromMs, endMs);
    const run = await runMigration({
      ...spec,
      source: { ...(spec['source'] as object), readMode: 'Samples' },
      destination: { ...(spec['destination'] as object), ordering: 'InOrder' },
      limits: { memory: '32Mi', inFlightWrites: 1 },
    });
    assertExit(run, 0);
    const part = sliceSeries(sourceSeries, fromMs, endMs);
    assertAllWritten(run.result, part);
    // Five minutes, an hour, the rest. With all names in each request it takes eight.
    assert.ok(run.result.windows <= 4, `${run.result.windows} windows`);
    assertEqualSeries(asPlainResponse(part), await dumpPrometheus(destination), 'bits');
  });
});

/** Prometheus omits a value that equals 0 from a SAMPLES response, including -0. */
function asPlainResponse(set: SeriesSet): SeriesSet {
  const plain = (bits: bigint) => (bits === 0x8000000000000000n ? 0n : bits);
  return new Map([...set].map(([key, series]) => [key, { ...series, bits: series.bits.map(plain) }]));
}

/** How many writes VictoriaMetrics has rejected with an error. */
async function refusedInserts(server: ServerProcess): Promise<number> {
  const { body } = await request(`${server.url}/metrics`);
  const lines = body
    .toString('utf8')
    .matchAll(/^vm_http_request_errors_total\{path="\/api\/v1\/write"[^}]*\} (\d+)$/gm);
  return [...lines].reduce((sum, [, errors]) => sum + Number(errors), 0);
}
