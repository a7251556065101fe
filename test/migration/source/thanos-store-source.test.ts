// A StoreAPI as a source: what is never taken for an empty range, and what is said about one.
import assert from 'node:assert/strict';
import { ThanosStoreSource } from '../../../src/migration/source/thanos-store-source.ts';
import { readWhole } from '../../../src/migration/source/series-source.ts';
import { MemoryBudget } from '../../../src/migration/limits/memory-budget.ts';
import { Reservation } from '../../../src/migration/limits/reservation.ts';
import type { MigrationEvent } from '../../../src/migration/report/observer.ts';
import { RemoteError } from '../../../src/remote/meaning/remote-error.ts';
import { WireError } from '../../../src/wire/errors.ts';
import { MovedClock } from '../../support/clouds/credentials.ts';
import {
  MAX_INT64,
  MIN_INT64,
  StoreFailure,
  type StoreHandler,
  type StoreInfo,
  type StoreServerOptions,
  startStoreServer,
} from '../../support/thanos-store.ts';
import { endpointAt, recordingHooks } from '../../remote/servers.ts';

const HOUR_MS = 3_600_000;
const T0 = 1_740_000_000_000;

const tsdb = (cluster: string, fromHour: number, toHour: number) => ({
  labels: { labels: [{ name: 'cluster', value: cluster }] },
  min_time: T0 + fromHour * HOUR_MS,
  max_time: T0 + toHour * HOUR_MS,
});

function queryOf(...stores: readonly ReturnType<typeof tsdb>[]): StoreInfo {
  if (stores.length === 0) return NO_STORES;
  return {
    component_type: 'query',
    label_sets: stores.map(({ labels }) => labels),
    store: {
      min_time: Math.min(...stores.map(({ min_time }) => min_time)),
      max_time: Math.max(...stores.map(({ max_time }) => max_time)),
      tsdb_infos: [...stores],
    },
  };
}

const NO_STORES: StoreInfo = {
  component_type: 'query',
  label_sets: [],
  store: { min_time: MIN_INT64, max_time: MAX_INT64 },
};

const NOTHING: StoreHandler = () => undefined;

async function sourceOf(handler: StoreHandler, options: StoreServerOptions, maxMessageBytes = 1 << 20) {
  const server = await startStoreServer(handler, options);
  const events: MigrationEvent[] = [];
  const endpoint = { ...endpointAt(server.url, { side: 'source' }), maxFrameBytes: 1 << 20, replicaLabels: [] };
  const clock = new MovedClock();
  let peakBytes = 0;
  const source = new ThanosStoreSource(
    endpoint,
    { ...recordingHooks(), clock },
    { observer: { event: (event) => events.push(event) }, maxMessageBytes },
  );
  /** The outcome of a window of an hour. */
  const read = async (hour: number, attempt = 1): Promise<string> => {
    const budget = new MemoryBudget(1 << 24, (usedBytes) => {
      peakBytes = Math.max(peakBytes, usedBytes);
    });
    const memory = new Reservation(budget, source.buffers);
    const query = { matchers: [], fromMs: T0 + hour * HOUR_MS, toMs: T0 + (hour + 1) * HOUR_MS, samplesOnly: false };
    clock.aheadMs += 60_000;
    try {
      const { cursor } = await readWhole(source, query, { attempt, signal: new AbortController().signal, memory });
      let series = 0;
      while (cursor.next()) series++;
      return `${series} series`;
    } catch (error) {
      if (error instanceof WireError) return `${error.code}: ${error.message}`;
      assert.ok(error instanceof RemoteError, String(error));
      return `${error.class} ${error.code}: ${error.message}`;
    } finally {
      memory.release();
    }
  };
  return {
    read,
    server,
    peakBytes: () => peakBytes,
    warnings: () => events.flatMap((event) => (event.type === 'warning' ? [event] : [])),
    async [Symbol.asyncDispose]() {
      source.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

describe('a StoreAPI as a source', () => {
  for (const infoApi of ['current', 'old'] as const) {
    it(`is not empty because a Query has no stores (${infoApi} Info API)`, async () => {
      let said = NO_STORES;
      await using source = await sourceOf(NOTHING, { infoApi, info: () => said });
      assert.match(await source.read(0), /^transient stores-missing: .*its Info API says that it has no stores/);
      // Not even requested.
      assert.equal(source.server.requests.length, 0);
      said = queryOf(tsdb('a', 0, 4));
      assert.equal(await source.read(0), '0 series');
    });
  }

  it('is not empty because a Query loses its only store, whenever that happens', async () => {
    let said = queryOf(tsdb('a', 0, 4));
    const lose: StoreHandler = () => {
      said = NO_STORES;
    };
    let handler = NOTHING;
    await using source = await sourceOf((request, stream) => handler(request, stream), { info: () => said });
    assert.equal(await source.read(0), '0 series');
    handler = lose;
    assert.match(await source.read(1), /^transient stores-missing: .*it has no stores/);
    assert.match(await source.read(1), /^transient stores-missing: .*it has no stores/);
  });

  it('is not complete without a store that it had, although others respond', async () => {
    let said = queryOf(tsdb('a', 0, 9), tsdb('b', 0, 9));
    const one: StoreHandler = (_, stream) =>
      stream.send({ series: { labels: [{ name: '__name__', value: 'up' }], chunks: [] } });
    await using source = await sourceOf(one, { info: () => said });
    assert.equal(await source.read(0), '1 series');
    said = queryOf(tsdb('a', 0, 9));
    assert.match(
      await source.read(1),
      /^transient stores-missing: .*no longer covers 2025-02-19T22:20:00.000Z to 2025-02-19T23:20:00.000Z of \{cluster="b"\}/,
    );
    said = queryOf(tsdb('a', 0, 9), tsdb('b', 0, 9));
    assert.equal(await source.read(1), '1 series');
  });

  it('is empty where it never had anything', async () => {
    await using source = await sourceOf(
      (_, stream) => stream.send({ warning: 'No StoreAPIs matched for this query' }),
      {
        info: () => queryOf(tsdb('a', 5, 9)),
      },
    );
    assert.equal(await source.read(0), '0 series');
    assert.deepEqual(source.warnings(), []);
  });

  it('may lack a store of another Query', async () => {
    await using source = await sourceOf(
      () => {
        throw new StoreFailure('ABORTED', 'receive series from query-2: No StoreAPIs matched for this query');
      },
      { info: () => queryOf(tsdb('a', 0, 9)) },
    );
    assert.match(await source.read(0), /^transient partial-response/);
  });

  it('says that it cannot know this without an Info API, once', async () => {
    await using source = await sourceOf(NOTHING, { infoApi: 'none' });
    assert.equal(await source.read(0), '0 series');
    assert.equal(await source.read(1), '0 series');
    assert.deepEqual(
      source.warnings().map(({ code }) => code),
      ['stores-unknown'],
    );
  });

  it('is read again if a store appears while the response arrives', async () => {
    let said = queryOf(tsdb('a', 0, 4));
    let handler: StoreHandler = () => {
      said = queryOf(tsdb('a', 0, 4), tsdb('b', 0, 4));
    };
    await using source = await sourceOf((request, stream) => handler(request, stream), { info: () => said });
    assert.match(await source.read(0), /^transient stores-missing: .*\{cluster="b"\} was not there yet/);
    handler = NOTHING;
    assert.equal(await source.read(0, 2), '0 series');
    assert.deepEqual(source.warnings(), []);
  });

  it('is read again if the Info API that was there does not respond, whatever a proxy says instead', async () => {
    let isAway = false;
    const info = () => {
      if (isAway) throw new StoreFailure('UNIMPLEMENTED', 'unknown service thanos.info.Info');
      return queryOf(tsdb('a', 0, 4));
    };
    await using source = await sourceOf(NOTHING, { info });
    assert.equal(await source.read(0), '0 series');
    isAway = true;
    assert.match(await source.read(1), /^transient stores-missing: .*no Info API any more/);
    isAway = false;
    assert.equal(await source.read(1, 2), '0 series');
    assert.deepEqual(source.warnings(), []);
  });

  it('says that a store has appeared in a range that was read', async () => {
    let said = queryOf(tsdb('a', 0, 9));
    await using source = await sourceOf(NOTHING, { info: () => said });
    await source.read(0);
    said = queryOf(tsdb('a', 0, 9), tsdb('b', 0, 9));
    await source.read(1);
    await source.read(2);
    const [warning, ...others] = source.warnings();
    assert.equal(warning?.code, 'stores-appeared');
    assert.match(warning?.message ?? '', /\{cluster="b"\}/);
    assert.deepEqual(others, []);
  });

  describe('with large messages', () => {
    const large: StoreHandler = (_, stream) =>
      stream.send({ series: { labels: [{ name: '__name__', value: 'x'.repeat(500_000) }], chunks: [] } });

    it('takes memory of the budget for them', async () => {
      await using source = await sourceOf(large, {});
      assert.equal(await source.read(0), '1 series');
      // The message, its pieces, and what is made of it.
      assert.ok(source.peakBytes() >= 3 * 500_000, `${source.peakBytes()}`);
    });

    it('refuses those that are too large for it, and names the fields', async () => {
      await using source = await sourceOf(large, {}, 400_000);
      assert.match(
        await source.read(0),
        /^too-large: a message of 500\d+ bytes is over the limit of 400000 \(spec.source.maxFrameBytes, .*spec.limits.memory/,
      );
    });
  });

  describe('without samples in a range', () => {
    const failing =
      (code: ConstructorParameters<typeof StoreFailure>[0], details: string): StoreHandler =>
      ({ skip_chunks }) => {
        if (skip_chunks) throw new StoreFailure(code, details);
      };

    it('has downsampled blocks there if it refuses to list that many series', async () => {
      await using source = await sourceOf(
        failing('RESOURCE_EXHAUSTED', 'exceeded series limit: limit 10 violated (got 11)'),
        {},
      );
      assert.equal(await source.read(0), '0 series');
      assert.equal(source.warnings()[0]?.code, 'only-downsampled');
    });

    it('is read again if that is not known for the moment, but not for ever', async () => {
      await using source = await sourceOf(failing('UNAVAILABLE', 'restarting'), {});
      assert.match(await source.read(0, 1), /^transient unavailable/);
      assert.match(await source.read(0, 2), /^transient unavailable/);
      assert.equal(await source.read(0, 3), '0 series');
      assert.equal(await source.read(1, 3), '0 series');
      assert.deepEqual(
        source.warnings().map(({ code }) => code),
        ['downsampled-not-checked'],
      );
    });

    it('is empty although it refuses to say more', async () => {
      await using source = await sourceOf(failing('INVALID_ARGUMENT', 'unknown aggregate'), {});
      assert.equal(await source.read(0), '0 series');
      assert.match(source.warnings()[0]?.message ?? '', /may have downsampled blocks \(.*unknown aggregate/);
    });
  });
});
