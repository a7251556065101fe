// The endpoint fields of the PromMigration resource. Generated from the CRD by `npm run docs`: edit crds/ instead.

/** Tenant of a multi-tenant store, sent as one header with every request. */
export interface Tenant {
  /** Name of the header: X-Scope-OrgID for Mimir and Cortex, THANOS-TENANT for Thanos Receive, TENANT for Promscale. */
  readonly header: string;
  /** The tenant, such as team-a. */
  readonly value: string;
}

/**
 * User and password for HTTP basic authentication. Cannot be used together with authorization, oauth2, sigv4 or
 * azureAd.
 */
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
 * basicAuth, oauth2, sigv4 or azureAd.
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
 * OAuth 2.0 client credentials. An access token is requested from tokenUrl, sent as a bearer token, and renewed before
 * it expires. At most one of basicAuth, authorization, oauth2, sigv4 and azureAd can be set.
 */
export interface OAuth2 {
  /** The client id. One trailing newline is removed. */
  readonly clientId: SecretOrConfigMap;
  /** The client secret. One trailing newline is removed. */
  readonly clientSecret?: KeyReference;
  /** Private key JWT (RFC 7523): the client signs an assertion with its key, instead of sending a clientSecret. */
  readonly privateKey?: OAuth2PrivateKey;
  /** URL of the token endpoint, such as https://login.example.com/oauth2/token. */
  readonly tokenUrl: string;
  /** Scopes to request. */
  readonly scopes?: readonly string[];
  /**
   * Additional parameters of the token request, such as audience or resource. Do not put secrets here: everyone with
   * read access to the PromMigration can read them.
   */
  readonly endpointParams?: Readonly<Record<string, string>>;
  /**
   * TLS settings for https:// connections to tokenUrl. If unset, the server's certificate is verified against the
   * public certificate authorities.
   */
  readonly tls?: Tls;
  /** HTTP proxy for the connections to tokenUrl. The proxyUrl of the endpoint is not used for them. */
  readonly proxyUrl?: string;
}

/** Private key JWT (RFC 7523): the client signs an assertion with its key, instead of sending a clientSecret. */
export interface OAuth2PrivateKey {
  /** PEM private key, unencrypted. */
  readonly key: KeyReference;
  /** Id of the key (kid), if the token endpoint requires one. */
  readonly keyId?: string;
  /** Algorithm of the signature. It has to fit the type of the key. */
  readonly algorithm: 'RS256' | 'RS384' | 'RS512' | 'PS256' | 'PS384' | 'PS512' | 'ES256' | 'ES384' | 'ES512' | 'EdDSA';
  /** Audience of the assertion (aud). Defaults to tokenUrl. */
  readonly audience?: string;
}

/**
 * AWS Signature Version 4, for Amazon Managed Service for Prometheus. Without accessKey, the credentials of the
 * environment are used: AWS_ACCESS_KEY_ID, the web identity of the pod's service account, EKS Pod Identity. AWS
 * profiles are not supported. At most one of basicAuth, authorization, oauth2, sigv4 and azureAd can be set.
 */
export interface SigV4 {
  /** The AWS region of the workspace, such as eu-central-1. */
  readonly region: string;
  /** Name of the AWS service that the signature is for. */
  readonly service: string;
  /** The access key id. One trailing newline is removed. */
  readonly accessKey?: KeyReference;
  /** The secret access key. One trailing newline is removed. */
  readonly secretKey?: KeyReference;
  /** ARN of a role to assume with the credentials. Its temporary keys are renewed before they expire. */
  readonly roleArn?: string;
  /** External id that the trust policy of roleArn requires. */
  readonly externalId?: string;
}

/**
 * A token of Microsoft Entra ID, for Azure Monitor managed service for Prometheus, renewed before it expires. At most
 * one of basicAuth, authorization, oauth2, sigv4 and azureAd can be set.
 */
export interface AzureAd {
  /** The Azure cloud: it decides the host of the token endpoint and the default of scope. */
  readonly cloud: 'AzurePublic' | 'AzureChina' | 'AzureGovernment';
  /** A managed identity of the machine or of the pod. */
  readonly managedIdentity?: AzureManagedIdentity;
  /** An application with a client secret. */
  readonly oauth?: AzureClient;
  /**
   * Workload identity: the token of the pod's service account, in the file that AZURE_FEDERATED_TOKEN_FILE names, is
   * exchanged for one of Entra ID.
   */
  readonly workloadIdentity?: AzureWorkloadIdentity;
  /**
   * Scope of the token. The default for AzurePublic is https://monitor.azure.com//.default for writing, and
   * https://prometheus.monitor.azure.com/.default for reading.
   */
  readonly scope?: string;
}

/** A managed identity of the machine or of the pod. */
export interface AzureManagedIdentity {
  /** Client id of a user-assigned identity. If unset, the system-assigned identity is used. */
  readonly clientId?: string;
}

/** An application with a client secret. */
export interface AzureClient {
  /** Client id of the application. */
  readonly clientId: string;
  /** Id of the tenant. */
  readonly tenantId: string;
  /** The client secret. One trailing newline is removed. */
  readonly clientSecret: KeyReference;
}

/**
 * Workload identity: the token of the pod's service account, in the file that AZURE_FEDERATED_TOKEN_FILE names, is
 * exchanged for one of Entra ID.
 */
export interface AzureWorkloadIdentity {
  /** Client id of the application or of the managed identity. */
  readonly clientId: string;
  /** Id of the tenant. */
  readonly tenantId: string;
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
