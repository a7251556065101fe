// Private key JWT: a client proves itself with an assertion that it signs (RFC 7523 §2.2 and §3).

import { createPrivateKey, randomUUID } from 'node:crypto';
import { SignJWT } from 'jose/jwt/sign';
import type { ClientKey } from '../http/endpoint.ts';

const LIFE_SECONDS = 300;

export async function signAssertion(
  { key, keyId, algorithm, audience }: ClientKey,
  clientId: string,
  nowMs: number,
): Promise<string> {
  const seconds = Math.floor(nowMs / 1000);
  return await new SignJWT({})
    .setProtectedHeader({ alg: algorithm, typ: 'JWT', ...(keyId !== undefined && { kid: keyId }) })
    .setIssuer(clientId)
    .setSubject(clientId)
    .setAudience(audience)
    .setJti(randomUUID())
    .setIssuedAt(seconds)
    .setExpirationTime(seconds + LIFE_SECONDS)
    .sign(createPrivateKey(key.reveal()));
}
