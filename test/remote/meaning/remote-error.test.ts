import assert from 'node:assert/strict';
import fc from 'fast-check';

import { createRedactor } from '../../../src/remote/http/redact-response.ts';
import { excerpt, RemoteError } from '../../../src/remote/meaning/remote-error.ts';
import { Secret, SecretUrl } from '../../../src/telemetry/secret.ts';
import { secretValues } from '../../support/secrets.ts';
import { endpointAt } from '../servers.ts';

describe('excerpt', () => {
  for (const [text, expected] of [
    ['out of order sample\n', 'out of order sample'],
    ['a\r\n\tb\u0000\u001b[31mc\u202ed\u2028e', 'a b [31mc d e'],
    ['', ''],
    [
      '<html><head><title>502 Bad Gateway</title><style>p{color:red}</style></head><body><center><h1>502 Bad Gateway</h1></center><hr><script>x()</script></body></html>',
      '502 Bad Gateway 502 Bad Gateway',
    ],
    ['<!DOCTYPE html><title>a &amp; b</title><script>never closed', 'a & b'],
    ['value < 5 and > 3', 'value < 5 and > 3'],
    ['see https://me:pw@host/a?token=abc&x=1#f', 'see https://***@host/a?token=***&x=***#f'],
    ['x'.repeat(600), `${'x'.repeat(511)}…`],
    [`${'x'.repeat(510)}😀😀`, `${'x'.repeat(510)}…`],
    ['münchen 東京', 'münchen 東京'],
  ] as const) {
    it(`shows ${JSON.stringify(text.slice(0, 40))} in one printable line`, () => assert.equal(excerpt(text), expected));
  }

  it('is one printable line of at most 512 characters, whatever the text, and fast', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 2000 }), (text) => {
        const shown = excerpt(`<html ${text}`);
        assert.ok(shown.length <= 512 && !/[\p{C}\n\r]/u.test(shown.replace(/[\ud800-\udfff]/g, '')));
      }),
    );
    const started = performance.now();
    for (const hostile of ['<', '<!--', '<script', 'a://', '?a=', '&', ' ', '<html>'])
      excerpt(`<html>${hostile.repeat(1 << 20)}`);
    assert.ok(performance.now() - started < 8000);
  });
});

describe('createRedactor', () => {
  it('masks users, passwords, tokens, keys and query values in all their encodings, and keeps ordinary words', () => {
    const redact = createRedactor(
      endpointAt('https://host/write?db=metrics&p=p%40ss%2Fword', {
        headers: secretValues({ 'X-Scope-OrgID': 'tenant', 'X-Vault-Token': 'hvs.abcdef' }),
        auth: { kind: 'basic', username: new Secret('admin'), password: new Secret('pa"ss w!rd') },
        proxyUrl: new SecretUrl('http://u:proxy%20word@proxy:3128'),
      }),
    );
    const pair = Buffer.from('admin:pa"ss w!rd').toString('base64');
    assert.equal(
      redact(
        `for admin: tenant metrics p@ss/word p%40ss%2Fword hvs.abcdef pa"ss w!rd {"x":"pa\\"ss w!rd"} p=pa%22ss+w%21rd ${pair} proxy word`,
      ),
      'for ***: tenant metrics *** *** *** *** {"x":"***"} p=*** *** ***',
    );
  });

  it('masks the beginning of a secret where the text ends, as it does when a long response is cut', () => {
    const token = `eyJhbGciOiJSUzI1NiJ9.${'x7'.repeat(3000)}`;
    const redact = createRedactor(endpointAt('https://host/', { auth: { kind: 'none' } }), () => [token]);
    const text = `unknown token ${token} of a client`;
    assert.equal(redact(text), 'unknown token *** of a client');
    for (const length of [text.indexOf(token) + 8, 1000, 4096])
      assert.equal(redact(text.slice(0, length)), 'unknown token ***');
    // Too little to tell anything.
    assert.equal(redact('unknown token eyJh'), 'unknown token eyJh');
  });
});

describe('RemoteError', () => {
  it('names the side and keeps its fields', () => {
    const error = new RemoteError({
      class: 'rejected',
      code: 'too-old',
      side: 'destination',
      what: 'returned 400: x',
      status: 400,
      reason: 'too_old',
    });
    assert.equal(error.message, 'destination returned 400: x');
    assert.equal(error.name, 'RemoteError');
    assert.deepEqual(
      [error.class, error.code, error.status, error.reason, error.hint],
      ['rejected', 'too-old', 400, 'too_old', undefined],
    );
  });
});
