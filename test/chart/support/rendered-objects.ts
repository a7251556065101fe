// Checks of rendered objects: security, selectors and arguments.

import assert from 'node:assert/strict';
import { type KubernetesObject, only } from './chart.ts';

/** The violations of Kubernetes' restricted pod security standard in a pod spec. */
export function insecurities(spec: KubernetesObject['spec']): string[] {
  const found: string[] = [];
  for (const field of ['hostNetwork', 'hostPID', 'hostIPC']) if (spec[field]) found.push(field);
  for (const volume of spec.volumes ?? []) {
    const allowed = [
      'configMap',
      'csi',
      'downwardAPI',
      'emptyDir',
      'ephemeral',
      'persistentVolumeClaim',
      'projected',
      'secret',
    ];
    for (const type of Object.keys(volume))
      if (type !== 'name' && !allowed.includes(type)) found.push(`volume ${type}`);
  }
  for (const container of [...spec.containers, ...(spec.initContainers ?? [])]) {
    const own = container.securityContext ?? {};
    const context = { ...spec.securityContext, ...own };
    if (context.runAsNonRoot !== true) found.push('runAsNonRoot');
    if (context.runAsUser === 0) found.push('runAsUser');
    if (!['RuntimeDefault', 'Localhost'].includes(context.seccompProfile?.type)) found.push('seccompProfile');
    if (own.privileged) found.push('privileged');
    if (own.allowPrivilegeEscalation !== false) found.push('allowPrivilegeEscalation');
    if (!own.capabilities?.drop?.includes('ALL')) found.push('capabilities.drop');
    if ((own.capabilities?.add ?? []).some((name: string) => name !== 'NET_BIND_SERVICE'))
      found.push('capabilities.add');
    if ((container.ports ?? []).some((port: { hostPort?: number }) => port.hostPort)) found.push('hostPort');
  }
  return found;
}

/** The label selectors that should match the operator's pods. */
export function podSelectors(objects: readonly KubernetesObject[]): Record<string, string>[] {
  return objects.flatMap(({ kind, metadata, spec }) => {
    // For the pods of Jobs, which the operator creates.
    if (metadata.name.endsWith('-stretches')) return [];
    if (kind === 'Service') return [spec.selector];
    if (['Deployment', 'PodMonitor', 'PodDisruptionBudget'].includes(kind)) return [spec.selector.matchLabels];
    return kind === 'NetworkPolicy' ? [spec.podSelector.matchLabels] : [];
  });
}

/** The arguments after `operator`. */
export function operatorArguments(objects: readonly KubernetesObject[]): string[] {
  const [container] = only(objects, 'Deployment')['spec'].template.spec.containers;
  const [command, ...args] = container.args;
  assert.equal(command, 'operator');
  return args;
}
