// The reader in whole runs over real HTTP: a source with a limited response size, temporarily or permanently.
import assert from 'node:assert/strict';
import { FastClock } from '../support/fake-clock.ts';
import { type FakeDestination, startDestination } from '../support/fake-destination.ts';
import { type Fault, regularSeries, startSource } from '../support/fake-source.ts';
import { assertSucceeded, dayMs, epochMs, hourMs, minuteMs, planFor, type Run, run } from '../support/plan.ts';
import { expected, type ReadQuery } from '../support/remote-messages.ts';

const endMs = epochMs + hourMs;
const series = regularSeries({ count: 4, fromMs: epochMs, toMs: endMs, stepMs: 15_000 });
const everything = expected(series, epochMs, endMs);
const samples = 4 * 240;

/** Everything is stored exactly once, and the fake server reported no failures. */
function assertComplete(destination: FakeDestination, result: Run): void {
  assertSucceeded(result);
  assert.deepEqual(destination.failures, []);
  assert.deepEqual(destination.contents(), everything);
  assert.equal(result.progress.samplesWritten, samples);
}

const lengthMs = ({ startMs, endMs }: ReadQuery) => endMs - startMs;
const streamed = 'application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse';

describe('a source whose response is too large', () => {
  const limit = 12;
  const tooMuch: Record<string, Fault> = {
    'a sample limit': { status: 400, text: 'exceeded sample limit (12)' },
    'a 413': { status: 413, text: 'too large' },
    'a gateway timeout': { status: 504 },
    'a 500': { status: 500, text: 'expanding series: context deadline exceeded' },
    'a truncated stream': { cutAfterBytes: 100 },
    'an error text with a success status': {
      contentType: streamed,
      body: Buffer.from('expanding series: too much of it\n'),
    },
    silence: 'silence',
  };
  for (const [name, fault] of Object.entries(tooMuch)) {
    it(`by ${name} is read in shorter windows until everything has arrived once`, async () => {
      await using source = await startSource(series);
      source.onQuery = (query) => (source.samplesIn(query) > limit ? fault : undefined);
      await using destination = await startDestination({ kind: 'keeps-all' });
      const plan = planFor({ source, destination }, { endMs: epochMs + 4 * minuteMs });
      const firstByteMs = fault === 'silence' ? 100 : 10_000;
      const timeouts = { connectMs: 1000, firstByteMs, silenceMs: 10_000_000 };
      // The clock is fast: on a busy machine ten minutes may pass before the first good response.
      const result = await run({ ...plan, source: { ...plan.source, timeouts } }, { startupDeadlineMs: dayMs });
      assertSucceeded(result);
      assert.deepEqual(destination.contents(), expected(series, epochMs, epochMs + 4 * minuteMs));
      assert.ok(result.observer.all('window-split').every(({ by }) => by === 'time'));
      assert.ok(source.queries.length < 60, `${source.queries.length} queries`);
    });
  }

  it('at the minimum of a second is read by name', async () => {
    const dense = ['alpha', 'beta', 'gamma', 'delta'].flatMap((name) =>
      regularSeries({ name, count: 2, fromMs: epochMs, toMs: epochMs + 3000, stepMs: 200 }),
    );
    await using source = await startSource(dense);
    source.onQuery = (query) =>
      source.samplesIn(query) > 10 ? { status: 400, text: 'exceeded sample limit' } : undefined;
    await using destination = await startDestination({ kind: 'keeps-all' });
    const result = await run(planFor({ source, destination }, { endMs: epochMs + 3000 }));
    assertSucceeded(result);
    assert.deepEqual(destination.contents(), expected(dense, epochMs, epochMs + 3000));
    assert.ok(result.observer.all('window-split').some(({ by }) => by === 'name'));
    assert.equal(destination.marks().length, 3, 'one mark a second, not one a name');
  });

  it('for a single name in a millisecond fails with the limit to raise', async () => {
    await using source = await startSource(series);
    source.onQuery = () => ({ status: 413, text: 'too large' });
    await using destination = await startDestination();
    const { error, progress } = await run(planFor({ source, destination }));
    assert.equal(progress.phase, 'Failed');
    assert.equal(error?.side, 'source');
    assert.match(error?.hint ?? '', /limit/);
    assert.equal(destination.accepted.length, 0);
  });

  it('reported as Cortex does (400 for everything) is retried, halved, then reported with its own message', async () => {
    await using source = await startSource(series);
    source.onQuery = () => ({ status: 400, text: 'rpc error: code = Unknown desc = something' });
    await using destination = await startDestination();
    const { error } = await run(planFor({ source, destination }));
    assert.equal(error?.side, 'source');
    assert.match(error?.message ?? '', /something/);
    assert.ok(source.queries.filter((query) => lengthMs(query) === 30 * minuteMs).length >= 3, 'asked again');
    assert.equal(lengthMs(source.queries.at(-1)!), 1000, 'down to a second');
  });

  it('temporarily, as Cortex does, is read again', async () => {
    await using source = await startSource(series);
    source.onQuery = () =>
      source.queries.length === 2 ? { status: 400, text: 'rpc error: code = Unavailable' } : undefined;
    await using destination = await startDestination();
    const result = await run(planFor({ source, destination }));
    assertComplete(destination, result);
    assert.equal(result.progress.retries, 1);
    assert.equal(result.observer.all('window-split').length, 0);
  });

  it('in a long outage is retried, and read completely afterwards', async () => {
    await using source = await startSource(series);
    source.onQuery = () => (source.queries.length <= 120 ? { status: 503, text: 'down' } : undefined);
    await using destination = await startDestination();
    const clock = new FastClock({ nowMs: epochMs + dayMs, speed: 100_000 });
    const result = await run(planFor({ source, destination }), { clock });
    assertComplete(destination, result);
    assert.ok(Math.max(...clock.sleeps) > 10_000, 'with ever longer waits');
  });
});

describe('a source that rejects requests', () => {
  for (const [status, code] of [
    [401, 'unauthorized'],
    [403, 'forbidden'],
    [404, 'wrong-path'],
  ] as const) {
    it(`with ${status} ends the migration immediately`, async () => {
      await using source = await startSource(series);
      source.onQuery = () => ({ status, text: 'no' });
      await using destination = await startDestination();
      const { error, progress } = await run(planFor({ source, destination }));
      assert.equal(error?.code, code);
      assert.equal(error?.side, 'source');
      assert.match(error?.hint ?? '', /spec\.source/);
      assert.equal(progress.retries, 0);
    });
  }
});
