// A destination whose responses cannot be decoded: a window that can be read in the end does not count against later ones.

import assert from 'node:assert/strict';
import snappyjs from 'snappyjs';
import { encodeXorChunk } from '../../wire/support/chunk-encoder.ts';
import { type FakeSource, type Fault, regularSeries, startSource } from '../support/fake-source.ts';
import { epochMs, hourMs, minuteMs, planFor } from '../support/plan.ts';
import { encodeLabels, field, frameOf, type ReadQuery, type Series } from '../support/remote-messages.ts';
import { verifyRun } from '../support/verify-run.ts';

const hours = 8;
const endMs = epochMs + hours * hourMs;
const series = regularSeries({ count: 4, fromMs: epochMs, toMs: endMs, stepMs: 15_000 });
const all = 4 * hours * 240;
const ZZ = [['__name__', 'zz']] as const;

/** The normal response with a last series that cannot be decoded. */
function broken(destination: FakeSource, query: ReadQuery): Fault {
  const { body, contentType } = destination.response(query);
  if (contentType === 'application/x-protobuf') {
    const sample = field(2, Buffer.of(0x09));
    const result = field(1, field(1, Buffer.concat([...encodeLabels(ZZ), sample])));
    const message = Buffer.concat([snappyjs.uncompress(body), result]);
    return { contentType, body: snappyjs.compress(message) };
  }
  const chunk = encodeXorChunk(series[0]!.samples.slice(0, 30)).subarray(0, 25);
  const last = frameOf(ZZ, 1, chunk, query.startMs, query.startMs + 1000);
  return { contentType, body: Buffer.concat([body, last]) };
}

async function stores(stored: readonly Series[]) {
  const source = await startSource(series);
  const destination = await startSource(stored);
  const urls = { readUrl: destination.readUrl, writeUrl: 'http://127.0.0.1:9/write', queryUrl: 'http://127.0.0.1:9' };
  const plan = planFor(
    { source, destination: urls },
    { endMs, destination: { ordering: 'Any' }, window: { maxMs: hourMs } },
  );
  return {
    source,
    destination,
    plan,
    [Symbol.asyncDispose]: async () => {
      await source[Symbol.asyncDispose]();
      await destination[Symbol.asyncDispose]();
    },
  };
}

/** Whether the query reads a window of the comparison, and not marks or the end of a range. */
const isWindow = ({ startMs, endMs: lastMs, matchers }: ReadQuery) =>
  lastMs - startMs >= 30 * minuteMs && matchers.some(({ kind, name }) => kind === '!=' && name === '__name__');

describe('a verification of a destination with responses that cannot be decoded', () => {
  for (const samplesOnly of [false, true]) {
    it(`survives one in each window, in ${samplesOnly ? 'SAMPLES' : 'the stream'}`, async () => {
      await using both = await stores(series);
      const { destination, plan } = both;
      destination.samplesOnly = samplesOnly;
      const seen = new Set<number>();
      destination.onQuery = (query) => {
        if (!isWindow(query) || seen.has(query.startMs)) return undefined;
        seen.add(query.startMs);
        return broken(destination, query);
      };
      const { error, verification, observer } = await verifyRun(plan);
      assert.equal(error, undefined, error?.message ?? '');
      assert.deepEqual([verification.samplesCompared, verification.equal], [all, all]);
      assert.ok(seen.size >= hours, `${seen.size} windows`);
      const waits = observer.all('retry').filter(({ side, code }) => side === 'progress' && code === 'bad-response');
      assert.equal(waits.length, seen.size, 'it waits before it reads a window again');
      assert.ok(destination.queries.filter(isWindow).every(({ streamed }) => streamed));
    });
  }

  it('reads only the windows as SAMPLES whose stream stays undecodable', async () => {
    await using both = await stores(series);
    const { destination, plan } = both;
    const damagedFromMs = epochMs + 2 * hourMs;
    const touches = ({ startMs, endMs: lastMs }: ReadQuery) =>
      startMs < damagedFromMs + hourMs && lastMs > damagedFromMs;
    destination.onQuery = (query) =>
      isWindow(query) && query.streamed && touches(query) ? broken(destination, query) : undefined;
    const { error, verification } = await verifyRun(plan);
    assert.equal(error, undefined, error?.message ?? '');
    assert.deepEqual([verification.samplesCompared, verification.equal], [all, all]);
    const plain = destination.queries.filter((query) => isWindow(query) && !query.streamed);
    assert.ok(plain.length >= 1);
    assert.ok(plain.every(touches));
  });

  it('ends where a window stays undecodable, and names the destination', async () => {
    await using both = await stores(series);
    const { destination, plan } = both;
    destination.samplesOnly = true;
    destination.onQuery = (query) => (isWindow(query) ? broken(destination, query) : undefined);
    const { error } = await verifyRun(plan);
    assert.deepEqual([error?.code, error?.side], ['destination-undecodable', 'progress']);
    assert.equal(destination.queries.filter((query) => isWindow(query) && query.startMs === epochMs).length, 5);
  });
});
