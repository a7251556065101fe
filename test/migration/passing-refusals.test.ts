// Responses of a proxy in the middle of a healthy migration, and a source with exclusive range ends, over real HTTP.
import assert from 'node:assert/strict';
import { startDestination } from './support/fake-destination.ts';
import { regularSeries, startSource } from './support/fake-source.ts';
import { assertSucceeded, epochMs, hourMs, minuteMs, planFor, run } from './support/plan.ts';
import { expected } from './support/remote-messages.ts';

const endMs = epochMs + hourMs;
const series = regularSeries({ count: 4, fromMs: epochMs, toMs: endMs, stepMs: 15_000 });
const everything = expected(series, epochMs, endMs);

describe('a response in the middle of a healthy migration that looks like a configuration error', () => {
  const pages: Record<string, { status: number; text: string; headers?: Record<string, string> }> = {
    'an HTML page': {
      status: 200,
      text: '<!DOCTYPE html><title>Sign in</title>',
      headers: { 'content-type': 'text/html' },
    },
    'a redirect': { status: 302, text: '', headers: { location: 'https://login.example/' } },
    'a 404': { status: 404, text: 'default backend - 404' },
    'an HTML page with 400': {
      status: 400,
      text: '<html><title>400 Bad Request</title></html>',
      headers: { 'content-type': 'text/html' },
    },
  };
  for (const [name, page] of Object.entries(pages)) {
    it(`(${name} from the destination) is retried, before and after the store has committed`, async () => {
      await using source = await startSource(series);
      await using destination = await startDestination({ kind: 'keeps-all' });
      let writes = 0;
      destination.onWrite = ({ isMark, series }) => {
        if (isMark) return undefined;
        writes++;
        if (writes === 2) destination.store(series);
        return writes === 2 || writes === 4 ? page : undefined;
      };
      const result = await run(planFor({ source, destination }, { window: { maxMs: 10 * minuteMs } }));
      assertSucceeded(result);
      assert.deepEqual(destination.contents(), everything);
      assert.ok(result.progress.samplesAlreadyPresent > 0, 'what was committed was found, not sent again');
      assert.ok(result.observer.all('retry').length >= 2);
    });

    it(`(${name} from the source) is retried`, async () => {
      await using source = await startSource(series);
      let queries = 0;
      source.onQuery = () => (++queries === 3 ? page : undefined);
      await using destination = await startDestination({ kind: 'keeps-all' });
      const result = await run(planFor({ source, destination }, { window: { maxMs: 10 * minuteMs } }));
      assertSucceeded(result);
      assert.deepEqual(destination.contents(), everything);
    });

    it(`(${name}) ends the migration immediately when that side has never sent another response`, async () => {
      await using source = await startSource(series);
      await using destination = await startDestination();
      destination.onWrite = () => page;
      const { error, progress } = await run(planFor({ source, destination }));
      assert.equal(progress.phase, 'Failed');
      assert.equal(error?.side, 'destination');
      assert.equal(progress.retries, 0);
    });
  }
});

describe('a selector that is refused in each attempt, after another one that is not', () => {
  it('ends the migration as a refused source does', async () => {
    await using source = await startSource(series);
    await using destination = await startDestination({ kind: 'keeps-all' });
    let second = 0;
    // The first window is read. The clock is fast: five minutes are 0.3 s.
    source.onQuery = ({ matchers }) => {
      const isSecond = matchers.some(({ value }) => value === 'host-1');
      return isSecond && ++second > 1 ? { status: 404, text: 'default backend - 404' } : undefined;
    };
    const selectors = ['host-0', 'host-1'].map((value) => [{ kind: '=', name: 'instance', value } as const]);
    const plan = { ...planFor({ source, destination }, { window: { maxMs: 10 * minuteMs } }), selectors };
    const { error, progress } = await run(plan);
    assert.equal(progress.phase, 'Failed');
    assert.equal(error?.side, 'source');
    assert.equal(error?.code, 'wrong-path');
  });
});

describe('a source with exclusive range ends, like M3', () => {
  it('loses no sample at the last millisecond of a window', async () => {
    const late = regularSeries({ count: 3, fromMs: epochMs + 999, toMs: endMs, stepMs: 1000 });
    await using source = await startSource(late);
    source.endsAreExclusive = true;
    source.samplesOnly = true;
    await using destination = await startDestination({ kind: 'keeps-all' });
    const result = await run(planFor({ source, destination }, { window: { maxMs: 5 * minuteMs } }));
    assertSucceeded(result);
    assert.deepEqual(destination.contents(), expected(late, epochMs, endMs));
  });
});
