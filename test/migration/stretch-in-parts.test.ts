// A stretch that is stopped in the middle of a window, of which some parts were handed on, and is copied later in the same run.

import assert from 'node:assert/strict';
import { KERNEL_BYTES } from '../../src/wire/kernel/kernel.ts';
import { countsOfAllRuns } from '../../src/migration/report/counts.ts';
import { startDestination } from './support/fake-destination.ts';
import { regularSeries, startSource } from './support/fake-source.ts';
import { assertSucceeded, epochMs, hourMs, minuteMs, planFor } from './support/plan.ts';
import { expected, type Series } from './support/remote-messages.ts';
import { differences } from './stores/support/store-cases.ts';
import { runInStretches } from './support/stretches.ts';

const range = { startMs: epochMs, endMs: epochMs + 4 * hourMs };
const secondMs = epochMs + 2 * hourMs;
const padding = 'x'.repeat(2000);

/** 6 MB in each of the two stretches. */
function wide(name: string, atMs: number): Series[] {
  const toMs = atMs + 30 * minuteMs;
  return regularSeries({ name, count: 150, fromMs: atMs, toMs, stepMs: 10 * minuteMs }).map(({ labels, samples }) => ({
    labels: [...labels, ['padding', padding], ['at', String(atMs)]] as const,
    samples,
  }));
}

const series = [range.startMs, secondMs].flatMap((atMs) =>
  Array.from({ length: 20 }, (_, i) => wide(`metric_${String(i).padStart(2, '0')}`, atMs)).flat(),
);
const samples = series.length * 3;

describe('a stretch that is stopped between two parts of a window', () => {
  it('counts the window once when it is copied again in the same run', async () => {
    await using source = await startSource(series);
    await using destination = await startDestination({ kind: 'keeps-all' });
    let set: (parallelism: number) => void = () => undefined;
    let writes = 0;
    destination.onWrite = ({ isMark, series: written }) => {
      if (!isMark && written.some((one) => one.samples.some(({ timeMs }) => timeMs >= secondMs))) writes++;
      if (writes === 2) set(1);
      return undefined;
    };
    const plan = planFor(
      { source, destination },
      {
        ...range,
        source: { timeouts: { connectMs: 10_000, firstByteMs: 10_000_000, silenceMs: 10_000_000 } },
        destination: { ordering: 'Any' },
        limits: { memoryBytes: 2 * (12 * 1024 * 1024 + KERNEL_BYTES), inFlightWrites: 4 },
        execution: { mode: 'InProcess', parallelism: 2, stretchMs: 2 * hourMs, order: 'OldestFirst' },
      },
    );
    const result = await runInStretches(plan, {
      onParallelismAvailable: (apply) => {
        set = apply;
      },
    });
    assertSucceeded(result);
    const { samplesRead, samplesWritten, samplesAlreadyPresent, bytesWritten } = result.progress;
    assert.ok(samplesAlreadyPresent > 0, 'the parts before the stop were in the destination');
    assert.deepEqual([samplesRead, samplesWritten + samplesAlreadyPresent], [samples, samples]);
    assert.ok(bytesWritten > 0);
    assert.equal(countsOfAllRuns(result.progress)?.samplesRead, samples);
    // assert's own diff of megabytes takes minutes.
    assert.deepEqual(differences(destination.contents(), expected(series, range.startMs, range.endMs)), []);
  });
});
