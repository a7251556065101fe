// A Node in the API and its heartbeats: without them the node lifecycle controller declares it unreachable after 50 s.
import type { KubeletApi } from './api.ts';

const HEARTBEAT_MS = 10_000;

/** alive → lost → alive: a lost node reports nothing. */
export class TestNode {
  readonly name: string;
  readonly #api: KubeletApi;
  #state: 'alive' | 'lost' = 'alive';
  #nextHeartbeatMs = 0;

  constructor(name: string, api: KubeletApi) {
    this.name = name;
    this.#api = api;
  }

  get state(): 'alive' | 'lost' {
    return this.#state;
  }

  /** `maxPods` is only for readers: the test's scheduler has its own setting. */
  async register(maxPods: number): Promise<void> {
    const capacity = { cpu: '2', memory: '4Gi', pods: String(maxPods) };
    await this.#api.create('/api/v1/nodes', {
      metadata: { name: this.name, labels: { 'kubernetes.io/hostname': this.name } },
      status: { capacity, allocatable: capacity },
    });
    await this.#reportReady('True', 'KubeletReady');
  }

  async remove(): Promise<void> {
    await this.#api.delete(`/api/v1/nodes/${this.name}`);
  }

  async heartbeat(): Promise<void> {
    if (this.#state === 'lost' || Date.now() < this.#nextHeartbeatMs) return;
    const metadata = { name: this.name, namespace: 'kube-node-lease' };
    await this.#api.apply(`/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/${this.name}`, {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata,
      // The format has microseconds.
      spec: {
        holderIdentity: this.name,
        leaseDurationSeconds: 40,
        renewTime: new Date().toISOString().replace('Z', '000Z'),
      },
    });
    this.#nextHeartbeatMs = Date.now() + HEARTBEAT_MS;
  }

  /** `detected`: as the node lifecycle controller does after 50 s, declares the node unreachable now. */
  async lose(detected: boolean): Promise<void> {
    this.#state = 'lost';
    if (detected) await this.#reportReady('Unknown', 'NodeStatusUnknown');
  }

  async recover(): Promise<void> {
    this.#nextHeartbeatMs = 0;
    await this.#reportReady('True', 'KubeletReady');
    this.#state = 'alive';
  }

  async #reportReady(status: 'True' | 'Unknown', reason: string): Promise<void> {
    const now = new Date();
    const ready = { type: 'Ready', status, reason, lastHeartbeatTime: now, lastTransitionTime: now };
    await this.#api.patch(`/api/v1/nodes/${this.name}/status`, { status: { conditions: [ready] } });
  }
}
