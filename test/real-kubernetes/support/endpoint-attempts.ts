// What the admission policy allows in the tests, and attempts to connect elsewhere.

import { COMPILED_CRD } from '../../../src/api/compiled-crd.ts';
import type { Schema } from '../../../src/api/crd.ts';
import type { Changes } from '../../api/manifests.ts';

const LISTS = {
  sources: ['http://source:9090', 'https://source.example.com', 'grpc://store.example.com:10901'],
  destinations: [
    'http://destination:8428',
    'https://destination.example.com',
    'https://*.stores.example.com',
    'http://10.0.0.1:*',
    'http://[2001:db8::1]:9090',
  ],
  proxies: ['http://proxy.example.com:3128'],
  tokenEndpoints: ['https://login.example.com'],
};

/** The values of the chart. */
export const ALLOWED = {
  default: { sources: ['http://source:9090'] },
  namespaces: {
    partly: { destinations: LISTS.destinations },
    'team-a': LISTS,
    'team-b': LISTS,
    anything: { sources: ['*'], destinations: ['*'], proxies: ['*'], tokenEndpoints: ['*'] },
  },
};

const SECRET = { name: 's', key: 'k' };
const OAUTH2 = { clientId: { secret: SECRET }, clientSecret: SECRET, tokenUrl: 'https://login.example.com/token' };

/** The ends of text fields that cannot send a request to another server, and why. */
const NO_SERVER: Readonly<Record<string, string>> = {
  name: 'of a Secret or ConfigMap',
  key: 'in a Secret or ConfigMap',
  headers: 'Host and those of proxies are not allowed',
  'tenant.header': 'Host and those of proxies are not allowed',
  'tenant.value': 'a value of a header',
  'authorization.type': 'the word before the credentials',
  'privateKey.keyId': 'a text in the assertion, which goes to tokenUrl',
  'privateKey.audience': 'a text in the assertion, which goes to tokenUrl',
  scopes: 'a text in the request to tokenUrl',
  endpointParams: 'a text in the request to tokenUrl',
  'sigv4.region': 'a name in lower case in sts.REGION.amazonaws.com; keys are not sent, they sign',
  'sigv4.service': 'a text in the signature',
  'sigv4.roleArn': 'a text in the request to AWS',
  'sigv4.externalId': 'a text in the request to AWS',
  clientId: 'a text in the request to Azure, whose hosts are fixed',
  tenantId: 'a part of the path at Azure, whose hosts are fixed',
  'azureAd.scope': 'a text in the request to Azure, whose hosts are fixed',
  'timeouts.connect': 'a duration',
  'timeouts.firstByte': 'a duration',
  'timeouts.silence': 'a duration',
  maxFrameBytes: 'a size',
  replicaLabels: 'names of labels',
  'progress.labels': 'labels of samples',
};

/** Every text field of the CRD's spec by which a user could name a server: also one that is new. */
export function serverFields(): string[] {
  return candidates().filter((path) => exceptionOf(path) === undefined);
}

/** Exceptions that no field needs any more. */
export function unusedExceptions(): string[] {
  const used = new Set(candidates().map(exceptionOf));
  return Object.keys(NO_SERVER).filter((name) => !used.has(name));
}

/** All texts of both sides; of the rest of the spec those that look like the name of a server. */
function candidates(): string[] {
  const spec = COMPILED_CRD.resource.schema.properties?.['spec'];
  if (spec === undefined) throw new Error('the CRD has no spec');
  return [...textFields(spec, 'spec')]
    .filter(([path, field]) => /^spec\.(source|destination)\./.test(path) || namesServer(path, field))
    .map(([path]) => path)
    .sort();
}

function exceptionOf(path: string): string | undefined {
  return Object.keys(NO_SERVER).find((name) => path.endsWith(`.${name}`));
}

function* textFields(schema: Schema, path: string): Generator<[path: string, field: Schema]> {
  if (schema.type === 'string' && schema.enum === undefined) yield [path, schema];
  for (const [name, field] of Object.entries(schema.properties ?? {})) yield* textFields(field, `${path}.${name}`);
  const { items, additionalProperties: values } = schema;
  if (items !== undefined) yield* textFields(items, path);
  if (typeof values === 'object') yield* textFields(values, path);
}

function namesServer(path: string, field: Schema): boolean {
  const name = path.split('.').at(-1) ?? '';
  const rules = (field['x-kubernetes-validations'] ?? []).map(({ rule, message }) => `${rule} ${message}`).join(' ');
  return (
    /ur[il]$|host|server|address|endpoint|domain|proxy|authority|gateway/i.test(name) ||
    /\bURL\b|\bhost\b/i.test(field.description ?? '') ||
    rules.includes('://')
  );
}

/** For each of these fields a manifest in which only that field names another server. */
export function evilChanges(): Record<string, Changes> {
  return Object.fromEntries(
    serverFields().map((field) => {
      const isName = field.endsWith('.serverName');
      const other = isName ? 'evil.example' : field.endsWith('roxyUrl') ? 'http://evil.example:3128' : EVIL;
      const needsOauth2 = /\.oauth2\./.test(field) && { [field.replace(/\.oauth2\..*/, '.oauth2')]: { ...OAUTH2 } };
      return [field, { ...needsOauth2, [field]: other }];
    }),
  );
}

const EVIL = 'https://evil.example/x';

/** URLs that a careless check takes for an allowed one, or that one parser reads differently from another. */
export const EVASIONS: readonly [url: string, reason: string][] = [
  ['https://destination.example.com@evil.example/', 'a user that looks like a host'],
  ['https://destination.example.com:443@evil.example/', 'a user and a password that look like a host and a port'],
  ['https://evil.example\\@destination.example.com/', 'a backslash, which is a slash for the URL parser of browsers'],
  ['https://evil.example\\.destination.example.com/', 'a backslash in the host'],
  ['https://evil.example/https://destination.example.com', 'an allowed URL in the path'],
  ['https://evil.example?https://destination.example.com', 'an allowed URL in the query'],
  ['https://evil.example#destination.example.com', 'an allowed host in the fragment'],
  ['https://destination.example.com.evil.example/', 'an allowed host at the beginning'],
  ['https://evildestination.example.com/', 'an allowed host at the end'],
  ['https://evil-stores.example.com/', 'the suffix without its dot'],
  ['https://stores.example.com/', 'the suffix without a name'],
  ['https://.stores.example.com/', 'an empty name before the suffix'],
  ['https://*.stores.example.com/', 'the pattern itself'],
  ['https://evil.example/.stores.example.com:443', 'the suffix in the path'],
  ['https://evil.example%2f.stores.example.com/', 'an encoded slash'],
  ['https://evil.example%00.stores.example.com/', 'an encoded zero'],
  ['https://%64estination.example.com/', 'an encoded letter'],
  ['https://Destination.example.com/', 'an upper-case letter'],
  ['https://destination.example.com./', 'a dot at the end'],
  ['https://destination。example。com/', 'a full stop of another script'],
  ['https://ｄestination.example.com/', 'a wide letter'],
  ['https://desti\u00ADnation.example.com/', 'a soft hyphen'],
  ['https://destinatiоn.example.com/', 'a Cyrillic letter'],
  ['https:///destination.example.com/', 'three slashes'],
  ['https:/evil.example//destination.example.com/', 'one slash'],
  ['https:\\\\destination.example.com/', 'backslashes instead of slashes'],
  ['HTTPS://destination.example.com/', 'an upper-case scheme'],
  [' https://destination.example.com/', 'a space in front'],
  ['https://destination.example.com\t.evil.example/', 'a tab, which the URL parser removes'],
  ['https://evil.example\n.stores.example.com/', 'a line break, which the URL parser removes'],
  ['https://evil.example\r\nx.stores.example.com/', 'a carriage return'],
  ['https://destination.example.com:/', 'an empty port'],
  ['https://destination.example.com:0443/', 'a port with a zero in front'],
  ['https://destination.example.com:99999/', 'a port that does not exist'],
  ['http://0xa000001:80/', 'an address as a hexadecimal number'],
  ['http://167772161:80/', 'an address as a decimal number'],
  ['http://012.0.0.1:80/', 'an address with an octal number'],
  ['http://10.1:80/', 'an address with two numbers'],
  ['http://[::ffff:10.0.0.1]:80/', 'an IPv4 address as IPv6'],
  ['http://[2001:db8:0:0:0:0:0:1]:9090/', 'another form of the IPv6 address'],
  ['http://[2001:DB8::1]:9090/', 'the IPv6 address in upper case'],
  ['http://[2001:db8::1%25eth0]:9090/', 'an IPv6 address with a zone'],
];

/** Hosts are the allowed ones, schemes and ports may differ. */
export const OTHER_PORTS: readonly [url: string, isAllowed: boolean][] = [
  ['https://destination.example.com/api/v1/write?tenant=a@b', true],
  ['https://destination.example.com:443', true],
  ['https://destination.example.com?x=y', true],
  ['https://destination.example.com:8443/', false],
  ['https://destination.example.com:80/', false],
  ['http://destination.example.com/', false],
  ['http://destination.example.com:443/', false],
  ['https://eu.stores.example.com/', true],
  ['https://a.b.stores.example.com:443/', true],
  ['https://eu.stores.example.com:444/', false],
  ['http://eu.stores.example.com/', false],
  ['http://10.0.0.1/', true],
  ['http://10.0.0.1:8080/', true],
  ['https://10.0.0.1/', false],
  ['http://10.0.0.11/', false],
  ['http://[2001:db8::1]:9090/', true],
  ['http://[2001:db8::1]/', false],
];

/** Edits after which a migration with a forbidden source would send something there. */
export const CHANGES_OF_ENDPOINTS: Readonly<Record<string, object>> = {
  resumed: { suspend: false },
  'resumed by leaving it out': { suspend: null },
  'with another Secret': { source: { authorization: { credentials: SECRET } } },
  'with other timeouts': { source: { timeouts: { connect: '1s' } } },
  'with a proxy that is allowed': { source: { proxyUrl: 'http://proxy.example.com:3128' } },
};

/** Edits after which a migration may start again without a change of its endpoints. */
export const CHANGES_THAT_MAY_START: Readonly<Record<string, object>> = {
  'tried again after a failure': { limits: { inFlightWrites: 3 } },
  'compared after its success': { verification: { mode: 'Full' } },
  'given pods': { execution: { mode: 'Job' } },
};
