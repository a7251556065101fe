import assert from 'node:assert/strict';
import { type Issued, Renewed } from '../../../src/remote/credentials/renewed.ts';

interface Token {
  readonly number: number;
}

/** Tokens that live 100 s, issued when the test says so. */
class Stage {
  nowMs = 0;
  readonly closed = new AbortController();
  readonly requests: { resolve(issued: Issued<Token>): void; reject(error: Error): void }[] = [];
  readonly renewed = new Renewed<Token>(
    { monotonicMs: () => this.nowMs },
    (signal) =>
      new Promise((resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
        this.requests.push({ resolve, reject });
      }),
    this.closed.signal,
  );

  get(signal: AbortSignal = new AbortController().signal): Promise<Token> {
    return this.renewed.get(signal);
  }

  issue(): void {
    this.requests.at(-1)!.resolve({ value: { number: this.requests.length }, lifeMs: 100_000 });
  }

  async first(): Promise<Token> {
    const token = this.get();
    this.issue();
    return await token;
  }
}

const never = new AbortController().signal;

describe('a token that is renewed', () => {
  it('is requested once for all who wait', async () => {
    const stage = new Stage();
    const all = Promise.all([stage.get(), stage.get(), stage.get()]);
    stage.issue();
    assert.deepEqual(await all, [{ number: 1 }, { number: 1 }, { number: 1 }]);
    assert.equal(stage.requests.length, 1);
    assert.equal((await stage.get()).number, 1);
    assert.equal(stage.requests.length, 1);
  });

  it('is replaced before its end, while nobody waits', async () => {
    const stage = new Stage();
    await stage.first();
    stage.nowMs = 50_000;
    assert.equal((await stage.get()).number, 1);
    assert.equal((await stage.get()).number, 1);
    assert.equal(stage.requests.length, 2);
    stage.issue();
    await new Promise(setImmediate);
    assert.equal((await stage.get()).number, 2);
  });

  it('is used to its end while no new one is issued, and then the failure counts', async () => {
    const stage = new Stage();
    await stage.first();
    stage.nowMs = 50_000;
    await stage.get();
    stage.requests.at(-1)!.reject(new Error('down'));
    await new Promise(setImmediate);
    stage.nowMs = 59_999;
    await stage.get();
    assert.equal(stage.requests.length, 2, 'not again at once');
    stage.nowMs = 60_000;
    assert.equal((await stage.get()).number, 1);
    assert.equal(stage.requests.length, 3);
    stage.requests.at(-1)!.reject(new Error('still down'));
    await new Promise(setImmediate);
    stage.nowMs = 99_000;
    const waiting = stage.get();
    stage.requests.at(-1)!.reject(new Error('down for good'));
    await assert.rejects(waiting, /down for good/);
  });

  it('may have lived since the request for it was sent', async () => {
    const stage = new Stage();
    const token = stage.get();
    stage.nowMs = 60_000;
    stage.issue();
    await token;
    await stage.get();
    assert.equal(stage.requests.length, 2);
  });

  it('is requested again once, however many had it refused', async () => {
    const stage = new Stage();
    const old = await stage.first();
    const two = Promise.all([stage.renewed.replace(old, never), stage.renewed.replace(old, never)]);
    stage.issue();
    assert.deepEqual(await two, [{ number: 2 }, { number: 2 }]);
    assert.equal((await stage.renewed.replace(old, never)).number, 2, 'one that comes late gets the new one');
    assert.equal(stage.requests.length, 2);
  });

  it('is not waited for by one that is aborted, but by the others', async () => {
    const stage = new Stage();
    const abort = new AbortController();
    const aborted = stage.get(abort.signal);
    const other = stage.get();
    abort.abort(new Error('enough'));
    await assert.rejects(aborted, /enough/);
    stage.issue();
    assert.equal((await other).number, 1);
  });

  it('is requested again after a failure', async () => {
    const stage = new Stage();
    const failed = stage.get();
    stage.requests.at(-1)!.reject(new Error('down'));
    await assert.rejects(failed, /down/);
    const token = stage.get();
    stage.issue();
    assert.equal((await token).number, 2);
  });

  it('is not requested any more when it is closed', async () => {
    const stage = new Stage();
    const waiting = stage.get();
    stage.closed.abort(new Error('closed'));
    await assert.rejects(waiting, /closed/);
  });
});
