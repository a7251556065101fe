// Classifies a failure of the network or of TLS, where there is no response to judge.

import { hintOf, type RemoteCode } from './response-codes.ts';
import type { Side } from './side.ts';
import { type ResponseClass, excerpt, RemoteError } from './remote-error.ts';

/** The fields of an error from node, OpenSSL, got or hpagent. */
interface Failure {
  readonly name: string;
  readonly code: string;
  readonly message: string;
  /** got's phase of a time limit. */
  readonly event: string;
  readonly host: string | undefined;
}

/** Thrown into a request if the body of its response pauses for too long. */
export class SilenceError extends Error {
  readonly code = 'ERR_SILENCE';

  constructor(silenceMs: number) {
    super(`no data for ${silenceMs} ms`);
  }
}

/** Thrown into a request if the body of its response arrives too slowly. */
export class SlowError extends Error {
  readonly code = 'ERR_SLOW';

  constructor(bytes: number, periodMs: number) {
    super(`${bytes} bytes in ${Math.round(periodMs / 1000)} s`);
  }
}

const UNTRUSTED = new Set([
  'CERT_CHAIN_TOO_LONG',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REJECTED',
  'CERT_REVOKED',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/**
 * Converts a failure to a RemoteError. It names host and port if the system reported them, and contains no part of the request. `responded`
 * says that the response's headers had already arrived. A RemoteError is returned unchanged.
 */
export function classifyFailure(side: Side, error: unknown, responded = false): RemoteError {
  if (error instanceof RemoteError) return error;
  const failure = readFailure(error);
  const { class: responseClass, code, what } = judge(failure, responded);
  return new RemoteError({ class: responseClass, code, side, what, hint: hintOf(code, side) });
}

interface Judgement {
  readonly class: ResponseClass;
  readonly code: RemoteCode;
  readonly what: string;
}

const transient = (code: RemoteCode, what: string): Judgement => ({ class: 'transient', code, what });
const refused = (code: RemoteCode, what: string): Judgement => ({ class: 'refused', code, what });

function judge(failure: Failure, responded: boolean): Judgement {
  const { name, code, message, event } = failure;
  const at = failure.host === undefined ? '' : ` at ${failure.host}`;
  if (name === 'AbortError' || code === 'ABORT_ERR' || code === 'ERR_ABORTED') {
    return { class: 'aborted', code: 'aborted', what: 'request was aborted' };
  }
  if (code === 'ERR_SILENCE') return transient('silence-timeout', `paused in the middle of its response: ${message}`);
  if (code === 'ERR_SLOW') return transient('too-slow', `sends its response too slowly: ${message}`);
  if (event === 'response') return transient('first-byte-timeout', `did not begin to respond: ${excerpt(message)}`);
  if (event === 'send') return transient('send-timeout', `did not read the request: ${excerpt(message)}`);
  if (event !== '' || (code === 'ETIMEDOUT' && !responded))
    return transient('connect-timeout', `did not accept a connection${at}: ${excerpt(message)}`);
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return transient(
      'dns-not-found',
      `has a host name that cannot be resolved: ${failure.host ?? excerpt(message)} (${code})`,
    );
  }
  if (code === 'ECONNREFUSED') return transient('connection-refused', `refuses connections${at}`);
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH')
    return transient('unreachable', `cannot be reached${at} (${code})`);

  const proxy = /^Bad response: (\d+)$/.exec(message);
  if (proxy !== null) {
    const status = Number(proxy[1]);
    return status >= 500 || status === 408 || status === 429
      ? transient('proxy-unreachable', `is behind a proxy that returned ${status}`)
      : refused('proxy-refused', `is behind a proxy that returned ${status}`);
  }
  if (message === 'Proxy timeout')
    return transient('connect-timeout', 'is behind a proxy that did not open a tunnel in time');

  if (UNTRUSTED.has(code))
    return refused('tls-untrusted', `has a certificate that is not trusted: ${excerpt(message)} (${code})`);
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID' || code === 'HOSTNAME_MISMATCH') {
    return refused('tls-wrong-name', `has a certificate for a different name: ${excerpt(message)}`);
  }
  // OpenSSL's names for the same alerts differ between its versions.
  const alert = `${code} ${message}`.replaceAll('_', ' ');
  if (/alert (?:unknown ca|(?:bad |no |unsupported )?certificate)/i.test(alert)) {
    return refused('tls-client-certificate', `does not accept the client certificate, or requires one (${code})`);
  }
  if (/^ERR_OSSL_|^ERR_CRYPTO_|KEY_VALUES_MISMATCH|^ERR_SSL_(?:EE_KEY|CA_(?:KEY|MD)|NO_)/.test(code)) {
    return refused('tls-bad-material', `connection is not possible with these certificates: ${excerpt(code)}`);
  }
  if (!responded && /^ERR_SSL_|^ERR_TLS_|^EPROTO$/.test(code))
    return refused('tls-failed', `failed the TLS handshake (${excerpt(code)})`);

  if (responded) return transient('cut-off', `cut off its response (${excerpt(code === '' ? message : code)})`);
  if (code === 'ECONNRESET' || code === 'EPIPE' || code === 'ECONNABORTED') {
    return transient('connection-reset', `closed the connection before it responded (${code})`);
  }
  if (code.startsWith('HPE_')) return refused('not-http', `does not respond in HTTP: ${excerpt(message)}`);
  if (/^E[A-Z0-9]+$/.test(code)) return transient('network-error', `failed with a network error${at} (${code})`);
  return refused(
    'client-failure',
    `request could not be sent: ${excerpt(message)}${code === '' ? '' : ` (${excerpt(code)})`}`,
  );
}

/** got wraps the errors of node, and node wraps the attempts on several addresses of one name. */
function readFailure(error: unknown): Failure {
  const chain: Record<string, unknown>[] = [];
  let next: unknown = error;
  while (typeof next === 'object' && next !== null && chain.length < 5) {
    const record = next as Record<string, unknown>;
    chain.push(record);
    const attempts = record['errors'];
    next = record['cause'] ?? (Array.isArray(attempts) ? (attempts[0] as unknown) : undefined);
  }
  const first = (key: string): string | undefined => {
    for (const link of chain) {
      const value = link[key];
      if (typeof value === 'string' && value !== '' && !value.startsWith('ERR_GOT_')) return value;
    }
    return undefined;
  };
  const port = chain.find((link) => typeof link['port'] === 'number')?.['port'];
  const host = first('address') ?? first('hostname') ?? first('host');
  return {
    name: first('name') ?? '',
    code: first('code') ?? '',
    message: first('message') ?? (typeof error === 'string' ? error : 'no further information'),
    event: first('event') ?? '',
    host:
      host === undefined ? undefined : port === undefined ? host : `${host.includes(':') ? `[${host}]` : host}:${port}`,
  };
}
