// The environment and arguments of a container, as the kubelet passes them.
import type { V1Container, V1EnvVar, V1Pod } from '@kubernetes/client-node';
import type { KubeletApi, Keys } from './api.ts';
import { StartFailure } from './start-failure.ts';

/** The values of `env` and `envFrom`, with $(NAME) replaced. Throws a StartFailure when a Secret, ConfigMap or key is missing. */
export async function environmentOf(
  pod: V1Pod,
  container: V1Container,
  api: KubeletApi,
): Promise<Record<string, string>> {
  const namespace = pod.metadata?.namespace ?? '';
  const read = async (kind: 'configmap' | 'secret', name = '', optional = false): Promise<Keys> => {
    const keys = await api.keys(kind, namespace, name);
    if (keys || optional) return keys ?? new Map();
    throw new StartFailure('CreateContainerConfigError', `${kind} "${name}" not found`);
  };
  const env: Record<string, string> = {};
  for (const { prefix = '', configMapRef, secretRef } of container.envFrom ?? []) {
    const source = configMapRef ?? secretRef;
    const keys = await read(configMapRef ? 'configmap' : 'secret', source?.name, source?.optional);
    for (const [key, value] of keys) env[`${prefix}${key}`] = value.toString();
  }
  const variableOf = async ({ value, valueFrom }: V1EnvVar): Promise<string | undefined> => {
    if (valueFrom?.fieldRef) return fieldOf(pod, valueFrom.fieldRef.fieldPath);
    const reference = valueFrom?.configMapKeyRef ?? valueFrom?.secretKeyRef;
    if (!reference) return expanded(value ?? '', env);
    const kind = valueFrom?.configMapKeyRef ? 'configmap' : 'secret';
    const found = (await read(kind, reference.name, reference.optional)).get(reference.key);
    if (found || reference.optional) return found?.toString();
    const type = kind === 'secret' ? 'Secret' : 'ConfigMap';
    const message = `couldn't find key ${reference.key} in ${type} ${namespace}/${reference.name}`;
    throw new StartFailure('CreateContainerConfigError', message);
  };
  for (const variable of container.env ?? []) {
    const value = await variableOf(variable);
    if (value !== undefined) env[variable.name] = value;
  }
  return env;
}

/** The field of the downward API, such as `metadata.annotations['batch.kubernetes.io/job-completion-index']`. */
export function fieldOf(pod: V1Pod, path: string): string {
  const [, map, key = ''] = /^metadata\.(annotations|labels)\['(.+)'\]$/.exec(path) ?? [];
  if (map === 'annotations' || map === 'labels') return pod.metadata?.[map]?.[key] ?? '';
  const fields: Record<string, string | undefined> = {
    'metadata.name': pod.metadata?.name,
    'metadata.namespace': pod.metadata?.namespace,
    'metadata.uid': pod.metadata?.uid,
    'spec.nodeName': pod.spec?.nodeName,
    'spec.serviceAccountName': pod.spec?.serviceAccountName,
    'status.podIP': pod.status?.podIP,
  };
  if (path in fields) return fields[path] ?? '';
  throw new StartFailure('CreateContainerConfigError', `the test kubelet does not know the field ${path}`);
}

/** Replaces $(NAME) by the variable, when it is defined; $$(NAME) is the text $(NAME). */
export function expanded(text: string, env: Readonly<Record<string, string>>): string {
  return text.replace(/\$(\$|\(([^()$]+)\))/g, (whole, dollar: string, name = '') =>
    dollar === '$' ? '$' : (env[name] ?? whole),
  );
}
