// Secret and ConfigMap documents beside a manifest. No problem text ever contains their data.

import { Secret } from '../telemetry/secret.ts';
import { isObject, type JsonObject } from './defaults.ts';
import { formatPath, type PathSegment } from './field-path.ts';
import type { FieldProblem } from './problem.ts';
import type { ReferenceKind, SecretDocument } from './secret-source.ts';
import { checkMetadata, unknownField } from './validate.ts';

export type ParsedSecret = { readonly document: SecretDocument } | { readonly problems: readonly FieldProblem[] };

const FIELDS = {
  Secret: ['apiVersion', 'kind', 'metadata', 'type', 'immutable', 'data', 'stringData'],
  ConfigMap: ['apiVersion', 'kind', 'metadata', 'immutable', 'data', 'binaryData'],
} as const;

/** Which fields hold base64 and which hold plain text. If two have the same key, the later one wins, as in Kubernetes. */
const DATA_FIELDS = {
  Secret: [
    ['data', 'base64'],
    ['stringData', 'text'],
  ],
  ConfigMap: [
    ['binaryData', 'base64'],
    ['data', 'text'],
  ],
} as const;

/** The data of a v1 Secret or ConfigMap as text, or all problems of the document. */
export function parseSecretDocument(kind: ReferenceKind, value: JsonObject): ParsedSecret {
  const problems: FieldProblem[] = [];
  const report = (path: readonly PathSegment[], message: string) => {
    problems.push({ path: formatPath(path), value: undefined, message });
  };
  for (const { path, message } of checkMetadata(value)) report(path, message);
  for (const name of Object.keys(value)) {
    if (!(FIELDS[kind] as readonly string[]).includes(name)) report([name], unknownField(name, FIELDS[kind]));
  }

  const data = new Map<string, Secret>();
  for (const [field, encoding] of DATA_FIELDS[kind]) {
    const entries = value[field] ?? {};
    if (!isObject(entries)) {
      report([field], 'must be an object with fields');
      continue;
    }
    for (const [key, text] of Object.entries(entries)) {
      const path = [field, key];
      if (typeof text !== 'string') report(path, 'must be a string; put it in quotes');
      else if (encoding === 'text') data.set(key, new Secret(text));
      else {
        const decoded = decodeBase64(text);
        if (decoded !== undefined) data.set(key, new Secret(decoded));
        else report(path, kind === 'Secret' ? 'is not base64; put plain text into stringData' : 'is not base64');
      }
    }
  }
  if (problems.length > 0) return { problems };
  const { name, namespace } = value['metadata'] as { name: string; namespace?: string | null };
  return { document: { kind, name, namespace: namespace ?? undefined, data } };
}

function decodeBase64(text: string): string | undefined {
  const plain = text.replace(/[\r\n]/g, '');
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(plain)) return undefined;
  return Buffer.from(plain, 'base64').toString('utf8');
}
