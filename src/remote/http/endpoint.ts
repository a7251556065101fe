// One HTTP endpoint with everything resolved: compiled from an endpoint of the manifest and its secrets.

import type { Secret, SecretUrl } from '../../telemetry/secret.ts';
import type { Side } from '../meaning/side.ts';

export type EndpointAuth =
  | { readonly kind: 'none' }
  | { readonly kind: 'basic'; readonly username: Secret; readonly password: Secret }
  /** `Authorization: <type> <credentials>` */
  | { readonly kind: 'authorization'; readonly type: string; readonly credentials: Secret }
  | OAuth2Auth
  | SigV4Auth
  | AzureAdAuth;

/** How the server that issues tokens or keys is reached. */
export interface IssuerRoute {
  /** Where the credentials stand in the manifest: `spec.destination.oauth2`. */
  readonly field: string;
  readonly tls: EndpointTls;
  readonly proxyUrl?: SecretUrl;
}

/** OAuth 2.0 client credentials (RFC 6749 §4.4). */
export interface OAuth2Auth extends IssuerRoute {
  readonly kind: 'oauth2';
  readonly clientId: Secret;
  /** A password, or a key that signs an assertion instead (RFC 7523 §2.2). */
  readonly proof: { readonly kind: 'secret'; readonly secret: Secret } | ClientKey;
  readonly tokenUrl: SecretUrl;
  readonly scopes: readonly string[];
  readonly parameters: Readonly<Record<string, Secret>>;
}

export interface ClientKey {
  readonly kind: 'key';
  /** PEM. */
  readonly key: Secret;
  readonly keyId: string | undefined;
  readonly algorithm: string;
  readonly audience: string;
}

/** AWS Signature Version 4. */
export interface SigV4Auth extends IssuerRoute {
  readonly kind: 'sigv4';
  readonly region: string;
  readonly service: string;
  /** Undefined: those of the environment. */
  readonly keys: { readonly accessKey: Secret; readonly secretKey: Secret } | undefined;
  /** The role to assume with the keys. */
  readonly role: { readonly arn: string; readonly externalId: string | undefined } | undefined;
}

/** A token of Microsoft Entra ID. */
export interface AzureAdAuth extends IssuerRoute {
  readonly kind: 'azureAd';
  readonly cloud: 'AzurePublic' | 'AzureChina' | 'AzureGovernment';
  /** Undefined: chosen by the side. */
  readonly scope: string | undefined;
  readonly identity:
    | { readonly kind: 'managed'; readonly clientId: string | undefined }
    | { readonly kind: 'client'; readonly clientId: string; readonly tenantId: string; readonly secret: Secret }
    | { readonly kind: 'workload'; readonly clientId: string; readonly tenantId: string };
}

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
