// The headers of a response as node:http presents them.

import type { IncomingHttpHeaders } from 'node:http';

/** node:http keeps the first of several. */
const SINGLE = new Set([
  'content-length',
  'content-type',
  'etag',
  'expires',
  'last-modified',
  'location',
  'retry-after',
  'server',
]);

/** @param headers names in lower case; a header that came more than once as an array */
export function nodeHeaders(headers: Readonly<Record<string, string | string[] | undefined>>): IncomingHttpHeaders {
  const shown: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue;
    if (!Array.isArray(value) || name === 'set-cookie') shown[name] = value;
    else shown[name] = SINGLE.has(name) ? (value[0] ?? '') : value.join(', ');
  }
  return shown;
}
