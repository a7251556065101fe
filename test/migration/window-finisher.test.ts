import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { MigrationError } from '../../src/migration/report/migration-error.ts';
import { initialProgress } from '../../src/migration/report/observer.ts';
import { Completion } from '../../src/migration/progress/completion.ts';
import { WindowFinisher } from '../../src/migration/window-finisher.ts';
import { Ledger } from '../../src/migration/write/accounting.ts';
import { CopiedWindow } from '../../src/migration/write/copied-window.ts';
import { FastClock } from './support/fake-clock.ts';
import { epochMs, hourMs, planFor, RecordingObserver } from './support/plan.ts';

interface Deferred {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

function deferred(): Deferred {
  let resolve = () => {};
  let reject: Deferred['reject'] = () => {};
  const promise = new Promise<void>((done, failed) => {
    resolve = done;
    reject = failed;
  });
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}

/** A finisher whose acknowledgements and marks the test controls. */
function stage(rejectedSamples: 'Fail' | 'Skip' = 'Fail') {
  const sides = { source: { readUrl: '' }, destination: { writeUrl: '', readUrl: '', queryUrl: '' } };
  const plan = planFor(sides, { rejectedSamples });
  const progress = initialProgress(epochMs, epochMs + 10 * hourMs);
  const observer = new RecordingObserver();
  const failed = new AbortController();
  const marks: { readonly hour: number; readonly samples: number; readonly written: Deferred }[] = [];
  const ledger = new Ledger(progress, 0);
  let marksAtOnce = 0;
  const finisher = new WindowFinisher({
    plan,
    observer,
    progress,
    clock: new FastClock({ nowMs: 0 }),
    completion: new Completion(progress),
    ledger,
    mark: async (throughMs) => {
      assert.equal(++marksAtOnce, 1, 'one mark at a time');
      const written = deferred();
      marks.push({ hour: (throughMs + 1 - epochMs) / hourMs, samples: ledger.mark().samples, written });
      await written.promise;
      marksAtOnce--;
    },
    signal: failed.signal,
    fail: (error) => failed.abort(error),
  });
  let windows = 0;
  const send = (fate: 'written' | 'rejected' | 'lost' = 'written') => {
    const fromMs = epochMs + windows++ * hourMs;
    const part = { window: { fromMs, toMs: fromMs + hourMs }, requestedAtMs: 0 };
    const window = new CopiedWindow(part, progress);
    window.account.addRead(10);
    if (fate === 'written') window.account.add('written', 10);
    if (fate === 'rejected') window.account.addRejected('too_old', 10);
    const acknowledged = deferred();
    finisher.add(window, acknowledged.promise);
    return acknowledged;
  };
  const marked = () => marks.map(({ hour }) => hour);
  const finishedHours = () => observer.all('window-finished').map(({ toMs }) => (toMs - epochMs) / hourMs);
  return { finisher, progress, failed, marks, marked, send, finishedHours };
}

async function settled(): Promise<void> {
  for (let i = 0; i < 5; i++) await setImmediate();
}

describe('windows in flight', () => {
  it('are marked as soon as they and all earlier ones are acknowledged, without a caller waiting for them', async () => {
    const { finisher, marks, marked, send, finishedHours, progress } = stage();
    const [first, second, third] = [send(), send(), send()];
    second.resolve();
    await settled();
    assert.deepEqual(marked(), [], 'an earlier one is not acknowledged');
    first.resolve();
    await settled();
    assert.deepEqual(marked(), [2]);
    assert.deepEqual(finishedHours(), [], 'not before the mark is written');
    assert.equal(finisher.inFlight, 3);
    marks[0]!.written.resolve();
    await settled();
    assert.deepEqual(finishedHours(), [1, 2]);
    assert.equal(progress.watermarkMs, epochMs + 2 * hourMs);
    assert.equal(progress.windows, 2);
    assert.equal(finisher.inFlight, 1);
    third.resolve();
    await settled();
    marks[1]!.written.resolve();
    await finisher.all();
    assert.deepEqual(marked(), [2, 3]);
  });

  it('that are acknowledged while a mark is written share the next mark, each with its own account', async () => {
    const { finisher, marks, marked, send, finishedHours, progress } = stage();
    const acknowledged = [send(), send(), send(), send()];
    acknowledged[0]!.resolve();
    await settled();
    for (const one of acknowledged) one.resolve();
    await settled();
    assert.deepEqual(marked(), [1], 'one mark at a time');
    marks[0]!.written.resolve();
    await settled();
    marks[1]!.written.resolve();
    await finisher.all();
    assert.deepEqual(marked(), [1, 4]);
    assert.deepEqual(
      marks.map(({ samples }) => samples),
      [10, 40],
    );
    assert.deepEqual(finishedHours(), [1, 2, 3, 4]);
    assert.equal(progress.windows, 4);
  });

  it('are awaited one mark at a time', async () => {
    const { finisher, marks, send } = stage();
    const first = send();
    send();
    let room = false;
    const waiting = finisher.nextMark().then(() => {
      room = true;
    });
    first.resolve();
    await settled();
    assert.equal(room, false);
    marks[0]!.written.resolve();
    await waiting;
    assert.equal(finisher.inFlight, 1);
    assert.equal(finisher.oldestFromMs, epochMs + hourMs);
  });

  it('can be finished again after a pause', async () => {
    const { finisher, marks, marked, send } = stage();
    send().resolve();
    await settled();
    marks[0]!.written.resolve();
    await finisher.all();
    send().resolve();
    await settled();
    marks[1]!.written.resolve();
    await finisher.all();
    assert.deepEqual(marked(), [1, 2]);
  });

  for (const [what, fate, code] of [
    ['with rejected samples', 'rejected', 'samples-rejected'],
    ['whose counts do not balance', 'lost', 'accounting'],
  ] as const) {
    it(`before one ${what} are marked, and then the run ends`, async () => {
      const { finisher, marks, marked, send, finishedHours, failed } = stage();
      const all = [send(), send(fate), send()];
      for (const one of all) one.resolve();
      await settled();
      marks[0]!.written.resolve();
      await assert.rejects(finisher.all(), (error) => error instanceof MigrationError && error.code === code);
      assert.ok(failed.signal.aborted, 'everything that is under way ends');
      assert.equal((failed.signal.reason as MigrationError).code, code);
      assert.deepEqual(marked(), [1]);
      assert.deepEqual(finishedHours(), [1]);
    });
  }

  it('with rejected samples are marked when rejectedSamples is Skip', async () => {
    const { finisher, marks, marked, send } = stage('Skip');
    send('rejected').resolve();
    await settled();
    marks[0]!.written.resolve();
    await finisher.all();
    assert.deepEqual(marked(), [1]);
  });

  it('end the run when one is not delivered or its mark is rejected, and every waiter gets the same error', async () => {
    const refused = new Error('refused');
    for (const fails of ['delivery', 'mark'] as const) {
      const { finisher, marks, send, failed, progress } = stage();
      const acknowledged = send();
      const waiting = finisher.nextMark();
      waiting.catch(() => undefined);
      if (fails === 'delivery') acknowledged.reject(refused);
      else acknowledged.resolve();
      await settled();
      marks[0]?.written.reject(refused);
      await assert.rejects(waiting, refused);
      await assert.rejects(finisher.all(), refused);
      assert.equal(failed.signal.reason, refused);
      assert.equal(progress.watermarkMs, epochMs);
    }
  });

  it('are not marked after an abort', async () => {
    const { finisher, marked, send, failed } = stage();
    const acknowledged = send();
    const reason = new Error('aborted');
    failed.abort(reason);
    acknowledged.resolve();
    await assert.rejects(finisher.all(), reason);
    assert.deepEqual(marked(), []);
  });
});
