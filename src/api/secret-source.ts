// The values of Secrets and ConfigMaps without a cluster: from documents beside the manifest, and from --secrets-dir. The operator has a
// source of its own.

import { join } from 'node:path';
import type { Secret } from '../telemetry/secret.ts';
import { readSecretFile } from '../telemetry/secret-file.ts';
import { isObject } from './defaults.ts';
import { type PathSegment, valueAt } from './field-path.ts';

export type ReferenceKind = 'Secret' | 'ConfigMap';

export interface SecretSource {
  /** The value as text (UTF-8), or undefined if the name or key does not exist. */
  get(kind: ReferenceKind, name: string, key: string): Secret | undefined;
}

/** The data of one Secret or ConfigMap document, key to value. */
export interface SecretDocument {
  readonly kind: ReferenceKind;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly data: ReadonlyMap<string, Secret>;
}

/**
 * Looks in the documents first, then in the directory, where the value is the content of `<directory>/<kind>/<name>/<key>` or, if there is no
 * such file, of `<directory>/<name>/<key>`. One newline at the end of a file is dropped: editors and `echo` add it, and no header can contain it.
 */
export function localSecretSource(documents: readonly SecretDocument[], directory: string | undefined): SecretSource {
  return {
    get(kind, name, key) {
      const document = documents.find((candidate) => candidate.kind === kind && candidate.name === name);
      const found = document?.data.get(key);
      if (found !== undefined || directory === undefined) return found;
      // No name has capitals, so the directory of a kind is not that of a name.
      return fileOf(join(directory, kind), name, key) ?? fileOf(directory, name, key);
    },
  };
}

function fileOf(directory: string, name: string, key: string): Secret | undefined {
  // Kubernetes' rules for names and keys keep the path inside the directory.
  if (!/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(name)) return undefined;
  if (!/^[-._a-zA-Z0-9]+$/.test(key) || key === '.' || key.startsWith('..')) return undefined;
  return readSecretFile(join(directory, name, key));
}

export interface Reference {
  readonly path: readonly PathSegment[];
  readonly kind: ReferenceKind;
  readonly name: string;
  readonly key: string;
}

const ENDPOINT_PATHS = [
  ['spec', 'source'],
  ['spec', 'destination'],
  ['spec', 'destination', 'progress'],
];

const REFERENCE_PATHS: readonly (readonly [ReferenceKind, ...string[]])[] = [
  ['Secret', 'basicAuth', 'username'],
  ['Secret', 'basicAuth', 'password'],
  ['Secret', 'authorization', 'credentials'],
  ['Secret', 'oauth2', 'clientId', 'secret'],
  ['ConfigMap', 'oauth2', 'clientId', 'configMap'],
  ['Secret', 'oauth2', 'clientSecret'],
  ['Secret', 'oauth2', 'privateKey', 'key'],
  ...tlsPaths('oauth2', 'tls'),
  ['Secret', 'sigv4', 'accessKey'],
  ['Secret', 'sigv4', 'secretKey'],
  ['Secret', 'azureAd', 'oauth', 'clientSecret'],
  ...tlsPaths('tls'),
];

function tlsPaths(...at: readonly string[]): [ReferenceKind, ...string[]][] {
  return [
    ['Secret', ...at, 'ca', 'secret'],
    ['ConfigMap', ...at, 'ca', 'configMap'],
    ['Secret', ...at, 'cert', 'secret'],
    ['ConfigMap', ...at, 'cert', 'configMap'],
    ['Secret', ...at, 'keySecret'],
  ];
}

/** Every well-formed reference to a Secret or ConfigMap in a manifest. */
export function referencesOf(migration: unknown): Reference[] {
  const references: Reference[] = [];
  for (const endpoint of ENDPOINT_PATHS) {
    for (const [kind, ...fields] of REFERENCE_PATHS) {
      const path = [...endpoint, ...fields];
      const reference = valueAt(migration, path);
      if (!isObject(reference)) continue;
      const { name, key } = reference;
      if (typeof name === 'string' && typeof key === 'string') references.push({ path, kind, name, key });
    }
  }
  return references;
}
