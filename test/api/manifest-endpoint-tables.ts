// Manifests with invalid endpoints: URLs, headers, tenants, authentication and TLS.

import type { Changes } from './manifests.ts';

const reserved =
  'must not set Authorization, Host, User-Agent, Accept-Encoding, Content-*, X-Prometheus-*, Retry-Attempt or a header of the ' +
  'connection: prom-migrator sets them itself (for Authorization use basicAuth or authorization)';
const notUrl = 'must be an absolute http://, https://, grpc:// or grpcs:// URL without spaces or a fragment';
const userinfo = 'must not contain a user or a password; refer to a Secret in basicAuth or authorization instead';
const oneOf = (path: string) =>
  `${path}: basicAuth, authorization, oauth2, sigv4 and azureAd cannot be used together: set at most one of them`;
const ref = { name: 'a', key: 'b' };

export const badEndpoints: readonly (readonly [Changes, readonly string[]])[] = [
  // URLs: credentials are never shown.
  [{ 'spec.source.url': '' }, [`spec.source.url: "": must not be empty`]],
  [{ 'spec.source.url': 'ftp://source/' }, [`spec.source.url: "ftp://source/": ${notUrl}`]],
  [{ 'spec.source.url': 'source:9090' }, [`spec.source.url: "source:9090": ${notUrl}`]],
  [{ 'spec.source.url': 'http://source/#top' }, [`spec.source.url: "http://source/#***": ${notUrl}`]],
  [{ 'spec.source.url': 'http://bob:hunter2@source/read' }, [`spec.source.url: "http://***@source/read": ${userinfo}`]],
  [
    { 'spec.source.url': 'http://bob:hun/ter2@source/read' },
    [
      'spec.source.url: "http://***@source/read": must be an absolute http:// or https:// URL with a valid host and port',
    ],
  ],
  [
    { 'spec.source.url': 'ftp://i/read?db=x&p=hunter2&q' },
    [`spec.source.url: "ftp://i/read?db=***&p=***&***": ${notUrl}`],
  ],
  [
    { 'spec.source.url': 'http://source:99999/' },
    ['spec.source.url: "http://source:99999/": must be an absolute http:// or https:// URL with a valid host and port'],
  ],
  [
    { 'spec.destination.proxyUrl': 'http://u:hunter2@proxy:3128' },
    ['spec.destination.proxyUrl: "http://***@proxy:3128": must not contain a user or a password'],
  ],
  [
    { 'spec.destination.proxyUrl': 'socks5://proxy:1080' },
    [
      'spec.destination.proxyUrl: "socks5://proxy:1080": must be the http:// or https:// URL of a proxy, without a path',
    ],
  ],

  // Headers and tenants: header values are never shown.
  [{ 'spec.source.headers': { authorization: 'Bearer hunter2' } }, [`spec.source.headers: ${reserved}`]],
  [{ 'spec.source.headers': { 'Content-Encoding': 'gzip' } }, [`spec.source.headers: ${reserved}`]],
  [{ 'spec.source.headers': { 'X-Prometheus-Remote-Read-Version': '1' } }, [`spec.source.headers: ${reserved}`]],
  [{ 'spec.source.headers': { 'X Y': '1' } }, ['spec.source.headers: header names must be letters, digits and dashes']],
  [
    { 'spec.source.headers': { a: 'hunter2\n' } },
    ['spec.source.headers: header values must be printable ASCII characters'],
  ],
  [{ 'spec.source.headers': { a: 5 } }, ['spec.source.headers.a: must be a string; put it in quotes']],
  [
    { 'spec.source.headers': { 'X-a': '1', 'x-A': '2' } },
    ['spec.source.headers: header names must be unique, ignoring case'],
  ],
  [
    { 'spec.source.headers': { 'x-scope-orgid': 'a' }, 'spec.source.tenant': { value: 'b' } },
    ['spec.source.headers: headers must not contain the header of tenant'],
  ],
  [
    { 'spec.source.tenant': { header: 'Host', value: 'b' } },
    ['spec.source.tenant.header: "Host": must not be a header that prom-migrator sets itself'],
  ],
  [{ 'spec.source.tenant': {} }, ['spec.source.tenant.value: is required: The tenant, such as team-a']],
  // Authentication and TLS.
  [
    { 'spec.source.basicAuth': { username: ref, password: ref }, 'spec.source.authorization': { credentials: ref } },
    [oneOf('spec.source')],
  ],
  [
    { 'spec.destination.sigv4': { region: 'r' }, 'spec.destination.azureAd': { managedIdentity: {} } },
    [oneOf('spec.destination')],
  ],
  [
    {
      'spec.destination.progress.oauth2': { clientId: { secret: ref }, clientSecret: ref, tokenUrl: 'http://issuer/' },
      'spec.destination.progress.authorization': { credentials: ref },
    },
    [oneOf('spec.destination.progress')],
  ],
  [
    { 'spec.source.oauth2': { clientId: { secret: ref }, tokenUrl: 'http://issuer/' } },
    ['spec.source.oauth2: exactly one of clientSecret and privateKey must be set'],
  ],
  [
    {
      'spec.source.oauth2': {
        ...{ clientId: { secret: ref }, clientSecret: ref, privateKey: { key: ref } },
        tokenUrl: 'http://issuer/',
      },
    },
    ['spec.source.oauth2: exactly one of clientSecret and privateKey must be set'],
  ],
  [
    { 'spec.source.oauth2': { clientId: {}, clientSecret: ref, tokenUrl: 'http://u:hunter2@issuer/' } },
    [
      'spec.source.oauth2.clientId: exactly one of secret and configMap must be set',
      'spec.source.oauth2.tokenUrl: "http://***@issuer/": must not contain a user or a password',
    ],
  ],
  [
    {
      'spec.source.oauth2': {
        ...{ clientId: { secret: ref }, clientSecret: ref, tokenUrl: 'http://issuer/' },
        endpointParams: { client_secret: 'hunter2' },
      },
    },
    [
      'spec.source.oauth2.endpointParams: must not contain grant_type, client_id, client_secret, scope, client_assertion or client_assertion_type: prom-migrator sets them itself',
    ],
  ],
  [
    { 'spec.source.sigv4': { accessKey: ref, region: 'eu-central-1' } },
    ['spec.source.sigv4: accessKey and secretKey must be set together'],
  ],
  [{ 'spec.source.sigv4': { region: 'eu', externalId: 'abc' } }, ['spec.source.sigv4: externalId requires roleArn']],
  [
    { 'spec.source.sigv4': { region: 'eu', roleArn: 'writer' } },
    ['spec.source.sigv4.roleArn: "writer": must be the ARN of a role, such as arn:aws:iam::123456789012:role/writer'],
  ],
  [
    { 'spec.source.azureAd': {} },
    ['spec.source.azureAd: exactly one of managedIdentity, oauth and workloadIdentity must be set'],
  ],
  [
    {
      'spec.source.azureAd': { managedIdentity: {}, workloadIdentity: { clientId: 'a', tenantId: 'b' } },
    },
    ['spec.source.azureAd: exactly one of managedIdentity, oauth and workloadIdentity must be set'],
  ],
  [
    { 'spec.destination.authorization': { type: 'basic', credentials: ref } },
    ['spec.destination.authorization.type: must not be Basic; use basicAuth instead'],
  ],
  [
    { 'spec.destination.tls': { cert: { secret: ref } } },
    ['spec.destination.tls: cert and keySecret must be set together'],
  ],
  [
    { 'spec.destination.tls': { ca: {} } },
    ['spec.destination.tls.ca: exactly one of secret and configMap must be set'],
  ],
  [
    { 'spec.destination.tls': { ca: { secret: ref, configMap: ref } } },
    ['spec.destination.tls.ca: exactly one of secret and configMap must be set'],
  ],
  [
    { 'spec.destination.authorization': { credentials: { name: '../a', key: 'b' } } },
    [
      'spec.destination.authorization.credentials.name: must be the name of a Kubernetes object: lower case letters, digits, dashes and dots',
    ],
  ],
  [
    { 'spec.destination.authorization': { credentials: { name: 'a', key: '..' } } },
    [
      'spec.destination.authorization.credentials.key: must be a key of a Secret or ConfigMap: letters, digits, dashes, underscores and dots, not starting with two dots',
    ],
  ],
];
