// Which failures another attempt may get past, without a change of the manifest. Pure.

import type { RemoteCode } from '../../remote/meaning/response-codes.ts';
import type { EngineCode, MigrationCode } from './migration-codes.ts';

/** Codes that rotating the Secret can fix. */
export const CREDENTIAL_CODES: ReadonlySet<MigrationCode> = new Set<RemoteCode>([
  'unauthorized',
  'forbidden',
  'credentials-refused',
  'tls-untrusted',
  'tls-client-certificate',
  'tls-bad-material',
]);

/** Defects of the program: the next attempt resumes at the mark and may get past them. A side that did not respond may be back. */
const OTHER_CODES: ReadonlySet<MigrationCode> = new Set<EngineCode>([
  'unreachable',
  'preflight-not-judged',
  'accounting',
  'internal',
]);

/** False: the user has to change something first. */
export function anotherAttemptMaySucceed(code: MigrationCode): boolean {
  return CREDENTIAL_CODES.has(code) || OTHER_CODES.has(code);
}
