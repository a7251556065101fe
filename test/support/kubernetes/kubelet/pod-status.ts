// The status of a pod with one container, in the form that the kubelet reports.
import type { V1ContainerState, V1Pod, V1PodCondition, V1PodStatus } from '@kubernetes/client-node';

export interface ObservedContainer {
  readonly state: V1ContainerState;
  readonly lastState: V1ContainerState | undefined;
  readonly restarts: number;
  readonly ip: string;
  readonly startTime: Date;
}

export function podStatus(pod: V1Pod, observed: ObservedContainer): V1PodStatus {
  const { state, lastState, restarts, ip, startTime } = observed;
  const container = pod.spec?.containers[0];
  const phase = phaseOf(pod, observed);
  const running = state.running !== undefined;
  const ended = isTerminal(phase) ? { reason: phase === 'Succeeded' ? 'PodCompleted' : 'PodFailed' } : {};
  const notReady = running ? {} : { reason: 'ContainersNotReady', ...ended };
  const condition = (type: string, holds: boolean, why: { reason?: string } = {}): V1PodCondition => {
    const status = holds ? 'True' : 'False';
    const before = pod.status?.conditions?.find((known) => known.type === type && known.status === status);
    return { type, status, lastTransitionTime: before?.lastTransitionTime ?? new Date(), ...why };
  };
  return {
    phase,
    startTime,
    hostIP: '127.0.0.1',
    hostIPs: [{ ip: '127.0.0.1' }],
    podIP: ip,
    podIPs: [{ ip }],
    conditions: [
      condition('PodReadyToStartContainers', running),
      condition('Initialized', true, phase === 'Succeeded' ? ended : {}),
      condition('Ready', running, notReady),
      condition('ContainersReady', running, notReady),
    ],
    containerStatuses: [
      {
        name: container?.name ?? '',
        image: container?.image ?? '',
        imageID: '',
        ready: running,
        started: running,
        restartCount: restarts,
        state,
        ...(lastState ? { lastState } : {}),
      },
    ],
  };
}

export function isTerminal(phase: string | undefined): boolean {
  return phase === 'Succeeded' || phase === 'Failed';
}

/** A terminal phase never changes, even one that a controller set while the node was lost. */
function phaseOf(pod: V1Pod, { state, restarts }: ObservedContainer): string {
  const before = pod.status?.phase;
  if (before !== undefined && isTerminal(before)) return before;
  if (state.terminated) return state.terminated.exitCode === 0 ? 'Succeeded' : 'Failed';
  return state.running || restarts > 0 ? 'Running' : 'Pending';
}
