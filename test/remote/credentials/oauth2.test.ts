// Access tokens from a token endpoint on the loopback: what is sent to it, what its responses mean, and when it is asked.

import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { Secret } from '../../../src/telemetry/secret.ts';
import {
  authorizationOf,
  failureOf,
  MovedClock,
  NEVER,
  oauth2,
  openCredentials,
  UNSIGNED,
} from '../../support/clouds/credentials.ts';
import { bearer, json, startTokenServer } from '../../support/clouds/token-server.ts';

const basic = `Basic ${Buffer.from('the+client:pass%2Fword%2B1').toString('base64')}`;
const refusedWith = (status: number) => ({ status, headers: {} });

describe('OAuth 2.0 client credentials', () => {
  it('request a token with the client in a header, and send it as a bearer token', async () => {
    await using server = await startTokenServer();
    const credentials = await openCredentials(oauth2(`${server.url}/token?tenant=a`));
    assert.equal(await authorizationOf(credentials), 'Bearer token-1');
    assert.equal(await authorizationOf(credentials), 'Bearer token-1');
    assert.equal(server.requests.length, 1);
    const [{ method, url, headers, form }] = server.requests as [(typeof server.requests)[0]];
    assert.deepEqual([method, `${url.pathname}${url.search}`], ['POST', '/token?tenant=a']);
    assert.equal(headers.authorization, basic);
    assert.equal(headers['content-type'], 'application/x-www-form-urlencoded');
    assert.deepEqual(Object.fromEntries(form), {
      grant_type: 'client_credentials',
      scope: 'metrics:write metrics:read',
      audience: 'the-store',
    });
    assert.deepEqual([...credentials.secrets()], ['token-1']);
  });

  it('put the client into the body for a server that does not accept the header, and remember it', async () => {
    await using server = await startTokenServer(({ headers, form }, number) =>
      headers.authorization === undefined && form.get('client_secret') === 'pass/word+1'
        ? bearer(`token-${number}`)
        : json(401, { error: 'invalid_client' }),
    );
    const credentials = await openCredentials(oauth2(server.url));
    const first = await credentials.headersFor(UNSIGNED, NEVER);
    assert.equal(first['authorization']?.reveal(), 'Bearer token-2');
    assert.equal(server.requests[1]?.form.get('client_id'), 'the client');
    assert.equal(await credentials.renew(refusedWith(401), first, NEVER), true);
    assert.equal(await authorizationOf(credentials), 'Bearer token-3');
    assert.equal(server.requests.length, 3);
  });

  for (const [algorithm, type, options] of [
    ['RS256', 'rsa', { modulusLength: 2048 }],
    ['PS384', 'rsa', { modulusLength: 2048 }],
    ['ES256', 'ec', { namedCurve: 'P-256' }],
    ['EdDSA', 'ed25519', {}],
  ] as const) {
    it(`prove themselves with an assertion signed by ${algorithm}`, async () => {
      const pair = generateKeyPairSync(type as 'rsa', options as { modulusLength: number });
      const key = new Secret(pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
      await using server = await startTokenServer();
      const proof = { kind: 'key', key, keyId: 'k1', algorithm, audience: 'https://issuer/token' } as const;
      const clock = new MovedClock();
      const credentials = await openCredentials(oauth2(server.url, { proof }), {}, clock);
      assert.equal(await authorizationOf(credentials), 'Bearer token-1');
      const [{ form, headers }] = server.requests as [(typeof server.requests)[0]];
      assert.equal(headers.authorization, undefined);
      assert.equal(form.get('client_assertion_type'), 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
      const [head = '', claims = '', signature = ''] = (form.get('client_assertion') ?? '').split('.');
      const decoded = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString());
      assert.deepEqual(decoded(head), { alg: algorithm, typ: 'JWT', kid: 'k1' });
      const { iat, exp, jti, ...rest } = decoded(claims);
      assert.deepEqual(rest, { iss: 'the client', sub: 'the client', aud: 'https://issuer/token' });
      assert.equal(exp - iat, 300);
      assert.ok(Math.abs(iat * 1000 - clock.now()) < 10_000);
      assert.match(jti, /^[0-9a-f-]{36}$/);
      const hash = algorithm === 'EdDSA' ? null : `sha${algorithm.slice(2)}`;
      const padding = algorithm.startsWith('PS') ? { padding: 6, saltLength: 48 } : {};
      const verifying = { key: createPublicKey(pair.publicKey.export({ type: 'spki', format: 'pem' })), ...padding };
      const signed = Buffer.from(`${head}.${claims}`);
      const ok = verify(hash, signed, { ...verifying, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'));
      assert.ok(ok);
    });
  }

  it('sign the assertion for the time of the server, if the clocks differ', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const key = new Secret(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
    const issuedAt = (text: string | null) =>
      JSON.parse(Buffer.from((text ?? '').split('.')[1] ?? '', 'base64url').toString()).iat * 1000;
    await using server = await startTokenServer(({ form }) =>
      Math.abs(issuedAt(form.get('client_assertion')) - Date.now()) < 30_000
        ? bearer('token')
        : json(401, { error: 'invalid_client', error_description: 'assertion expired' }),
    );
    const clock = new MovedClock();
    clock.aheadMs = -300_000;
    const proof = { kind: 'key', key, keyId: undefined, algorithm: 'ES256', audience: 'a' } as const;
    const credentials = await openCredentials(oauth2(server.url, { proof }), {}, clock);
    assert.equal(await authorizationOf(credentials), 'Bearer token');
    assert.equal(server.requests.length, 2);
  });

  it('request a new token once after a 401, whoever comes first, and none after a 403', async () => {
    await using server = await startTokenServer();
    const credentials = await openCredentials(oauth2(server.url));
    const [a, b] = await Promise.all([
      credentials.headersFor(UNSIGNED, NEVER),
      credentials.headersFor(UNSIGNED, NEVER),
    ]);
    assert.equal(await credentials.renew(refusedWith(403), a, NEVER), false);
    assert.deepEqual(
      await Promise.all([credentials.renew(refusedWith(401), a, NEVER), credentials.renew(refusedWith(401), b, NEVER)]),
      [true, true],
    );
    assert.equal(await authorizationOf(credentials), 'Bearer token-2');
    assert.equal(server.requests.length, 2);
  });

  it('use a token to its end while the server is down, and then fail until it is back', async () => {
    await using server = await startTokenServer();
    const clock = new MovedClock();
    const credentials = await openCredentials(oauth2(server.url), {}, clock);
    assert.equal(await authorizationOf(credentials), 'Bearer token-1');
    server.reply = () => json(503, {}, { 'retry-after': '7' });
    clock.aheadMs = 50 * 60_000;
    assert.equal(await authorizationOf(credentials), 'Bearer token-1');
    clock.aheadMs = 60 * 60_000;
    const failure = await failureOf(credentials);
    assert.equal(failure.isTransient, true);
    assert.equal(failure.retryAfterMs, 7_000);
    server.reply = () => bearer('another');
    assert.equal(await authorizationOf(credentials), 'Bearer another');
  });

  const host = String.raw`127\.0\.0\.1:\d+`;
  const failures: readonly (readonly [
    name: string,
    reply: ReturnType<typeof json> | undefined,
    isTransient: boolean,
    message: RegExp,
  ])[] = [
    ['503', json(503, {}), true, /returned 503: \{\}$/],
    ['429', json(429, { error: 'slow_down' }), true, /returned 429: slow_down$/],
    [
      '401',
      json(401, { error: 'invalid_client', error_description: 'Client authentication failed' }),
      false,
      /returned 401: invalid_client: Client authentication failed$/,
    ],
    ['400', json(400, { error: 'invalid_scope' }), false, /returned 400: invalid_scope$/],
    ['a page', { status: 200, text: '<html>login</html>' }, false, /returned no access_token of the type Bearer$/],
    ['a token of another type', bearer('t', { token_type: 'mac' }), false, /returned no access_token/],
    ['a token that no header can have', bearer('a\nb'), false, /returned no access_token/],
    ['a redirect', { status: 302, headers: { location: '/' }, text: '' }, false, /returned 302$/],
  ];
  for (const [name, reply, isTransient, message] of failures) {
    it(`${isTransient ? 'may pass' : 'are refused'} after ${name}`, async () => {
      await using server = await startTokenServer(() => reply);
      const failure = await failureOf(await openCredentials(oauth2(server.url)));
      assert.equal(failure.isTransient, isTransient);
      const start = `^cannot be authenticated: the token endpoint ${host} \\(spec\\.destination\\.oauth2\\.tokenUrl\\) `;
      assert.match(failure.message, new RegExp(start));
      assert.match(failure.message, message);
      assert.match(failure.hint, /spec\.destination\.oauth2\.tokenUrl/);
    });
  }

  it('may pass when nothing listens', async () => {
    const server = await startTokenServer();
    await server[Symbol.asyncDispose]();
    const failure = await failureOf(await openCredentials(oauth2(server.url)));
    assert.equal(failure.isTransient, true);
    assert.match(failure.message, /spec\.destination\.oauth2\.tokenUrl\) refuses connections at 127/);
  });

  it('wait together for a slow server', async () => {
    let respond: (reply: ReturnType<typeof bearer>) => void = () => {};
    await using server = await startTokenServer(() => new Promise((resolve) => (respond = resolve)));
    const credentials = await openCredentials(oauth2(server.url));
    const all = Promise.all([authorizationOf(credentials), authorizationOf(credentials)]);
    while (server.requests.length === 0) await new Promise(setImmediate);
    respond(bearer('late'));
    assert.deepEqual(await all, ['Bearer late', 'Bearer late']);
    assert.equal(server.requests.length, 1);
  });

  it('wait for a slow server, and stop waiting when they are aborted', async () => {
    await using server = await startTokenServer(() => undefined);
    const credentials = await openCredentials(oauth2(server.url));
    const abort = new AbortController();
    const waiting = credentials.headersFor(UNSIGNED, abort.signal);
    abort.abort(new Error('enough'));
    await assert.rejects(waiting, /enough/);
  });

  it('never show what they sent', async () => {
    await using server = await startTokenServer(({ url, headers, form, text }) =>
      json(401, {
        error: 'invalid_client',
        error_description: `no ${headers.authorization} ${form.get('client_secret')} ${form.get('audience')} ${text} ${url.searchParams.get('key')} the client`,
      }),
    );
    const failure = await failureOf(await openCredentials(oauth2(`${server.url}/?key=canary`)));
    assert.match(failure.message, /no Basic \*\*\*/);
    assert.doesNotMatch(
      `${failure.message} ${failure.hint}`,
      /pass\/word|pass%2Fword|the-store|cGFzcy|canary|the client/,
    );
    assert.ok(!failure.message.includes(basic.slice(6)));
  });
});
