// What the catalogue of response codes records for each code.

export interface ResponseCode {
  readonly meaning: string;
  readonly cure: string;
  /**
   * Whether a write request that failed with this code may have been stored. `no`: the request was not sent completely, or the server's
   * text says that it stored nothing. `part`: the server's text says that it rejected some samples; Cortex, Mimir, Thanos and M3 keep the
   * others, Prometheus keeps none. Any other failure is `unknown`: a restarting proxy can replace the acknowledgement of a store that has
   * committed with 500, 503 or 408.
   */
  readonly arrival: 'no' | 'part' | 'unknown';
  /**
   * A refusal that looks like a wrong setting. Before the first good response of a side it is one. Later it is more often an ingress that
   * restarts, and is retried for some minutes (retrier.ts).
   */
  readonly afterGood?: 'retry';
  /**
   * A transient failure that may as well be how the server is set up: a storage node that was removed is not waited for without end, as a
   * server is that does not respond (retrier.ts).
   */
  readonly mayLast?: true;
  /** Whether a smaller request can succeed: always worth a try, only if the same failure repeats, or it certainly cannot. */
  readonly smaller?: 'always' | 'when-repeated' | 'never';
}
