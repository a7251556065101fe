// The requests of the test kubelet to the API server: a status that is not expected throws.
import { Buffer } from 'node:buffer';
import type { V1ConfigMap, V1Pod, V1Secret } from '@kubernetes/client-node';
import type { Cluster } from '../cluster.ts';

const MERGE = 'application/strategic-merge-patch+json';
/** The API server accepts JSON here, because JSON is YAML. */
const APPLY = 'application/apply-patch+yaml';

/** The decoded values of a ConfigMap or Secret by key. */
export type Keys = ReadonlyMap<string, Buffer>;

export class KubeletApi {
  readonly #cluster: Cluster;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** The object, or undefined when it does not exist. */
  async get<T>(path: string): Promise<T | undefined> {
    return (await this.#send('GET', path)) as T | undefined;
  }

  async create<T>(path: string, body: object): Promise<T | undefined> {
    return (await this.#send('POST', path, body)) as T | undefined;
  }

  async patch(path: string, body: object): Promise<void> {
    await this.#send('PATCH', path, body, MERGE);
  }

  /** Creates or updates the object. */
  async apply(path: string, body: object): Promise<void> {
    await this.#send('PATCH', `${path}?fieldManager=test-kubelet&force=true`, body, APPLY);
  }

  async delete(path: string, options: object = {}): Promise<void> {
    await this.#send('DELETE', path, options);
  }

  async keys(kind: 'configmap' | 'secret', namespace: string, name: string): Promise<Keys | undefined> {
    const object = await this.get<V1ConfigMap & V1Secret>(`/api/v1/namespaces/${namespace}/${kind}s/${name}`);
    if (!object) return undefined;
    const decoded = (values: Record<string, string> | undefined, encoding: BufferEncoding) =>
      Object.entries(values ?? {}).map(([key, value]): [string, Buffer] => [key, Buffer.from(value, encoding)]);
    return new Map([
      ...decoded(object.data, kind === 'secret' ? 'base64' : 'utf8'),
      ...decoded(object.binaryData, 'base64'),
    ]);
  }

  async warn(pod: V1Pod, reason: string, message: string): Promise<void> {
    const { name, namespace, uid } = pod.metadata ?? {};
    const now = new Date().toISOString();
    await this.create(`/api/v1/namespaces/${namespace}/events`, {
      metadata: { generateName: `${name}.` },
      involvedObject: { apiVersion: 'v1', kind: 'Pod', name, namespace, uid },
      type: 'Warning',
      reason,
      message,
      source: { component: 'kubelet', host: pod.spec?.nodeName },
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
    });
  }

  async #send(method: string, path: string, body?: object, contentType?: string): Promise<unknown> {
    const response = await this.#cluster.request(method, path, body, contentType);
    if (response.status < 300) return response.body;
    // Whatever was to be changed is gone: the next list of pods shows it.
    if (response.status === 404) return undefined;
    throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(response.body)}`);
  }
}

export function podPath(pod: V1Pod): string {
  return `/api/v1/namespaces/${pod.metadata?.namespace}/pods/${pod.metadata?.name}`;
}
