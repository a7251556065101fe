// Opens credentials as a run does, and gives back what they send.

import assert from 'node:assert/strict';
import { CredentialPool } from '../../../src/remote/credentials/credential-pool.ts';
import { CredentialFailure, type Credentials } from '../../../src/remote/http/credentials.ts';
import type { EndpointAuth, OAuth2Auth } from '../../../src/remote/http/endpoint.ts';
import { type Clock, SYSTEM_CLOCK } from '../../../src/telemetry/clock.ts';
import { Secret, SecretUrl } from '../../../src/telemetry/secret.ts';

export const USUAL_TLS = { insecureSkipVerify: false, minVersion: 'TLSv1.2' } as const;
export const NEVER = new AbortController().signal;
export const UNSIGNED = { method: 'POST', url: 'http://store/api/v1/write', body: undefined } as const;

/** The system's clock, set by the test. */
export class MovedClock implements Clock {
  aheadMs = 0;
  readonly now = () => SYSTEM_CLOCK.now() + this.aheadMs;
  readonly monotonicMs = () => SYSTEM_CLOCK.monotonicMs() + this.aheadMs;
  readonly sleep = SYSTEM_CLOCK.sleep;
}

export function openCredentials(
  auth: EndpointAuth,
  env: NodeJS.ProcessEnv = {},
  clock: Clock = SYSTEM_CLOCK,
): Promise<Credentials> {
  return new CredentialPool(clock, env).of(auth);
}

/** The Authorization header of the next request. */
export async function authorizationOf(credentials: Credentials): Promise<string | undefined> {
  return (await credentials.headersFor(UNSIGNED, NEVER))['authorization']?.reveal();
}

export async function failureOf(credentials: Credentials): Promise<CredentialFailure> {
  try {
    await credentials.headersFor(UNSIGNED, NEVER);
  } catch (error) {
    assert.ok(error instanceof CredentialFailure, String(error));
    return error;
  }
  throw new Error('succeeded, but should have failed');
}

export function oauth2(tokenUrl: string, changes: Partial<OAuth2Auth> = {}): OAuth2Auth {
  return {
    kind: 'oauth2',
    field: 'spec.destination.oauth2',
    tls: USUAL_TLS,
    clientId: new Secret('the client'),
    proof: { kind: 'secret', secret: new Secret('pass/word+1') },
    tokenUrl: new SecretUrl(tokenUrl),
    scopes: ['metrics:write', 'metrics:read'],
    parameters: { audience: new Secret('the-store') },
    ...changes,
  };
}
