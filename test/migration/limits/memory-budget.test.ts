import assert from 'node:assert/strict';
import fc from 'fast-check';
import { BudgetExceeded, MemoryBudget } from '../../../src/migration/limits/memory-budget.ts';

const never = new AbortController().signal;
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('memory budget', () => {
  it('gives what is free and refuses what is not', () => {
    const budget = new MemoryBudget(100);
    assert.equal(budget.tryReserve(60), true);
    assert.equal(budget.tryReserve(41), false);
    assert.equal(budget.used, 60);
    assert.equal(budget.tryReserve(40), true);
    assert.equal(budget.used, 100);
    budget.release(100);
    assert.equal(budget.used, 0);
  });

  it('serves those who wait in the order they came, small ones behind a large one too', async () => {
    const budget = new MemoryBudget(100);
    await budget.reserve(90, never);
    const order: string[] = [];
    const large = budget.reserve(80, never).then(() => order.push('large'));
    const small = budget.reserve(5, never).then(() => order.push('small'));
    await settle();
    assert.deepEqual(order, []);
    assert.equal(budget.waiting, 2);
    assert.equal(budget.tryReserve(1), false, 'nobody overtakes the queue');
    budget.release(90);
    await Promise.all([large, small]);
    assert.deepEqual(order, ['large', 'small']);
    assert.equal(budget.used, 85);
  });

  it('rejects with the reason of the signal and lets those behind go on', async () => {
    const budget = new MemoryBudget(100);
    await budget.reserve(90, never);
    const abort = new AbortController();
    const large = budget.reserve(80, abort.signal);
    const small = budget.reserve(10, never);
    const reason = new Error('stopped');
    abort.abort(reason);
    await assert.rejects(large, (error) => error === reason);
    await small;
    assert.equal(budget.used, 100);
    assert.equal(budget.waiting, 0);
  });

  it('rejects at once when the signal is aborted already, and takes nothing', async () => {
    const budget = new MemoryBudget(100);
    await assert.rejects(budget.reserve(1, AbortSignal.abort(new Error('before'))), /before/);
    assert.equal(budget.used, 0);
  });

  it('does not let an aborted signal undo what was admitted before', async () => {
    const budget = new MemoryBudget(10);
    await budget.reserve(10, never);
    const abort = new AbortController();
    const waiting = budget.reserve(10, abort.signal);
    budget.release(10);
    abort.abort(new Error('too late'));
    await waiting;
    assert.equal(budget.used, 10);
  });

  it('says at once that something can never fit', async () => {
    const budget = new MemoryBudget(100);
    await assert.rejects(
      budget.reserve(101, never),
      (error) => error instanceof BudgetExceeded && error.requestedBytes === 101 && error.totalBytes === 100,
    );
    assert.equal(budget.tryReserve(101), false);
    await budget.reserve(100, never);
  });

  it('treats releasing twice, and amounts that are none, as errors', () => {
    const budget = new MemoryBudget(100);
    budget.tryReserve(10);
    budget.release(10);
    assert.throws(() => budget.release(10), RangeError);
    for (const bytes of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(() => budget.release(bytes), RangeError);
      assert.throws(() => budget.tryReserve(bytes), RangeError);
      assert.throws(() => new MemoryBudget(bytes), RangeError);
    }
    assert.throws(() => new MemoryBudget(0), RangeError);
    assert.equal(budget.used, 0);
  });

  it('tells every change', async () => {
    const seen: number[] = [];
    const budget = new MemoryBudget(100, (usedBytes) => seen.push(usedBytes));
    budget.tryReserve(60);
    budget.tryReserve(60);
    const waiting = budget.reserve(70, never);
    budget.release(60);
    await waiting;
    budget.release(0);
    budget.release(70);
    assert.deepEqual(seen, [60, 0, 70, 0]);
  });

  it('never holds more than the total and never forgets anyone, whatever the order of things', async () => {
    const steps = fc.array(
      fc.record({
        action: fc.constantFrom('reserve', 'try', 'release', 'abort'),
        bytes: fc.integer({ min: 0, max: 100 }),
      }),
      { maxLength: 60 },
    );
    await fc.assert(
      fc.asyncProperty(steps, async (script) => {
        const budget = new MemoryBudget(100, (usedBytes) => assert.ok(usedBytes >= 0 && usedBytes <= 100));
        const held: number[] = [];
        const waiting = new Map<AbortController, Promise<void>>();
        for (const { action, bytes } of script) {
          if (action === 'try' && budget.tryReserve(bytes)) held.push(bytes);
          if (action === 'reserve') {
            const abort = new AbortController();
            const done = budget.reserve(bytes, abort.signal).then(
              () => {
                held.push(bytes);
                waiting.delete(abort);
              },
              () => {
                waiting.delete(abort);
              },
            );
            waiting.set(abort, done);
          }
          if (action === 'release') budget.release(held.pop() ?? 0);
          if (action === 'abort')
            [...waiting.keys()].at(bytes % Math.max(1, waiting.size))?.abort(new Error('aborted'));
          await settle();
          assert.equal(
            budget.used,
            held.reduce((sum, one) => sum + one, 0),
          );
          assert.equal(budget.waiting, waiting.size);
        }
        while (held.length > 0) {
          budget.release(held.pop() ?? 0);
          await settle();
        }
        assert.equal(waiting.size, 0, 'everyone who waited was served');
        assert.equal(budget.used, 0);
      }),
      { numRuns: 100 },
    );
  });
});
