// The execution of the PromMigration resource. Generated from the CRD by `npm run docs`: edit crds/ instead.

/**
 * How the copy is executed. The time range is divided into stretches, which are copied one after the other or several
 * at once. Can be changed at any time, and never starts the copy again from the beginning.
 */
export interface ExecutionSpec {
  /**
   * InProcess copies in the process of the run or of the operator. Job copies in the pods of an Indexed Job in the
   * namespace of the PromMigration, one index for each stretch, so that a migration can use many machines. run ignores
   * it and copies in its own process.
   */
  readonly mode: 'InProcess' | 'Job';
  /**
   * Maximum number of stretches under way at once. Raise it if the source, the destination and the CPUs are not busy;
   * more than 1 requires destination.ordering Any and a destination.progress.protocol other than None. In process the
   * stretches share limits.memory and limits.inFlightWrites, and fewer run if these are not enough. 0 starts no
   * stretch, only with mode Job. kubectl scale pmig/NAME --replicas=N sets it.
   */
  readonly parallelism: number;
  /**
   * Length of a stretch, a Prometheus duration that is a multiple of 2h, the length of the source's blocks. If unset,
   * it is chosen so that the range has at most 256 stretches; 4096 are possible. Shorter stretches spread the work
   * more evenly and lose less when a pod fails; longer ones have fewer progress series.
   */
  readonly stretch?: string;
  /**
   * The order in which stretches are started. OldestFirst begins at timeRange.start. NewestFirst begins with recent
   * data, which is usually needed first; it requires destination.ordering Any and a destination.progress.protocol
   * other than None.
   */
  readonly order: 'OldestFirst' | 'NewestFirst';
  /** Settings of the Job and its pods. Used only with mode Job. */
  readonly job: JobSettings;
}

/** Settings of the Job and its pods. Used only with mode Job. */
export interface JobSettings {
  /** CPU and memory of each pod. Set limits.memory to at least spec.limits.memory plus 150Mi. */
  readonly resources?: PodResources;
  /** Labels that a node must have to run the pods. */
  readonly nodeSelector?: Readonly<Record<string, string>>;
  /** Taints of nodes that the pods tolerate, for example to run on nodes reserved for batch work. */
  readonly tolerations?: readonly Toleration[];
  /** Affinity of the pods to nodes and to other pods. */
  readonly affinity?: Affinity;
  /** How the pods are spread over zones or nodes. */
  readonly topologySpreadConstraints?: readonly TopologySpreadConstraint[];
  /**
   * ServiceAccount of the pods, in the namespace of the PromMigration. If unset, default. The pods get no API token; a
   * ServiceAccount is useful for its imagePullSecrets or for a policy.
   */
  readonly serviceAccountName?: string;
  /** Secrets with credentials for the registry of the image, in the namespace of the PromMigration. */
  readonly imagePullSecrets?: readonly ImagePullSecret[];
  /** PriorityClass of the pods. Choose a low one to let other pods preempt the migration. */
  readonly priorityClassName?: string;
  /** Additional labels of the pods, for example for a NetworkPolicy. */
  readonly podLabels?: Readonly<Record<string, string>>;
  /** Additional annotations of the pods, for example for a service mesh or a log collector. */
  readonly podAnnotations?: Readonly<Record<string, string>>;
  /**
   * Seconds after its end at which Kubernetes deletes the Job and its pods, with their logs. If unset, they are
   * deleted with the PromMigration.
   */
  readonly ttlSecondsAfterFinished?: number;
  /**
   * How often the pod of a stretch is started again after a failure before the stretch counts as failed. The other
   * stretches continue.
   */
  readonly backoffLimitPerIndex: number;
}

/** CPU and memory of each pod. Set limits.memory to at least spec.limits.memory plus 150Mi. */
export interface PodResources {
  /** What the scheduler reserves for each pod, such as cpu 500m and memory 300Mi. */
  readonly requests?: Readonly<Record<string, number | string>>;
  /** What each pod can use at most. A pod that takes more memory is killed, and its stretch is tried again. */
  readonly limits?: Readonly<Record<string, number | string>>;
}

/** A toleration, as in a pod. */
export interface Toleration {
  /** Key of the taint. If unset, every key matches, and operator must be Exists. */
  readonly key?: string;
  /** Equal (the default of Kubernetes) compares the value; Exists matches every value. */
  readonly operator?: 'Equal' | 'Exists';
  /** Value of the taint, with operator Equal. */
  readonly value?: string;
  /** Effect of the taint. If unset, every effect matches. */
  readonly effect?: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
  /** Seconds for which a pod stays on a node after the taint is added, with effect NoExecute. If unset, it stays. */
  readonly tolerationSeconds?: number;
}

/** Affinity of the pods to nodes and to other pods. */
export interface Affinity {
  /** Affinity to nodes, as in a pod. Its content is checked when the Job is created. */
  readonly nodeAffinity?: Readonly<Record<string, unknown>>;
  /** Affinity to pods, as in a pod. Its content is checked when the Job is created. */
  readonly podAffinity?: Readonly<Record<string, unknown>>;
  /** Anti-affinity to pods, as in a pod. Its content is checked when the Job is created. */
  readonly podAntiAffinity?: Readonly<Record<string, unknown>>;
}

/** A constraint, as in a pod. */
export interface TopologySpreadConstraint {
  /** Largest allowed difference in the number of pods between two domains. */
  readonly maxSkew: number;
  /** Label of the nodes whose value is the domain, such as topology.kubernetes.io/zone. */
  readonly topologyKey: string;
  /** DoNotSchedule lets a pod wait; ScheduleAnyway only prefers the domains with fewer pods. */
  readonly whenUnsatisfiable: 'DoNotSchedule' | 'ScheduleAnyway';
  /**
   * The pods that are counted, such as matchLabels with a label of podLabels. Its content is checked when the Job is
   * created.
   */
  readonly labelSelector?: Readonly<Record<string, unknown>>;
  /** Keys of labels whose values must equal those of the pod that is scheduled. */
  readonly matchLabelKeys?: readonly string[];
  /** Minimum number of domains, with DoNotSchedule. */
  readonly minDomains?: number;
  /**
   * Whether nodes that nodeSelector and nodeAffinity exclude count as domains; Honor (the default of Kubernetes)
   * excludes them.
   */
  readonly nodeAffinityPolicy?: 'Honor' | 'Ignore';
  /** Whether nodes with taints that are not tolerated count as domains; Ignore (the default of Kubernetes) counts them. */
  readonly nodeTaintsPolicy?: 'Honor' | 'Ignore';
}

/** A Secret of the type kubernetes.io/dockerconfigjson. */
export interface ImagePullSecret {
  /** Name of the Secret. */
  readonly name: string;
}
