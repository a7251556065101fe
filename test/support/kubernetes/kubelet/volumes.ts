// Writes the volumes of a pod as directories. Their files are written once: a later change of a Secret or ConfigMap does not reach them.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { V1KeyToPath, V1Pod, V1Volume, V1VolumeProjection } from '@kubernetes/client-node';
import type { KubeletApi, Keys } from './api.ts';
import { fieldOf } from './environment.ts';
import { StartFailure } from './start-failure.ts';

interface VolumeFile {
  readonly path: string;
  readonly content: string | Buffer;
  readonly mode?: number | undefined;
}

interface KeyReference {
  readonly items?: V1KeyToPath[];
  readonly optional?: boolean;
}

const DEFAULT_MODE = 0o644;

/** Writes each volume to `directory`/its name. Throws a StartFailure when a Secret, ConfigMap or key is missing. */
export async function writeVolumes(pod: V1Pod, api: KubeletApi, directory: string): Promise<void> {
  for (const volume of pod.spec?.volumes ?? []) {
    const files = await filesOf(volume, pod, api).catch((error: Error) => {
      throw new StartFailure(
        'ContainerCreating',
        `MountVolume.SetUp failed for volume "${volume.name}" : ${error.message}`,
      );
    });
    const root = join(directory, volume.name);
    await mkdir(root, { recursive: true });
    for (const { path, content, mode } of files) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      // A file without write permission cannot be replaced otherwise.
      await rm(join(root, path), { force: true });
      await writeFile(join(root, path), content, { mode: mode ?? modeOf(volume) });
    }
    for (const { name, subPath } of pod.spec?.containers[0]?.volumeMounts ?? []) {
      if (volume.emptyDir && name === volume.name && subPath) await mkdir(join(root, subPath), { recursive: true });
    }
  }
}

async function filesOf(volume: V1Volume, pod: V1Pod, api: KubeletApi): Promise<VolumeFile[]> {
  if (volume.emptyDir) return [];
  if (volume.secret) {
    const { secretName, ...secret } = volume.secret;
    return projectedFiles({ secret: { ...secret, ...(secretName ? { name: secretName } : {}) } }, pod, api);
  }
  if (volume.configMap) return projectedFiles({ configMap: volume.configMap }, pod, api);
  if (volume.downwardAPI) return projectedFiles({ downwardAPI: volume.downwardAPI }, pod, api);
  const sources = volume.projected?.sources;
  if (!sources) throw new Error('the test kubelet does not know this type of volume');
  return (await Promise.all(sources.map((source) => projectedFiles(source, pod, api)))).flat();
}

async function projectedFiles(source: V1VolumeProjection, pod: V1Pod, api: KubeletApi): Promise<VolumeFile[]> {
  const namespace = pod.metadata?.namespace ?? '';
  for (const [kind, reference] of [
    ['secret', source.secret],
    ['configmap', source.configMap],
  ] as const) {
    if (!reference) continue;
    const keys = await api.keys(kind, namespace, reference.name ?? '');
    if (!keys && !reference.optional) throw new Error(`${kind} "${reference.name}" not found`);
    return keyFiles(kind, keys ?? new Map(), reference);
  }
  if (source.downwardAPI) {
    const items = source.downwardAPI.items ?? [];
    return items.map(({ path, mode, fieldRef }) => ({ path, mode, content: fieldOf(pod, fieldRef?.fieldPath ?? '') }));
  }
  if (source.serviceAccountToken) {
    const { path, audience, expirationSeconds } = source.serviceAccountToken;
    const { name, uid } = pod.metadata ?? {};
    const account = `/api/v1/namespaces/${namespace}/serviceaccounts/${pod.spec?.serviceAccountName}`;
    const token = await api.create<{ status: { token: string } }>(`${account}/token`, {
      spec: {
        ...(audience ? { audiences: [audience] } : {}),
        expirationSeconds,
        boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid },
      },
    });
    if (!token) throw new Error(`serviceaccount "${pod.spec?.serviceAccountName}" not found`);
    return [{ path, content: token.status.token }];
  }
  throw new Error('the test kubelet does not know this source of a projected volume');
}

function keyFiles(kind: 'secret' | 'configmap', keys: Keys, { items, optional }: KeyReference): VolumeFile[] {
  if (!items) return [...keys].map(([path, content]) => ({ path, content }));
  return items.flatMap(({ key, path, mode }) => {
    const content = keys.get(key);
    if (content) return [{ path, content, mode }];
    if (optional) return [];
    throw new Error(`references non-existent ${kind} key: ${key}`);
  });
}

function modeOf({ secret, configMap, downwardAPI, projected }: V1Volume): number {
  return (secret ?? configMap ?? downwardAPI ?? projected)?.defaultMode ?? DEFAULT_MODE;
}
