// VictoriaMetrics as a source, through its native export: its blocks are held as they arrive, and decoded when they are read.

import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import fc from 'fast-check';
import { MemoryBudget } from '../../../src/migration/limits/memory-budget.ts';
import { Reservation } from '../../../src/migration/limits/reservation.ts';
import { readWhole } from '../../../src/migration/source/series-source.ts';
import { VictoriaMetricsSource } from '../../../src/migration/source/victoriametrics-source.ts';
import { DoesNotFit } from '../../../src/remote/does-not-fit.ts';
import type { ResponsePart } from '../../../src/remote/series-stream.ts';
import { WireError } from '../../../src/wire/errors.ts';
import type { Matcher } from '../../../src/wire/messages.ts';
import { metricName } from '../../../src/wire/labels.ts';
import { SampleColumns } from '../../../src/wire/sample-columns.ts';
import { endpointAt, httpServer, recordingHooks } from '../../remote/servers.ts';
import { encodeBlock, encodeRecord } from '../../wire/native-export/encoder.ts';

type Block = readonly [name: string, ...times: number[]];
interface Range {
  readonly fromMs: number;
  readonly toMs: number;
}

/** The value of a sample is its time. */
function exportOf(blocks: readonly Block[]): Buffer {
  const records = blocks.map(([name, ...times]) => {
    const integers = times.map(BigInt);
    const one = { times: integers, mantissas: integers, exponent: 0, timesEncoding: 6, valuesEncoding: 6 };
    return encodeRecord(Buffer.from(`${name}\u0001`), encodeBlock(one));
  });
  return Buffer.concat([Buffer.alloc(16), ...records]);
}

const line = (name: string, ...times: number[]) =>
  `${JSON.stringify({ metric: { __name__: name }, values: times, timestamps: times })}\n`;

function everySample({ cursor }: ResponsePart, { fromMs, toMs }: Range): [name: string, ...times: number[]][] {
  const found: [name: string, ...times: number[]][] = [];
  const columns = new SampleColumns();
  cursor.rewind();
  while (cursor.next()) {
    columns.clear();
    cursor.decode(fromMs, toMs, columns);
    assert.equal(columns.floats, cursor.sampleBound, 'the bound is a count');
    const values = new Float64Array(columns.floatBits.slice(0, 2 * columns.floats).buffer);
    const times = [...columns.floatTimesMs.subarray(0, columns.floats)];
    assert.deepEqual([...values], times);
    found.push([metricName(cursor.labels), ...times]);
  }
  return found;
}

async function opened(
  blocks: (response: ServerResponse) => void,
  options: { readonly budgetBytes?: number; readonly longestMs?: number; readonly json?: () => string } = {},
) {
  const { budgetBytes = 2 ** 25, longestMs = 1000, json = () => '' } = options;
  const paths: string[] = [];
  const server = await httpServer((request, response) => {
    const path = (request.url ?? '').replace(/\?.*/, '');
    paths.push(path);
    if (path === '/flags') response.writeHead(200).end('');
    else if (path === '/api/v1/export/native') {
      response.writeHead(200, { 'content-type': 'VictoriaMetrics/native' });
      blocks(response);
    } else response.writeHead(200, { 'content-type': 'application/stream+json' }).end(json());
  });
  const source = new VictoriaMetricsSource({
    ...{
      endpoint: endpointAt(server.url, { side: 'source' }),
      client: recordingHooks(),
      maxBytes: budgetBytes / 2,
      longestMs,
    },
    ...{ random: () => 0.5, observer: { event: () => undefined } },
  });
  let usedBytes = 0;
  const budget = new MemoryBudget(budgetBytes, (used) => {
    usedBytes = used;
  });
  return {
    /** How the store was read. */
    get exports() {
      return paths.filter((path) => path.startsWith('/api')).map((path) => path.replace('/api/v1/export', 'export'));
    },
    /** Calls `use` while the response is held. */
    async read<T>(
      range: Range,
      use: (part: ResponsePart, heldBytes: number) => T,
      matchers: readonly Matcher[] = [],
    ): Promise<T> {
      const memory = new Reservation(budget, source.buffers);
      const query = { matchers, ...range, samplesOnly: false };
      try {
        const part = await readWhole(source, query, { attempt: 1, signal: new AbortController().signal, memory });
        return use(part, usedBytes);
      } finally {
        memory.release();
        assert.equal(usedBytes, 0);
      }
    },
    async [Symbol.asyncDispose]() {
      source.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Blocks of a few series, as a store may have them: in any order, with times that several blocks have. */
const anyBlocks = fc.array(
  fc
    .tuple(fc.constantFrom('a', 'b', 'c'), fc.array(fc.nat(100), { minLength: 1, maxLength: 20 }))
    .map(([name, times]): Block => [name, ...times.sort((a, b) => a - b)]),
  { maxLength: 12 },
);

describe("a VictoriaMetrics' blocks as a source", () => {
  it('have the samples of the range, in whichever blocks they are', async () => {
    let current: readonly Block[] = [];
    const json = () => current.map(([name, ...times]) => line(name, ...times)).join('');
    await using store = await opened((response) => response.end(exportOf(current)), { json });
    await fc.assert(
      fc.asyncProperty(anyBlocks, fc.nat(100), fc.nat(100), async (blocks, one, other) => {
        current = blocks;
        const range = { fromMs: Math.min(one, other), toMs: Math.max(one, other) + 1 };
        const expected = new Map<string, number[]>();
        for (const [name, ...times] of [...blocks].sort(([, a = 0], [, b = 0]) => a - b)) {
          const inside = times.filter((time) => time >= range.fromMs && time < range.toMs);
          if (inside.length > 0) expected.set(name, [...(expected.get(name) ?? []), ...inside]);
        }
        const found = new Map<string, number[]>();
        for (const [name, ...times] of await store.read(range, (part) => everySample(part, range)))
          found.set(name, [...(found.get(name) ?? []), ...times]);
        const sorted = (series: ReadonlyMap<string, number[]>) =>
          [...series].map(([name, times]) => [name, times.sort((a, b) => a - b)]).sort();
        assert.deepEqual(sorted(found), sorted(expected));
      }),
      { numRuns: 300 },
    );
    const native = store.exports.filter((path) => path === 'export/native').length;
    assert.ok(native > store.exports.length / 4, `${native} of ${store.exports.length}`);
  });

  it('take the memory of their bytes, not of their samples', async () => {
    const times = Array.from({ length: 8000 }, (_, i) => i);
    const blocks = Array.from({ length: 100 }, (_, i): Block => [`series_${i}`, ...times]);
    const bytes = exportOf(blocks);
    await using store = await opened((response) => response.end(bytes), { longestMs: 10_000 });
    await store.read({ fromMs: 0, toMs: 10_000 }, (part, heldBytes) => {
      assert.equal(everySample(part, { fromMs: 0, toMs: 10_000 }).length, 100);
      // 800,000 samples of 16 bytes would be 12.8 MB.
      assert.ok(heldBytes < 5_000_000, `${heldBytes}`);
      assert.ok(part.rangeBytes !== undefined && part.rangeBytes > 1_600_000 && part.rangeBytes < heldBytes);
    });
    // Most of the memory is needed for a tenth of the range too.
    await store.read({ fromMs: 0, toMs: 1000 }, (part, heldBytes) =>
      assert.ok(part.rangeBytes !== undefined && part.rangeBytes < heldBytes / 8, `${part.rangeBytes} of ${heldBytes}`),
    );
  });

  it('are divided by names if they do not fit, because a shorter range would have the same blocks', async () => {
    const times = Array.from({ length: 8000 }, (_, i) => i);
    const blocks = exportOf(Array.from({ length: 200 }, (_, i): Block => [`series_${i % 10}`, ...times]));
    await using store = await opened((response) => response.end(blocks), { budgetBytes: 6_000_000 });
    for (const toMs of [10_000, 1000]) {
      await assert.rejects(
        store.read({ fromMs: 0, toMs }, () => undefined),
        (error) => {
          if (!(error instanceof DoesNotFit)) throw error;
          assert.equal(error.labelsDominate, true);
          assert.ok(error.seenNames.length > 1);
          return true;
        },
      );
    }
  });

  it('are read although the range is a small part of them, if it can become longer', async () => {
    const times = Array.from({ length: 200 }, (_, i) => i * 10);
    for (const [longestMs, then] of [
      [1000, 'export/native'],
      [20, 'export'],
    ] as const) {
      await using store = await opened((response) => response.end(exportOf([['a', ...times]])), {
        longestMs,
        json: () => line('a', 0, 10),
      });
      const range = { fromMs: 0, toMs: 20 };
      for (let i = 0; i < 2; i++)
        assert.deepEqual(await store.read(range, (part) => everySample(part, range)), [['a', 0, 10]]);
      assert.deepEqual(store.exports, ['export/native', then]);
    }
  });

  it('are read as JSON if the range stays a small part of them, although it could become longer', async () => {
    const times = Array.from({ length: 200 }, (_, i) => i * 10);
    const bytes = exportOf([['a', ...times]]);
    await using store = await opened((response) => response.end(bytes), { json: () => line('a', 0, 10) });
    const range = { fromMs: 0, toMs: 20 };
    for (let i = 0; i < 40; i++)
      assert.deepEqual(await store.read(range, (part) => everySample(part, range)), [['a', 0, 10]]);
    assert.ok(store.exports.slice(0, 10).every((path) => path === 'export/native'));
    const native = store.exports.slice(20).filter((path) => path === 'export/native');
    assert.ok(native.length < 3, `${native.length} of the last 20`);
  });

  it('are read as JSON after one of them could not be decoded', async () => {
    const block = encodeBlock({
      ...{ times: [1n, 2n, 3n], mantissas: [1n, 2n, 3n], exponent: 0, timesEncoding: 6, valuesEncoding: 6 },
    });
    // The last byte of the values says that another follows.
    const damaged = Uint8Array.from(block, (byte, i) => (i === block.length - 1 ? 0xff : byte));
    const bytes = Buffer.concat([Buffer.alloc(16), encodeRecord(Buffer.from('a\u0001'), damaged)]);
    await using store = await opened((response) => response.end(bytes), { json: () => line('a', 1, 2, 3) });
    const range = { fromMs: 0, toMs: 10 };
    const read = () => store.read(range, (part) => everySample(part, range));
    await assert.rejects(read(), WireError);
    assert.deepEqual(await read(), [['a', 1, 2, 3]]);
    assert.deepEqual(store.exports, ['export/native', 'export']);
  });

  it('are read as JSON, at once and from then on, if those of a single name do not fit', async () => {
    const times = Array.from({ length: 8000 }, (_, i) => i);
    const bytes = exportOf(Array.from({ length: 200 }, (): Block => ['a', ...times]));
    const options = { budgetBytes: 6_000_000, json: () => line('a', 1, 2) };
    await using store = await opened((response) => response.end(bytes), options);
    const range = { fromMs: 0, toMs: 10_000 };
    const read = () =>
      store.read(
        range,
        (part, heldBytes) => {
          assert.ok(heldBytes < 500_000, `${heldBytes}`);
          return everySample(part, range);
        },
        [{ kind: '=', name: '__name__', value: 'a' }],
      );
    assert.deepEqual(await read(), [['a', 1, 2]]);
    assert.deepEqual(await read(), [['a', 1, 2]]);
    assert.deepEqual(store.exports, ['export/native', 'export', 'export']);
  });

  it('are read as JSON at once if they have an encoding that is not known', async () => {
    const block = encodeBlock({
      ...{ times: [1n, 2n, 30n], mantissas: [1n, 2n, 3n], exponent: 0, timesEncoding: 6, valuesEncoding: 6 },
    });
    const unknown = Uint8Array.from(block, (byte) => (byte === 6 ? 9 : byte));
    assert.notDeepEqual(unknown, block);
    const bytes = Buffer.concat([Buffer.alloc(16), encodeRecord(Buffer.from('a\u0001'), unknown)]);
    await using store = await opened((response) => response.end(bytes), { json: () => line('a', 1, 2, 30) });
    const range = { fromMs: 0, toMs: 10 };
    for (let i = 0; i < 2; i++)
      assert.deepEqual(await store.read(range, (part) => everySample(part, range)), [['a', 1, 2]]);
    assert.deepEqual(store.exports, ['export/native', 'export', 'export']);
  });
});
