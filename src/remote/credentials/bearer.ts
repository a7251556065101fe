// Credentials that are an access token: `Authorization: Bearer …`. A 401 requests a new one.

import { Secret } from '../../telemetry/secret.ts';
import type { Clock } from '../../telemetry/clock.ts';
import type { AuthHeaders, Credentials, RefusedResponse, UnsignedRequest } from '../http/credentials.ts';
import { objectOf } from './issuer.ts';
import { type Issued, Renewed } from './renewed.ts';

export class BearerCredentials implements Credentials {
  readonly #headers: Renewed<AuthHeaders>;
  /** The one before: a late response may still repeat it. */
  #tokens: readonly string[] = [];

  constructor(
    clock: Pick<Clock, 'monotonicMs'>,
    request: (signal: AbortSignal) => Promise<Issued<Secret>>,
    closed: AbortSignal,
  ) {
    const requestHeaders = async (signal: AbortSignal): Promise<Issued<AuthHeaders>> => {
      const { value, lifeMs } = await request(signal);
      this.#tokens = [value.reveal(), ...this.#tokens.slice(0, 1)];
      return { value: { authorization: new Secret(`Bearer ${value.reveal()}`) }, lifeMs };
    };
    this.#headers = new Renewed(clock, requestHeaders, closed);
  }

  headersFor(_: UnsignedRequest, signal: AbortSignal): Promise<AuthHeaders> {
    return this.#headers.get(signal);
  }

  async renew({ status }: RefusedResponse, sent: AuthHeaders, signal: AbortSignal): Promise<boolean> {
    // A new token has the same permissions.
    if (status !== 401) return false;
    await this.#headers.replace(sent, signal);
    return true;
  }

  secrets(): Iterable<string> {
    return this.#tokens;
  }
}

/** The token in the response of a token endpoint (RFC 6749 §5.1). Undefined if it has none that can be sent. */
export function tokenIn(text: string, nowMs: number): Issued<Secret> | undefined {
  const response = objectOf(text);
  const token = response?.['access_token'];
  if (typeof token !== 'string' || !/^[!-~]+$/.test(token)) return undefined;
  const type = response?.['token_type'];
  if (typeof type === 'string' && type.toLowerCase() !== 'bearer') return undefined;
  return { value: new Secret(token), lifeMs: lifeMsOf(response ?? {}, nowMs) };
}

/** Numbers may be strings: Azure's metadata service. App Service has only the time of the end. */
function lifeMsOf({ expires_in, expires_on }: Record<string, unknown>, nowMs: number): number | undefined {
  const seconds = numberOf(expires_in);
  if (seconds !== undefined) return seconds * 1000;
  const endSeconds = numberOf(expires_on);
  return endSeconds === undefined ? undefined : endSeconds * 1000 - nowMs;
}

function numberOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && value !== '' ? Number(value) : value;
  return typeof number === 'number' && number > 0 && Number.isFinite(number) ? number : undefined;
}
