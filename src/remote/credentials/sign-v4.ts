// AWS Signature Version 4 of one request.

import aws4 from 'aws4';
import type { Secret } from '../../telemetry/secret.ts';

export interface AwsKeys {
  readonly accessKey: Secret;
  readonly secretKey: Secret;
  /** Only temporary keys have one. */
  readonly sessionToken: Secret | undefined;
}

export interface SignedParts {
  readonly method: string;
  readonly url: string;
  /** Those that are signed beside the host. Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
}

export interface SigningScope {
  readonly region: string;
  readonly service: string;
}

/** The headers that the request needs beside the given ones. Names in lower case. */
export function signV4(
  { method, url, headers, body }: SignedParts,
  { accessKey, secretKey, sessionToken }: AwsKeys,
  { region, service }: SigningScope,
  timeMs: number,
): Readonly<Record<string, string>> {
  const { host, pathname, search } = new URL(url);
  const added = {
    'x-amz-date': new Date(timeMs).toISOString().replaceAll(/[-:]|\.\d{3}/g, ''),
    ...(sessionToken !== undefined && { 'x-amz-security-token': sessionToken.reveal() }),
  };
  const signed = aws4.sign(
    {
      ...{ method, region, service, path: `${pathname}${search}`, headers: { ...headers, ...added, host } },
      ...(body !== undefined && { body: Buffer.from(body.buffer, body.byteOffset, body.byteLength) }),
      // The library adds them. Others may change them on the way.
      extraHeadersToIgnore: { 'content-length': true, 'content-type': headers['content-type'] === undefined },
    },
    { accessKeyId: accessKey.reveal(), secretAccessKey: secretKey.reveal() },
  );
  return { ...added, authorization: signed.headers['Authorization'] ?? '' };
}
