// The requested end of a window: most sources include the last millisecond of a range, some exclude it. For an inclusive source the query
// does not extend into its next block, once it has proved to be one.
import assert from 'node:assert/strict';
import { type FakeDestination, startDestination } from '../support/fake-destination.ts';
import { type FakeSource, regularSeries, startSource } from '../support/fake-source.ts';
import { epochMs, hourMs, minuteMs, planFor, type Run, run } from '../support/plan.ts';
import { expected, type ReadQuery, type Series } from '../support/remote-messages.ts';

const blockMs = 2 * hourMs;
const firstBorderMs = Math.ceil(epochMs / blockMs) * blockMs;
const fromMs = firstBorderMs - blockMs;
const toMs = fromMs + 3 * blockMs;

/** Samples on every block boundary, and one in the millisecond before it. */
function borderSeries(): Series[] {
  const regular = regularSeries({ count: 3, fromMs, toMs, stepMs: minuteMs });
  const early = regularSeries({ count: 2, fromMs: fromMs + minuteMs - 1, toMs, stepMs: minuteMs });
  return [
    ...regular,
    ...early.map((series) => ({ ...series, labels: [...series.labels, ['offset', 'late'] as const] })),
  ];
}

async function copy(source: FakeSource, destination: FakeDestination): Promise<Run> {
  const plan = planFor({ source, destination }, { startMs: fromMs, endMs: toMs });
  return run({ ...plan, window: { ...plan.window, maxMs: blockMs } });
}

const isProbe = ({ startMs, endMs }: ReadQuery) => startMs === endMs;
const endsAt = (borderMs: number) => (query: ReadQuery) => query.endMs === borderMs && !isProbe(query);

describe('the end of a window', () => {
  const borders = [fromMs + blockMs, fromMs + 2 * blockMs];

  for (const samplesOnly of [false, true]) {
    it(`is not requested beyond the block of a source with inclusive ends${samplesOnly ? ', as SAMPLES' : ''}`, async () => {
      await using source = await startSource(borderSeries());
      source.samplesOnly = samplesOnly;
      await using destination = await startDestination({ kind: 'keeps-all' });
      const result = await copy(source, destination);
      assert.equal(result.error, undefined);
      assert.deepEqual(destination.contents(), expected(source.series, fromMs, toMs));
      assert.equal(source.queries.filter(isProbe).length, 1);
      // The first window is requested before anything is known.
      for (const borderMs of borders.slice(1)) {
        assert.equal(
          source.queries.filter(endsAt(borderMs)).length,
          0,
          'no millisecond of the next block is requested',
        );
        assert.equal(source.queries.filter(endsAt(borderMs - 1)).length, 1);
      }
    });

    it(`is requested beyond it for a source with exclusive ends${samplesOnly ? ', as SAMPLES' : ''}`, async () => {
      await using source = await startSource(borderSeries());
      source.samplesOnly = samplesOnly;
      source.endsAreExclusive = true;
      await using destination = await startDestination({ kind: 'keeps-all' });
      const result = await copy(source, destination);
      assert.equal(result.error, undefined);
      assert.deepEqual(destination.contents(), expected(source.series, fromMs, toMs));
      assert.equal(source.queries.filter(isProbe).length, 1);
      for (const borderMs of borders) assert.equal(source.queries.filter(endsAt(borderMs)).length, 1);
    });
  }

  for (const [what, fault] of [
    ['is rejected', { status: 400, text: 'bad data' }],
    ['fails', { status: 503 }],
    ['is damaged', { body: Buffer.from('rubbish'), contentType: 'application/x-protobuf' }],
  ] as const) {
    it(`is requested with one more millisecond when the probe for it ${what}`, async () => {
      await using source = await startSource(borderSeries());
      source.onQuery = (query) => (isProbe(query) ? fault : undefined);
      await using destination = await startDestination({ kind: 'keeps-all' });
      const result = await copy(source, destination);
      assert.equal(result.error, undefined);
      assert.equal(result.progress.retries, 0);
      assert.deepEqual(destination.contents(), expected(source.series, fromMs, toMs));
      assert.equal(source.queries.filter(isProbe).length, 1, 'it is asked once');
      for (const borderMs of borders) assert.equal(source.queries.filter(endsAt(borderMs)).length, 1);
    });
  }

  it('is not probed by a migration of less than a block', async () => {
    await using source = await startSource(borderSeries());
    await using destination = await startDestination({ kind: 'keeps-all' });
    const plan = planFor({ source, destination }, { startMs: fromMs, endMs: fromMs + blockMs });
    const result = await run(plan);
    assert.equal(result.error, undefined);
    assert.equal(source.queries.filter(isProbe).length, 0);
  });
});
