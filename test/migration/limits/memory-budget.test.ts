import assert from 'node:assert/strict';
import fc from 'fast-check';
import { MemoryBudget } from '../../../src/migration/limits/memory-budget.ts';

const never = new AbortController().signal;
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A budget with the bytes in use as it reported them. */
function budgetOf(totalBytes: number) {
  const reported: number[] = [];
  const budget = new MemoryBudget(totalBytes, (usedBytes) => reported.push(usedBytes));
  return { budget, reported, used: () => reported.at(-1) ?? 0 };
}

describe('memory budget', () => {
  it('gives immediately what is free, and makes the caller wait for what is not', async () => {
    const { budget, used } = budgetOf(100);
    await budget.reserve(60, never);
    let given = false;
    const waiting = budget.reserve(41, never).then(() => {
      given = true;
    });
    await settle();
    assert.deepEqual([given, used()], [false, 60]);
    budget.release(1);
    await waiting;
    assert.equal(used(), 100);
    budget.release(100);
    assert.equal(used(), 0);
  });

  it('serves waiters in the order they came, small ones behind a large one too', async () => {
    const { budget, used } = budgetOf(100);
    await budget.reserve(90, never);
    const order: string[] = [];
    const large = budget.reserve(80, never).then(() => order.push('large'));
    const small = budget.reserve(5, never).then(() => order.push('small'));
    await settle();
    assert.deepEqual(order, [], 'nothing overtakes the queue, although 5 bytes are free');
    budget.release(90);
    await Promise.all([large, small]);
    assert.deepEqual(order, ['large', 'small']);
    assert.equal(used(), 85);
  });

  it('gives nothing without waiting, whatever the queue', async () => {
    const { budget } = budgetOf(100);
    await budget.reserve(100, never);
    const waiting = budget.reserve(1, never);
    await budget.reserve(0, never);
    budget.release(1);
    await waiting;
  });

  it('rejects with the reason of the signal and admits the waiters behind', async () => {
    const { budget, used } = budgetOf(100);
    await budget.reserve(90, never);
    const abort = new AbortController();
    const large = budget.reserve(80, abort.signal);
    const small = budget.reserve(10, never);
    const reason = new Error('stopped');
    abort.abort(reason);
    await assert.rejects(large, (error) => error === reason);
    await small;
    assert.equal(used(), 100);
    budget.release(100);
    await budget.reserve(100, never);
  });

  it('rejects immediately when the signal is aborted already, and takes nothing', async () => {
    const { budget, reported } = budgetOf(100);
    await assert.rejects(budget.reserve(1, AbortSignal.abort(new Error('before'))), /before/);
    await assert.rejects(budget.reserve(0, AbortSignal.abort(new Error('before'))), /before/);
    assert.deepEqual(reported, []);
  });

  it('keeps a reservation that was admitted before its signal is aborted', async () => {
    const { budget, used } = budgetOf(10);
    await budget.reserve(10, never);
    const abort = new AbortController();
    const waiting = budget.reserve(10, abort.signal);
    budget.release(10);
    abort.abort(new Error('too late'));
    await waiting;
    assert.equal(used(), 10);
  });

  it('rejects what can never fit instead of waiting forever', async () => {
    const { budget, reported } = budgetOf(100);
    await assert.rejects(budget.reserve(101, never), new RangeError('101 bytes do not fit into a budget of 100 bytes'));
    assert.deepEqual(reported, []);
    await budget.reserve(100, never);
  });

  it('treats a second release, and invalid amounts, as errors', async () => {
    const { budget, used } = budgetOf(100);
    await budget.reserve(10, never);
    budget.release(10);
    assert.throws(() => budget.release(10), RangeError);
    for (const bytes of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(() => budget.release(bytes), RangeError);
      await assert.rejects(budget.reserve(bytes, never), RangeError);
      assert.throws(() => new MemoryBudget(bytes), RangeError);
    }
    assert.throws(() => new MemoryBudget(0), RangeError);
    assert.equal(used(), 0);
  });

  it('reports every change', async () => {
    const { budget, reported } = budgetOf(100);
    await budget.reserve(60, never);
    const waiting = budget.reserve(70, never);
    budget.release(60);
    await waiting;
    budget.release(0);
    budget.release(70);
    assert.deepEqual(reported, [60, 0, 70, 0]);
  });

  it('never holds more than the total and never forgets a waiter, in any order of calls', async () => {
    const steps = fc.array(
      fc.record({ action: fc.constantFrom('reserve', 'release', 'abort'), bytes: fc.integer({ min: 0, max: 100 }) }),
      { maxLength: 60 },
    );
    await fc.assert(
      fc.asyncProperty(steps, async (script) => {
        const { budget, reported, used } = budgetOf(100);
        const held: number[] = [];
        const waiting = new Map<AbortController, number>();
        for (const { action, bytes } of script) {
          if (action === 'reserve') {
            const abort = new AbortController();
            waiting.set(abort, bytes);
            budget.reserve(bytes, abort.signal).then(
              () => {
                held.push(bytes);
                waiting.delete(abort);
              },
              () => waiting.delete(abort),
            );
          }
          if (action === 'release') budget.release(held.pop() ?? 0);
          if (action === 'abort')
            [...waiting.keys()].at(bytes % Math.max(1, waiting.size))?.abort(new Error('aborted'));
          await settle();
          assert.equal(
            used(),
            held.reduce((sum, one) => sum + one, 0),
          );
          const [first] = waiting.values();
          assert.ok(first === undefined || used() + first > 100, 'the first waiter waits only for what is not free');
        }
        while (held.length > 0) {
          budget.release(held.pop() ?? 0);
          await settle();
        }
        assert.equal(waiting.size, 0, 'every waiter was served');
        assert.equal(used(), 0);
        assert.ok(reported.every((bytes) => bytes >= 0 && bytes <= 100));
      }),
      { numRuns: 100 },
    );
  });
});
