// The servers of a migration. Each error, metric and log line names one.

/** `progress` is the endpoint of the destination that progress is read from. */
export type Side = 'source' | 'destination' | 'progress';
