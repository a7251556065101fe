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
import { WriteBatch } from '../../../src/wire/requests/write-batch.ts';
import { SampleColumns } from '../../../src/wire/sample-columns.ts';
import { FakeView } from '../support/fake-view.ts';
import { emptyProgress, planFor } from '../support/plan.ts';

const t = Date.UTC(2024, 0, 1);
const signal = new AbortController().signal;
const [up, _down] = ['up', 'down'].map((name) => encodeLabels([['__name__', name]])) as [Uint8Array, Uint8Array];
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

describe('samples of a request acknowledged with 202', () => {
  it('count as written when they are present', async () => {
    const view = new FakeView(shown([up, 1]));
    const counts = await countsOf(view, requestOf([up, [1], [2]]), refusal('accepted-only', 'ha_tracker'));
    assert.deepEqual(counts, { written: 1, present: 0, rejected: { ha_tracker: 1 }, maybe: 0 });
  });

  it('count as written when only NaNs that the destination drops are missing', async () => {
    const view = (dropsNan: boolean) => Object.assign(new FakeView(shown([up, 1])), { dropsNan });
    const nan: Sample[] = [[1], [2, 'nan'], [3, 'stale']];
    const error = refusal('accepted-only', 'ha_tracker');
    const countsFor = (dropsNan: boolean, ...samples: Sample[]) =>
      countsOf(view(dropsNan), requestOf([up, ...samples]), error);
    assert.deepEqual((await countsFor(true, [1], [2, 'nan'])).rejected, {});
    assert.deepEqual((await countsFor(true, [1], [2, 'nan'])).written, 2);
    assert.deepEqual((await countsFor(true, [2, 'nan'])).written, 1);
    assert.deepEqual((await countsFor(false, [1], [2, 'nan'])).rejected, { ha_tracker: 1 });
    assert.deepEqual((await countsFor(true, ...nan)).rejected, { ha_tracker: 2 }, 'the stale marker was dropped too');
  });

  it('count as written, including stale markers that a view does not show', async () => {
    const view = () => new FakeView(shown([up, 1]), 'stale-markers');
    const error = refusal('accepted-only', 'ha_tracker');
    const whole = await countsOf(view(), requestOf([up, [1], [2, 'stale']]), error);
    assert.deepEqual(whole, { written: 2, present: 0, rejected: {}, maybe: 0 });
    const alone = await countsOf(view(), requestOf([up, [2, 'stale']]), error);
    assert.deepEqual(
      alone,
      { written: 0, present: 0, rejected: { ha_tracker: 1 }, maybe: 1 },
      'nothing shows that it arrived',
    );
    const part = await countsOf(view(), requestOf([up, [1], [2, 'stale'], [3]]), error);
    assert.deepEqual(part, { written: 1, present: 0, rejected: { ha_tracker: 2 }, maybe: 2 }, 'not all of it arrived');
  });

  it('count as written with a warning when nothing can be read and no HA tracker is reported', async () => {
    const { unproven, window, progress, events } = setUp(new NoView());
    await unproven.add(attemptOf(requestOf([up, [1]]), window), refusal('accepted-only', 'ha_tracker'));
    await unproven.resolve(window, signal);
    assert.equal(progress.samplesWritten, 1);
    assert.deepEqual(
      events.map((event) => event.type === 'warning' && event.code),
      ['accepted-not-read-back'],
    );
  });
});
