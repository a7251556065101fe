// Indexed Jobs and Pods whose container is a short script for node, for the tests of the test kubelet.
import assert from 'node:assert/strict';
import type { V1Job, V1JobSpec, V1Pod, V1PodList, V1PodSpec } from '@kubernetes/client-node';
import type { Cluster } from '../../support/kubernetes/cluster.ts';
import type { Kubelet } from '../../support/kubernetes/kubelet/kubelet.ts';
import { eventually } from './operator.ts';

export const KUBELET_TEST_SELECTOR = 'app=kubelet-test';
const LABELS = { app: 'kubelet-test' };

/** The arguments of the container: a script, and what it finds in `process.argv.slice(1)`. */
export type Script = readonly [script: string, ...args: string[]];

const PODS = '/api/v1/namespaces/default/pods';
const JOBS = '/apis/batch/v1/namespaces/default/jobs';

export class KubeletJobs {
  readonly #cluster: Cluster;
  readonly #kubelet: Kubelet;

  constructor(cluster: Cluster, kubelet: Kubelet) {
    this.#cluster = cluster;
    this.#kubelet = kubelet;
  }

  /** Exit code 3 fails the index without a second attempt; a disruption does not count. */
  async createJob(name: string, script: Script, job: Partial<V1JobSpec> = {}, pod?: Partial<V1PodSpec>): Promise<void> {
    await this.create(JOBS, {
      metadata: { name },
      spec: {
        completionMode: 'Indexed',
        completions: 1,
        parallelism: 1,
        backoffLimitPerIndex: 2,
        podReplacementPolicy: 'Failed',
        podFailurePolicy: {
          rules: [
            { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
            { action: 'FailIndex', onExitCodes: { operator: 'In', values: [3] } },
          ],
        },
        template: { metadata: { labels: LABELS }, spec: podSpec(script, pod) },
        ...job,
      },
    });
  }

  async createPod(name: string, script: Script, pod?: Partial<V1PodSpec>, metadata: object = {}): Promise<void> {
    await this.create(PODS, {
      metadata: { name, labels: LABELS, ...metadata },
      spec: podSpec(script, pod),
    });
  }

  async create(path: string, body: object): Promise<void> {
    const response = await this.#cluster.request('POST', path, body);
    assert.equal(response.status, 201, JSON.stringify(response.body));
  }

  async editJob(name: string, spec: Partial<V1JobSpec>): Promise<void> {
    await this.#merge(`${JOBS}/${name}`, { spec });
  }

  async editPod(name: string, patch: object): Promise<void> {
    await this.#merge(`${PODS}/${name}`, patch);
  }

  async delete(name: string, gracePeriodSeconds: number): Promise<void> {
    const response = await this.#cluster.request('DELETE', `${PODS}/${name}`, { gracePeriodSeconds });
    assert.ok(response.status < 300, JSON.stringify(response.body));
  }

  async job(name: string): Promise<V1Job> {
    return (await this.#cluster.request('GET', `${JOBS}/${name}`)).body as V1Job;
  }

  async pod(name: string): Promise<V1Pod> {
    return (await this.#cluster.request('GET', `${PODS}/${name}`)).body as V1Pod;
  }

  /** The pods of the Job, oldest first. */
  async podsOf(job: string): Promise<V1Pod[]> {
    const { body } = await this.#cluster.request('GET', `${PODS}?labelSelector=batch.kubernetes.io/job-name=${job}`);
    const age = ({ metadata }: V1Pod) => String(metadata?.creationTimestamp);
    return (body as V1PodList).items.sort((a, b) => age(a).localeCompare(age(b)));
  }

  /** Resolves with the first pod of the Job that is running, and not one of `others`. */
  untilRunning(job: string, others: readonly string[] = []): Promise<V1Pod> {
    return this.#until(`${job} runs`, async () =>
      (await this.podsOf(job)).find(
        ({ metadata, status }) => status?.phase === 'Running' && !others.includes(metadata?.name ?? ''),
      ),
    );
  }

  untilPod(name: string, what: string, holds: (pod: V1Pod) => boolean): Promise<V1Pod> {
    return this.#until(`${name} ${what}`, async () => {
      const pod = await this.pod(name);
      return holds(pod) ? pod : undefined;
    });
  }

  async untilJob(name: string, condition: 'Complete' | 'Failed' | 'Suspended'): Promise<V1Job> {
    return this.#until(`${name} is ${condition}`, async () => {
      const job = await this.job(name);
      const holds = job.status?.conditions?.some(({ type, status }) => type === condition && status === 'True');
      return holds ? job : undefined;
    });
  }

  async #until<T>(what: string, find: () => Promise<T | undefined>): Promise<T> {
    let found: T | undefined;
    const holds = async () => {
      found = await find();
      return found !== undefined;
    };
    await eventually(what, holds, 90_000, () => this.#kubelet.report());
    assert.ok(found !== undefined);
    return found;
  }

  async #merge(path: string, patch: object): Promise<void> {
    const response = await this.#cluster.request('PATCH', path, patch, 'application/merge-patch+json');
    assert.equal(response.status, 200, JSON.stringify(response.body));
  }
}

function podSpec(script: Script, { containers: [container] = [], ...pod }: Partial<V1PodSpec> = {}): V1PodSpec {
  return {
    restartPolicy: 'Never',
    terminationGracePeriodSeconds: 10,
    containers: [{ name: 'script', image: 'example.org/node', ...container, args: [...script] }],
    ...pod,
  };
}
