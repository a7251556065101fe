// Where the API server is, and the credentials for it. The credentials are read again for each request, so that a rotated token or certificate
// is used immediately.

import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { RequestOptions } from 'node:https';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import type { KubeConfig } from '@kubernetes/client-node';
import { parse } from 'yaml';
import { Secret } from '../../telemetry/secret.ts';

export interface KubeConnection {
  readonly server: URL;
  /** The namespace of the pod, or of the kubeconfig's context. */
  readonly namespace: string;
  /** Current Authorization header, CA, client certificate. Reads files and may run a credential plugin. @throws when one fails */
  requestOptions(): Promise<Secret<RequestOptions>>;
}

export interface ConnectionOptions {
  readonly kubeconfig?: string;
  /** A context in it other than its current one. */
  readonly context?: string;
  /** Default: the process's own. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Where the kubelet puts a pod's token. */
  readonly serviceAccountDirectory?: string;
}

const DEFAULT_SERVICE_ACCOUNT_DIRECTORY = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * Searches in the same order as controllers do: the given kubeconfig, the files in KUBECONFIG, the pod's service account, and ~/.kube/config.
 * If a context is given without a kubeconfig, the service account is skipped.
 * @throws Error with a message for people when it is missing or not usable
 */
export async function loadKubeConnection(options: ConnectionOptions): Promise<KubeConnection> {
  const environment = options.environment ?? process.env;
  if (options.kubeconfig !== undefined) return fromKubeconfig([options.kubeconfig], options.context);
  const files = (environment['KUBECONFIG'] ?? '').split(delimiter).filter((file) => file !== '');
  if (files.length > 0) return fromKubeconfig(files.filter(isReadable), options.context, files);
  if (options.context === undefined && (environment['KUBERNETES_SERVICE_HOST'] ?? '') !== '') {
    return inCluster(environment, options.serviceAccountDirectory ?? DEFAULT_SERVICE_ACCOUNT_DIRECTORY);
  }
  const fallback = join(environment['HOME'] ?? homedir(), '.kube', 'config');
  if (isReadable(fallback)) return fromKubeconfig([fallback], options.context);
  throw new Error(
    `no Kubernetes cluster: this is not a pod, KUBECONFIG is not set, and there is no ${fallback}; set --kubeconfig`,
  );
}

// Written by hand, because client-node takes 85 MB of memory in every pod, and keeps a token for a minute after its rotation.
async function inCluster(
  environment: Readonly<Record<string, string | undefined>>,
  directory: string,
): Promise<KubeConnection> {
  const host = environment['KUBERNETES_SERVICE_HOST'] ?? '';
  const port = environment['KUBERNETES_SERVICE_PORT'] ?? '443';
  const server = new URL(`https://${host.includes(':') ? `[${host}]` : host}:${port}`);
  const requestOptions = async (): Promise<Secret<RequestOptions>> => {
    const [ca, token] = await Promise.all([readFile(join(directory, 'ca.crt')), readToken(join(directory, 'token'))]);
    return new Secret({ ca, headers: { Authorization: `Bearer ${token.reveal()}` } });
  };
  try {
    await requestOptions();
  } catch (error) {
    throw new Error(
      `the service account of this pod cannot be read from ${directory} (${codeOf(error)}); is automountServiceAccountToken off?`,
    );
  }
  const namespace = await readFile(join(directory, 'namespace'), 'utf8').catch(() => '');
  return { server, namespace: namespace.trim() || 'default', requestOptions };
}

async function readToken(path: string): Promise<Secret> {
  const token = (await readFile(path, 'utf8')).trim();
  if (token === '') throw new Error(`${path} is empty`);
  return new Secret(token);
}

async function fromKubeconfig(
  files: readonly string[],
  context: string | undefined,
  searched: readonly string[] = files,
): Promise<KubeConnection> {
  if (files.length === 0) throw new Error(`KUBECONFIG names no readable file: ${searched.join(', ')}`);
  const { KubeConfig } = await import('./kubeconfig-library.ts');
  const config = new KubeConfig();
  const tokenFiles = new Map<string, string>();
  for (const file of files) addFile(config, new KubeConfig(), file, tokenFiles);
  if (context !== undefined) config.setCurrentContext(context);

  const current = config.getContextObject(config.getCurrentContext());
  if (current === null) {
    const known = config.getContexts().map(({ name }) => JSON.stringify(name));
    throw new Error(
      `the kubeconfig has no context ${JSON.stringify(config.getCurrentContext() ?? '')}; it has ${known.join(', ') || 'none'}`,
    );
  }
  const cluster = config.getCurrentCluster();
  const server = cluster === null ? null : URL.parse(cluster.server);
  if (cluster === null || server === null || !/^https?:$/.test(server.protocol)) {
    throw new Error(`the context ${JSON.stringify(current.name)} of the kubeconfig has no cluster with a server URL`);
  }
  // client-node drops the CA of a context that has no user.
  if (config.getCurrentUser() === null) config.addUser({ name: current.user });
  // Otherwise it also refuses plain HTTP, which `kubectl proxy` uses.
  if (server.protocol === 'http:') config.clusters = config.clusters.map((one) => ({ ...one, skipTLSVerify: true }));
  const tokenFile = tokenFiles.get(current.user);
  return {
    server,
    namespace: current.namespace ?? 'default',
    async requestOptions() {
      const options: RequestOptions = {};
      await config.applyToHTTPSOptions(options);
      // client-node's agent would keep the certificates of the first request. The agent of a proxy is still needed.
      if (cluster.proxyUrl === undefined || cluster.proxyUrl === null) delete options.agent;
      if (tokenFile !== undefined) {
        const token = await readToken(tokenFile);
        options.headers = { ...(options.headers as object), Authorization: `Bearer ${token.reveal()}` };
      }
      return new Secret(options);
    },
  };
}

/** Of two entries with the same name the first wins, and so does the first current context, as in kubectl. */
function addFile(config: KubeConfig, next: KubeConfig, file: string, tokenFiles: Map<string, string>): void {
  let users: unknown;
  try {
    next.loadFromFile(file, { onInvalidEntry: 'filter' });
    users = (parse(readFileSync(file, 'utf8')) as { users?: unknown }).users;
  } catch (error) {
    // A YAML error quotes the surrounding lines, and a kubeconfig contains credentials.
    throw new Error(`the kubeconfig ${file} cannot be read: ${codeOf(error)}`);
  }
  const add = <T extends { readonly name: string }>(into: readonly T[], from: readonly T[]): T[] => [
    ...into,
    ...from.filter(({ name }) => !into.some((known) => known.name === name)),
  ];
  // client-node does not support the field tokenFile.
  for (const { name, user } of Array.isArray(users) ? (users as NamedUser[]) : []) {
    if (typeof user?.tokenFile !== 'string' || config.users.some((known) => known.name === name)) continue;
    tokenFiles.set(name, resolve(dirname(file), user.tokenFile));
  }
  config.clusters = add(config.clusters, next.clusters);
  config.users = add(config.users, next.users);
  config.contexts = add(config.contexts, next.contexts);
  if (!config.currentContext && next.currentContext) config.setCurrentContext(next.currentContext);
}

interface NamedUser {
  readonly name: string;
  readonly user?: { readonly tokenFile?: unknown } | null;
}

function isReadable(file: string): boolean {
  try {
    readFileSync(file);
    return true;
  } catch {
    return false;
  }
}

function codeOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return error instanceof Error ? error.name : 'unknown error';
}
