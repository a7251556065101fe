// Signatures of requests: AWS' published test vectors, and random requests against the tests' own implementation.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type AwsKeys, signV4 } from '../../../src/remote/credentials/sign-v4.ts';
import { Secret } from '../../../src/telemetry/secret.ts';
import { parseAuthorization, signatureOf } from '../../support/clouds/signature-v4.ts';

const KEYS: AwsKeys = {
  accessKey: new Secret('AKIDEXAMPLE'),
  secretKey: new Secret('wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'),
  sessionToken: undefined,
};
const SCOPE = { region: 'us-east-1', service: 'service' };
const TIME_MS = Date.UTC(2015, 7, 30, 12, 36);
const UNRESERVED = '-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const TOKEN =
  'AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==';
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

interface Vector {
  readonly method: 'GET' | 'POST';
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly token?: string;
  readonly signed: string;
  readonly signature: string;
}

/** From the suite aws-sig-v4-test-suite. */
const VECTORS: Readonly<Record<string, Vector>> = {
  'get-vanilla': {
    ...{ method: 'GET', target: '/', signed: 'host;x-amz-date' },
    signature: '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31',
  },
  'get-vanilla-query-order-key-case': {
    ...{ method: 'GET', target: '/?Param2=value2&Param1=value1', signed: 'host;x-amz-date' },
    signature: 'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
  },
  'get-vanilla-empty-query-key': {
    ...{ method: 'GET', target: '/?Param1=value1', signed: 'host;x-amz-date' },
    signature: 'a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb',
  },
  'get-vanilla-query-unreserved': {
    ...{ method: 'GET', target: `/?${UNRESERVED}=${UNRESERVED}`, signed: 'host;x-amz-date' },
    signature: '9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197',
  },
  'get-vanilla-utf8-query': {
    ...{ method: 'GET', target: '/?ሴ=bar', signed: 'host;x-amz-date' },
    signature: '2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04',
  },
  'get-unreserved': {
    ...{ method: 'GET', target: `/${UNRESERVED}`, signed: 'host;x-amz-date' },
    signature: '07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f',
  },
  'get-header-value-trim': {
    ...{ method: 'GET', target: '/', signed: 'host;my-header1;my-header2;x-amz-date' },
    headers: { 'my-header1': ' value1', 'my-header2': '  "a   b   c"' },
    signature: 'acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736',
  },
  'post-vanilla': {
    ...{ method: 'POST', target: '/', signed: 'host;x-amz-date' },
    signature: '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b',
  },
  'post-vanilla-query': {
    ...{ method: 'POST', target: '/?Param1=value1', signed: 'host;x-amz-date' },
    signature: '28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11',
  },
  'post-header-key-sort': {
    ...{ method: 'POST', target: '/', signed: 'host;my-header1;x-amz-date', headers: { 'my-header1': 'value1' } },
    signature: 'c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c',
  },
  'post-sts-header-before': {
    ...{ method: 'POST', target: '/', signed: 'host;x-amz-date;x-amz-security-token', token: TOKEN },
    signature: '85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead',
  },
  'post-x-www-form-urlencoded': {
    ...{ method: 'POST', target: '/', signed: 'content-type;host;x-amz-date', headers: FORM, body: 'Param1=value1' },
    signature: 'ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a',
  },
  'post-x-www-form-urlencoded-parameters': {
    ...{ method: 'POST', target: '/', signed: 'content-type;host;x-amz-date', body: 'Param1=value1' },
    headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf8' },
    signature: '1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe',
  },
};

describe('AWS Signature Version 4', () => {
  for (const [name, { method, target, headers = {}, body, token, signed, signature }] of Object.entries(VECTORS)) {
    it(`is that of AWS' test vector ${name}`, () => {
      const result = signV4(
        {
          ...{ method, headers, url: `https://example.amazonaws.com${target}` },
          body: body === undefined ? undefined : Buffer.from(body),
        },
        { ...KEYS, sessionToken: token === undefined ? undefined : new Secret(token) },
        SCOPE,
        TIME_MS,
      );
      assert.equal(
        result['authorization'],
        `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=${signed}, Signature=${signature}`,
      );
      assert.equal(result['x-amz-date'], '20150830T123600Z');
      assert.equal(result['x-amz-security-token'], token);
    });
  }

  it('of a random request is what another implementation computes', () => {
    const text = fc.string({ unit: fc.constantFrom(...'aZ09-._~ /:+&=%?#[]{}"ü€'), maxLength: 12 });
    const name = text.filter((value) => value !== '');
    const parameters = fc.array(fc.tuple(name, text), { maxLength: 5 });
    const path = fc.array(text, { maxLength: 4 }).map((parts) => parts.map(encodeURIComponent).join('/'));
    fc.assert(
      fc.property(path, parameters, fc.uint8Array({ maxLength: 64 }), (rawPath, pairs, body) => {
        const query = new URLSearchParams(pairs).toString().replaceAll('+', '%20');
        const url = new URL(`https://aps-workspaces.eu-central-1.amazonaws.com/workspaces/${rawPath}?${query}`);
        const headers = signV4({ method: 'POST', url: url.href, headers: {}, body }, KEYS, SCOPE, TIME_MS);
        const authorization = parseAuthorization(headers['authorization'] ?? '');
        assert.ok(authorization);
        const target = `${url.pathname}${url.search}`;
        const secretKey = KEYS.secretKey.reveal();
        const received = { method: 'POST', target, headers: { ...headers, host: url.host }, body };
        const expected = signatureOf(received, authorization, secretKey);
        assert.equal(authorization.signature, expected);
      }),
    );
  });
});
