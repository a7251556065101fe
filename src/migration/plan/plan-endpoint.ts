// The endpoint fields of a manifest with their secrets resolved: headers, authentication, TLS, timeouts.

import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { parseDuration } from '../../api/duration.ts';
import { formatPath, type PathSegment } from '../../api/field-path.ts';
import type { FieldProblem } from '../../api/problem.ts';
import type {
  KeyReference,
  ProgressTimeouts,
  SecretOrConfigMap,
  Tenant,
  Tls,
} from '../../api/prom-migration-endpoint.ts';
import type { ReferenceKind, SecretSource } from '../../api/secret-source.ts';
import type { Endpoint, EndpointAuth, EndpointTls } from '../../remote/http/endpoint.ts';
import { FileSecret, Secret, SecretUrl } from '../../telemetry/secret.ts';
import { withoutFinalNewline } from '../../telemetry/secret-file.ts';
import { type AuthFields, authFor, type References, resolveAuth } from './plan-auth.ts';

/** No real credential is longer: the largest tokens take a few kilobytes. Servers accept 8 KiB to 1 MiB of headers. */
const MAX_CREDENTIAL_BYTES = 16 * 1024;
/** The maximum for all header values of an endpoint together. */
const MAX_HEADERS_BYTES = 32 * 1024;
/** The bundle of all public authorities takes about 230 KiB. */
const MAX_PEM_BYTES = 1024 * 1024;

/** The endpoint fields as the manifest has them. */
export interface EndpointFields extends AuthFields {
  readonly headers?: Readonly<Record<string, string>>;
  readonly tenant?: Tenant;
  readonly tls?: Tls;
  readonly timeouts?: ProgressTimeouts;
}

/** The same fields, resolved; undefined if the manifest does not set them, so that those of another endpoint can be inherited. */
export interface ResolvedFields {
  readonly headers: Readonly<Record<string, Secret>> | undefined;
  readonly tenant: Tenant | undefined;
  readonly auth: EndpointAuth | undefined;
  readonly tls: EndpointTls | undefined;
  readonly proxyUrl: SecretUrl | undefined;
  readonly timeouts: Partial<Endpoint['timeouts']>;
}

export const NO_FIELDS: ResolvedFields = {
  headers: undefined,
  tenant: undefined,
  auth: undefined,
  tls: undefined,
  proxyUrl: undefined,
  timeouts: {},
};

/** Resolves references and collects their problems. After a problem the values are placeholders. */
export class EndpointResolver implements References {
  readonly problems: FieldProblem[] = [];
  readonly #secrets: SecretSource;

  constructor(secrets: SecretSource) {
    this.#secrets = secrets;
  }

  /** `path` is the location of the fields, such as `['spec', 'source']`. */
  resolve(fields: EndpointFields, path: readonly string[]): ResolvedFields {
    this.#checkHeaders(fields.headers ?? {}, [...path, 'headers']);
    return {
      headers: fields.headers && secretValues(fields.headers),
      tenant: fields.tenant,
      auth: resolveAuth(fields, path, this),
      tls: fields.tls === undefined ? undefined : this.tls(fields.tls, [...path, 'tls']),
      proxyUrl: fields.proxyUrl === undefined ? undefined : new SecretUrl(fields.proxyUrl),
      timeouts: this.#timeouts(fields.timeouts ?? {}, [...path, 'timeouts']),
    };
  }

  report(path: readonly PathSegment[], message: string, value?: string): undefined {
    this.problems.push({ path: formatPath(path), value, message });
  }

  /** A user name, a token, a key: one line of text. */
  credential(reference: KeyReference, path: readonly string[], kind: ReferenceKind = 'Secret'): Secret {
    const value = this.#value(kind, reference, path);
    if (value === undefined) return new Secret('');
    const text = withoutFinalNewline(value.reveal());
    // A value that is too long is not checked further.
    if (this.#isTooLong(text, MAX_CREDENTIAL_BYTES, path)) return new Secret('');
    if (text === '') this.report(path, 'refers to an empty value');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be in it
    else if (/[\u0000-\u001f\u007f]/.test(text))
      this.report(path, 'contains control characters, such as a newline in the middle');
    else if (text.includes('\ufffd')) this.report(path, 'is not UTF-8 text');
    return value instanceof FileSecret && value.reveal() === text ? value : new Secret(text);
  }

  #value(kind: ReferenceKind, { name, key }: KeyReference, path: readonly string[]): Secret | undefined {
    const value = this.#secrets.get(kind, name, key);
    if (value !== undefined) return value;
    return this.report(path, `${kind} ${JSON.stringify(name)} with the key ${JSON.stringify(key)} not found`);
  }

  /** A message may include the size of a value, but not the value. */
  #isTooLong(value: string, maxBytes: number, path: readonly string[]): boolean {
    const bytes = Buffer.byteLength(value);
    if (bytes <= maxBytes) return false;
    this.report(path, `refers to a value of ${bytes} bytes; at most ${maxBytes} bytes are allowed`);
    return true;
  }

  #checkHeaders(headers: Readonly<Record<string, string>>, path: readonly string[]): void {
    const bytes = Object.entries(headers).reduce((sum, [name, value]) => sum + Buffer.byteLength(name + value), 0);
    if (bytes <= MAX_HEADERS_BYTES) return;
    this.report(path, `take ${bytes} bytes in total; at most ${MAX_HEADERS_BYTES} bytes are allowed`);
  }

  pem(kind: ReferenceKind, reference: KeyReference, path: readonly string[]): Secret | undefined {
    const pem = this.#value(kind, reference, path);
    return pem === undefined || this.#isTooLong(pem.reveal(), MAX_PEM_BYTES, path) ? undefined : pem;
  }

  #eitherValue(reference: SecretOrConfigMap | undefined, path: readonly string[]): Secret | undefined {
    if (reference?.secret !== undefined) return this.pem('Secret', reference.secret, [...path, 'secret']);
    if (reference?.configMap !== undefined) return this.pem('ConfigMap', reference.configMap, [...path, 'configMap']);
    return undefined;
  }

  tls(tls: Tls, path: readonly string[]): EndpointTls {
    const before = this.problems.length;
    const ca = this.#eitherValue(tls.ca, [...path, 'ca']);
    if (ca !== undefined) this.#certificates(ca, [...path, 'ca']);
    const cert = this.#eitherValue(tls.cert, [...path, 'cert']);
    const leaf = cert === undefined ? undefined : this.#certificates(cert, [...path, 'cert']);
    const keyPath = [...path, 'keySecret'];
    const key = tls.keySecret === undefined ? undefined : this.pem('Secret', tls.keySecret, keyPath);
    const privateKey = key === undefined ? undefined : this.privateKey(key, keyPath);
    if (leaf !== undefined && privateKey !== undefined && !leaf.checkPrivateKey(privateKey)) {
      this.report(keyPath, 'does not match the certificate in cert');
    }
    const minVersion = tls.minVersion === 'TLS13' ? 'TLSv1.3' : 'TLSv1.2';
    const resolved: EndpointTls = {
      ...(ca !== undefined && { ca }),
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key }),
      ...(tls.serverName !== undefined && { serverName: tls.serverName }),
      insecureSkipVerify: tls.insecureSkipVerify,
      minVersion,
    };
    if (this.problems.length === before) {
      try {
        createSecureContext({ ca: ca?.reveal(), cert: cert?.reveal(), key: key?.reveal(), minVersion });
      } catch (error) {
        this.report(path, `is not accepted by OpenSSL: ${error instanceof Error ? error.message : 'unknown reason'}`);
      }
    }
    return resolved;
  }

  /** Checks every certificate of a PEM text and returns the first. */
  #certificates(pem: Secret, path: readonly string[]): X509Certificate | undefined {
    const blocks = pem.reveal().match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g);
    if (blocks === null) return this.report(path, 'contains no PEM certificate (-----BEGIN CERTIFICATE-----)');
    try {
      return blocks.map((block) => new X509Certificate(block))[0];
    } catch {
      return this.report(path, 'contains a certificate that cannot be parsed');
    }
  }

  privateKey(pem: Secret, path: readonly string[]): KeyObject | undefined {
    if (/ENCRYPTED/.test(pem.reveal()))
      return this.report(path, 'is encrypted; give the private key without a passphrase');
    try {
      return createPrivateKey(pem.reveal());
    } catch {
      return this.report(path, 'contains no readable PEM private key (-----BEGIN PRIVATE KEY-----)');
    }
  }

  #timeouts(timeouts: ProgressTimeouts, path: readonly string[]): Partial<Endpoint['timeouts']> {
    const duration = (field: 'connect' | 'firstByte' | 'silence') => {
      const text = timeouts[field];
      return text === undefined ? undefined : this.duration(text, [...path, field]);
    };
    const [connectMs, firstByteMs, silenceMs] = [duration('connect'), duration('firstByte'), duration('silence')];
    return {
      ...(connectMs !== undefined && { connectMs }),
      ...(firstByteMs !== undefined && { firstByteMs }),
      ...(silenceMs !== undefined && { silenceMs }),
    };
  }

  /** Parses a Prometheus duration. @returns milliseconds */
  duration(text: string, path: readonly string[]): number {
    const durationMs = parseDuration(text);
    if (durationMs !== undefined) return durationMs;
    this.report(path, 'must be a Prometheus duration such as 90s or 1h30m', JSON.stringify(text));
    return 0;
  }
}

/** The fields of the progress endpoint: its own, or those of the destination where it sets none. */
export function inherit(own: ResolvedFields, from: ResolvedFields): ResolvedFields {
  return {
    headers: own.headers ?? from.headers,
    tenant: own.tenant ?? from.tenant,
    auth: own.auth ?? from.auth,
    tls: own.tls ?? from.tls,
    proxyUrl: own.proxyUrl ?? from.proxyUrl,
    timeouts: { ...from.timeouts, ...own.timeouts },
  };
}

const USUAL_TIMEOUTS: Endpoint['timeouts'] = { connectMs: 10_000, firstByteMs: 300_000, silenceMs: 120_000 };

export function toEndpoint(side: Endpoint['side'], url: string, fields: ResolvedFields): Endpoint {
  return {
    side,
    url: new SecretUrl(url),
    headers: withTenant(fields.headers ?? {}, fields.tenant),
    auth: authFor(side, fields.auth ?? { kind: 'none' }),
    tls: fields.tls ?? { insecureSkipVerify: false, minVersion: 'TLSv1.2' },
    ...(fields.proxyUrl !== undefined && { proxyUrl: fields.proxyUrl }),
    timeouts: { ...USUAL_TIMEOUTS, ...fields.timeouts },
  };
}

function withTenant(headers: Readonly<Record<string, Secret>>, tenant: Tenant | undefined): Record<string, Secret> {
  if (tenant === undefined) return { ...headers };
  // Inherited headers may contain the tenant of the other endpoint.
  const others = Object.entries(headers).filter(([name]) => name.toLowerCase() !== tenant.header.toLowerCase());
  return { ...Object.fromEntries(others), [tenant.header]: new Secret(tenant.value) };
}

function secretValues(headers: Readonly<Record<string, string>>): Record<string, Secret> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, new Secret(value)]));
}
