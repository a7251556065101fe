// Prometheus 3: streams and SAMPLES; accepts samples in order or within its out-of-order window, rolls back a whole request at its first
// bad sample, and skips a series with invalid labels with a 204.

import type { Matcher } from '../../../src/migration/plan/migration-plan.ts';
import type { ReadQuery } from '../../migration/support/remote-messages.ts';
import { Contents, sortedLabels, within } from './contents.ts';
import type { Behaviour } from './fake-store.ts';
import { samplesResponse, streamResponse } from './responses.ts';
import { encodeSamplesResponse, encodeStream, type LabeledSamples } from './messages.ts';
import { labelsAreValid, prepare, type Problem } from './tsdb.ts';

export interface PrometheusOptions {
  /** `out_of_order_time_window`; none by default. */
  readonly outOfOrderWindowMs?: number;
  /** Prometheus 2 includes both ends of a range, keeps the bounds of custom buckets, and rejects an old sample with 500 (before 2.50). */
  readonly major?: 2 | 3;
  /** Added to every series that is read, like `external_labels`. */
  readonly externalLabels?: Readonly<Record<string, string>>;
}

export function prometheus(options: PrometheusOptions = {}): Behaviour {
  const { outOfOrderWindowMs = 0, major = 3, externalLabels = {} } = options;
  const external = Object.entries(externalLabels);

  // A matcher that equals an external label is rewritten for the storage, which does not have it; other matchers are not.
  const forStorage = (matcher: Matcher): Matcher =>
    matcher.kind === '=' && externalLabels[matcher.name] === matcher.value ? { ...matcher, value: '' } : matcher;
  const withExternal = ({ labels, samples }: LabeledSamples): LabeledSamples => ({
    labels: sortedLabels([...labels, ...external.filter(([name]) => !labels.some(([own]) => own === name))]),
    samples,
  });
  const statusOf = (problem: Problem) => (problem === 'too old sample' && major === 2 ? 500 : 400);

  return {
    name: 'Prometheus',
    paths: { write: '/api/v1/write', read: '/api/v1/read', query: '' },
    rangeEnds: major === 3 ? 'left-open' : 'closed',
    open: () => {
      const contents = new Contents();
      return {
        contents,
        write: (series) => {
          const valid = series.filter(({ labels }) => labelsAreValid(labels));
          const { refused, commit } = prepare(valid, contents, { outOfOrderWindowMs });
          const first = refused[0];
          if (first !== undefined) return { status: statusOf(first.problem), body: `${first.problem}\n` };
          commit();
          return { status: 204 };
        },
        read: ({ matchers, startMs, endMs, streamed }: ReadQuery) => {
          const found = contents.select(matchers.map(forStorage), within(startMs, endMs)).map(withExternal);
          if (streamed) return streamResponse(encodeStream(found));
          return samplesResponse(encodeSamplesResponse(found, { dropsCustomBounds: major === 3 }));
        },
        // The query API of the server itself adds no external labels.
        select: (matchers, fromMs, toMs) => contents.select(matchers, within(fromMs, toMs)),
      };
    },
  };
}
