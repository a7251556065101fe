// M3: the end of every range is exclusive, values are rounded to their decimal digits, and without cold writes only the last minutes are
// accepted; the valid points of a rejected request are kept.

import type { Matcher } from '../../../src/migration/plan/migration-plan.ts';
import { Contents, within } from './contents.ts';
import type { Behaviour } from './fake-store.ts';
import { json, samplesResponse } from './responses.ts';
import type { StoreResponse } from './faults.ts';
import { encodeSamplesResponse, type LabeledSamples } from './messages.ts';
import { roundedLikeM3 } from './stored-values.ts';

export interface M3Options {
  /** The namespace's `coldWritesEnabled`; true by default. */
  readonly coldWrites?: boolean;
  /** `limits.perQuery.maxFetchedSeries`, with require-exhaustive. */
  readonly maxFetchedSeries?: number;
}

const bufferPastMs = 600_000;
const bufferFutureMs = 120_000;

export function m3({ coldWrites = true, maxFetchedSeries = Number.POSITIVE_INFINITY }: M3Options = {}): Behaviour {
  return {
    name: 'M3',
    paths: { write: '/api/v1/prom/remote/write', read: '/api/v1/prom/remote/read', query: '' },
    rangeEnds: 'right-open',
    open: (_tenant, now) => {
      const contents = new Contents();
      const find = (matchers: readonly Matcher[], fromMs: number, toMs: number): LabeledSamples[] | StoreResponse => {
        const found = contents.select(matchers, within(fromMs, toMs));
        if (found.length <= maxFetchedSeries) return found;
        return json(400, { status: 'error', error: 'query exceeded limit: require_exhaustive=true' });
      };
      return {
        contents,
        write: (series) => write(series, contents, coldWrites ? undefined : now()),
        read: ({ matchers, startMs, endMs }) => {
          const found = find(matchers, startMs, endMs - 1);
          return 'status' in found ? found : samplesResponse(encodeSamplesResponse(found));
        },
        select: find,
      };
    },
  };
}

/** @param nowMs undefined: samples of any age are accepted */
function write(series: readonly LabeledSamples[], contents: Contents, nowMs: number | undefined): StoreResponse {
  let bad = 0;
  let last = '';
  for (const { labels, samples } of series) {
    const floats = samples.filter(({ histogram }) => histogram === undefined);
    if (floats.length === 0) {
      bad++;
      last = 'write query with no datapoints';
    }
    for (const sample of floats) {
      const problem = nowMs === undefined ? undefined : timeProblem(sample.timeMs, nowMs);
      if (problem === undefined) contents.upsert(labels, roundedLikeM3(sample));
      else {
        bad++;
        last = problem;
      }
    }
  }
  if (bad === 0) return { status: 200 };
  return json(400, { status: 'error', error: `bad_request_errors: count=${bad}, last=${last}` });
}

function timeProblem(timeMs: number, nowMs: number): string | undefined {
  if (timeMs < nowMs - bufferPastMs)
    return `datapoint too far in past: off_by=${nowMs - bufferPastMs - timeMs}ms, timestamp=${new Date(timeMs).toISOString()}`;
  if (timeMs > nowMs + bufferFutureMs)
    return `datapoint too far in future: off_by=${timeMs - nowMs - bufferFutureMs}ms, timestamp=${new Date(timeMs).toISOString()}`;
  return undefined;
}
