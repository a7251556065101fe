// The credentials of one run: its clients share tokens. What a kind of credentials needs is loaded when the first one of that kind is used.

import type { Clock } from '../../telemetry/clock.ts';
import type { Credentials, CredentialSource } from '../http/credentials.ts';
import type { EndpointAuth } from '../http/endpoint.ts';
import { OVER } from '../http/over.ts';
import { FixedCredentials } from './fixed.ts';

export class CredentialPool implements CredentialSource {
  readonly #clock: Clock;
  readonly #env: NodeJS.ProcessEnv;
  readonly #closed = new AbortController();
  readonly #opened = new Map<EndpointAuth, Promise<Credentials>>();

  /** @param env where the clouds put what a pod may use */
  constructor(clock: Clock, env: NodeJS.ProcessEnv = process.env) {
    this.#clock = clock;
    this.#env = env;
  }

  of(auth: EndpointAuth): Promise<Credentials> {
    const opened = this.#opened.get(auth) ?? this.#open(auth);
    this.#opened.set(auth, opened);
    return opened;
  }

  /** Ends the requests for tokens that are on their way. */
  close(): void {
    this.#closed.abort(OVER);
  }

  async #open(auth: EndpointAuth): Promise<Credentials> {
    const [clock, env, closed] = [this.#clock, this.#env, this.#closed.signal];
    switch (auth.kind) {
      case 'oauth2': {
        const [{ OAuth2Tokens }, { BearerCredentials }] = await Promise.all([
          import('./oauth2.ts'),
          import('./bearer.ts'),
        ]);
        const tokens = new OAuth2Tokens(auth, clock);
        return new BearerCredentials(clock, (signal) => tokens.request(signal), closed);
      }
      case 'azureAd': {
        const [{ AzureAdTokens }, { BearerCredentials }] = await Promise.all([
          import('./azure-ad.ts'),
          import('./bearer.ts'),
        ]);
        const tokens = new AzureAdTokens(auth, clock, env);
        return new BearerCredentials(clock, (signal) => tokens.request(signal), closed);
      }
      case 'sigv4': {
        const { SigV4Credentials } = await import('./sigv4.ts');
        return new SigV4Credentials(auth, clock, env, closed);
      }
      default:
        return new FixedCredentials(auth);
    }
  }
}
