// The endpoint fields of the PromMigration resource. Generated from the CRD by `npm run docs`: edit crds/ instead.

/** Tenant of a multi-tenant store, sent as one header with every request. */
export interface Tenant {
  /** Name of the header: X-Scope-OrgID for Mimir and Cortex, THANOS-TENANT for Thanos Receive, TENANT for Promscale. */
  readonly header: string;
  /** The tenant, such as team-a. */
  readonly value: string;
}

/** User and password for HTTP basic authentication. Cannot be used together with authorization. */
export interface BasicAuth {
  /** The user name. One trailing newline is removed. */
  readonly username: KeyReference;
  /** The password. One trailing newline is removed. */
  readonly password: KeyReference;
}

/** The user name. One trailing newline is removed. */
export interface KeyReference {
  /** Name of the Secret or ConfigMap, in the namespace of the PromMigration. */
  readonly name: string;
  /** Key in the data of the Secret or ConfigMap. */
  readonly key: string;
}

/**
 * An Authorization header of the form "<type> <credentials>", such as a bearer token. Cannot be used together with
 * basicAuth.
 */
export interface Authorization {
  /**
   * The scheme in front of the credentials: Bearer, or what the server requires (Token for InfluxDB). For Basic use
   * basicAuth.
   */
  readonly type: string;
  /** The token. One trailing newline is removed. */
  readonly credentials: KeyReference;
}

/**
 * TLS settings for https:// connections. If unset, the server's certificate is verified against the public certificate
 * authorities.
 */
export interface Tls {
  /**
   * PEM certificates of the trusted certificate authorities, instead of the public ones. Required for a private
   * authority or a self-signed certificate.
   */
  readonly ca?: SecretOrConfigMap;
  /** PEM client certificate, with its chain, for mutual TLS. Requires keySecret. */
  readonly cert?: SecretOrConfigMap;
  /** PEM private key of cert, unencrypted. */
  readonly keySecret?: KeyReference;
  /** Expected name in the server's certificate, if it is not the host of the URL. */
  readonly serverName?: string;
  /**
   * Accept any certificate. Only for tests: anyone on the network path can then read and change the samples and the
   * credentials. Set ca instead.
   */
  readonly insecureSkipVerify: boolean;
  /** Minimum TLS version. */
  readonly minVersion: 'TLS12' | 'TLS13';
}

/**
 * PEM certificates of the trusted certificate authorities, instead of the public ones. Required for a private
 * authority or a self-signed certificate.
 */
export interface SecretOrConfigMap {
  /** Read from a Secret. */
  readonly secret?: KeyReference;
  /** Read from a ConfigMap. */
  readonly configMap?: KeyReference;
}

/**
 * How long to wait before a request is aborted and retried. There is no limit on the total duration of a request,
 * because a large response can take long.
 */
export interface Timeouts {
  /** Time limit for establishing the connection, including DNS lookup and TLS. Raise it for distant or slow networks. */
  readonly connect: string;
  /**
   * Time limit from the end of the request to the first byte of the response. Raise it for a source that takes long to
   * evaluate a query.
   */
  readonly firstByte: string;
  /** Longest pause between two parts of a response. Raise it for a server that pauses longer. */
  readonly silence: string;
}

/**
 * How long to wait before a request is aborted and retried. There is no limit on the total duration of a request,
 * because a large response can take long. Each unset field defaults to that of the destination.
 */
export interface ProgressTimeouts {
  /** Time limit for establishing the connection, including DNS lookup and TLS. Raise it for distant or slow networks. */
  readonly connect?: string;
  /**
   * Time limit from the end of the request to the first byte of the response. Raise it for a source that takes long to
   * evaluate a query.
   */
  readonly firstByte?: string;
  /** Longest pause between two parts of a response. Raise it for a server that pauses longer. */
  readonly silence?: string;
}
