// The options of an operator.

import type { Clock } from '../telemetry/clock.ts';
import type { ListenAddress } from '../telemetry/http-server.ts';
import type { LogFormat, LogLevel } from '../telemetry/log-options.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { KubeConnection } from './kube/kube-config.ts';

/** How migrations with spec.execution.mode Job are copied. */
export interface JobOptions {
  /** If false, the operator may have no right to create Jobs. */
  readonly enabled: boolean;
  /** Of the pods: this version's. Undefined: it is not known, so no Job can be created. */
  readonly image: string | undefined;
  /** Undefined: the default of Kubernetes. */
  readonly imagePullPolicy: 'Always' | 'IfNotPresent' | 'Never' | undefined;
}

export interface OperatorOptions {
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  /** Empty: all. */
  readonly watchNamespaces: readonly string[];
  readonly metricsAddress: ListenAddress;
  readonly leaderElect: boolean;
  /** Undefined: the namespace of the pod, or of the kubeconfig's context. */
  readonly leaseNamespace: string | undefined;
  readonly leaseName: string;
  readonly leaseDurationMs: number;
  readonly renewDeadlineMs: number;
  readonly retryPeriodMs: number;
  readonly maxMigrations: number;
  readonly jobs: JobOptions;
  /** Of the operator and of the pods of Jobs. */
  readonly log: { readonly level: LogLevel; readonly format: LogFormat };
  /** Whether migrations may use the identity of the operator's own pod. */
  readonly ambientCredentials: boolean;
  /** From the stop request to the end of the process. */
  readonly graceMs: number;
  readonly podName: string;
}

export interface OperatorContext {
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  /** Aborted to shut the operator down gracefully. */
  readonly stop: AbortSignal;
  /** Default: from the kubeconfig or the pod's service account. */
  readonly connect?: () => Promise<KubeConnection>;
}
