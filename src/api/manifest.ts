// Reads the files of `run -f`: one PromMigration and the Secrets and ConfigMaps that it refers to, from any number of YAML documents.

import { statSync } from 'node:fs';
import { type Document, isScalar, parseAllDocuments, visit, type YAMLError } from 'yaml';
import type { Secret } from '../telemetry/secret.ts';
import { COMPILED_CRD } from './compiled-crd.ts';
import { isObject, type JsonObject } from './defaults.ts';
import { formatPath } from './field-path.ts';
import { KUBERNETES_YAML } from './kubernetes-yaml.ts';
import { type Origin, rememberOrigin } from './origin.ts';
import { type Problem, showValue } from './problem.ts';
import type { PromMigration } from './prom-migration.ts';
import { parseSecretDocument } from './secret-document.ts';
import { localSecretSource, referencesOf, type SecretDocument, type SecretSource } from './secret-source.ts';
import { validateMigration } from './validate.ts';

export interface ManifestFile {
  /** As the user wrote it, for messages. */
  readonly name: string;
  /** May contain Secrets. */
  readonly text: Secret;
}

export type LoadedManifests =
  | {
      readonly migration: PromMigration;
      readonly namespace: string;
      readonly secrets: SecretSource;
    }
  | { readonly problems: readonly Problem[] };

interface Place {
  readonly origin: Origin;
  /** Counted from 1, for messages about the whole document. */
  readonly number: number;
}

/** One YAML document that is not empty. */
interface Entry extends Place {
  readonly value: unknown;
}

/**
 * The only PromMigration in these files with its defaults filled in, its namespace (`default` if it names none) and the values of its
 * Secrets and ConfigMaps, or all problems. Never throws. `nowMs` is the current time for the check of times in the future.
 */
export function loadManifests(
  files: readonly ManifestFile[],
  secretsDir: string | undefined,
  nowMs: number = Date.now(),
): LoadedManifests {
  const problems: Problem[] = [];
  const migrations: Entry[] = [];
  const secretDocuments: (SecretDocument & { readonly place: Place })[] = [];

  for (const entry of files.flatMap((file) => readDocuments(file, problems))) {
    const { apiVersion, kind } = isObject(entry.value) ? entry.value : {};
    const { apiVersion: ours, kind: ourKind } = COMPILED_CRD.resource;
    if (kind === ourKind && apiVersion === ours) migrations.push(entry);
    else if ((kind === 'Secret' || kind === 'ConfigMap') && apiVersion === 'v1') {
      const parsed = parseSecretDocument(kind, entry.value as JsonObject);
      if ('problems' in parsed) problems.push(...parsed.problems.map((problem) => ({ ...entry.origin, ...problem })));
      else {
        const { origin, number } = entry;
        secretDocuments.push({ ...parsed.document, place: { origin, number } });
      }
    } else problems.push(wholeDocument(entry, foreignDocument(entry.value)));
  }

  const first = migrations[0];
  if (first === undefined && problems.length === 0) problems.push(noMigration(files));
  for (const entry of migrations.slice(1)) {
    const where = `${first?.origin.file}, document ${first?.number}`;
    problems.push(wholeDocument(entry, `a second PromMigration; the first one is in ${where}, and only one can run`));
  }
  if (secretsDir !== undefined && !isDirectory(secretsDir)) {
    problems.push({
      file: secretsDir,
      document: undefined,
      path: '',
      value: undefined,
      message: 'is not a readable directory',
    });
  }
  if (first === undefined) return { problems };

  const validated = validateMigration(first.value, nowMs);
  if ('problems' in validated) problems.push(...validated.problems.map((problem) => ({ ...first.origin, ...problem })));
  const namespace = namespaceOf(first.value);
  problems.push(...duplicateSecrets(secretDocuments, namespace));
  const visible = secretDocuments.filter((document) => (document.namespace ?? namespace) === namespace);
  const secrets = localSecretSource(visible, secretsDir);
  for (const reference of referencesOf(first.value)) {
    const path = formatPath(reference.path);
    const isBroken = problems.some((problem) => problem.path.startsWith(path));
    if (isBroken || secrets.get(reference.kind, reference.name, reference.key) !== undefined) continue;
    const message = missingMessage(reference, secretDocuments, namespace, secretsDir);
    problems.push({ ...first.origin, path, value: undefined, message });
  }
  if (problems.length > 0 || 'problems' in validated) return { problems };
  const { migration } = validated;
  const named: PromMigration = { ...migration, metadata: { ...migration.metadata, namespace } };
  rememberOrigin(named, first.origin);
  return { migration: named, namespace, secrets };
}

function wholeDocument(entry: Place, message: string): Problem {
  return { ...entry.origin, document: entry.number, path: '', value: undefined, message };
}

function noMigration(files: readonly ManifestFile[]): Problem {
  const file = files.map(({ name }) => name).join(', ');
  const message = `contains no PromMigration (apiVersion ${COMPILED_CRD.resource.apiVersion})`;
  return { file, document: undefined, path: '', value: undefined, message };
}

function foreignDocument(value: unknown): string {
  const { apiVersion: ours, kind: ourKind } = COMPILED_CRD.resource;
  const expected = `a PromMigration (apiVersion ${ours}) and the Secrets and ConfigMaps (apiVersion v1) it refers to`;
  if (!isObject(value)) return `is not a Kubernetes object; only ${expected} are allowed here`;
  const { apiVersion, kind } = value;
  if (typeof kind !== 'string') return `has no kind; only ${expected} are allowed here`;
  const shown = (text: unknown) => showValue([], text) ?? 'none';
  if (kind === ourKind) return `has the apiVersion ${shown(apiVersion)}; must be ${ours}`;
  return `is of kind ${shown(kind)} (apiVersion ${shown(apiVersion)}); only ${expected} are allowed here`;
}

function namespaceOf(value: unknown): string {
  const metadata = isObject(value) ? value['metadata'] : undefined;
  const namespace = isObject(metadata) ? metadata['namespace'] : undefined;
  return typeof namespace === 'string' && namespace !== '' ? namespace : 'default';
}

function duplicateSecrets(
  documents: readonly (SecretDocument & { readonly place: Place })[],
  namespace: string,
): Problem[] {
  const seen = new Set<string>();
  const problems: Problem[] = [];
  for (const { kind, name, namespace: own, place } of documents) {
    const id = `${kind} ${own ?? namespace}/${name}`;
    if (seen.has(id)) problems.push(wholeDocument(place, `a second ${id}`));
    seen.add(id);
  }
  return problems;
}

function missingMessage(
  { kind, name, key }: { kind: string; name: string; key: string },
  documents: readonly SecretDocument[],
  namespace: string,
  secretsDir: string | undefined,
): string {
  const sameName = documents.filter((document) => document.kind === kind && document.name === name);
  const elsewhere = sameName.find((document) => (document.namespace ?? namespace) !== namespace);
  const what = `${kind} ${JSON.stringify(name)} with the key ${JSON.stringify(key)} not found`;
  if (elsewhere !== undefined && sameName.length === 1) {
    return `${what}: the given one is in namespace ${elsewhere.namespace}, the PromMigration in ${namespace}`;
  }
  const directory =
    secretsDir === undefined
      ? 'as DIR/<name>/<key> with --secrets-dir DIR'
      : `as the file ${secretsDir}/${name}/${key}`;
  return `${what}: add it as a document of the files, or ${directory}`;
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** The documents of a file that are not empty. Read errors go to `problems`. */
function readDocuments(file: ManifestFile, problems: Problem[]): Entry[] {
  const report = (message: string, document?: number) => {
    problems.push({ file: file.name, document, path: '', value: undefined, message });
  };
  const text = file.text.reveal();
  let documents: readonly Document[];
  try {
    // Without pretty errors: they quote the surrounding lines, which may be a Secret's.
    documents = [
      ...parseAllDocuments(text.replace(/^\uFEFF/, ''), {
        ...KUBERNETES_YAML,
        prettyErrors: false,
        logLevel: 'silent',
      }),
    ];
  } catch {
    report('cannot be parsed as YAML (nested too deeply?)');
    return [];
  }
  const several = documents.filter((document) => document.contents !== null).length > 1;
  const entries: Entry[] = [];
  documents.forEach((document, index) => {
    const number = index + 1;
    const error = document.errors[0];
    if (error !== undefined) {
      report(`is not valid YAML: ${explainYaml(error, text)}`, number);
      return;
    }
    let value: unknown;
    try {
      const bad = unusableKey(document);
      if (bad !== undefined) {
        report(bad, number);
        return;
      }
      value = document.toJS({ maxAliasCount: 100 });
    } catch (error) {
      const unresolved = error instanceof Error && error.message.startsWith('Unresolved alias');
      const reason = unresolved
        ? 'an alias to an anchor that does not exist'
        : 'too many aliases, or one that refers to itself';
      report(`is not valid YAML: ${reason}`, number);
      return;
    }
    if (value === null || value === undefined) return;
    entries.push({ origin: { file: file.name, document: several ? number : undefined }, number, value });
  });
  if (documents.length === 0 || (entries.length === 0 && documents.every((document) => document.errors.length === 0))) {
    if (!problems.some((problem) => problem.file === file.name)) report('is empty');
  }
  return entries;
}

/**
 * Finds a key that cannot be used. YAML would turn a list or a mapping into some text; Kubernetes rejects it as a key. Kubernetes reads
 * unquoted `y`, `n`, `on` and `off` as true and false and silently renames a label with such a name, which is never intended.
 */
function unusableKey(document: Document): string | undefined {
  let problem: string | undefined;
  visit(document, {
    Pair(_, pair) {
      if (isScalar(pair.key) && pair.key.value !== null && typeof pair.key.value !== 'boolean') return undefined;
      problem =
        isScalar(pair.key) && pair.key.source !== undefined
          ? `has a key that is not a string: put ${pair.key.source === '' ? 'it' : pair.key.source} in quotes`
          : 'has a key that is not a string';
      return visit.BREAK;
    },
  });
  return problem;
}

/** Our own texts for the YAML parser's errors: its texts may quote the input, which may be a Secret's. */
const YAML_ERRORS: Readonly<Record<string, string>> = {
  BAD_ALIAS: 'an alias to an anchor that does not exist',
  BAD_DQ_ESCAPE: 'an unknown escape sequence inside double quotes',
  BAD_INDENT: 'wrong indentation, or a bracket or brace before it that is not closed',
  BAD_SCALAR_START: 'text that starts with a character reserved by YAML; put it in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a mapping where a value should be (": " inside text that is not in quotes?)',
  BLOCK_IN_FLOW: 'an indented block inside braces or brackets',
  DUPLICATE_KEY: 'the same key twice',
  MISSING_CHAR: 'a quote, bracket, brace, comma or colon is missing',
  RESOURCE_EXHAUSTION: 'nested too deeply',
  MULTILINE_IMPLICIT_KEY: 'a key that spans several lines (is a colon missing?)',
  TAB_AS_INDENT: 'a tab in the indentation; use spaces',
  TAG_RESOLVE_FAILED: 'an unknown tag',
  UNEXPECTED_TOKEN: 'unexpected text',
};

function explainYaml(error: YAMLError, text: string): string {
  const offset = Math.min(error.pos[0], text.length);
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  const column = offset - before.lastIndexOf('\n');
  return `line ${line}, column ${column}: ${YAML_ERRORS[error.code] ?? 'cannot be parsed'}`;
}
