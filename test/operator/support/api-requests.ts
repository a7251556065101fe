// Requests that the fake API server has seen, and what it does instead of answering them.

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export interface Fault {
  /** Which requests; all by default. */
  readonly when?: (request: SeenRequest) => boolean;
  /** How many of them; 1 by default. */
  readonly times?: number;
  /** A response, a connection that is closed immediately, no response, half a response, or (after it was carried out) no response. */
  readonly act:
    | { readonly status: number; readonly reason?: string; readonly retryAfter?: number; readonly body?: string }
    | 'reset'
    | 'no-answer'
    | 'cut-body'
    | 'lose-answer';
}
