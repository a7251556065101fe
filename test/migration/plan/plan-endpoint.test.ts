import assert from 'node:assert/strict';
import type { SecretSource } from '../../../src/api/secret-source.ts';
import { compilePlan } from '../../../src/migration/plan/plan.ts';
import { type Changes, changed, documents, linesOf, load, secret } from '../../api/manifests.ts';
import { createAuthority } from '../../support/certificates.ts';
import { revealed, shownTexts } from '../../support/secrets.ts';
import { compile, planOf } from '../support/compiled-plan.ts';

const ref = (key: string) => ({ name: 's', key });

describe('the headers of an endpoint', () => {
  const headers = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`X-Header-${i}`, 'v'.repeat(4000)]));

  it('are rejected by path and size when they exceed the limits of every server', () => {
    const place = 'm.yaml, document 1: spec.source.headers';
    assert.deepEqual(linesOf(compile({ 'spec.source.headers': headers(9) })), [
      `${place}: take 36090 bytes in total; at most 32768 bytes are allowed`,
    ]);
    assert.equal(Object.keys(planOf({ 'spec.source.headers': headers(8) }).source.headers).length, 8);
  });
});

describe('the secrets of a plan', () => {
  const authorization: Changes = { 'spec.source.authorization': { type: 'Token', credentials: ref('token') } };
  const basicAuth: Changes = { 'spec.source.basicAuth': { username: ref('user'), password: ref('pass') } };

  it('are read without a trailing newline, and never shown', () => {
    const plan = planOf(authorization, { token: 'hunter2\n' });
    assert.ok(plan.source.auth.kind === 'authorization');
    assert.equal(plan.source.auth.type, 'Token');
    assert.equal(plan.source.auth.credentials.reveal(), 'hunter2');
    assert.doesNotMatch(shownTexts(plan), /hunter2/);
  });

  it('are all the places of an endpoint that can hold a credential', () => {
    const plan = planOf(
      {
        ...basicAuth,
        'spec.source.url': 'http://source/read?u=admin&p=hunter2',
        'spec.source.headers': { 'X-Api-Key': 'hunter2' },
        'spec.source.tenant': { header: 'X-Tenant-Token', value: 'hunter2' },
        'spec.destination.progress.url': 'http://destination/read?p=hunter2',
      },
      { user: 'hunter2', pass: 'hunter2' },
    );
    assert.equal(JSON.stringify(revealed(plan)).split('hunter2').length - 1, 6);
    assert.doesNotMatch(shownTexts(plan), /hunter2/);
  });

  const faulty: (readonly [string, Changes, Readonly<Record<string, string>>, string])[] = [
    [
      'an empty token',
      authorization,
      { token: '\n' },
      'spec.source.authorization.credentials: refers to an empty value',
    ],
    [
      'an embedded newline',
      authorization,
      { token: 'hun\nter2' },
      'spec.source.authorization.credentials: contains control characters, such as a newline in the middle',
    ],
    [
      'a non-ASCII character',
      authorization,
      { token: 'hünter2' },
      'spec.source.authorization.credentials: contains characters that are not allowed in a header: leading or trailing spaces, or anything but printable ASCII',
    ],
    [
      'a space at the end',
      authorization,
      { token: 'hunter2 ' },
      'spec.source.authorization.credentials: contains characters that are not allowed in a header: leading or trailing spaces, or anything but printable ASCII',
    ],
    [
      'a colon in the user',
      basicAuth,
      { user: 'a:b', pass: 'hunter2' },
      'spec.source.basicAuth.username: contains a colon, which is not allowed in a user name',
    ],
    [
      'bytes that are not text',
      basicAuth,
      { user: 'a', pass: 'hunter2\ufffd' },
      'spec.source.basicAuth.password: is not UTF-8 text',
    ],
  ];
  const long = 'hunter2'.repeat(131_072);
  faulty.push(
    [
      'a password of 900 KiB',
      basicAuth,
      { user: 'a', pass: long },
      'spec.source.basicAuth.password: refers to a value of 917504 bytes; at most 16384 bytes are allowed',
    ],
    [
      'a user of 900 KiB',
      basicAuth,
      { user: long, pass: 'b' },
      'spec.source.basicAuth.username: refers to a value of 917504 bytes; at most 16384 bytes are allowed',
    ],
    [
      'a token of 900 KiB',
      authorization,
      { token: long },
      'spec.source.authorization.credentials: refers to a value of 917504 bytes; at most 16384 bytes are allowed',
    ],
    [
      'a bundle of more than a mebibyte',
      { 'spec.source.tls': { ca: { secret: ref('ca') } } },
      { ca: `${long}${long}` },
      'spec.source.tls.ca.secret: refers to a value of 1835008 bytes; at most 1048576 bytes are allowed',
    ],
    [
      'a key of more than a mebibyte',
      { 'spec.source.tls': { cert: { secret: ref('cert') }, keySecret: ref('key') } },
      { cert: 'hunter2', key: `${long}${long}` },
      'spec.source.tls.keySecret: refers to a value of 1835008 bytes; at most 1048576 bytes are allowed',
    ],
  );
  for (const [name, changes, values, line] of faulty) {
    it(`are rejected with ${name}`, () => {
      const lines = linesOf(compile(changes, values));
      assert.ok(lines.every((text) => !text.includes('hunter2')));
      assert.ok(lines.includes(`m.yaml, document 1: ${line}`), lines.join('\n'));
    });
  }

  it('are accepted up to 16 KiB, the length of the longest tokens', () => {
    const plan = planOf(authorization, { token: 'x'.repeat(16_384) });
    assert.ok(plan.source.auth.kind === 'authorization');
    assert.equal(plan.source.auth.credentials.reveal().length, 16_384);
  });

  it('may contain non-ASCII characters in a password', () => {
    const plan = planOf(basicAuth, { user: 'u', pass: 'größe' });
    assert.ok(plan.source.auth.kind === 'basic');
    assert.equal(plan.source.auth.password.reveal(), 'größe');
  });

  it('are reported once each when missing, by path, name and key', () => {
    const loaded = load(
      documents(
        changed({ ...basicAuth, 'spec.destination.authorization': { credentials: ref('token') } }),
        secret('s', { user: 'a', pass: 'b', token: 'c' }),
      ),
    );
    assert.ok('migration' in loaded);
    const none: SecretSource = { get: () => undefined };
    assert.deepEqual(linesOf(compilePlan(loaded.migration, none)), [
      'm.yaml, document 1: spec.source.basicAuth.username: Secret "s" with the key "user" not found',
      'm.yaml, document 1: spec.source.basicAuth.password: Secret "s" with the key "pass" not found',
      'm.yaml, document 1: spec.destination.authorization.credentials: Secret "s" with the key "token" not found',
    ]);
  });

  describe('for TLS', () => {
    const authority = createAuthority('plan test');
    const mine = authority.issue('client');
    const others = authority.issue('other');
    const tls: Changes = {
      'spec.destination.tls': { ca: { secret: ref('ca') }, cert: { secret: ref('cert') }, keySecret: ref('key') },
    };
    const pems = { ca: authority.cert, cert: mine.cert, key: mine.key };

    it('are PEM text', () => {
      const plan = planOf(tls, pems);
      assert.equal(plan.destination.tls.ca?.reveal(), authority.cert);
      assert.equal(plan.destination.tls.cert?.reveal(), mine.cert);
      assert.equal(plan.destination.tls.key?.reveal(), mine.key);
    });

    const broken: readonly (readonly [string, Readonly<Record<string, string>>, string])[] = [
      ['a key of another certificate', { key: others.key }, 'keySecret: does not match the certificate in cert'],
      [
        'a certificate instead of the key',
        { key: mine.cert },
        'keySecret: contains no readable PEM private key (-----BEGIN PRIVATE KEY-----)',
      ],
      [
        'an encrypted key',
        { key: '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA==\n-----END ENCRYPTED PRIVATE KEY-----\n' },
        'keySecret: is encrypted; give the private key without a passphrase',
      ],
      ['a CA that is not PEM', { ca: 'hunter2' }, 'ca: contains no PEM certificate (-----BEGIN CERTIFICATE-----)'],
      [
        'a truncated CA',
        { ca: '-----BEGIN CERTIFICATE-----\naHVudGVyMg==\n-----END CERTIFICATE-----\n' },
        'ca: contains a certificate that cannot be parsed',
      ],
    ];
    for (const [name, values, line] of broken) {
      it(`are rejected with ${name}`, () => {
        assert.deepEqual(linesOf(compile(tls, { ...pems, ...values })), [
          `m.yaml, document 1: spec.destination.tls.${line}`,
        ]);
      });
    }
  });
});
