// The memory that one series of a decoded response takes while it arrives is a part of the budget.
import assert from 'node:assert/strict';
import { MemoryBudget } from '../../../src/migration/limits/memory-budget.ts';
import { Reservation } from '../../../src/migration/limits/reservation.ts';
import { PromqlSource } from '../../../src/migration/source/promql-source.ts';
import { readWhole } from '../../../src/migration/source/series-source.ts';
import { VictoriaMetricsSource } from '../../../src/migration/source/victoriametrics-source.ts';
import { DoesNotFit } from '../../../src/remote/does-not-fit.ts';
import { endpointAt, httpServer, recordingHooks } from '../../remote/servers.ts';

const FROM_MS = 1_700_000_000_000;
const SAMPLES = 20_000;
const times = Array.from({ length: SAMPLES }, (_, i) => FROM_MS + i);
const LINE = `${JSON.stringify({ metric: { __name__: 'x' }, values: times.map(() => 1), timestamps: times })}\n`;
const MATRIX = JSON.stringify({
  status: 'success',
  data: {
    resultType: 'matrix',
    result: [{ metric: { __name__: 'x' }, values: times.map((timeMs) => [timeMs / 1000, '1']) }],
  },
});

const protocols = {
  VictoriaMetrics: { open: VictoriaMetricsSource, path: '/api/v1/export', body: LINE },
  PromQL: { open: PromqlSource, path: '/api/v1/query', body: MATRIX },
} as const;

async function read(
  protocol: keyof typeof protocols,
  budgetBytes: number,
): Promise<{ peakBytes: number; left: number }> {
  const { open, path, body } = protocols[protocol];
  await using server = await httpServer(({ url }, response) => {
    if (new URL(url ?? '', 'http://x').pathname !== path) response.writeHead(404).end('no such page');
    else response.writeHead(200, { 'content-type': 'application/json' }).end(body);
  });
  const endpoint = endpointAt(server.url, { side: 'source' });
  const observer = { event: () => undefined };
  const source = new open({
    endpoint,
    client: recordingHooks(),
    maxBytes: 1 << 26,
    longestMs: 3_600_000,
    random: () => 0.5,
    observer,
  });
  let peakBytes = 0;
  let usedBytes = 0;
  const budget = new MemoryBudget(budgetBytes, (used) => {
    usedBytes = used;
    peakBytes = Math.max(peakBytes, used);
  });
  const memory = new Reservation(budget, source.buffers);
  const query = { matchers: [], fromMs: FROM_MS, toMs: FROM_MS + SAMPLES, samplesOnly: false };
  try {
    const { cursor } = await readWhole(source, query, { attempt: 1, signal: new AbortController().signal, memory });
    assert.ok(cursor.next() && cursor.sampleBound === SAMPLES);
    return { peakBytes, left: usedBytes };
  } finally {
    memory.release();
    assert.equal(usedBytes, 0);
    source.close();
  }
}

describe('a series that is decoded', () => {
  for (const protocol of ['VictoriaMetrics', 'PromQL'] as const) {
    it(`takes memory of the budget until it is stored: ${protocol}`, async () => {
      const { peakBytes, left } = await read(protocol, 1 << 26);
      // As text and as columns.
      assert.ok(peakBytes - left >= 4 * protocols[protocol].body.length - 65_536, `${peakBytes} of ${left}`);
    });

    it(`does not fit if there is not enough: ${protocol}`, async () => {
      await assert.rejects(read(protocol, 4 * SAMPLES), DoesNotFit);
    });
  }
});
