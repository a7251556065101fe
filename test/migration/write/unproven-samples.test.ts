import assert from 'node:assert/strict';
import type { MigrationEvent, MigrationProgress } from '../../../src/migration/report/observer.ts';
import { NoView } from '../../../src/migration/progress/no-view.ts';
import type { DestinationView } from '../../../src/migration/progress/destination-view.ts';
import { type Attempt, outgoingRequest } from '../../../src/migration/write/attempt.ts';
import { CopiedWindow } from '../../../src/migration/write/copied-window.ts';
import { HistogramCheck } from '../../../src/migration/write/histogram-check.ts';
import { Rejections } from '../../../src/migration/write/rejections.ts';
import { UnprovenSamples } from '../../../src/migration/write/unproven-samples.ts';
import type { RemoteCode } from '../../../src/remote/meaning/response-codes.ts';
import { type RejectReason, RemoteError } from '../../../src/remote/meaning/remote-error.ts';
import { encodeLabels } from '../../../src/wire/labels.ts';
import { labelKey } from '../../../src/wire/label-hash.ts';
import { WriteBatch } from '../../../src/wire/requests/write-batch.ts';
import { SampleColumns } from '../../../src/wire/sample-columns.ts';
import { encodeHistogram } from '../../support/stores/messages.ts';
import { FakeView } from '../support/fake-view.ts';
import { emptyProgress, planFor } from '../support/plan.ts';

const t = Date.UTC(2024, 0, 1);
const signal = new AbortController().signal;
const [up, down] = ['up', 'down'].map((name) => encodeLabels([['__name__', name]])) as [Uint8Array, Uint8Array];
const nowhere = { readUrl: '', writeUrl: '', queryUrl: '' };

type Sample = [timeMs: number, kind?: 'stale' | 'nan'];

const HIGH_BITS = { stale: 0x7ff00000, nan: 0x7ff80000, number: 0x3ff00000 };

/** Times are relative to `t`. */
function requestOf(...series: [labels: Uint8Array, ...samples: Sample[]][]): Uint8Array {
  const batch = new WriteBatch(64);
  for (const [labels, ...samples] of series) {
    const columns = new SampleColumns();
    for (const [timeMs, kind] of samples)
      columns.addFloat(t + timeMs, kind === 'stale' ? 2 : timeMs, HIGH_BITS[kind ?? 'number']);
    batch.appendFloats(labels, columns, 0, samples.length);
  }
  return batch.request();
}

function shown(...series: [labels: Uint8Array, ...timesMs: number[]][]): [Uint8Array, ...number[]][] {
  return series.map(([labels, ...timesMs]) => [labels, ...timesMs.map((timeMs) => t + timeMs)]);
}

function refusal(code: RemoteCode, reason: RejectReason): RemoteError {
  return new RemoteError({ class: 'rejected', code, reason, side: 'destination', what: 'refused', status: 400 });
}

const outOfOrder = refusal('out-of-order', 'out_of_order');

function setUp(view: DestinationView, rejectedSamples: 'Skip' | 'Fail' = 'Skip') {
  const events: MigrationEvent[] = [];
  const observer = { progress: () => undefined, event: (event: MigrationEvent) => void events.push(event) };
  const progress = emptyProgress();
  const plan = planFor({ source: nowhere, destination: nowhere }, { rejectedSamples });
  const rejections = new Rejections({ plan, observer, progress });
  const unproven = new UnprovenSamples({ plan, view, rejections, observer });
  const histograms = new HistogramCheck({ view, observer, rejections });
  return { events, progress, unproven, histograms, window: setUpWindow(progress) };
}

function setUpWindow(progress: MigrationProgress): CopiedWindow {
  return new CopiedWindow({ window: { fromMs: t, toMs: t + 1000 }, requestedAtMs: 0 }, progress);
}

function attemptOf(request: Uint8Array, window: CopiedWindow, changes: Partial<Attempt> = {}): Attempt {
  const outgoing = outgoingRequest(request);
  window.account.addRead(outgoing.samples);
  return { outgoing, window, signal, repeated: false, isPart: false, ...changes };
}

/** The outcomes of the samples of one rejected request. */
async function countsOf(
  view: DestinationView,
  request: Uint8Array,
  error: RemoteError,
  changes: Partial<Attempt> = {},
) {
  const { unproven, window, progress } = setUp(view);
  await unproven.add(attemptOf(request, window, changes), error);
  await unproven.resolve(window, signal);
  window.account.close();
  const { samplesWritten: written, samplesAlreadyPresent: present, samplesRejectedUnproven: maybe } = progress;
  return { written, present, rejected: progress.samplesRejected, maybe };
}

describe('samples of a rejected request', () => {
  const request = requestOf([up, [1], [2], [3]], [down, [1]]);

  it('are present when the destination shows them, and rejected when it does not', async () => {
    const view = new FakeView(shown([up, 1, 3], [down, 1]));
    assert.deepEqual(await countsOf(view, request, outOfOrder), {
      written: 0,
      present: 3,
      rejected: { out_of_order: 1 },
      maybe: 0,
    });
  });

  it('are rejected as a bound when nothing can be read, unless the reason proves that they are absent', async () => {
    const bounded: [RemoteCode, RejectReason][] = [
      ['out-of-order', 'out_of_order'],
      ['too-old', 'too_old'],
      ['other-rejection', 'other'],
      ['ha-tracker', 'ha_tracker'],
    ];
    for (const [code, reason] of bounded) {
      const counts = await countsOf(new NoView(), request, refusal(code, reason));
      assert.deepEqual(counts, { written: 0, present: 0, rejected: { [reason]: 4 }, maybe: 4 });
    }
    const exact: [RemoteCode, RejectReason][] = [
      ['duplicate-timestamp', 'duplicate_timestamp'],
      ['invalid-labels', 'invalid_labels'],
      ['invalid-sample', 'invalid_sample'],
      ['histograms-disabled', 'histograms_disabled'],
      ['too-far-in-future', 'too_far_in_future'],
    ];
    for (const [code, reason] of exact) {
      const counts = await countsOf(new NoView(), request, refusal(code, reason));
      assert.deepEqual(counts, { written: 0, present: 0, rejected: { [reason]: 4 }, maybe: 0 });
    }
  });

  it('are assumed to be present when a second request is rejected and cannot be read back', async () => {
    const counts = await countsOf(new NoView(), request, outOfOrder, { repeated: true });
    assert.deepEqual(counts, { written: 0, present: 4, rejected: {}, maybe: 0 });
  });

  it('with another value at the same timestamp are rejected, although the timestamp is shown', async () => {
    const view = new FakeView(shown([up, 1]));
    const counts = await countsOf(view, requestOf([up, [1]]), refusal('duplicate-timestamp', 'duplicate_timestamp'));
    assert.deepEqual(counts, { written: 0, present: 0, rejected: { duplicate_timestamp: 1 }, maybe: 0 });
  });

  it('that are stale markers are present when the previous sample is, when stale markers are not shown', async () => {
    const view = new FakeView(shown([up, 1, 2]), 'stale-markers');
    const ended = requestOf([up, [1], [2], [3, 'stale']], [down, [1], [2, 'stale']]);
    assert.deepEqual(await countsOf(view, ended, outOfOrder), {
      written: 0,
      present: 3,
      rejected: { out_of_order: 2 },
      maybe: 2,
    });
  });

  it('that are stale markers and were missing before are certainly rejected when stale markers are shown', async () => {
    const counts = await countsOf(new FakeView(shown([up, 1])), requestOf([up, [1], [2, 'stale']]), outOfOrder);
    assert.deepEqual(counts, { written: 0, present: 1, rejected: { out_of_order: 1 }, maybe: 0 });
  });

  it('that are stale markers are present when the comparison had found the next sample', async () => {
    const view = new FakeView(shown([up, 2]), 'stale-markers');
    const { unproven, window, progress } = setUp(view);
    window.shown = new Set([labelKey(up)]);
    await unproven.add(attemptOf(requestOf([up, [1, 'stale']], [down, [1, 'stale']]), window), outOfOrder);
    await unproven.resolve(window, signal);
    assert.equal(progress.samplesAlreadyPresent, 1);
    assert.deepEqual(progress.samplesRejected, { out_of_order: 1 });
  });

  it('that are stale markers are missing like the previous samples, whichever request those were in', async () => {
    // Newer data of the series is the reason for all of these rejections.
    const view = new FakeView(shown([up, -20, 90]), 'stale-markers');
    const { unproven, window, progress } = setUp(view);
    window.shown = new Set([labelKey(up)]);
    const refused = [requestOf([up, [1]]), requestOf([up, [2]]), requestOf([up, [3, 'stale']])];
    for (const request of refused) await unproven.add(attemptOf(request, window), outOfOrder);
    await unproven.resolve(window, signal);
    assert.equal(progress.samplesAlreadyPresent, 0);
    assert.deepEqual(progress.samplesRejected, { out_of_order: 3 });
    // A window later, the last sample before the marker is still missing.
    const later = setUpWindow(progress);
    await unproven.add(attemptOf(requestOf([up, [4, 'stale']]), later), outOfOrder);
    await unproven.resolve(later, signal);
    assert.equal(progress.samplesAlreadyPresent, 0);
  });

  it('are queued until they exceed the memory limit', async () => {
    const { unproven, window, progress } = setUp(new FakeView([]));
    const long = encodeLabels(Object.entries({ __name__: 'up', path: 'x'.repeat(1_500_000) }));
    const large = requestOf([long, [1], [2]]);
    for (let i = 0; i < 2; i++) await unproven.add(attemptOf(large, window), outOfOrder);
    assert.equal(progress.samplesRejected['out_of_order'], undefined);
    await unproven.add(attemptOf(large, window), outOfOrder);
    assert.equal(progress.samplesRejected['out_of_order'], 6);
    assert.deepEqual(window.unproven, []);
  });

  it('end the migration with Fail after a hundred, with a lower bound in the message', async () => {
    const { unproven, window } = setUp(new FakeView(shown([up, 0, 1])), 'Fail');
    const many = requestOf([up, ...Array.from({ length: 102 }, (_, i): Sample => [i])]);
    await assert.rejects(unproven.add(attemptOf(many, window), outOfOrder), /^MigrationError: at least 100 samples of/);
  });

  it('that are all present do not end it', async () => {
    const times = Array.from({ length: 200 }, (_, i) => i);
    const { unproven, window, progress } = setUp(new FakeView(shown([up, ...times])), 'Fail');
    await unproven.add(attemptOf(requestOf([up, ...times.map((i): Sample => [i])]), window), outOfOrder);
    assert.equal(progress.samplesAlreadyPresent, 200);
  });
});

describe('the check of native histograms', () => {
  function histogramRequest(...more: [labels: Uint8Array, ...samples: Sample[]][]): Uint8Array {
    const columns = new SampleColumns();
    const timestamp = t + 1;
    columns.addHistogram(timestamp, encodeHistogram({ countInt: 1, sum: 1, zeroCountInt: 1, timestamp }));
    const batch = new WriteBatch(64);
    batch.appendHistograms(up, columns, 0, 1);
    return Buffer.concat([batch.request(), requestOf(...more)]);
  }

  async function check(view: DestinationView, request: Uint8Array) {
    const { histograms, window, progress, events } = setUp(view);
    const { outgoing } = attemptOf(request, window);
    window.account.add('written', outgoing.samples);
    histograms.acknowledged(outgoing, window);
    await histograms.conclude(window, signal);
    window.account.close();
    const warnings = events.flatMap((event) => (event.type === 'warning' ? [event.code] : []));
    return { rejected: progress.samplesRejected, warnings };
  }

  it('finds them, without waiting for a destination that shows them immediately', async () => {
    const view = new FakeView(shown([up, 1]));
    assert.deepEqual(await check(view, histogramRequest()), { rejected: {}, warnings: [] });
    assert.equal(view.waits, 0);
  });

  it('finds them missing when a float of the request is shown', async () => {
    const view = new FakeView(shown([down, 1]));
    const found = await check(view, histogramRequest([down, [1]]));
    assert.deepEqual(found, { rejected: { histograms_dropped: 1 }, warnings: [] });
  });

  it('concludes nothing when not even a float of the request is shown', async () => {
    assert.deepEqual(await check(new FakeView([]), histogramRequest([down, [1]])), { rejected: {}, warnings: [] });
  });

  it('recognizes the floats that VictoriaMetrics converts them to, and no other store', async () => {
    const count = encodeLabels([['__name__', 'up_count']]);
    for (const converts of [true, false]) {
      const view: DestinationView = Object.assign(new FakeView(shown([count, 1])), { convertsHistograms: converts });
      const { rejected } = await check(view, histogramRequest());
      assert.deepEqual(rejected, converts ? {} : { histograms_dropped: 1 });
    }
  });

  it('reports when it cannot check', async () => {
    for (const view of [new NoView(), new FakeView([], 'everything')]) {
      const found = await check(view, histogramRequest());
      assert.deepEqual(found, { rejected: {}, warnings: ['histograms-not-checked'] });
    }
  });
});
