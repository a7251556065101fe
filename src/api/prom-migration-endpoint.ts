// The endpoint fields of the PromMigration resource. Made from the CRD by `npm run docs`: change crds/ instead.

/** Tenant of a multi-tenant store, sent as one header with every request. */
export interface Tenant {
  /**
   * Name of the header: X-Scope-OrgID for Mimir, Cortex and Grafana, THANOS-TENANT for Thanos Receive, TENANT for
   * Promscale.
   */
  readonly header: string;
  /** The tenant, such as team-a. */
  readonly value: string;
}

/** User and password for HTTP basic authentication. Excludes authorization. */
export interface BasicAuth {
  /** The user. One newline at its end is dropped. */
  readonly username: KeyReference;
  /** The password. One newline at its end is dropped. */
  readonly password: KeyReference;
}

/** The user. One newline at its end is dropped. */
export interface KeyReference {
  /** Name of the Secret or ConfigMap, in the namespace of the PromMigration. */
  readonly name: string;
  /** Key inside its data. */
  readonly key: string;
}

/** An Authorization header of the form "<type> <credentials>", such as a bearer token. Excludes basicAuth. */
export interface Authorization {
  /**
   * The scheme in front of the credentials: Bearer, or what the server asks for (Token for InfluxDB). Not Basic: use
   * basicAuth.
   */
  readonly type: string;
  /** The token. One newline at its end is dropped. */
  readonly credentials: KeyReference;
}

/**
 * How an https:// connection is made. Without it the server's certificate is checked against the usual public
 * authorities.
 */
export interface Tls {
  /**
   * PEM certificates of the authorities that the server's certificate may be signed by, instead of the public ones.
   * Needed for a private authority or a self-signed certificate.
   */
  readonly ca?: SecretOrConfigMap;
  /** PEM certificate (with its chain) that this client shows: mutual TLS. Needs keySecret. */
  readonly cert?: SecretOrConfigMap;
  /** PEM private key of cert, not encrypted. */
  readonly keySecret?: KeyReference;
  /** Name that the server's certificate must carry, where it is not the URL's host. */
  readonly serverName?: string;
  /**
   * Accepts any certificate. Anyone on the way can then read and change the samples and the credentials: for tests
   * only; give ca instead.
   */
  readonly insecureSkipVerify: boolean;
  /** Oldest TLS version that is spoken. */
  readonly minVersion: 'TLS12' | 'TLS13';
}

/**
 * PEM certificates of the authorities that the server's certificate may be signed by, instead of the public ones.
 * Needed for a private authority or a self-signed certificate.
 */
export interface SecretOrConfigMap {
  /** Takes it from a Secret. */
  readonly secret?: KeyReference;
  /** Takes it from a ConfigMap. */
  readonly configMap?: KeyReference;
}

/**
 * How long to wait before a request is given up and tried again. There is no limit on the whole of a request, which a
 * big answer would pass.
 */
export interface Timeouts {
  /** For the connection, name look-up and TLS included. Raise it for far or slow networks. */
  readonly connect: string;
  /**
   * From the end of the request to the beginning of the answer. Raise it for a source that thinks long before it
   * answers.
   */
  readonly firstByte: string;
  /** Between two pieces of an answer. Raise it for a server that pauses within an answer. */
  readonly silence: string;
}

/**
 * How long to wait before a request is given up and tried again. There is no limit on the whole of a request, which a
 * big answer would pass. What is not given defaults to the destination's.
 */
export interface ProgressTimeouts {
  /** For the connection, name look-up and TLS included. Raise it for far or slow networks. */
  readonly connect?: string;
  /**
   * From the end of the request to the beginning of the answer. Raise it for a source that thinks long before it
   * answers.
   */
  readonly firstByte?: string;
  /** Between two pieces of an answer. Raise it for a server that pauses within an answer. */
  readonly silence?: string;
}
