// AWS Signature Version 4 recomputed from a received request, from the documentation of the algorithm and with nothing but node:crypto: what
// the program signs with a library is checked by another implementation.

import { createHash, createHmac } from 'node:crypto';

export interface ReceivedRequest {
  readonly method: string;
  /** Path and query as they are on the wire. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Uint8Array;
}

export interface Authorization {
  readonly accessKey: string;
  readonly date: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

export function parseAuthorization(header: string): Authorization | undefined {
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$/.exec(
      header,
    );
  if (match === null) return undefined;
  const [, accessKey = '', date = '', region = '', service = '', signedHeaders = '', signature = ''] = match;
  return { accessKey, date, region, service, signedHeaders: signedHeaders.split(';'), signature };
}

const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex');
const hmac = (key: string | Buffer, data: string) => createHmac('sha256', key).update(data, 'utf8').digest();

/** RFC 3986: everything but the unreserved characters. */
function encoded(text: string): string {
  return [...Buffer.from(text, 'utf8')]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      return /[A-Za-z0-9_.~-]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
}

/** The path on the wire is encoded once more, without empty segments, for every service but S3. */
function canonicalPath(path: string): string {
  return path
    .replaceAll(/\/{2,}/g, '/')
    .split('/')
    .map((segment) => encoded(segment))
    .join('/');
}

function canonicalQuery(query: string): string {
  return query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const at = pair.includes('=') ? pair.indexOf('=') : pair.length;
      return [pair.slice(0, at), pair.slice(at + 1)].map((part) => encoded(decodeURIComponent(part))) as [
        string,
        string,
      ];
    })
    .sort(([a, x], [b, y]) => (a === b ? (x < y ? -1 : 1) : a < b ? -1 : 1))
    .map((pair) => pair.join('='))
    .join('&');
}

/** The signature that the request must have. */
export function signatureOf(
  { method, target, headers, body }: ReceivedRequest,
  { date, region, service, signedHeaders }: Omit<Authorization, 'accessKey' | 'signature'>,
  secretKey: string,
): string {
  const at = target.includes('?') ? target.indexOf('?') : target.length;
  const lines = signedHeaders.map((name) => {
    const value = [headers[name] ?? ''].flat().join(',');
    return `${name}:${value.trim().replaceAll(/ +/g, ' ')}\n`;
  });
  const canonical = [
    method,
    canonicalPath(target.slice(0, at)),
    canonicalQuery(target.slice(at + 1)),
    lines.join(''),
    signedHeaders.join(';'),
    sha256(body),
  ].join('\n');
  const scope = `${date}/${region}/${service}/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', String(headers['x-amz-date']), scope, sha256(canonical)].join('\n');
  const key = [region, service, 'aws4_request'].reduce(hmac, hmac(`AWS4${secretKey}`, date));
  return hmac(key, text).toString('hex');
}

/** `20150830T123600Z` as milliseconds since 1970. */
export function amzDateMs(text: string): number {
  return Date.parse(text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
}
