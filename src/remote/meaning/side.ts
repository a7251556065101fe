// Which of the servers of a migration: each error, metric and log line names it.

/** `progress` is the destination where progress is read. */
export type Side = 'source' | 'destination' | 'progress';
