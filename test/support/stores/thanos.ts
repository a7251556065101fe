// Thanos: Receive accepts samples and keeps the valid part of a rejected request, Query shows them with Receive's labels added, and
// thanos-remote-read makes them readable. Query does not query Receive for a range entirely before Receive's in-order head.

import type { Matcher } from '../../../src/migration/plan/migration-plan.ts';
import { selects } from '../../migration/support/remote-messages.ts';
import { Contents, sortedLabels, type StoredSample, within } from './contents.ts';
import type { Behaviour, TenantStore } from './fake-store.ts';
import { samplesResponse } from './responses.ts';
import type { StoreResponse } from './faults.ts';
import { encodeSamplesResponse, type LabeledSamples } from './messages.ts';
import { labelsAreValid, prepare } from './tsdb.ts';

export interface ThanosOptions {
  /** `--tsdb.out-of-order.time-window`; none by default. */
  readonly outOfOrderWindowMs?: number;
  /** The value of Receive's own external label `receive`. */
  readonly receive?: string;
  /** Limits of a write request; 413 above them. */
  readonly maxRequestBytes?: number;
  readonly maxRequestSeries?: number;
  readonly maxRequestSamples?: number;
}

const samplesPerChunk = 120;

export function thanos(options: ThanosOptions = {}): Behaviour {
  return {
    name: 'Thanos',
    paths: { write: '/api/v1/receive', read: '/api/v1/read', query: '' },
    rangeEnds: 'left-open',
    // Query and the bridge show every tenant; the tests have one.
    open: () => openTenant(options),
  };
}

/** The labels that Receive adds to every series. */
export function thanosLabels({ receive = 'r1' }: ThanosOptions = {}): [string, string][] {
  return [
    ['receive', receive],
    ['tenant_id', 'default-tenant'],
  ];
}

function openTenant(options: ThanosOptions): TenantStore {
  const contents = new Contents();
  const added = thanosLabels(options);
  const show = (
    matchers: readonly Matcher[],
    toMs: number,
    cut: (samples: readonly StoredSample[]) => readonly StoredSample[],
  ): LabeledSamples[] => {
    if (toMs < contents.inOrderMinMs) return [];
    const shown: LabeledSamples[] = [];
    for (const { labels: own, samples } of contents.all()) {
      const labels = sortedLabels([...own.filter(([name]) => !added.some(([other]) => other === name)), ...added]);
      const found = selects(matchers, labels) ? cut(samples) : [];
      if (found.length > 0) shown.push({ labels, samples: found });
    }
    return shown;
  };
  return {
    contents,
    write: (series, { bytes }) => write(series, bytes, contents, options),
    // The bridge does not trim: it returns every chunk that overlaps the range.
    read: ({ matchers, startMs, endMs }) => {
      const shown = show(matchers, endMs, (samples) => wholeChunks(samples, startMs, endMs));
      if (shown.some(({ samples }) => samples.some(({ histogram }) => histogram !== undefined)))
        return { status: 500, body: 'unexpected encoding type: 1\n' };
      return samplesResponse(encodeSamplesResponse(shown));
    },
    select: (matchers, fromMs, toMs) => show(matchers, toMs, (samples) => samples.filter(within(fromMs, toMs))),
  };
}

function wholeChunks(samples: readonly StoredSample[], fromMs: number, toMs: number): StoredSample[] {
  const inside = within(fromMs, toMs);
  const chunks: StoredSample[][] = [];
  for (let at = 0; at < samples.length; at += samplesPerChunk) chunks.push(samples.slice(at, at + samplesPerChunk));
  return chunks.filter((chunk) => chunk.some(inside)).flat();
}

function write(
  series: readonly LabeledSamples[],
  requestBytes: number,
  contents: Contents,
  options: ThanosOptions,
): StoreResponse {
  const {
    outOfOrderWindowMs = 0,
    maxRequestBytes = Number.POSITIVE_INFINITY,
    maxRequestSeries = Number.POSITIVE_INFINITY,
    maxRequestSamples = Number.POSITIVE_INFINITY,
  } = options;
  const samples = series.reduce((sum, one) => sum + one.samples.length, 0);
  if (requestBytes > maxRequestBytes) return { status: 413, body: 'write request too large\n' };
  if (series.length > maxRequestSeries) return { status: 413, body: 'too many timeseries\n' };
  if (samples > maxRequestSamples) return { status: 413, body: 'too many samples\n' };
  const valid = series.filter(({ labels }) => labelsAreValid(labels));
  const { refused, commit } = prepare(valid, contents, { outOfOrderWindowMs });
  commit();
  const [first] = refused;
  if (first !== undefined) {
    const same = refused.filter(({ problem }) => problem === first.problem).length;
    return { status: 409, body: `store locally for endpoint : add ${same} samples: ${first.problem}\n` };
  }
  if (valid.length < series.length) {
    return {
      status: 409,
      body: `store locally for endpoint : add ${series.length - valid.length} series: label set invalid\n`,
    };
  }
  return { status: 200 };
}
