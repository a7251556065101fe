/** Why a container cannot start yet; the kubelet reports it and tries again. */
export class StartFailure extends Error {
  /** The reason in the pod's status. */
  readonly waiting: 'ContainerCreating' | 'CreateContainerConfigError' | 'ImagePullBackOff';
  /** The reason of the event. */
  readonly event: 'FailedMount' | 'Failed';

  constructor(waiting: StartFailure['waiting'], message: string) {
    super(message);
    this.waiting = waiting;
    this.event = waiting === 'ContainerCreating' ? 'FailedMount' : 'Failed';
  }
}
