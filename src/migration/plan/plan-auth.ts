// The credentials of an endpoint, resolved from the manifest: which of the kinds is set, and what it needs.

import type { KeyObject } from 'node:crypto';
import type {
  Authorization,
  AzureAd,
  BasicAuth,
  KeyReference,
  OAuth2,
  SecretOrConfigMap,
  SigV4,
  Tls,
} from '../../api/prom-migration-endpoint.ts';
import { formatPath } from '../../api/field-path.ts';
import type { ReferenceKind } from '../../api/secret-source.ts';
import type { AzureAdAuth, ClientKey, EndpointAuth, EndpointTls, IssuerRoute } from '../../remote/http/endpoint.ts';
import { Secret, SecretUrl } from '../../telemetry/secret.ts';

/** The fields that an endpoint's credentials are made of. At most one kind is set. */
export interface AuthFields {
  readonly basicAuth?: BasicAuth;
  readonly authorization?: Authorization;
  readonly oauth2?: OAuth2;
  readonly sigv4?: SigV4;
  readonly azureAd?: AzureAd;
  readonly proxyUrl?: string;
}

/** Reads what references point to, and reports what is wrong with it. */
export interface References {
  credential(reference: KeyReference, path: readonly string[], kind?: ReferenceKind): Secret;
  pem(kind: ReferenceKind, reference: KeyReference, path: readonly string[]): Secret | undefined;
  privateKey(pem: Secret, path: readonly string[]): KeyObject | undefined;
  tls(tls: Tls, path: readonly string[]): EndpointTls;
  report(path: readonly string[], message: string): undefined;
}

const USUAL_TLS: EndpointTls = { insecureSkipVerify: false, minVersion: 'TLSv1.2' };

/** `path` is that of the endpoint. */
export function resolveAuth(
  fields: AuthFields,
  path: readonly string[],
  references: References,
): EndpointAuth | undefined {
  const at = (field: string) => [...path, field];
  if (fields.basicAuth !== undefined) return basic(fields.basicAuth, at('basicAuth'), references);
  if (fields.authorization !== undefined) return token(fields.authorization, at('authorization'), references);
  if (fields.oauth2 !== undefined) return oauth2(fields.oauth2, at('oauth2'), references);
  // The services of the cloud are reached as the endpoint is.
  const route = (field: string): IssuerRoute => ({
    field: formatPath(at(field)),
    tls: USUAL_TLS,
    ...(fields.proxyUrl !== undefined && { proxyUrl: new SecretUrl(fields.proxyUrl) }),
  });
  if (fields.sigv4 !== undefined) return sigv4(fields.sigv4, at('sigv4'), route('sigv4'), references);
  if (fields.azureAd !== undefined) return azureAd(fields.azureAd, at('azureAd'), route('azureAd'), references);
  return undefined;
}

function basic(fields: BasicAuth, path: readonly string[], references: References): EndpointAuth {
  const username = references.credential(fields.username, [...path, 'username']);
  if (username.reveal().includes(':'))
    references.report([...path, 'username'], 'contains a colon, which is not allowed in a user name');
  const password = references.credential(fields.password, [...path, 'password']);
  return { kind: 'basic', username, password };
}

function token(fields: Authorization, path: readonly string[], references: References): EndpointAuth {
  const at = [...path, 'credentials'];
  const credentials = references.credential(fields.credentials, at);
  if (!/^([!-~]([ -~]*[!-~])?)?$/.test(credentials.reveal())) {
    references.report(
      at,
      'contains characters that are not allowed in a header: leading or trailing spaces, or anything but printable ASCII',
    );
  }
  return { kind: 'authorization', type: fields.type, credentials };
}

function oauth2(fields: OAuth2, path: readonly string[], references: References): EndpointAuth {
  const { clientSecret, privateKey, tokenUrl, scopes = [], endpointParams = {}, tls, proxyUrl } = fields;
  const proof =
    privateKey === undefined
      ? { kind: 'secret' as const, secret: secretOf(clientSecret, [...path, 'clientSecret'], references) }
      : clientKey(privateKey, tokenUrl, [...path, 'privateKey'], references);
  return {
    kind: 'oauth2',
    field: formatPath(path),
    clientId: eitherCredential(fields.clientId, [...path, 'clientId'], references),
    proof,
    tokenUrl: new SecretUrl(tokenUrl),
    scopes: [...scopes],
    parameters: Object.fromEntries(Object.entries(endpointParams).map(([name, value]) => [name, new Secret(value)])),
    tls: tls === undefined ? USUAL_TLS : references.tls(tls, [...path, 'tls']),
    ...(proxyUrl !== undefined && { proxyUrl: new SecretUrl(proxyUrl) }),
  };
}

/** The schema requires one of the two ways. */
function secretOf(reference: KeyReference | undefined, path: readonly string[], references: References): Secret {
  return reference === undefined ? new Secret('') : references.credential(reference, path);
}

function eitherCredential(
  { secret, configMap }: SecretOrConfigMap,
  path: readonly string[],
  references: References,
): Secret {
  if (configMap !== undefined) return references.credential(configMap, [...path, 'configMap'], 'ConfigMap');
  return secretOf(secret, [...path, 'secret'], references);
}

const KEY_TYPES: Readonly<Record<string, string>> = { R: 'rsa', P: 'rsa', E: 'ec' };

function clientKey(
  { key, keyId, algorithm, audience }: NonNullable<OAuth2['privateKey']>,
  tokenUrl: string,
  path: readonly string[],
  references: References,
): ClientKey {
  const at = [...path, 'key'];
  const pem = references.pem('Secret', key, at);
  const parsed = pem === undefined ? undefined : references.privateKey(pem, at);
  const expected = algorithm === 'EdDSA' ? 'ed25519' : KEY_TYPES[algorithm.charAt(0)];
  if (parsed !== undefined && parsed.asymmetricKeyType !== expected) {
    const found = parsed.asymmetricKeyType ?? 'unknown';
    references.report(at, `is a key of the type ${found}; algorithm ${algorithm} needs one of the type ${expected}`);
  }
  return { kind: 'key', key: pem ?? new Secret(''), keyId, algorithm, audience: audience ?? tokenUrl };
}

function sigv4(
  { region, service, accessKey, secretKey, roleArn, externalId }: SigV4,
  path: readonly string[],
  route: IssuerRoute,
  references: References,
): EndpointAuth {
  const keys =
    accessKey === undefined || secretKey === undefined
      ? undefined
      : {
          accessKey: references.credential(accessKey, [...path, 'accessKey']),
          secretKey: references.credential(secretKey, [...path, 'secretKey']),
        };
  const role = roleArn === undefined ? undefined : { arn: roleArn, externalId };
  return { kind: 'sigv4', ...route, region, service, keys, role };
}

function azureAd(
  { cloud, scope, managedIdentity, oauth, workloadIdentity }: AzureAd,
  path: readonly string[],
  route: IssuerRoute,
  references: References,
): EndpointAuth {
  const own = { kind: 'azureAd' as const, ...route, cloud, scope };
  if (oauth !== undefined) {
    const secret = references.credential(oauth.clientSecret, [...path, 'oauth', 'clientSecret']);
    const { clientId, tenantId } = oauth;
    return { ...own, identity: { kind: 'client', clientId, tenantId, secret } };
  }
  if (workloadIdentity !== undefined) return { ...own, identity: { kind: 'workload', ...workloadIdentity } };
  return { ...own, identity: { kind: 'managed', clientId: managedIdentity?.clientId } };
}

/** Ingestion and queries are different resources of Azure Monitor. */
const CLOUD_DOMAINS: Readonly<Record<AzureAdAuth['cloud'], string>> = {
  AzurePublic: 'azure.com',
  AzureChina: 'azure.cn',
  AzureGovernment: 'azure.us',
};

/** The credentials for one side. */
export function authFor(side: 'source' | 'destination' | 'progress', auth: EndpointAuth): EndpointAuth {
  if (auth.kind !== 'azureAd' || auth.scope !== undefined) return auth;
  const domain = CLOUD_DOMAINS[auth.cloud];
  const resource = side === 'destination' ? `monitor.${domain}/` : `prometheus.monitor.${domain}`;
  return { ...auth, scope: `https://${resource}/.default` };
}
