import assert from 'node:assert/strict';
import { NoView } from '../../../src/migration/progress/no-view.ts';
import { type Attempt, outgoingRequest } from '../../../src/migration/write/attempt.ts';
import { CopiedWindow } from '../../../src/migration/write/copied-window.ts';
import type { Probe } from '../../../src/migration/write/probe.ts';
import { Receiver } from '../../../src/migration/write/receiver.ts';
import { type RejectReason, RemoteError } from '../../../src/remote/meaning/remote-error.ts';
import type { RemoteCode } from '../../../src/remote/meaning/response-codes.ts';
import { encodeLabels } from '../../../src/wire/labels.ts';
import { WriteBatch } from '../../../src/wire/requests/write-batch.ts';
import { FakeView } from '../support/fake-view.ts';
import { emptyProgress } from '../support/plan.ts';

const signal = new AbortController().signal;
const [fromMs, toMs] = [1_000_000, 2_000_000];

function refusal(code: RemoteCode, reason: RejectReason, what = 'returned 400'): RemoteError {
  return new RemoteError({ class: 'rejected', code, reason, side: 'destination', what });
}

const tooOld = refusal('too-old', 'too_old');
const outOfOrder = refusal('out-of-order', 'out_of_order');
const inFuture = refusal('too-far-in-future', 'too_far_in_future');

class FakeProbe implements Pick<Probe, 'send' | 'sendBeside'> {
  readonly sentAtMs: number[] = [];
  besides = 0;
  /** The error for a sample with this timestamp. */
  refuses: (timeMs: number) => RemoteError | undefined = () => undefined;
  beside: 'kept' | 'rolled-back' | 'accepted' | 'unclear' = 'unclear';

  send(timeMs: number): Promise<RemoteError | undefined> {
    this.sentAtMs.push(timeMs);
    return Promise.resolve(this.refuses(timeMs));
  }

  sendBeside(): Promise<'kept' | 'rolled-back' | 'accepted' | 'unclear'> {
    this.besides++;
    return Promise.resolve(this.beside);
  }
}

function setUp(view: NoView | FakeView = new FakeView([])) {
  const probe = new FakeProbe();
  const receiver = new Receiver(probe as unknown as Probe, view);
  const window = new CopiedWindow({ window: { fromMs, toMs }, requestedAtMs: 0 }, emptyProgress());
  return { probe, receiver, window };
}

function attemptOf(window: CopiedWindow, samples = 1): Attempt {
  const batch = new WriteBatch(64);
  for (let i = 0; i < samples; i++) batch.appendSample(encodeLabels([['__name__', 'up']]), fromMs + i, 1);
  return { outgoing: outgoingRequest(batch.request()), window, signal, repeated: false, isPart: false };
}

describe('what a destination does with the rest of a rejected request', () => {
  for (const [outcome, others] of [
    ['kept', 'kept'],
    ['rolled-back', 'lost'],
    ['unclear', 'lost'],
  ] as const) {
    it(`is learned at the first rejected sample: ${outcome}`, async () => {
      const { probe, receiver, window } = setUp();
      probe.beside = outcome;
      assert.equal(receiver.others(outOfOrder, window), 'lost', 'before anything is known');
      assert.equal(await receiver.learn(attemptOf(window, 5), outOfOrder), false);
      assert.equal(probe.besides, 0, 'there may be good ones among five');
      assert.equal(await receiver.learn(attemptOf(window), outOfOrder), false);
      assert.equal(receiver.others(outOfOrder, window), others);
      for (let i = 0; i < 10; i++) await receiver.learn(attemptOf(window), outOfOrder);
      assert.equal(probe.besides, outcome === 'unclear' ? 3 : 1);
    });
  }

  it('is not probed without a view, or when a good sample is rejected too', async () => {
    const blind = setUp(new NoView());
    await blind.receiver.learn(attemptOf(blind.window), outOfOrder);
    assert.equal(blind.probe.besides, 0);
    const refusing = setUp();
    refusing.probe.refuses = () => tooOld;
    await refusing.receiver.learn(attemptOf(refusing.window), outOfOrder);
    assert.equal(refusing.probe.besides, 0);
  });

  it('does not depend on samples with another value at the same timestamp', async () => {
    const { probe, receiver, window } = setUp();
    probe.beside = 'kept';
    await receiver.learn(attemptOf(window), outOfOrder);
    assert.equal(receiver.others(refusal('duplicate-timestamp', 'duplicate_timestamp'), window), 'lost');
  });

  it('may show that the sample is accepted after all', async () => {
    const { probe, receiver, window } = setUp();
    probe.beside = 'accepted';
    assert.equal(await receiver.learn(attemptOf(window), outOfOrder), true);
  });
});

describe('whether every sample of a window is rejected', () => {
  it('is probed at its end as soon as a request is too old', async () => {
    const { probe, receiver, window } = setUp();
    probe.refuses = () => tooOld;
    await receiver.learn(attemptOf(window, 100), tooOld);
    assert.deepEqual(probe.sentAtMs, [toMs - 1]);
    assert.equal(receiver.others(tooOld, window), 'refused');
    assert.equal(receiver.others(outOfOrder, window), 'lost', 'another reason is another matter');
  });

  it('is probed at its start when samples are too far in the future', async () => {
    const { probe, receiver, window } = setUp(new NoView());
    probe.refuses = () => inFuture;
    for (let i = 0; i < 3; i++) await receiver.learn(attemptOf(window), inFuture);
    assert.deepEqual(probe.sentAtMs, [fromMs]);
    assert.equal(receiver.others(inFuture, window), 'refused');
  });

  it('is false when the end is accepted', async () => {
    const { probe, receiver, window } = setUp(new NoView());
    for (let i = 0; i < 10; i++) await receiver.learn(attemptOf(window, 5), tooOld);
    assert.deepEqual(probe.sentAtMs, [toMs - 1], 'looked for once');
    assert.equal(receiver.others(tooOld, window), 'lost');
  });

  it('is not concluded from reasons that depend on the series', async () => {
    for (const error of [outOfOrder, refusal('invalid-labels', 'invalid_labels')]) {
      const { probe, receiver, window } = setUp(new NoView());
      probe.refuses = () => error;
      for (let i = 0; i < 10; i++) await receiver.learn(attemptOf(window), error);
      assert.equal(receiver.others(error, window), 'lost');
    }
  });

  it('is concluded from an unknown message only when the probe gets the same one at both ends', async () => {
    const quota = (count: number) => refusal('other-rejection', 'other', `returned 400: over quota by ${count}`);
    for (const [response, others] of [
      [() => quota(7), 'refused'],
      [() => refusal('other-rejection', 'other', 'returned 400: no such region'), 'lost'],
      [(timeMs: number) => (timeMs === fromMs ? undefined : quota(7)), 'lost'],
    ] as const) {
      const { probe, receiver, window } = setUp(new NoView());
      probe.refuses = response;
      for (let i = 0; i < 3; i++) await receiver.learn(attemptOf(window), quota(i));
      assert.equal(receiver.others(quota(1), window), others);
    }
  });
});
