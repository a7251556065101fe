// Removes an endpoint's secrets from the responses that are shown. Servers and proxies often repeat the URL or the rejected credentials.

import { Secret } from '../../telemetry/secret.ts';
import type { Endpoint } from './endpoint.ts';

const CREDENTIAL_HEADER = /^(?:proxy-)?authorization$|cookie|token|secret|password|api-?key|credential|signature/i;
// Shorter values would mask ordinary words of a response.
const SHORTEST_SECRET_CHARS = 4;

/** A function that replaces every secret of the endpoint, in each of its encodings, with `***`. */
export function createRedactor(endpoint: Endpoint): (text: string) => string {
  const secrets = new Set<string>();
  const add = (value: string | null | undefined) => {
    if (value === null || value === undefined || value.length < SHORTEST_SECRET_CHARS) return;
    for (const spelling of [value, encodeURIComponent(value), JSON.stringify(value).slice(1, -1)])
      secrets.add(spelling);
  };
  const { auth } = endpoint;
  if (auth.kind === 'basic') {
    add(auth.username.reveal());
    add(auth.password.reveal());
    add(Buffer.from(`${auth.username.reveal()}:${auth.password.reveal()}`, 'utf8').toString('base64'));
  }
  if (auth.kind === 'authorization') add(auth.credentials.reveal());
  for (const [name, value] of Object.entries(endpoint.headers)) if (CREDENTIAL_HEADER.test(name)) add(value.reveal());
  add(endpoint.tls.key?.reveal());
  for (const url of [endpoint.url, endpoint.proxyUrl]) {
    const parsed = url === undefined ? null : URL.parse(url.reveal());
    if (parsed === null) continue;
    add(decode(parsed.password));
    for (const [name, value] of parsed.searchParams) if (!/^(?:db|rp|api-version)$/.test(name)) add(value);
  }
  // Longest first, so that no secret leaves the rest of a longer one.
  const ordered = new Secret([...secrets].sort((a, b) => b.length - a.length));
  return (text) => ordered.reveal().reduce((masked, secret) => masked.replaceAll(secret, '***'), text);
}

function decode(component: string): string {
  try {
    return decodeURIComponent(component);
  } catch {
    return component;
  }
}
