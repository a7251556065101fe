// A window is read again when its response turns out to be undecodable. What was found in it before is found again, but reported once.

import assert from 'node:assert/strict';
import { type Behaviour, startFakeStore } from '../../support/stores/fake-store.ts';
import { prometheus } from '../../support/stores/prometheus.ts';
import { thanos } from '../../support/stores/thanos.ts';
import { victoriametrics } from '../../support/stores/victoriametrics.ts';
import { encodeXorChunk } from '../../wire/support/chunk-encoder.ts';
import { type FakeSource, type Fault, regularSeries, startSource } from '../support/fake-source.ts';
import { epochMs, hourMs, minuteMs, planFor } from '../support/plan.ts';
import { bitsOf, frameOf, type ReadQuery, type Series } from '../support/remote-messages.ts';
import { type VerifyRun, verifyRun } from '../support/verify-run.ts';

const endMs = epochMs + hourMs;
const series = regularSeries({ count: 4, fromMs: epochMs, toMs: endMs, stepMs: 15_000 });
const all = 4 * 240;
const extraTimes = [1, 2, 3].map((minutes) => epochMs + minutes * minuteMs + 1);
const missingMs = epochMs + 5 * minuteMs;

/** With three extra samples in the first series, and without one sample of the second. */
const stored: Series[] = series.map((one, i) => {
  const extra = extraTimes.map((timeMs) => ({ timeMs, bits: bitsOf(timeMs) }));
  if (i === 0) return { ...one, samples: [...one.samples, ...extra].sort((a, b) => a.timeMs - b.timeMs) };
  return i === 1 ? { ...one, samples: one.samples.filter(({ timeMs }) => timeMs !== missingMs) } : one;
});

/** The normal response with a last series that cannot be decoded. */
function broken(source: FakeSource, query: ReadQuery): Fault {
  const chunk = encodeXorChunk(series[0]!.samples).subarray(0, 25);
  const last = frameOf([['__name__', 'zz']], 1, chunk, query.startMs, query.startMs + 1000);
  const contentType = 'application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse';
  return { contentType, body: Buffer.concat([source.response(query).body, last]) };
}

function assertExact({ verification, differences, observer }: VerifyRun): void {
  const { samplesCompared, equal, missing, extra, different, first } = verification;
  assert.deepEqual(
    { samplesCompared, equal, missing, extra, different },
    { samplesCompared: all, equal: all - 1, missing: 1, extra: 3, different: 0 },
  );
  const shown = (list: typeof differences) => list.map(({ kind, timestampMs }) => `${kind} ${timestampMs}`).sort();
  const wanted = [...extraTimes.map((timeMs) => `extra ${timeMs}`), `missing ${missingMs}`];
  assert.deepEqual(shown(differences), wanted);
  assert.deepEqual(shown(first), wanted);
  // So does what is reported for each range.
  const ranges = observer.all('range-compared');
  const sum = (of: (range: (typeof ranges)[number]) => number) => ranges.reduce((total, range) => total + of(range), 0);
  assert.deepEqual(
    [sum((range) => range.samplesCompared), sum((range) => range.missing), sum((range) => range.extra)],
    [all, 1, 3],
  );
}

describe('a verification reports each difference once', () => {
  const destinations: readonly (readonly [protocol: 'RemoteRead' | 'PromQL', behaviour: Behaviour])[] = [
    ['RemoteRead', prometheus()],
    ['PromQL', victoriametrics()],
  ];
  for (const [protocol, behaviour] of destinations) {
    for (const [title, isBroken] of [
      ['temporarily', (query: ReadQuery, times: number) => query.streamed && times <= 2],
      ['in every stream', (query: ReadQuery) => query.streamed],
      ['when the differences are read again', (query: ReadQuery, times: number) => query.streamed && times > 1],
    ] as const) {
      it(`from ${behaviour.name}, although the source's response is undecodable ${title}`, async () => {
        await using source = await startSource(series);
        await using destination = await startFakeStore(behaviour);
        destination.put(stored);
        let times = 0;
        source.onQuery = (query) =>
          query.startMs <= missingMs && isBroken(query, ++times) ? broken(source, query) : undefined;
        const run = await verifyRun(planFor({ source, destination }, { protocol }));
        assert.equal(run.error?.code, 'differences-found', run.error?.message ?? '');
        assert.ok(times > 2);
        assertExact(run);
      });
    }
  }

  it('although it learns only later which labels the destination adds', async () => {
    await using source = await startSource(series);
    await using destination = await startFakeStore(thanos());
    destination.put(stored);
    let queries = 0;
    // The first responses show nothing yet.
    destination.onRequest = ({ kind, promql }) =>
      kind === 'query' && promql?.includes('!="prom_migrator_progress"') === true && ++queries <= 2
        ? {
            status: 200,
            headers: { 'content-type': 'application/json' },
            body: '{"status":"success","data":{"resultType":"matrix","result":[]}}',
          }
        : undefined;
    const run = await verifyRun(planFor({ source, destination }, { protocol: 'PromQL' }));
    assert.equal(run.error?.code, 'differences-found', run.error?.message ?? '');
    assertExact(run);
  });
});
