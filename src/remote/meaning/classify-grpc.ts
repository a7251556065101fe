// Classifies how a gRPC call ended: by its status, and where the status says too little by its text. The library reports failures of the
// network only as a text. Pure.

import { classifyFailure } from './classify-failure.ts';
import { GRPC_CODES, GrpcStatus } from './grpc-status.ts';
import { excerpt, RemoteError, type ResponseClass } from './remote-error.ts';
import { hintOf, type RemoteCode } from './response-codes.ts';
import type { Side } from './side.ts';

interface Judgement {
  readonly class: ResponseClass;
  readonly code: RemoteCode;
}

/** Of every response with a gRPC status. */
const HTTP_STATUS = 200;

export interface GrpcFailure {
  /** Whether the headers of the response had arrived. */
  readonly responded: boolean;
  /** Masks secrets in the server's text. */
  readonly redact: (text: string) => string;
}

/** Converts any failure of a call to a RemoteError. A RemoteError is returned unchanged. */
export function classifyGrpc(side: Side, error: unknown, { responded, redact }: GrpcFailure): RemoteError {
  if (!(error instanceof GrpcStatus)) return classifyFailure(side, error, responded);
  const { code, details } = error;
  const last = lastError(details);
  if (last === 'Protocol error' || /no application protocol/.test(last ?? '')) {
    return new RemoteError({
      ...refused('not-grpc'),
      side,
      what: 'does not use HTTP/2',
      hint: hintOf('not-grpc', side),
    });
  }
  if (last === 'Failed to connect' || last === 'Socket closed') {
    const what = 'closed the connection before it spoke HTTP/2';
    return new RemoteError({ ...transient('connection-reset'), side, what, hint: hintOf('not-grpc', side) });
  }
  const network = code === GRPC_CODES.unavailable || code === GRPC_CODES.internal ? networkError(details) : undefined;
  if (network !== undefined) return classifyFailure(side, network, responded);
  const judgement = judge(code, details, responded);
  const shown = excerpt(redact(details));
  const what = `returned gRPC status ${nameOf(code)}${shown === '' ? '' : `: ${shown}`}`;
  // The server has responded: a smaller request may succeed.
  const status = judgement.code === 'connection-reset' ? undefined : HTTP_STATUS;
  return new RemoteError({ ...judgement, side, what, status, hint: hintOf(judgement.code, side) });
}

const transient = (code: RemoteCode): Judgement => ({ class: 'transient', code });
const refused = (code: RemoteCode): Judgement => ({ class: 'refused', code });

function judge(code: number, details: string, responded: boolean): Judgement {
  if (isCut(code, details)) return transient(responded ? 'cut-off' : 'connection-reset');
  switch (code) {
    case GRPC_CODES.unauthenticated:
      return refused('unauthorized');
    case GRPC_CODES.permissionDenied:
      return refused('forbidden');
    case GRPC_CODES.unimplemented:
    case GRPC_CODES.notFound:
      return refused('store-api-not-served');
    case GRPC_CODES.invalidArgument:
    case GRPC_CODES.outOfRange:
      return refused('bad-query');
    case GRPC_CODES.resourceExhausted:
      return tooLarge(details);
    case GRPC_CODES.deadlineExceeded:
      return transient('request-timeout');
    case GRPC_CODES.unavailable:
      return transient('unavailable');
    case GRPC_CODES.aborted:
      // A Query reports the status of the store that failed as text.
      return /ResourceExhausted|RESOURCE_EXHAUSTED|\blimit\b.*\bviolated\b|larger than max/.test(details)
        ? tooLarge(details)
        : transient('partial-response');
    default:
      if (/^Received HTTP status code /.test(details)) return refused('store-api-not-served');
      return /\blimit\b.*\bviolated\b/.test(details) ? tooLarge(details) : transient('server-error');
  }
}

/** The words are those of Thanos' limiters and of the gRPC libraries of Go and JavaScript. */
function tooLarge(details: string): Judgement {
  if (/\bseries limit\b/i.test(details)) return { class: 'too-large', code: 'too-many-series' };
  if (/\b(?:samples?|chunks?) limit\b/i.test(details)) return { class: 'too-large', code: 'too-many-samples' };
  // A proxy's or a node's own memory, and not the size of this response.
  if (/Bandwidth exhausted or memory limit exceeded/.test(details)) return transient('rate-limited');
  return { class: 'too-large', code: 'response-too-large' };
}

/** Texts of the library for streams that ended without a status from the server. */
function isCut(code: number, details: string): boolean {
  if (code === GRPC_CODES.cancelled) return true;
  return /^(?:Received RST_STREAM|Connection dropped|Stream refused by server|No status information received)/.test(
    details,
  );
}

const CERTIFICATES: readonly (readonly [text: RegExp, code: string])[] = [
  [/self-signed certificate in certificate chain/, 'SELF_SIGNED_CERT_IN_CHAIN'],
  [/self-signed certificate/, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  [/unable to verify the first certificate/, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
  [/unable to get (?:local )?issuer certificate/, 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'],
  [/certificate has expired/, 'CERT_HAS_EXPIRED'],
  [/certificate is not yet valid/, 'CERT_NOT_YET_VALID'],
  [/does not match certificate's altnames/, 'ERR_TLS_CERT_ALTNAME_INVALID'],
];

/** Why there is no connection. */
function lastError(details: string): string | undefined {
  const last = /Last error: ([\s\S]*?)(?: \(\d{4}-\d\d-\d\dT[\d:.]+Z\))?\. Resolution note:/.exec(details)?.[1];
  return last?.replace(/^\w*Error(?: \[\w+\])?: /, '');
}

/** The error of Node that the library has put into a text; undefined without such a text. */
function networkError(details: string): Error | undefined {
  const name = /^Name resolution failed for target (?:dns:)?(\S+?)(?::\d+)?$/.exec(details)?.[1];
  if (name !== undefined) return failure('ENOTFOUND', details, { hostname: name });
  const last = lastError(details) ?? details;
  const address = /\b(?:connect|read|write) (E[A-Z]+) (\S+):(\d+)/.exec(last);
  if (address !== null) {
    const [, code = '', host = '', port = ''] = address;
    return failure(code, last, { address: host, port: Number(port) });
  }
  const plain = /\b(?:read|write|connect) (E[A-Z]+)\b/.exec(last)?.[1];
  if (plain !== undefined) return failure(plain, last);
  for (const [text, code] of CERTIFICATES) if (text.test(last)) return failure(code, last);
  const alert = /tlsv1[23]? alert [a-z ]+|sslv3 alert [a-z ]+/.exec(last)?.[0];
  if (alert !== undefined) return failure(`ERR_SSL_${alert.trim().replaceAll(' ', '_').toUpperCase()}`, last);
  if (/wrong version number|packet length too long|http request/.test(last))
    return failure('ERR_SSL_WRONG_VERSION_NUMBER', last);
  if (/Client network socket disconnected before secure TLS connection/.test(last)) return failure('ECONNRESET', last);
  return undefined;
}

function failure(code: string, message: string, more: object = {}): Error {
  return Object.assign(new Error(message), { code, ...more });
}

function nameOf(code: number): string {
  const name = Object.entries(GRPC_CODES).find(([, value]) => value === code)?.[0];
  return name === undefined ? String(code) : name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}
