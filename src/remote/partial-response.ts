// Whether the warnings in a query response mean that the server has not read all of its storage. Pure.

/** The annotations of the PromQL engine. They are about the query and its data, as in `PromQL info: metric might not be a counter`. */
const ABOUT_THE_QUERY = /^PromQL (?:info|warning): /;

/** Older releases of Thanos, for a range in which no store has data. */
const NOTHING_THERE = 'No StoreAPIs matched for this query';

/**
 * Thanos, M3, and a Prometheus whose own remote_read has failed, report with a 200 that data is missing, each in its own words. So any warning
 * counts, except those that are known to have another meaning.
 */
export function meansPartial(warning: string): boolean {
  return warning !== '' && warning !== NOTHING_THERE && !ABOUT_THE_QUERY.test(warning);
}
