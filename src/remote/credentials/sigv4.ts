// Credentials that sign each request. A refusal may be due to keys that have expired or been replaced, or to a clock that is wrong.

import type { Clock } from '../../telemetry/clock.ts';
import { Secret } from '../../telemetry/secret.ts';
import type { AuthHeaders, Credentials, RefusedResponse, UnsignedRequest } from '../http/credentials.ts';
import type { SigV4Auth } from '../http/endpoint.ts';
import { AwsKeyChain } from './aws-keys.ts';
import { ClockOffset } from './clock-offset.ts';
import { Renewed } from './renewed.ts';
import { type AwsKeys, signV4 } from './sign-v4.ts';

interface Signing {
  readonly keys: AwsKeys;
  readonly offsetMs: number;
}

export class SigV4Credentials implements Credentials {
  readonly #auth: SigV4Auth;
  readonly #clock: Clock;
  readonly #offset = new ClockOffset();
  readonly #keys: Renewed<AwsKeys>;
  readonly #signings = new WeakMap<AuthHeaders, Signing>();
  /** The current keys and those before. */
  #known: readonly AwsKeys[] = [];

  constructor(auth: SigV4Auth, clock: Clock, env: NodeJS.ProcessEnv, closed: AbortSignal) {
    this.#auth = auth;
    this.#clock = clock;
    const chain = new AwsKeyChain(auth, clock, env, this.#offset);
    const request = async (signal: AbortSignal) => {
      const issued = await chain.request(signal);
      this.#known = [issued.value, ...this.#known.slice(0, 1)];
      return issued;
    };
    this.#keys = new Renewed(clock, request, closed);
  }

  async headersFor({ method, url, body }: UnsignedRequest, signal: AbortSignal): Promise<AuthHeaders> {
    const keys = await this.#keys.get(signal);
    const offsetMs = this.#offset.ms;
    const timeMs = this.#clock.now() + offsetMs;
    // Proxies may change other headers on the way, so only those that are necessary are signed.
    const signed = signV4({ method, url, headers: {}, body }, keys, this.#auth, timeMs);
    const headers = Object.fromEntries(Object.entries(signed).map(([name, value]) => [name, new Secret(value)]));
    this.#signings.set(headers, { keys, offsetMs });
    return headers;
  }

  async renew({ headers }: RefusedResponse, sent: AuthHeaders, signal: AbortSignal): Promise<boolean> {
    const signing = this.#signings.get(sent);
    if (signing === undefined) return false;
    const { keys } = signing;
    const wasTime = this.#offset.correct(headers.date, signing.offsetMs, this.#clock.now());
    if (wasTime && keys.sessionToken !== undefined) return true;
    // It costs nothing to look at files too.
    const next = await this.#keys.replace(keys, signal);
    const parts = ['accessKey', 'secretKey', 'sessionToken'] as const;
    return wasTime || parts.some((part) => next[part]?.reveal() !== keys[part]?.reveal());
  }

  *secrets(): Generator<string, undefined> {
    for (const { accessKey, secretKey, sessionToken } of this.#known) {
      yield accessKey.reveal();
      yield secretKey.reveal();
      yield sessionToken?.reveal() ?? '';
    }
  }
}
