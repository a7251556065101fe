import assert from 'node:assert/strict';
import { PhaseTimeout } from '../../../src/remote/http/phase-limit.ts';
import { SilenceError } from '../../../src/remote/meaning/classify-failure.ts';
import { classifyGrpc } from '../../../src/remote/meaning/classify-grpc.ts';
import { GRPC_CODES, GrpcStatus } from '../../../src/remote/meaning/grpc-status.ts';

type Row = readonly [status: keyof typeof GRPC_CODES, details: string, meaning: string, text?: RegExp];

const noConnection = (last: string) => `No connection established. Last error: ${last}. Resolution note: `;

const BEFORE_A_RESPONSE: readonly Row[] = [
  [
    'unavailable',
    noConnection('Error: connect ECONNREFUSED 10.1.2.3:10901'),
    'transient connection-refused',
    /at 10\.1\.2\.3:10901/,
  ],
  ['unavailable', noConnection('Error: connect EHOSTUNREACH 10.1.2.3:10901'), 'transient unreachable'],
  [
    'unavailable',
    'Name resolution failed for target dns:thanos.svc:10901',
    'transient dns-not-found',
    /: thanos\.svc \(/,
  ],
  ['unavailable', noConnection('read ECONNRESET (2026-11-27T22:21:56.547Z)'), 'transient connection-reset'],
  [
    'unavailable',
    noConnection('Protocol error (2026-11-27T22:21:56.547Z)'),
    'refused not-grpc',
    /does not use HTTP\/2/,
  ],
  [
    'unavailable',
    noConnection('Failed to connect (2026-11-27T22:21:56.547Z)'),
    'transient connection-reset',
    /before it spoke HTTP\/2/,
  ],
  [
    'unavailable',
    noConnection(
      'Error: 80CB:error:0A000460:SSL routines:ssl3_read_bytes:tlsv1 alert no application protocol:../ssl/record.c:916:SSL alert number 120\n',
    ),
    'refused not-grpc',
  ],
  [
    'unavailable',
    noConnection(
      'Error: write EPROTO 80CB:error:0A00010B:SSL routines:tls_validate_record_header:wrong version number:x.c\n',
    ),
    'refused tls-failed',
  ],
  ['unavailable', noConnection('Error: self-signed certificate in certificate chain'), 'refused tls-untrusted'],
  ['unavailable', noConnection('Error: unable to verify the first certificate'), 'refused tls-untrusted'],
  [
    'unavailable',
    noConnection(
      "Error [ERR_TLS_CERT_ALTNAME_INVALID]: Hostname/IP does not match certificate's altnames: Host: a. is not in the cert's altnames: DNS:b",
    ),
    'refused tls-wrong-name',
  ],
  [
    'unavailable',
    noConnection('80CB:error:0A00045C:SSL routines:x:tlsv13 alert certificate required:x (2026-11-27T22:21:56.547Z)'),
    'refused tls-client-certificate',
  ],
  ['cancelled', 'Call cancelled', 'transient connection-reset'],
  ['unauthenticated', 'Received HTTP status code 401', 'refused unauthorized'],
  ['permissionDenied', 'no', 'refused forbidden'],
  ['unimplemented', 'unknown service thanos.Store', 'refused store-api-not-served'],
  ['unknown', 'Received HTTP status code 302', 'refused store-api-not-served'],
  ['invalidArgument', 'error parsing regexp', 'refused bad-query', /INVALID_ARGUMENT: error parsing regexp/],
];

const IN_A_RESPONSE: readonly Row[] = [
  ['resourceExhausted', 'exceeded series limit: limit 10 violated (got 11)', 'too-large too-many-series'],
  ['resourceExhausted', 'exceeded samples limit: limit 10 violated (got 11)', 'too-large too-many-samples'],
  ['resourceExhausted', 'exceeded chunks limit: limit 10 violated (got 11)', 'too-large too-many-samples'],
  ['resourceExhausted', 'exceeded bytes limit: limit 10 violated (got 11)', 'too-large response-too-large'],
  ['resourceExhausted', 'grpc: trying to send message larger than max (5 vs. 4)', 'too-large response-too-large'],
  ['resourceExhausted', 'Bandwidth exhausted or memory limit exceeded', 'transient rate-limited'],
  [
    'aborted',
    'rpc error: code = ResourceExhausted desc = exceeded series limit: limit 10 violated (got 11)',
    'too-large too-many-series',
  ],
  [
    'aborted',
    'receive series from store-1: connection refused',
    'transient partial-response',
    /ABORTED: receive series/,
  ],
  ['unavailable', 'the store is shutting down', 'transient unavailable'],
  ['deadlineExceeded', 'context deadline exceeded', 'transient request-timeout', /DEADLINE_EXCEEDED/],
  ['internal', 'load chunks', 'transient server-error'],
  ['unknown', 'fetch postings', 'transient server-error'],
  ['internal', 'Received RST_STREAM with code 2 (Internal server error)', 'transient cut-off'],
  ['unavailable', 'Connection dropped', 'transient cut-off'],
  ['unavailable', 'read ECONNRESET', 'transient cut-off'],
  ['unknown', 'No status information received', 'transient cut-off'],
];

describe('classifyGrpc', () => {
  const redact = (text: string) => text.replaceAll('hunter2', '***');
  for (const [rows, responded] of [
    [BEFORE_A_RESPONSE, false],
    [IN_A_RESPONSE, true],
  ] as const) {
    for (const [status, details, meaning, text = /./] of rows) {
      it(`takes ${status} ${details.slice(0, 90).trim()} as ${meaning}`, () => {
        const error = classifyGrpc('source', new GrpcStatus(GRPC_CODES[status], details), { responded, redact });
        assert.equal(`${error.class} ${error.code}`, meaning);
        assert.match(error.message, text);
        assert.match(error.hint ?? '', /./);
        assert.doesNotMatch(error.hint ?? '', /SIDE/);
      });
    }
  }

  it('says with a status that the server has responded, and without one that it has not', () => {
    const statusOf = (status: keyof typeof GRPC_CODES, details: string) =>
      classifyGrpc('source', new GrpcStatus(GRPC_CODES[status], details), { responded: false, redact }).status;
    assert.equal(statusOf('internal', 'load chunks'), 200);
    assert.equal(statusOf('unavailable', noConnection('Error: connect ECONNREFUSED 10.1.2.3:1')), undefined);
    assert.equal(statusOf('cancelled', 'Call cancelled'), undefined);
  });

  it('does not show secrets that a server repeats', () => {
    const error = classifyGrpc('source', new GrpcStatus(GRPC_CODES.unauthenticated, 'bad token hunter2'), {
      responded: true,
      redact,
    });
    assert.doesNotMatch(error.message, /hunter2/);
  });

  it('takes time limits as those of HTTP', () => {
    const codeOf = (error: Error, responded: boolean) => classifyGrpc('source', error, { responded, redact }).code;
    assert.equal(codeOf(new PhaseTimeout('connect', 5), false), 'connect-timeout');
    assert.equal(codeOf(new PhaseTimeout('response', 5), false), 'first-byte-timeout');
    assert.equal(codeOf(new SilenceError(5), true), 'silence-timeout');
  });
});
