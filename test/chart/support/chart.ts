// Renders the chart with the real helm and returns its objects.
import { spawn } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { findServer } from '../../support/install.ts';

const root = resolve(import.meta.dirname, '../../..');
const chartDirectory = join(root, 'charts/prom-migrator');

/** The namespace and the name of the rendered release. */
export const NAMESPACE = 'migration-system';
const RELEASE = 'moving';
export const FULL_NAME = 'moving-prom-migrator';

/** Includes the time for building helm when it is not in the cache. */
export const INSTALL_TIMEOUT_MS = 900_000;

// biome-ignore lint/suspicious/noExplicitAny: the objects of Kubernetes have no types here, and a test that reads a wrong path fails
type Untyped = any;

export interface KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
  [field: string]: Untyped;
}

export interface Rendering {
  /** Values that override the chart's defaults. */
  values?: object;
  /** A values file, by its name in ci/. */
  file?: string;
  args?: readonly string[];
}

export interface HelmResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

export function ciFiles(): string[] {
  return globSync('*-values.yaml', { cwd: join(chartDirectory, 'ci') }).sort();
}

export function readChartFile(path: string): string {
  return readFileSync(join(chartDirectory, path), 'utf8');
}

export function defaultValues(): Untyped {
  return parse(readChartFile('values.yaml'));
}

/** Runs helm, isolated from the user's own configuration. */
export async function helm(command: string, rendering: Rendering = {}): Promise<HelmResult> {
  const { path } = await findServer('helm', '4');
  const directory = await mkdtemp(join(tmpdir(), 'prom-migrator-helm-'));
  try {
    const valuesFile = join(directory, 'values.json');
    await writeFile(valuesFile, JSON.stringify(rendering.values ?? {}));
    const args = [
      command,
      ...(command === 'lint' ? ['--strict'] : [RELEASE]),
      chartDirectory,
      `--namespace=${NAMESPACE}`,
      ...(rendering.file === undefined ? [] : [`--values=${join(chartDirectory, 'ci', rendering.file)}`]),
      `--values=${valuesFile}`,
      ...(rendering.args ?? []),
    ];
    const env = { PATH: process.env['PATH'], HOME: directory, HELM_CACHE_HOME: directory, HELM_CONFIG_HOME: directory };
    const child = spawn(path, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const code = await new Promise<number | null>((done, failed) => {
      child.on('error', failed);
      child.on('close', done);
    });
    return { code, stdout, stderr };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** The objects that an installation would create, including those of hooks. Throws helm's message when it fails. */
export async function render(rendering: Rendering = {}): Promise<KubernetesObject[]> {
  const { code, stdout, stderr } = await helm('template', rendering);
  if (code !== 0) throw new Error(stderr.trim());
  return parseAllDocuments(stdout).flatMap((document) => {
    if (document.errors.length > 0) throw document.errors[0];
    const object = document.toJS() as KubernetesObject | null;
    return object === null ? [] : [object];
  });
}

/** The only object of this kind, or the one with this name. */
export function only(objects: readonly KubernetesObject[], kind: string, name?: string): KubernetesObject {
  const found = objects.filter(
    (object) => object.kind === kind && (name === undefined || object.metadata.name === name),
  );
  if (found.length !== 1) {
    const there = objects.map((object) => `${object.kind}/${object.metadata.name}`).join(', ');
    throw new Error(`${found.length} objects ${kind}/${name ?? '*'} among ${there}`);
  }
  return found[0]!;
}

/** The specs of all pods, by the object that contains them, with the labels of the pods. */
export function podSpecs(
  objects: readonly KubernetesObject[],
): { name: string; labels: Record<string, string>; spec: Untyped }[] {
  return objects.flatMap(({ kind, metadata, spec }) => {
    if (kind === 'Pod') return [{ name: metadata.name, labels: metadata.labels ?? {}, spec }];
    if (spec?.template?.spec === undefined) return [];
    return [{ name: metadata.name, labels: spec.template.metadata.labels, spec: spec.template.spec }];
  });
}

export function selects(selector: Record<string, string>, labels: Record<string, string>): boolean {
  return Object.entries(selector).every(([name, value]) => labels[name] === value);
}
