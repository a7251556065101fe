// Cortex: SAMPLES only; keeps the valid part of a rejected request, and drops with a 2xx what its HA tracker or a disabled setting
// excludes. With `storage: 'chunks'` (1.10) it finds series only by their exact name.

import type { Matcher } from '../../../src/migration/plan/migration-plan.ts';
import { labelOf } from '../../migration/support/remote-messages.ts';
import { Contents, within } from './contents.ts';
import type { Behaviour, RequestKind } from './fake-store.ts';
import { json } from './responses.ts';
import type { StoreResponse } from './faults.ts';
import { encodeSamplesResponse, type LabeledSamples, type Labels } from './messages.ts';
import { formatSeries, withoutNegativeZero } from './stored-values.ts';
import { labelsAreValid, prepare, type RefusedSample } from './tsdb.ts';

export interface CortexOptions {
  readonly storage?: 'blocks' | 'chunks';
  /** Whether `X-Scope-OrgID` is required; otherwise all requests belong to one tenant. */
  readonly multitenancy?: boolean;
  readonly outOfOrderWindowMs?: number;
  /** `enable_native_histograms`, disabled by default: histograms are dropped with a 2xx. */
  readonly nativeHistograms?: boolean;
  /** The replica that the HA tracker follows; samples of series with `cluster` and another `__replica__` are dropped with a 202. */
  readonly electedReplica?: string;
  /** `ingestion_rate`: samples per second, by the store's clock; unlimited by default. */
  readonly ingestionRate?: number;
  /** `ingestion_burst_size`: a request with more samples gets 429 however long the client waits. */
  readonly ingestionBurst?: number;
  /** Of a 429. */
  readonly retryAfterSeconds?: number;
  readonly maxSeriesPerUser?: number;
  readonly maxLabelNameLength?: number;
  readonly maxLabelValueLength?: number;
  /** `max_fetched_series_per_query`; counted in whole blocks, so that a shorter range does not help. */
  readonly maxFetchedSeries?: number;
  /** `max_fetched_data_bytes_per_query`, counted in the same way. */
  readonly maxFetchedBytes?: number;
}

const blockMs = 7_200_000;
/** The size of a sample with its share of a chunk. */
const bytesPerSample = 4;

export function cortex(options: CortexOptions = {}): Behaviour {
  const { storage = 'blocks', multitenancy = false } = options;
  return {
    name: 'Cortex',
    paths: { write: '/api/v1/push', read: '/prometheus/api/v1/read', query: '/prometheus' },
    rangeEnds: storage === 'blocks' ? 'left-open' : 'closed',
    tenantOf: (_kind: RequestKind, headers) => {
      if (!multitenancy) return '';
      const tenant = headers['x-scope-orgid'];
      return typeof tenant === 'string' && tenant !== '' ? tenant : { status: 401, body: 'no org id\n' };
    },
    open: (tenant, now) => {
      const contents = new Contents();
      const limiter = new Limiter(options, now);
      const user = tenant === '' ? 'fake' : tenant;
      return {
        contents,
        write: (series) => limiter.refusal(series) ?? write(series, contents, user, options),
        read: ({ matchers, startMs, endMs }) => {
          const problem = lookUpProblem(matchers, startMs, endMs, contents, options);
          if (problem !== undefined) return { status: 400, body: `${problem}\n` };
          const body = encodeSamplesResponse(contents.select(matchers, within(startMs, endMs)));
          // No Content-Encoding, although the body is snappy.
          return { status: 200, headers: { 'content-type': 'application/x-protobuf' }, body };
        },
        select: (matchers, fromMs, toMs) => {
          const problem = lookUpProblem(matchers, fromMs, toMs, contents, options);
          if (problem !== undefined) return json(422, { status: 'error', errorType: 'execution', error: problem });
          return contents.select(matchers, within(fromMs, toMs));
        },
      };
    },
  };
}

/** A token bucket; a refused request takes nothing. */
class Limiter {
  readonly #rate: number;
  readonly #burst: number;
  readonly #retryAfterSeconds: number;
  readonly #now: () => number;
  #saved: number;
  #savedAtMs: number;

  constructor({ ingestionRate, ingestionBurst, retryAfterSeconds = 1 }: CortexOptions, now: () => number) {
    this.#rate = ingestionRate ?? Number.POSITIVE_INFINITY;
    this.#burst = ingestionBurst ?? Number.POSITIVE_INFINITY;
    this.#retryAfterSeconds = retryAfterSeconds;
    this.#now = now;
    this.#saved = this.#burst;
    this.#savedAtMs = now();
  }

  refusal(series: readonly LabeledSamples[]): StoreResponse | undefined {
    const samples = series.reduce((sum, one) => sum + one.samples.length, 0);
    const nowMs = this.#now();
    const elapsedMs = Math.max(1, nowMs - this.#savedAtMs);
    this.#saved = Math.min(this.#burst, this.#saved + (elapsedMs * this.#rate) / 1000);
    this.#savedAtMs = nowMs;
    if (samples <= this.#saved) {
      this.#saved -= samples;
      return undefined;
    }
    const rate = Number.isFinite(this.#rate) ? this.#rate : 25_000;
    const body = `ingestion rate limit (${rate}) exceeded while adding ${samples} samples and 0 metadata\n`;
    return { status: 429, headers: { 'retry-after': String(this.#retryAfterSeconds) }, body };
  }
}

function write(
  series: readonly LabeledSamples[],
  contents: Contents,
  user: string,
  options: CortexOptions,
): StoreResponse {
  const { electedReplica, outOfOrderWindowMs = 0 } = options;
  // The tracker checks only the first series.
  const replica = series[0] && replicaOf(series[0].labels);
  if (electedReplica !== undefined && replica !== undefined && replica !== electedReplica) {
    const body = `replicas did not match, rejecting sample: replica=${replica}, elected=${electedReplica}\n`;
    return { status: 202, body };
  }
  let firstProblem: string | undefined;
  const accepted: LabeledSamples[] = [];
  const newSeries = new Set<string>();
  for (const one of series) {
    const labels = electedReplica === undefined ? one.labels : withoutReplica(one.labels);
    const problem = labelProblem(labels, options) ?? seriesProblem(labels, contents, newSeries, options);
    if (problem !== undefined) firstProblem ??= problem;
    else
      accepted.push({
        labels,
        samples: one.samples.filter(({ histogram }) => takes(histogram, options)).map(withoutNegativeZero),
      });
  }
  const { refused, commit } = prepare(accepted, contents, { outOfOrderWindowMs });
  commit();
  if (firstProblem === undefined && refused[0] !== undefined) firstProblem = sampleProblem(refused[0], options);
  return firstProblem === undefined ? { status: 200 } : { status: 400, body: `user=${user}: ${firstProblem}\n` };
}

function takes(histogram: Uint8Array | undefined, { nativeHistograms = false }: CortexOptions): boolean {
  return histogram === undefined || nativeHistograms;
}

function replicaOf(labels: Labels): string | undefined {
  const replica = labelOf(labels, '__replica__');
  return replica === '' || labelOf(labels, 'cluster') === '' ? undefined : replica;
}

function withoutReplica(labels: Labels): Labels {
  return labels.filter(([name]) => name !== '__replica__');
}

function labelProblem(labels: Labels, options: CortexOptions): string | undefined {
  const { maxLabelNameLength = 1024, maxLabelValueLength = 2048 } = options;
  const metric = labelOf(labels, '__name__');
  if (metric === '') return 'sample missing metric name';
  if (!labelsAreValid(labels)) return `sample invalid label: ${JSON.stringify(metric)}`;
  for (const [name, value] of labels) {
    if (name.length > maxLabelNameLength) return `label name too long: ${name} metric ${JSON.stringify(metric)}`;
    if (value.length > maxLabelValueLength)
      return `label value too long for metric: ${JSON.stringify(metric)} label value: ${JSON.stringify(value)}`;
  }
  return undefined;
}

function seriesProblem(
  labels: Labels,
  contents: Contents,
  newSeries: Set<string>,
  { maxSeriesPerUser = Number.POSITIVE_INFINITY }: CortexOptions,
): string | undefined {
  const text = formatSeries(labels);
  if (contents.find(labels) !== undefined || newSeries.has(text)) return undefined;
  if (contents.seriesCount + newSeries.size >= maxSeriesPerUser)
    return `per-user series limit of ${maxSeriesPerUser} exceeded, please contact administrator to raise it`;
  newSeries.add(text);
  return undefined;
}

function sampleProblem({ labels, sample, problem }: RefusedSample, { storage }: CortexOptions): string {
  if (storage === 'chunks') {
    return problem === 'duplicate sample for timestamp'
      ? `sample with repeated timestamp but different value for series ${formatSeries(labels)}`
      : `sample timestamp out of order; incoming timestamp: ${sample.timeMs / 1000} for series ${formatSeries(labels)}`;
  }
  return `err: ${problem}. timestamp=${new Date(sample.timeMs).toISOString()}, series=${formatSeries(labels)}`;
}

function lookUpProblem(
  matchers: readonly Matcher[],
  fromMs: number,
  toMs: number,
  contents: Contents,
  { storage, maxFetchedSeries, maxFetchedBytes }: CortexOptions,
): string | undefined {
  if (storage === 'chunks' && !matchers.some(({ kind, name }) => kind === '=' && name === '__name__'))
    return 'query must contain metric name';
  if (maxFetchedSeries === undefined && maxFetchedBytes === undefined) return undefined;
  const startMs = Math.floor(fromMs / blockMs) * blockMs;
  const fetched = contents.select(matchers, within(startMs, (Math.floor(toMs / blockMs) + 1) * blockMs - 1));
  if (maxFetchedSeries !== undefined && fetched.length > maxFetchedSeries)
    return `the query hit the max number of series limit (limit: ${maxFetchedSeries} series)`;
  const bytes = fetched.reduce((sum, { samples }) => sum + samples.length * bytesPerSample, 0);
  if (maxFetchedBytes !== undefined && bytes > maxFetchedBytes)
    return `the query hit the aggregated data size limit (limit: ${maxFetchedBytes} bytes)`;
  return undefined;
}
