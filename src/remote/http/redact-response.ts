// Removes an endpoint's secrets from the responses that are shown. Servers and proxies often repeat the URL or the rejected credentials.

import { Secret, type SecretUrl } from '../../telemetry/secret.ts';
import type { Endpoint } from './endpoint.ts';

const CREDENTIAL_HEADER = /^(?:proxy-)?authorization$|cookie|token|secret|password|api-?key|credential|signature/i;
// Shorter values would mask ordinary words of a response.
const SHORTEST_SECRET_CHARS = 4;
const SHORTEST_CUT_CHARS = 8;

/**
 * A function that replaces every secret of the endpoint, in each of its encodings, with `***`.
 * @param issued what was issued since, such as tokens
 */
export function createRedactor(
  endpoint: Endpoint,
  issued: () => Iterable<string> = () => [],
): (text: string) => string {
  const mask = masking(secretsOf(endpoint));
  return (text) => masking(issued())(mask(text));
}

/**
 * A function that replaces these secrets, in each of their encodings, with `***`. Of a response only the beginning is read: where the text ends, it may
 * end inside of a secret.
 */
export function masking(secrets: Iterable<string>): (text: string) => string {
  const spellings = new Set<string>();
  for (const value of secrets) {
    if (value.length < SHORTEST_SECRET_CHARS) continue;
    const inForm = new URLSearchParams([['', value]]).toString().slice(1);
    for (const spelling of [value, encodeURIComponent(value), inForm, JSON.stringify(value).slice(1, -1)])
      spellings.add(spelling);
  }
  // Longest first, so that no secret leaves the rest of a longer one.
  const ordered = new Secret([...spellings].sort((a, b) => b.length - a.length));
  return (text) => {
    const masked = ordered.reveal().reduce((rest, secret) => rest.replaceAll(secret, '***'), text);
    const cut = ordered.reveal().map((secret) => cutLength(masked, secret));
    const longest = Math.max(0, ...cut);
    return longest === 0 ? masked : `${masked.slice(0, -longest)}***`;
  };
}

/** How much of the end of the text is the beginning of the secret; 0 if that is too short to tell anything. */
function cutLength(text: string, secret: string): number {
  for (let length = Math.min(text.length, secret.length - 1); length >= SHORTEST_CUT_CHARS; length--)
    if (text.endsWith(secret.slice(0, length))) return length;
  return 0;
}

/** Every secret in some data, such as an endpoint's credentials. */
export function* secretsIn(data: unknown): Generator<string, undefined> {
  if (data instanceof Secret) yield String(data.reveal());
  else if (typeof data === 'object' && data !== null) for (const part of Object.values(data)) yield* secretsIn(part);
}

function* secretsOf({ auth, headers, tls, url, proxyUrl }: Endpoint): Generator<string, undefined> {
  if (auth.kind === 'basic')
    yield Buffer.from(`${auth.username.reveal()}:${auth.password.reveal()}`, 'utf8').toString('base64');
  if (auth.kind === 'oauth2') {
    const { tokenUrl, proxyUrl: tokenProxyUrl, tls: tokenTls, ...others } = auth;
    yield* secretsIn(others);
    yield* secretsInUrls(tokenUrl, tokenProxyUrl);
    yield tokenTls.key?.reveal() ?? '';
  } else if (auth.kind === 'sigv4') yield* secretsIn(auth.keys);
  else if (auth.kind === 'azureAd') yield* secretsIn(auth.identity);
  else yield* secretsIn(auth);
  for (const [name, value] of Object.entries(headers)) if (CREDENTIAL_HEADER.test(name)) yield value.reveal();
  yield tls.key?.reveal() ?? '';
  yield* secretsInUrls(url, proxyUrl);
}

/** Passwords and query values. */
export function* secretsInUrls(...urls: readonly (SecretUrl | undefined)[]): Generator<string, undefined> {
  for (const url of urls) {
    const parsed = url === undefined ? null : URL.parse(url.reveal());
    if (parsed === null) continue;
    yield decode(parsed.password);
    for (const [name, value] of parsed.searchParams) if (!/^(?:db|rp|api-version)$/.test(name)) yield value;
  }
}

function decode(component: string): string {
  try {
    return decodeURIComponent(component);
  } catch {
    return component;
  }
}
