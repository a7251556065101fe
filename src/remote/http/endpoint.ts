// One HTTP endpoint with everything resolved: compiled from an endpoint of the manifest and its secrets.

import type { Secret, SecretUrl } from '../../telemetry/secret.ts';
import type { Side } from '../meaning/side.ts';

export type EndpointAuth =
  | { readonly kind: 'none' }
  | { readonly kind: 'basic'; readonly username: Secret; readonly password: Secret }
  /** `Authorization: <type> <credentials>` */
  | { readonly kind: 'authorization'; readonly type: string; readonly credentials: Secret };

export interface EndpointTls {
  /** PEM texts. A file with a certificate often has its key too. */
  readonly ca?: Secret;
  readonly cert?: Secret;
  readonly key?: Secret;
  readonly serverName?: string;
  readonly insecureSkipVerify: boolean;
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
}

export interface Endpoint {
  readonly side: Side;
  /** Used verbatim, with its path and query. */
  readonly url: SecretUrl;
  /** Includes the tenant's header. Any of them may be a credential: `X-Api-Key`, `Cookie`. */
  readonly headers: Readonly<Record<string, Secret>>;
  readonly auth: EndpointAuth;
  readonly tls: EndpointTls;
  readonly proxyUrl?: SecretUrl;
  readonly timeouts: {
    readonly connectMs: number;
    /** From the request's last byte to the response's headers. */
    readonly firstByteMs: number;
    /** Between two pieces of a response's body. */
    readonly silenceMs: number;
  };
}
