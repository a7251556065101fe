// Reads the Secrets and ConfigMaps that a migration refers to, from its own namespace, with one `get` each and never a list. No value ever
// appears in the message of a problem or an error.

import { type Reference, type ReferenceKind, referencesOf, type SecretSource } from '../api/secret-source.ts';
import { formatPath } from '../api/field-path.ts';
import { Secret } from '../telemetry/secret.ts';
import type { KubeClient } from './kube/kube-client.ts';
import { isForbidden, isNotFound } from './kube/kube-errors.ts';
import { type KeyedData, type KubeObject, resourcePath } from './kube/kube-objects.ts';

/** A reference without a target. The user has to fix it. */
interface ReferenceProblem {
  readonly reason: 'SecretNotFound' | 'SecretKeyNotFound' | 'SecretForbidden';
  readonly kind: ReferenceKind;
  readonly name: string;
  readonly key: string;
  /** The location in the manifest: `spec.source.basicAuth.password`. */
  readonly path: string;
  /** The complete message for people. */
  readonly message: string;
}

export interface ReadSecrets {
  /** For compilePlan. Contains the values, except those that `problems` reports. */
  readonly source: SecretSource;
  readonly problems: readonly ReferenceProblem[];
  /** Differs if one of the objects has changed, so that a rotation can be detected. */
  readonly version: string;
}

/**
 * @param migration a valid PromMigration with a namespace
 * @throws KubeApiError and KubeConnectionError when it is unknown whether such a Secret exists
 */
export async function readSecrets(
  client: KubeClient,
  migration: KubeObject,
  signal: AbortSignal,
): Promise<ReadSecrets> {
  const namespace = migration.metadata.namespace ?? 'default';
  const references = referencesOf(migration);
  const wanted = new Map(references.map((reference) => [identityOf(reference), reference]));
  const found = new Map<string, FoundObject>();
  // Sequential: there are few objects, and many migrations may start at the same time.
  for (const [identity, { kind, name }] of wanted)
    found.set(identity, await read(client, namespace, kind, name, signal));

  const problems: ReferenceProblem[] = [];
  for (const reference of references) {
    const problem = problemOf(reference, namespace, found.get(identityOf(reference)));
    if (problem !== undefined) problems.push(problem);
  }
  return {
    source: {
      get(kind, name, key) {
        const response = found.get(identityOf({ kind, name }));
        return response === undefined || typeof response === 'string' ? undefined : response.byKey.get(key);
      },
    },
    problems,
    version: [...found].map(([identity, reply]) => `${identity}@${versionOf(reply)}`).join(' '),
  };
}

/** The values of one object by key. */
interface FoundValues {
  readonly version: string;
  readonly byKey: ReadonlyMap<string, Secret>;
}

type FoundObject = FoundValues | 'missing' | 'forbidden';

function identityOf({ kind, name }: { readonly kind: ReferenceKind; readonly name: string }): string {
  return `${kind}/${name}`;
}

function versionOf(response: FoundObject): string {
  return typeof response === 'string' ? response : response.version;
}

async function read(
  client: KubeClient,
  namespace: string,
  kind: ReferenceKind,
  name: string,
  signal: AbortSignal,
): Promise<FoundObject> {
  // Includes the names that resourcePath would escape: no object can have such a name.
  if (!/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/.test(name)) return 'missing';
  const resource = kind === 'Secret' ? 'secrets' : 'configmaps';
  try {
    const path = resourcePath({ group: '', version: 'v1', namespace, resource, name });
    return valuesOf(kind, await client.get<KeyedData>(path, { signal }));
  } catch (error) {
    if (isNotFound(error)) return 'missing';
    if (isForbidden(error)) return 'forbidden';
    throw error;
  }
}

function valuesOf(kind: ReferenceKind, { metadata, data, binaryData }: KeyedData): FoundValues {
  const [texts, encoded] = kind === 'ConfigMap' ? [data, binaryData] : [undefined, data];
  const decoded = Object.entries(encoded ?? {}).map(
    ([key, base64]) => [key, new Secret(Buffer.from(base64, 'base64').toString('utf8'))] as const,
  );
  const plain = Object.entries(texts ?? {}).map(([key, text]) => [key, new Secret(text)] as const);
  return {
    version: `${metadata.uid ?? ''}:${metadata.resourceVersion ?? ''}`,
    byKey: new Map([...decoded, ...plain]),
  };
}

function problemOf(
  { kind, name, key, path }: Reference,
  namespace: string,
  response: FoundObject | undefined,
): ReferenceProblem | undefined {
  const what = `${kind} ${JSON.stringify(name)} in namespace ${JSON.stringify(namespace)}`;
  const problem = (reason: ReferenceProblem['reason'], message: string): ReferenceProblem => {
    const field = formatPath(path);
    return { reason, kind, name, key, path: field, message: `${field}: ${message}` };
  };
  if (response === undefined || response === 'missing') {
    return problem('SecretNotFound', `${what} with the key ${JSON.stringify(key)} not found`);
  }
  if (response === 'forbidden') {
    return problem('SecretForbidden', `the operator is not allowed to get ${what} (key ${JSON.stringify(key)})`);
  }
  if (response.byKey.has(key)) return undefined;
  return problem('SecretKeyNotFound', `${what} has no key ${JSON.stringify(key)}`);
}
