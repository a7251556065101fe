// The credentials of endpoints as the plan has them: every kind, and what is wrong with what it refers to.

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compilePlan } from '../../../src/migration/plan/plan.ts';
import { FileSecret } from '../../../src/telemetry/secret.ts';
import { changed, documents, linesOf, load } from '../../api/manifests.ts';
import { revealed } from '../../support/secrets.ts';
import { compile, planOf } from '../support/compiled-plan.ts';

const ref = (key: string) => ({ name: 's', key });
const usualTls = { insecureSkipVerify: false, minVersion: 'TLSv1.2' };
const keyOf = (type: 'rsa' | 'ec', options: object) =>
  generateKeyPairSync(type as 'rsa', options as { modulusLength: number })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString();

describe('the credentials of an endpoint', () => {
  it('are those of oauth2 with a secret', () => {
    const { source } = planOf(
      {
        'spec.source.oauth2': {
          clientId: { secret: ref('id') },
          clientSecret: ref('secret'),
          tokenUrl: 'https://issuer/token',
          scopes: ['a', 'b'],
          endpointParams: { audience: 'x' },
          tls: { minVersion: 'TLS13' },
          proxyUrl: 'http://proxy:3128',
        },
      },
      { id: 'the-client\n', secret: 'the-secret\n' },
    );
    assert.deepEqual(revealed(source.auth), {
      kind: 'oauth2',
      field: 'spec.source.oauth2',
      clientId: 'the-client',
      proof: { kind: 'secret', secret: 'the-secret' },
      tokenUrl: 'https://issuer/token',
      scopes: ['a', 'b'],
      parameters: { audience: 'x' },
      tls: { insecureSkipVerify: false, minVersion: 'TLSv1.3' },
      proxyUrl: 'http://proxy:3128',
    });
  });

  const withKey = (algorithm: string | undefined, key: string) =>
    compile(
      {
        'spec.source.oauth2': {
          clientId: { secret: ref('id') },
          privateKey: { key: ref('key'), ...(algorithm !== undefined && { algorithm }) },
          tokenUrl: 'https://issuer/token',
        },
      },
      { id: 'the-client', key },
    );

  it('are those of oauth2 with a key, whose audience is the token endpoint', () => {
    const compiled = withKey(undefined, keyOf('rsa', { modulusLength: 2048 }));
    assert.ok('plan' in compiled && compiled.plan.source.auth.kind === 'oauth2');
    const { proof } = compiled.plan.source.auth;
    assert.ok(proof.kind === 'key');
    assert.deepEqual([proof.algorithm, proof.audience, proof.keyId], ['RS256', 'https://issuer/token', undefined]);
  });

  for (const [algorithm, key, message] of [
    [
      'RS256',
      keyOf('ec', { namedCurve: 'P-256' }),
      'is a key of the type ec; algorithm RS256 needs one of the type rsa',
    ],
    [
      'EdDSA',
      keyOf('rsa', { modulusLength: 2048 }),
      'is a key of the type rsa; algorithm EdDSA needs one of the type ed25519',
    ],
    ['ES256', 'no key', 'contains no readable PEM private key (-----BEGIN PRIVATE KEY-----)'],
  ] as const) {
    it(`are rejected if the key ${message}`, () => {
      const lines = linesOf(withKey(algorithm, key)).map((line) => line.replace(/^.*?: (?=spec)/, ''));
      assert.deepEqual(lines, [`spec.source.oauth2.privateKey.key: ${message}`]);
    });
  }

  it('are those of sigv4, with keys and a role, through the proxy of the endpoint', () => {
    const { destination } = planOf(
      {
        'spec.destination.proxyUrl': 'http://proxy:3128',
        'spec.destination.sigv4': {
          region: 'eu-central-1',
          accessKey: ref('access'),
          secretKey: ref('secret'),
          roleArn: 'arn:aws:iam::123456789012:role/writer',
          externalId: 'ext',
        },
      },
      { access: 'AKIA', secret: 'abc/+=' },
    );
    assert.deepEqual(revealed(destination.auth), {
      kind: 'sigv4',
      field: 'spec.destination.sigv4',
      tls: usualTls,
      proxyUrl: 'http://proxy:3128',
      region: 'eu-central-1',
      service: 'aps',
      keys: { accessKey: 'AKIA', secretKey: 'abc/+=' },
      role: { arn: 'arn:aws:iam::123456789012:role/writer', externalId: 'ext' },
    });
  });

  it('are those of sigv4 from the environment', () => {
    const { auth } = planOf({ 'spec.destination.sigv4': { region: 'eu-central-1' } }).destination;
    assert.ok(auth.kind === 'sigv4');
    assert.deepEqual([auth.keys, auth.role], [undefined, undefined]);
  });

  for (const [identity, resolved] of [
    [{ managedIdentity: {} }, { kind: 'managed', clientId: undefined }],
    [{ managedIdentity: { clientId: 'c' } }, { kind: 'managed', clientId: 'c' }],
    [{ workloadIdentity: { clientId: 'c', tenantId: 't' } }, { kind: 'workload', clientId: 'c', tenantId: 't' }],
    [
      { oauth: { clientId: 'c', tenantId: 't', clientSecret: ref('secret') } },
      { kind: 'client', clientId: 'c', tenantId: 't', secret: 'abc' },
    ],
  ] as const) {
    it(`are those of azureAd: ${resolved.kind}`, () => {
      const { auth } = planOf({ 'spec.source.azureAd': identity }, { secret: 'abc' }).source;
      assert.ok(auth.kind === 'azureAd');
      assert.deepEqual(revealed(auth.identity), resolved);
    });
  }

  for (const [cloud, domain] of [
    ['AzurePublic', 'azure.com'],
    ['AzureChina', 'azure.cn'],
    ['AzureGovernment', 'azure.us'],
  ] as const) {
    it(`are tokens for writing and for reading, of ${cloud}`, () => {
      const { destination, progress } = planOf({ 'spec.destination.azureAd': { cloud, managedIdentity: {} } });
      assert.ok(progress.protocol !== 'None' && progress.endpoint.auth.kind === 'azureAd');
      assert.ok(destination.auth.kind === 'azureAd');
      assert.equal(destination.auth.scope, `https://monitor.${domain}//.default`);
      assert.equal(progress.endpoint.auth.scope, `https://prometheus.monitor.${domain}/.default`);
      assert.equal(progress.endpoint.auth.field, 'spec.destination.azureAd');
    });
  }

  it('have the scope of the manifest on both sides', () => {
    const azureAd = { scope: 'api://x/.default', managedIdentity: {} };
    const { destination, progress } = planOf({ 'spec.destination.azureAd': azureAd });
    assert.ok(progress.protocol !== 'None');
    for (const { auth } of [destination, progress.endpoint])
      assert.equal(auth.kind === 'azureAd' && auth.scope, 'api://x/.default');
  });

  it('of --secrets-dir know their files', () => {
    const directory = mkdtempSync(join(tmpdir(), 'prom-migrator-plan-auth-'));
    try {
      mkdirSync(join(directory, 's'));
      writeFileSync(join(directory, 's', 'token'), 'abc\n');
      const manifest = changed({ 'spec.source.authorization': { credentials: ref('token') } });
      const loaded = load(documents(manifest), directory);
      assert.ok('migration' in loaded, linesOf(loaded).join('\n'));
      const compiled = compilePlan(loaded.migration, loaded.secrets);
      assert.ok('plan' in compiled && compiled.plan.source.auth.kind === 'authorization');
      const { credentials } = compiled.plan.source.auth;
      assert.ok(credentials instanceof FileSecret);
      assert.deepEqual([credentials.reveal(), credentials.path], ['abc', join(directory, 's', 'token')]);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
