// How a request is authenticated. The implementations are in remote/credentials/: a fixed header, a token that is renewed, a signature.

import type { IncomingHttpHeaders } from 'node:http';
import type { Secret } from '../../telemetry/secret.ts';
import type { EndpointAuth } from './endpoint.ts';

/** The parts of a request that a signature covers. */
export interface UnsignedRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly body: Uint8Array | undefined;
}

/** Headers with names in lower case. */
export type AuthHeaders = Readonly<Record<string, Secret>>;

export interface Credentials {
  /**
   * The headers for one attempt of a request.
   * @throws CredentialFailure, or the signal's reason
   */
  headersFor(request: UnsignedRequest, signal: AbortSignal): Promise<AuthHeaders>;
  /**
   * Called after a 401 or 403.
   * @param sent the headers that were refused
   * @returns whether the request may succeed with new headers
   * @throws like `headersFor`
   */
  renew(response: RefusedResponse, sent: AuthHeaders, signal: AbortSignal): Promise<boolean>;
  /** What was issued and must never be shown. The fields of EndpointAuth are known without it. */
  secrets(): Iterable<string>;
}

export interface RefusedResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
}

/** Shares credentials between the clients of one run. */
export interface CredentialSource {
  of(auth: EndpointAuth): Promise<Credentials>;
}

/** No credentials could be obtained. Has no `cause`, for the same reason as RemoteError. */
export class CredentialFailure extends Error {
  override readonly name = 'CredentialFailure';
  /** Whether it may succeed later without a change. */
  readonly isTransient: boolean;
  readonly hint: string;
  readonly retryAfterMs: number | undefined;

  /** @param what what happened, as the end of a sentence about a side of the migration */
  constructor(what: string, details: { isTransient: boolean; hint: string; retryAfterMs?: number | undefined }) {
    super(what);
    this.isTransient = details.isTransient;
    this.hint = details.hint;
    this.retryAfterMs = details.retryAfterMs;
  }
}
