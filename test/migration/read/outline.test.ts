import assert from 'node:assert/strict';
import { BufferPool } from '../../../src/migration/limits/buffer-pool.ts';
import { MemoryBudget } from '../../../src/migration/limits/memory-budget.ts';
import { DoesNotFit } from '../../../src/remote/does-not-fit.ts';
import { Reservation } from '../../../src/migration/limits/reservation.ts';
import { outlineOf } from '../../../src/migration/read/outline.ts';
import type { Route } from '../../../src/migration/series/series-router.ts';
import type { SeriesCursor } from '../../../src/wire/responses/read-response.ts';
import { encodeLabels } from '../../../src/wire/labels.ts';

const labels = encodeLabels([['__name__', 'm']]);
const { signal } = new AbortController();

/** This many series of one sample with the same labels; only the fields that an outline uses. */
function cursorOf(series: number, decodedBytes = 16): SeriesCursor {
  let at = 0;
  const cursor = {
    labels,
    sampleBound: 1,
    decodedBytes,
    next: () => at++ < series,
    rewind: () => {
      at = 0;
    },
  };
  return cursor as unknown as SeriesCursor;
}

/** Routes the n-th series to the hash n, modulo `distinct`. */
function routerOf(distinct: number) {
  let entries = 0;
  return { route: (): Route => ({ kind: 'write', labels, hash: entries++ % distinct }) };
}

/** A budget that records the current and the maximum reservation. */
function budgetOf(totalBytes: number) {
  const most = { bytes: 0 };
  const used = { bytes: 0 };
  const budget = new MemoryBudget(totalBytes, (bytes) => {
    used.bytes = bytes;
    most.bytes = Math.max(most.bytes, bytes);
  });
  return { budget, most, used, reservation: new Reservation(budget, new BufferPool()) };
}

describe('the outline of a response', () => {
  const mebibyte = 2 ** 20;

  it('reserves what grows with the number of series: 24 bytes for each, and the same again while it grows', async () => {
    const { most, used, reservation } = budgetOf(64 * mebibyte);
    const series = 300_000;
    const room = 2 ** 19;
    const outline = await outlineOf([cursorOf(series)], {
      router: routerOf(series),
      uncertain: false,
      reservation,
      signal,
    });
    assert.equal(outline.entries, series);
    assert.equal(outline.hashes.byteLength, room * 8);
    assert.ok(most.bytes >= room * 24 + (room / 2) * 24, `${most.bytes}`);
    // Its hashes and the largest series stay reserved.
    assert.ok(used.bytes >= room * 8 + 16 && used.bytes < room * 8 + 10_000, `${used.bytes}`);
  });

  it('does not fit before the memory is free, and not afterwards', async () => {
    const { most, reservation } = budgetOf(4 * mebibyte);
    await assert.rejects(
      outlineOf([cursorOf(10_000_000)], { router: routerOf(10_000_000), uncertain: false, reservation, signal }),
      DoesNotFit,
    );
    assert.ok(most.bytes <= 4 * mebibyte);
    reservation.release();
  });

  it('waits for memory held by another window', async () => {
    const { budget, reservation } = budgetOf(4 * mebibyte);
    await budget.reserve(3.5 * mebibyte, signal);
    const options = { router: routerOf(50_000), uncertain: false, reservation, signal };
    let done = false;
    const outline = outlineOf([cursorOf(50_000)], options).finally(() => {
      done = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(done, false);
    budget.release(3.5 * mebibyte);
    assert.equal((await outline).entries, 50_000);
  });

  it('reserves memory for repeated hashes, and for merging', async () => {
    const { used, reservation } = budgetOf(64 * mebibyte);
    const options = { router: routerOf(10_000), uncertain: false, reservation, signal };
    const outline = await outlineOf([cursorOf(20_000)], options);
    assert.equal(outline.repeated.size, 10_000);
    const merging = 20_000 * (16 + 800 + 3 * labels.length);
    assert.ok(used.bytes >= outline.hashes.byteLength + 10_000 * 40 + merging, `${used.bytes}`);
  });

  it('reserves memory for the comparison with the destination', async () => {
    const { used, reservation } = budgetOf(64 * mebibyte);
    const options = { router: routerOf(20_000), uncertain: true, reservation, signal };
    const outline = await outlineOf([cursorOf(20_000)], options);
    assert.deepEqual([...(outline.names ?? [])], ['m']);
    assert.ok(used.bytes >= 20_000 * (400 + labels.length + 8), `${used.bytes}`);
    reservation.release();
    assert.equal(used.bytes, 0);
  });
});
