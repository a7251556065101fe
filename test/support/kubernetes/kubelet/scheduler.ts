// Binds pending pods to nodes, the emptiest first. Of the rules of the real scheduler it knows taints and the number of pods of a node.
import type { V1Node, V1Pod } from '@kubernetes/client-node';
import { type KubeletApi, podPath } from './api.ts';
import { isTerminal } from './pod-status.ts';

export interface Schedule {
  readonly api: KubeletApi;
  /** Nodes that may get new pods. The real scheduler does not know for 50 s that a node is lost; this one does. */
  readonly nodes: readonly string[];
  readonly maxPodsPerNode: number;
  /** Why no pod is scheduled now. */
  readonly unschedulable: string | undefined;
}

/** `pods` are all pods in scope, in any state. */
export async function schedulePods(pods: readonly V1Pod[], schedule: Schedule): Promise<void> {
  const pending = pods.filter(
    ({ metadata, spec, status }) => !spec?.nodeName && !metadata?.deletionTimestamp && !isTerminal(status?.phase),
  );
  if (pending.length === 0) return;
  const { api, nodes, maxPodsPerNode, unschedulable } = schedule;
  const loads = new Map<string, number>();
  let tainted = 0;
  for (const name of nodes) {
    const node = await api.get<V1Node>(`/api/v1/nodes/${name}`);
    if (!node || node.spec?.taints?.some(({ effect }) => effect !== 'PreferNoSchedule')) tainted++;
    else loads.set(name, pods.filter((pod) => pod.spec?.nodeName === name && !isTerminal(pod.status?.phase)).length);
  }
  for (const pod of pending.sort((a, b) => ageKey(a).localeCompare(ageKey(b)))) {
    const [name, load] = [...loads].sort(([, a], [, b]) => a - b)[0] ?? [];
    if (unschedulable !== undefined) await reportUnschedulable(api, pod, unschedulable);
    else if (name !== undefined && load !== undefined && load < maxPodsPerNode) {
      await bind(api, pod, name);
      loads.set(name, load + 1);
    } else {
      const why = [
        tainted > 0 ? `${tainted} node(s) had untolerated taint(s)` : '',
        loads.size > 0 ? `${loads.size} Too many pods` : '',
      ];
      const message = `0/${nodes.length} nodes are available: ${why.filter(Boolean).join(', ')}.`;
      await reportUnschedulable(api, pod, message);
    }
  }
}

async function bind(api: KubeletApi, pod: V1Pod, node: string): Promise<void> {
  await api.create(`${podPath(pod)}/binding`, {
    metadata: { name: pod.metadata?.name, uid: pod.metadata?.uid },
    target: { apiVersion: 'v1', kind: 'Node', name: node },
  });
}

async function reportUnschedulable(api: KubeletApi, pod: V1Pod, message: string): Promise<void> {
  const before = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled');
  if (before?.message === message) return;
  const why = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message };
  const condition = { ...why, lastTransitionTime: before?.lastTransitionTime ?? new Date() };
  await api.patch(`${podPath(pod)}/status`, {
    metadata: { uid: pod.metadata?.uid },
    status: { conditions: [condition] },
  });
}

/** Oldest first; pods of one Job that are equally old by their index, which is in their name. */
function ageKey({ metadata }: V1Pod): string {
  return `${metadata?.creationTimestamp} ${metadata?.name}`;
}
