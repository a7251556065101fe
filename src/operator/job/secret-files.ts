// The Secrets and ConfigMaps that a manifest refers to, as files for --secrets-dir. They are mounted by reference: the kubelet reads them, the
// operator does not pass on a value. Pure.

import type { PromMigration } from '../../api/prom-migration.ts';
import { referencesOf } from '../../api/secret-source.ts';

interface Projection {
  readonly name: string;
  readonly items: readonly { readonly key: string; readonly path: string }[];
}

type ProjectedSource = { readonly secret: Projection } | { readonly configMap: Projection };

/** The sources of a projected volume with the file KIND/NAME/KEY for each key that the manifest names. */
export function secretFiles(migration: PromMigration): ProjectedSource[] {
  const keys = new Map<string, { kind: string; name: string; keys: Set<string> }>();
  for (const { kind, name, key } of referencesOf(migration)) {
    const entry = keys.get(`${kind}/${name}`);
    if (entry === undefined) keys.set(`${kind}/${name}`, { kind, name, keys: new Set([key]) });
    else entry.keys.add(key);
  }
  return [...keys.values()].map(({ kind, name, keys: own }) => {
    const projection = { name, items: [...own].map((key) => ({ key, path: `${kind}/${name}/${key}` })) };
    return kind === 'Secret' ? { secret: projection } : { configMap: projection };
  });
}
