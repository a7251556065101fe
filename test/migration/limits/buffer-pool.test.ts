import assert from 'node:assert/strict';
import fc from 'fast-check';
import { BufferPool } from '../../../src/migration/limits/buffer-pool.ts';
import { MemoryBudget } from '../../../src/migration/limits/memory-budget.ts';
import type { Buffers } from '../../../src/remote/http/buffers.ts';
import { DoesNotFit } from '../../../src/remote/does-not-fit.ts';
import { Reservation } from '../../../src/migration/limits/reservation.ts';

const KIBIBYTE = 1024;
const MEBIBYTE = 1024 * KIBIBYTE;
const BLOCK = 256 * KIBIBYTE;
const never = new AbortController().signal;

describe('BufferPool', () => {
  it('reuses returned blocks, and keeps no more than its limit', () => {
    const pool = new BufferPool();
    pool.allow(2 * BLOCK);
    const blocks = [pool.take(BLOCK), pool.take(BLOCK), pool.take(BLOCK)];
    for (const block of blocks) pool.give(block);
    assert.equal(blocks[2]?.length, 0, 'what does not fit is freed immediately');
    const again = [pool.take(BLOCK), pool.take(BLOCK), pool.take(BLOCK)];
    assert.deepEqual(new Set(again.slice(0, 2)), new Set(blocks.slice(0, 2)));
    assert.ok(!blocks.includes(again[2]!));
  });

  it('frees idle blocks when the limit is lowered, the largest first, and all of them when closed', () => {
    const pool = new BufferPool();
    pool.allow(10 * MEBIBYTE);
    const [small, large] = [pool.take(BLOCK), pool.take(3 * MEBIBYTE)];
    pool.give(small);
    pool.give(large);
    pool.allow(MEBIBYTE);
    assert.equal(large.length, 0);
    assert.equal(small.length, BLOCK);
    pool.close();
    assert.equal(small.length, 0);
    const late = pool.take(BLOCK);
    pool.give(late);
    pool.allow(MEBIBYTE);
    assert.equal(late.length, 0, 'what comes back after the end is not kept');
  });

  it('reuses a slightly larger block for a message, but not a much larger one', () => {
    const pool = new BufferPool();
    pool.allow(100 * MEBIBYTE);
    const message = pool.take(10 * MEBIBYTE - 5);
    assert.equal(message.length, 10 * MEBIBYTE);
    pool.give(message);
    assert.notEqual(pool.take(2 * MEBIBYTE), message);
    assert.equal(pool.take(9 * MEBIBYTE), message);
  });

  it('reports every returned block, including small ones', () => {
    const shown: number[] = [];
    const pool = new BufferPool((memory) => shown.push(memory.length));
    pool.give(new Uint8Array(100));
    pool.give(pool.take(BLOCK));
    assert.deepEqual(shown, [100, BLOCK]);
  });

  it('does not reuse memory that is shared with others', () => {
    const pool = new BufferPool();
    pool.allow(MEBIBYTE);
    const whole = new Uint8Array(2 * BLOCK).fill(7);
    pool.give(whole.subarray(0, BLOCK));
    assert.equal(whole[0], 7);
    assert.notEqual(pool.take(BLOCK).buffer, whole.buffer);
  });
});

describe('Reservation', () => {
  /** Combined like in connections.ts. */
  function budgetWithPool(totalBytes: number) {
    const givenBack = new Set<Uint8Array>();
    const pool = new BufferPool((memory) => {
      memory.fill(0xdd);
      givenBack.add(memory);
    });
    const buffers: Buffers = {
      take(bytes) {
        const memory = pool.take(bytes);
        givenBack.delete(memory);
        return memory;
      },
      give: (memory) => pool.give(memory),
    };
    /** Memory that the pool has freed has no length any more. */
    const freeBytes = () => [...givenBack].reduce((sum, { byteLength }) => sum + byteLength, 0);
    const used = { bytes: 0 };
    const budget = new MemoryBudget(totalBytes, (bytes, promised) => {
      used.bytes = bytes;
      pool.allow(totalBytes - bytes + promised);
    });
    pool.allow(totalBytes);
    return { budget, buffers, freeBytes, used };
  }

  it('counts a borrowed block at its full size, and returns all of it', async () => {
    const { budget, buffers, freeBytes, used } = budgetWithPool(4 * MEBIBYTE);
    const reservation = new Reservation(budget, buffers);
    const memory = await reservation.borrow(MEBIBYTE + 1, never);
    assert.equal(memory.length, 2 * MEBIBYTE);
    assert.equal(used.bytes, 2 * MEBIBYTE);
    await reservation.grow(1000, never);
    const block = buffers.take(BLOCK);
    await reservation.keep(block, never);
    assert.equal(reservation.bytes, 2 * MEBIBYTE + 1000 + BLOCK);
    reservation.discard([block]);
    assert.equal(reservation.bytes, 2 * MEBIBYTE + 1000);
    reservation.release();
    assert.equal(used.bytes, 0);
    assert.equal(freeBytes(), 2 * MEBIBYTE + BLOCK);
  });

  it('borrows the memory that another window gives back, although the budget is full meanwhile', async () => {
    const { budget, buffers } = budgetWithPool(2 * MEBIBYTE);
    const before = new Reservation(budget, buffers);
    const memory = await before.borrow(2 * MEBIBYTE, never);
    const after = new Reservation(budget, buffers);
    const borrowed = after.borrow(2 * MEBIBYTE, never);
    before.release();
    assert.ok((await borrowed) === memory);
    assert.equal(memory.byteLength, 2 * MEBIBYTE);
    after.release();
    const again = await new Reservation(budget, buffers).borrow(2 * MEBIBYTE, never);
    assert.ok(again === memory, 'without waiting as well');
  });

  it('accepts a message that fits, although its size rounded up does not', async () => {
    const { budget, buffers, used } = budgetWithPool(MEBIBYTE + 10);
    const reservation = new Reservation(budget, buffers);
    await reservation.borrow(MEBIBYTE + 5, never);
    assert.equal(used.bytes, MEBIBYTE + 10);
    reservation.release();
    assert.equal(used.bytes, 0);
  });

  it('returns a block that does not fit', async () => {
    const { budget, buffers, used } = budgetWithPool(BLOCK);
    const reservation = new Reservation(budget, buffers);
    await reservation.keep(buffers.take(BLOCK), never);
    const tooMuch = buffers.take(BLOCK);
    await assert.rejects(reservation.keep(tooMuch, never), DoesNotFit);
    assert.equal(tooMuch.length, 0);
    assert.equal(used.bytes, BLOCK);
  });

  it('never exceeds the budget together with idle blocks, whatever the sequence of operations', () => {
    const totalBytes = 8 * MEBIBYTE;
    return fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 1, max: 3 * MEBIBYTE })), {
          maxLength: 30,
        }),
        async (steps) => {
          const { budget, buffers, freeBytes, used } = budgetWithPool(totalBytes);
          const reservations = [0, 1, 2].map(() => new Reservation(budget, buffers));
          for (const [at, bytes] of steps) {
            const reservation = reservations[at] as Reservation;
            // The test would wait for a reservation that only it can release.
            if (used.bytes + bytes + MEBIBYTE > totalBytes) reservation.release();
            else if (bytes % 2 === 0) await reservation.keep(buffers.take(BLOCK), never);
            else await reservation.borrow(bytes, never);
            assert.ok(used.bytes + freeBytes() <= totalBytes, `${used.bytes} + ${freeBytes()}`);
          }
          for (const reservation of reservations) reservation.release();
          assert.equal(used.bytes, 0);
        },
      ),
    );
  });
});
