import assert from 'node:assert/strict';

import { RESPONSE_CODES } from '../../../src/remote/meaning/response-codes.ts';
import { classifyFailure, SilenceError } from '../../../src/remote/meaning/classify-failure.ts';
import { RemoteError } from '../../../src/remote/meaning/remote-error.ts';

const systemError = (code: string, more: object = {}) => Object.assign(new Error(`connect ${code}`), { code, ...more });
const wrapped = (cause: Error & { code?: string }) =>
  Object.assign(new Error(cause.message, { cause }), {
    name: 'RequestError',
    code: cause.code ?? 'ERR_GOT_REQUEST_ERROR',
  });
const timedOut = (event: string) =>
  Object.assign(new Error(`Timeout awaiting '${event}' for 5ms`), { name: 'TimeoutError', code: 'ETIMEDOUT', event });

describe('classifyFailure', () => {
  for (const [error, expectedClass, code, text] of [
    [
      wrapped(systemError('ENOTFOUND', { hostname: 'prometheus.svc' })),
      'transient',
      'dns-not-found',
      /prometheus\.svc/,
    ],
    [
      wrapped(systemError('EAI_AGAIN', { hostname: 'prometheus.svc' })),
      'transient',
      'dns-not-found',
      /prometheus\.svc/,
    ],
    [
      wrapped(systemError('ECONNREFUSED', { address: '10.1.2.3', port: 9090 })),
      'transient',
      'connection-refused',
      /at 10\.1\.2\.3:9090/,
    ],
    [
      // The error of Node for a name with several addresses.
      wrapped(
        Object.assign(new AggregateError([systemError('ECONNREFUSED', { address: '::1', port: 9090 })]), {
          code: 'ECONNREFUSED',
        }),
      ),
      'transient',
      'connection-refused',
      /at \[::1\]:9090/,
    ],
    [systemError('EHOSTUNREACH', { address: '10.1.2.3', port: 1 }), 'transient', 'unreachable', /10\.1\.2\.3:1/],
    [systemError('ENETUNREACH'), 'transient', 'unreachable', /ENETUNREACH/],
    [systemError('ECONNRESET'), 'transient', 'connection-reset', /before it responded/],
    [systemError('EPIPE'), 'transient', 'connection-reset', /EPIPE/],
    [systemError('EMFILE'), 'transient', 'network-error', /EMFILE/],
    [systemError('ETIMEDOUT', { address: '10.1.2.3', port: 1 }), 'transient', 'connect-timeout', /10\.1\.2\.3:1/],
    [timedOut('lookup'), 'transient', 'connect-timeout', /5ms/],
    [timedOut('connect'), 'transient', 'connect-timeout', /5ms/],
    [timedOut('secureConnect'), 'transient', 'connect-timeout', /5ms/],
    [timedOut('send'), 'transient', 'send-timeout', /did not read/],
    [timedOut('response'), 'transient', 'first-byte-timeout', /did not begin/],
    [new SilenceError(60000), 'transient', 'silence-timeout', /60000 ms/],
    [wrapped(new Error('Bad response: 407')), 'refused', 'proxy-refused', /407/],
    [wrapped(new Error('Bad response: 502')), 'transient', 'proxy-unreachable', /502/],
    [wrapped(new Error('Proxy timeout')), 'transient', 'connect-timeout', /proxy/],
    [systemError('DEPTH_ZERO_SELF_SIGNED_CERT'), 'refused', 'tls-untrusted', /SELF_SIGNED/],
    [systemError('UNABLE_TO_VERIFY_LEAF_SIGNATURE'), 'refused', 'tls-untrusted', /LEAF/],
    [systemError('CERT_HAS_EXPIRED'), 'refused', 'tls-untrusted', /EXPIRED/],
    [systemError('ERR_TLS_CERT_ALTNAME_INVALID'), 'refused', 'tls-wrong-name', /a different name/],
    [systemError('ERR_SSL_TLSV1_ALERT_UNKNOWN_CA'), 'refused', 'tls-client-certificate', /UNKNOWN_CA/],
    [systemError('ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE'), 'refused', 'tls-client-certificate', /BAD_CERTIFICATE/],
    [systemError('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'), 'refused', 'tls-client-certificate', /REQUIRED/],
    [
      Object.assign(
        new Error(
          'write EPROTO error:0A000412:SSL routines:ssl3_read_bytes:ssl/tls alert bad certificate:SSL alert number 42',
        ),
        { code: 'EPROTO' },
      ),
      'refused',
      'tls-client-certificate',
      /client certificate/,
    ],
    [systemError('ERR_SSL_WRONG_VERSION_NUMBER'), 'refused', 'tls-failed', /TLS/],
    [systemError('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION'), 'refused', 'tls-failed', /TLS/],
    [systemError('ERR_OSSL_PEM_NO_START_LINE'), 'refused', 'tls-bad-material', /PEM/],
    [systemError('HPE_INVALID_CONSTANT'), 'refused', 'not-http', /HTTP/],
    [systemError('ERR_INVALID_CHAR'), 'refused', 'client-failure', /ERR_INVALID_CHAR/],
    [new TypeError('a mistake of our own'), 'refused', 'client-failure', /mistake/],
    ['a string', 'refused', 'client-failure', /a string/],
    [undefined, 'refused', 'client-failure', /no further/],
    [new DOMException('the request was aborted', 'AbortError'), 'aborted', 'aborted', /request was aborted/],
  ] as const) {
    it(`classifies ${error instanceof Error ? ((error as { code?: string }).code ?? error.message) : String(error)} as ${code}`, () => {
      const failure = classifyFailure('source', error);
      assert.equal(failure.code, code);
      assert.equal(failure.class, expectedClass);
      assert.match(failure.message, text);
      assert.match(failure.message, /^source /);
      assert.equal(failure.cause, undefined);
      assert.ok(code in RESPONSE_CODES);
    });
  }

  it('classifies everything that interrupts a response as cut off', () => {
    for (const code of [
      'ECONNRESET',
      'EPIPE',
      'ETIMEDOUT',
      'HPE_INVALID_CHUNK_SIZE',
      'ERR_HTTP_CONTENT_LENGTH_MISMATCH',
      'EPROTO',
    ]) {
      const failure = classifyFailure('destination', systemError(code), true);
      assert.deepEqual([failure.class, failure.code], ['transient', 'cut-off'], code);
    }
  });

  it('returns an error that is already classified', () => {
    const error = new RemoteError({ class: 'refused', code: 'forbidden', side: 'source', what: 'returned 403' });
    assert.equal(classifyFailure('destination', error), error);
  });

  it('hides userinfo and query values in a message', () => {
    const { message } = classifyFailure(
      'source',
      new TypeError('Invalid URL: http://me:hunter2@host/read?p=word&db=x'),
    );
    assert.equal(message, 'source request could not be sent: Invalid URL: http://***@host/read?p=***&db=***');
  });
});
