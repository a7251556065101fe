// Credentials that are one header: none at all, basic authentication, a token from the manifest. They change only if their files do.

import { Secret } from '../../telemetry/secret.ts';
import { readAgain } from '../../telemetry/secret-file.ts';
import type { AuthHeaders, Credentials } from '../http/credentials.ts';
import type { EndpointAuth } from '../http/endpoint.ts';
import { secretsIn } from '../http/redact-response.ts';

export type FixedAuth = Extract<EndpointAuth, { kind: 'none' | 'basic' | 'authorization' }>;

/** Late responses may still repeat old values, but not very old ones. */
const KEPT = 8;

export class FixedCredentials implements Credentials {
  #auth: FixedAuth;
  #headers: AuthHeaders;
  /** What the files have had since the start. */
  #read: readonly string[] = [];

  constructor(auth: FixedAuth) {
    this.#auth = auth;
    this.#headers = headersOf(auth);
  }

  async headersFor(): Promise<AuthHeaders> {
    return this.#headers;
  }

  async renew(_: unknown, sent: AuthHeaders): Promise<boolean> {
    // Another request may have led to new headers already.
    if (sent !== this.#headers) return true;
    const auth = readAgain(this.#auth);
    if (auth === this.#auth) return false;
    this.#auth = auth;
    this.#headers = headersOf(auth);
    const value = this.#headers['authorization']?.reveal().split(' ').slice(1) ?? [];
    this.#read = [...secretsIn(auth), ...value, ...this.#read.slice(0, KEPT)];
    return true;
  }

  secrets(): Iterable<string> {
    return this.#read;
  }
}

function headersOf(auth: FixedAuth): AuthHeaders {
  if (auth.kind === 'none') return {};
  if (auth.kind === 'authorization') return { authorization: new Secret(`${auth.type} ${auth.credentials.reveal()}`) };
  const pair = `${auth.username.reveal()}:${auth.password.reveal()}`;
  return { authorization: new Secret(`Basic ${Buffer.from(pair, 'utf8').toString('base64')}`) };
}
