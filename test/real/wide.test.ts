// More series than fit into the memory: their stream is written while it arrives. Broken connections and SIGKILLs at random moments, and a
// comparison of both sides at the end.
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { pushSamples } from '../support/load.ts';
import { dumpPrometheus, exportVictoriaMetrics } from '../support/readers.ts';
import { bitsOf, countSamples, type Label, labelText, SeriesBuilder, type SeriesSet } from '../support/series-set.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { startPrometheus, startVictoriaMetrics } from '../support/servers.ts';
import { type MigrationSpec, runMigration, startMigration } from './support/migration.ts';
import {
  assertEqualSets,
  assertExit,
  fromPrometheus,
  range,
  toPrometheus,
  toVictoriaMetrics,
} from './support/pairs.ts';

const START_MS = Date.UTC(2025, 5, 1);
const SERIES = 60_000;
const NAMES = 50;
const STEP_MS = 5 * 60_000;
const SAMPLES = 4;
/** A whole response has at least as much, and little more. */
const BYTES = SERIES * 410;
const timeRange = range(START_MS, START_MS + SAMPLES * STEP_MS);
/** Reading may use 18 MiB; the stream has 25 MB. */
const limits = { memory: '32Mi', inFlightWrites: 3 };

function wideSet(): SeriesSet {
  const set: SeriesSet = new Map();
  const padding = 'x'.repeat(300);
  for (let i = 0; i < SERIES; i++) {
    const labels: Label[] = [
      ['__name__', `metric_${i % NAMES}`],
      ['instance', `host-${i}`],
      ['padding', padding],
    ];
    const builder = new SeriesBuilder(labels);
    for (let k = 0; k < SAMPLES; k++) builder.add(START_MS + k * STEP_MS, bitsOf(i + k / 8));
    const series = builder.finish();
    set.set(labelText(series.labels), series);
  }
  return set;
}

interface Relay extends AsyncDisposable {
  readonly url: string;
  cuts: number;
}

/** A TCP proxy that resets connections, each time after a random part of what a whole response has. */
async function startCutting(target: ServerProcess, most: number): Promise<Relay> {
  const { hostname, port } = new URL(target.url);
  const sockets = new Set<Socket>();
  // Over all connections: a response that does not fit is ended early, and the rest comes on others.
  let left = randomInt(BYTES / 4, BYTES);
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        client.destroy();
        upstream.destroy();
      });
    }
    upstream.on('data', (piece: Buffer) => {
      left -= piece.length;
      if (left > 0 || relay.cuts >= most) return;
      left = randomInt(BYTES / 4, BYTES);
      relay.cuts++;
      client.resetAndDestroy();
    });
    client.pipe(upstream);
    upstream.pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const relay: Relay = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cuts: 0,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return relay;
}

describe('60,000 series in little memory', () => {
  const set = wideSet();
  const samples = countSamples(set);
  let source: ServerProcess;

  before(async () => {
    source = await startPrometheus({ version: '3.5', receiver: true });
    await pushSamples(`${source.url}/api/v1/write`, set);
  });
  after(() => source[Symbol.asyncDispose]());

  const destinations = [
    {
      title: 'VictoriaMetrics',
      start: () => startVictoriaMetrics(),
      sideOf: toVictoriaMetrics,
      read: (server: ServerProcess) => exportVictoriaMetrics(server.url),
    },
    {
      title: 'Prometheus, in order',
      start: () => startPrometheus({ version: '3.5', receiver: true }),
      sideOf: toPrometheus,
      read: dumpPrometheus,
    },
  ];

  for (const { title, start, sideOf, read } of destinations) {
    const specOf = (server: ServerProcess, url = fromPrometheus(source)['url']): MigrationSpec => ({
      source: { url },
      destination: sideOf(server),
      limits,
      timeRange,
    });

    it(`into ${title}: are read once`, async () => {
      await using destination = await start();
      const run = await runMigration(specOf(destination));
      assertExit(run, 0);
      const { samplesRead, samplesWritten, bytesRead, windows } = run.result;
      assert.deepEqual(
        { samplesRead, samplesWritten, windows },
        { samplesRead: samples, samplesWritten: samples, windows: 1 },
      );
      assert.ok(bytesRead >= BYTES && bytesRead < 1.05 * BYTES, `${bytesRead} bytes were read`);
      assert.doesNotMatch(run.stderr, /window split/);
      assertEqualSets(title, set, await read(destination));
    });

    it(`into ${title}: broken connections lose and double nothing`, async () => {
      await using destination = await start();
      await using relay = await startCutting(source, 3);
      const run = await runMigration(specOf(destination, `${relay.url}/api/v1/read`));
      assertExit(run, 0);
      assert.equal(relay.cuts, 3);
      const { samplesRead, samplesWritten, samplesAlreadyPresent } = run.result;
      console.log(`      ${samplesAlreadyPresent} samples had been written before a connection broke`);
      assert.equal(samplesRead, samples);
      assert.equal(samplesWritten + samplesAlreadyPresent, samples);
      assert.ok(samplesAlreadyPresent > 0);
      assertEqualSets(title, set, await read(destination));
    });

    it(`into ${title}: SIGKILLs lose and double nothing`, async () => {
      await using destination = await start();
      const spec = { ...specOf(destination), limits: { ...limits, samplesPerSecond: 60_000 } };
      for (let kill = 0; kill < 4; kill++) {
        await using migration = await startMigration(spec);
        await migration.saying(/ migration started /);
        await sleep(randomInt(3000));
        migration.child.kill('SIGKILL');
        await migration.ended;
      }
      const run = await runMigration(specOf(destination));
      assertExit(run, 0);
      console.log(`      ${run.result.samplesAlreadyPresent} samples had been written before the last run`);
      assertEqualSets(title, set, await read(destination));
    });
  }
});
