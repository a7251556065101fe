// The objects of Kubernetes that a migration in mode Job consists of. Only the fields that the operator reads or writes.

import type { JobSettings } from '../../api/prom-migration-execution.ts';
import type { KubeObject } from '../kube/kube-objects.ts';

interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
}

interface OwnedObject extends KubeObject {
  readonly metadata: KubeObject['metadata'] & { readonly ownerReferences?: readonly OwnerReference[] };
}

/** A v1 ConfigMap. */
export interface ConfigMap extends OwnedObject {
  readonly immutable?: boolean;
  readonly data: Readonly<Record<string, string>>;
}

interface ObjectCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

/** batch/v1. */
export interface Job extends OwnedObject {
  readonly spec: JobSpec;
  readonly status?: {
    readonly active?: number;
    /** Pods that were asked to end. */
    readonly terminating?: number;
    /** Ranges such as `1,3-5`. */
    readonly completedIndexes?: string;
    readonly failedIndexes?: string;
    readonly conditions?: readonly ObjectCondition[];
  };
}

interface JobSpec {
  readonly completions: number;
  readonly parallelism: number;
  readonly suspend?: boolean;
  readonly ttlSecondsAfterFinished?: number;
  readonly template?: PodTemplate;
}

/** What the operator creates. */
export interface NewJob extends Job {
  readonly spec: JobSpec & {
    readonly completionMode: 'Indexed';
    readonly podReplacementPolicy: 'Failed';
    readonly backoffLimitPerIndex: number;
    readonly maxFailedIndexes: number;
    readonly podFailurePolicy: { readonly rules: readonly object[] };
  };
}

/** Of a Job. */
export interface PodTemplate {
  readonly metadata: {
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: PodSpec;
}

type Scheduling = Pick<
  JobSettings,
  | 'nodeSelector'
  | 'tolerations'
  | 'affinity'
  | 'topologySpreadConstraints'
  | 'serviceAccountName'
  | 'imagePullSecrets'
  | 'priorityClassName'
>;

interface PodSpec extends Scheduling {
  readonly restartPolicy: 'Never';
  readonly automountServiceAccountToken: false;
  readonly enableServiceLinks: false;
  readonly terminationGracePeriodSeconds: number;
  readonly securityContext: object;
  readonly containers: readonly object[];
  readonly volumes: readonly object[];
}

/** A v1 Pod of a Job, reduced to what the operator needs. */
export interface Pod extends OwnedObject {
  readonly status?: {
    readonly phase?: string;
    readonly message?: string;
    readonly conditions?: readonly ObjectCondition[];
    readonly containerStatuses?: readonly {
      readonly name?: string;
      readonly state?: {
        readonly waiting?: { readonly reason?: string; readonly message?: string };
        readonly terminated?: {
          readonly exitCode: number;
          readonly reason?: string;
          readonly message?: string;
          readonly finishedAt?: string;
        };
      };
    }[];
  };
}
