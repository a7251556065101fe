// A client of a StoreAPI, and how its requests end.
import assert from 'node:assert/strict';
import { CredentialPool } from '../../../src/remote/credentials/credential-pool.ts';
import type { CredentialSource } from '../../../src/remote/http/credentials.ts';
import type { Endpoint } from '../../../src/remote/http/endpoint.ts';
import type { RequestEvent } from '../../../src/remote/http/exchange.ts';
import { RemoteError } from '../../../src/remote/meaning/remote-error.ts';
import { StoreClient } from '../../../src/remote/store-client.ts';
import { SYSTEM_CLOCK } from '../../../src/telemetry/clock.ts';
import { SecretUrl } from '../../../src/telemetry/secret.ts';
import type { StoreHandler } from '../../support/thanos-store.ts';

export const REQUEST = {
  startMs: 1_740_000_000_000,
  endMs: 1_740_000_059_999,
  matchers: [
    { kind: '=', name: '__name__', value: 'up' },
    { kind: '!=', name: 'a', value: 'b' },
    { kind: '=~', name: 'c', value: 'd.*' },
    { kind: '!~', name: 'e', value: '' },
  ],
  replicaLabels: ['replica', 'rule_replica'],
  wanted: 'samples',
} as const;

export const NO_SIGNAL = new AbortController().signal;

export function clientOf(
  url: string,
  changes: Partial<Endpoint> = {},
  maxMessageBytes = 1 << 20,
  credentials: CredentialSource = new CredentialPool(SYSTEM_CLOCK, {}),
) {
  const events: RequestEvent[] = [];
  const endpoint: Endpoint = {
    side: 'source',
    url: new SecretUrl(url),
    headers: {},
    auth: { kind: 'none' },
    tls: { insecureSkipVerify: false, minVersion: 'TLSv1.2' },
    timeouts: { connectMs: 5000, firstByteMs: 5000, silenceMs: 5000 },
    ...changes,
  };
  const buffers = { take: (bytes: number) => new Uint8Array(bytes), give: () => undefined };
  const client = new StoreClient(
    endpoint,
    { clock: SYSTEM_CLOCK, buffers, credentials, request: (event) => events.push(event) },
    maxMessageBytes,
  );
  return { client, events, [Symbol.dispose]: () => client.close() };
}

export async function readAll(client: StoreClient, signal = NO_SIGNAL): Promise<Uint8Array[]> {
  const messages = await client.series(REQUEST, signal);
  const found: Uint8Array[] = [];
  for (let next = await messages.next(); next !== undefined; next = await messages.next()) found.push(next);
  return found;
}

/** The class and code of the failure of a request. */
export async function failureOf(url: string, changes: Partial<Endpoint> = {}): Promise<string> {
  using opened = clientOf(url, changes);
  try {
    await readAll(opened.client);
  } catch (error) {
    assert.ok(error instanceof RemoteError, String(error));
    assert.equal(opened.events.length, 1);
    assert.equal(opened.events[0]?.status, error.code);
    return `${error.class} ${error.code}`;
  }
  return 'none';
}

export const warnings =
  (count: number): StoreHandler =>
  async (_, stream) => {
    for (let i = 0; i < count; i++) await stream.send({ warning: `${i}`.padStart(1000) });
  };
