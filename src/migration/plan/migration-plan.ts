// A migration with every default filled in and every secret resolved, compiled from a manifest. It is all that the engine knows. Frozen; no code
// downstream checks whether a field was set.

import type { Endpoint } from '../../remote/http/endpoint.ts';
import type { Matcher } from '../../wire/messages.ts';

export type { Matcher };

type RelabelAction =
  | 'replace'
  | 'keep'
  | 'drop'
  | 'keepequal'
  | 'dropequal'
  | 'hashmod'
  | 'labelmap'
  | 'labeldrop'
  | 'labelkeep'
  | 'lowercase'
  | 'uppercase';

/** Prometheus' relabel_config with its defaults filled in. */
export interface RelabelRule {
  readonly action: RelabelAction;
  readonly sourceLabels: readonly string[];
  readonly separator: string;
  readonly regex: string;
  readonly modulus: number;
  readonly targetLabel: string;
  readonly replacement: string;
}

/** What the source is read with. */
type SourceProtocol = 'RemoteRead' | 'VictoriaMetrics' | 'PromQL' | 'ThanosStore';

export interface MigrationPlan {
  /** `<namespace>/<name>`: the progress series' `migration` label. */
  readonly migration: string;
  /** Hash of what defines the copy: the progress series' `id` label. */
  readonly id: string;
  readonly source: Endpoint & {
    readonly protocol: SourceProtocol;
    readonly readMode: 'Auto' | 'Samples';
    readonly maxFrameBytes: number;
    /** Only with ThanosStore. */
    readonly replicaLabels: readonly string[];
  };
  readonly destination: Endpoint & { readonly ordering: 'InOrder' | 'Any' };
  readonly progress:
    | { readonly protocol: 'RemoteRead' | 'PromQL'; readonly endpoint: Endpoint }
    | { readonly protocol: 'None' };
  /** The user's own labels on the progress series. */
  readonly progressLabels: Readonly<Record<string, string>>;
  readonly selectors: readonly (readonly Matcher[])[];
  /** Inclusive. */
  readonly startMs: number;
  /** Exclusive; undefined: frozen at first start as now minus `lagMs`. */
  readonly endMs: number | undefined;
  readonly lagMs: number;
  readonly window: {
    readonly minMs: number;
    readonly maxMs: number;
    /** The longest window of a comparison, which writes nothing: the default of `maxMs` need not bound it. */
    readonly comparedMaxMs: number;
    readonly targetSamples: number;
  };
  readonly limits: {
    readonly memoryBytes: number;
    readonly samplesPerSecond: number | undefined;
    readonly bytesPerSecond: number | undefined;
    readonly inFlightWrites: number;
    readonly samplesPerWrite: number;
  };
  readonly execution: ExecutionPlan;
  readonly rejectedSamples: 'Fail' | 'Skip';
  readonly externalLabels: Readonly<Record<string, string>>;
  readonly relabelings: readonly RelabelRule[];
  readonly verification: VerificationPlan;
  /** Whether both sides are looked at before the first write. Never part of `id`. */
  readonly preflight: 'Off' | 'Warn' | 'Enforce';
  /** Set if this is the plan of one stretch of a migration: `startMs` and `endMs` are then those of the stretch. */
  readonly stretch: StretchPlan | undefined;
}

/** What distinguishes the marks of a stretch from those of the others. */
interface StretchPlan {
  /** The label `shard` of its marks. */
  readonly shard: string;
  /** The label `end` of its marks: the end of the migration, if the manifest leaves it open. */
  readonly frozenEndMs: number | undefined;
}

/** How the range is divided, and how many of its parts are copied at once. Never part of `id`: it does not change what is copied. */
interface ExecutionPlan {
  readonly mode: 'InProcess' | 'Job';
  /** How many stretches may be under way at once; 0 only with mode Job. */
  readonly parallelism: number;
  /** A multiple of two hours; undefined: chosen from the length of the range. */
  readonly stretchMs: number | undefined;
  readonly order: 'OldestFirst' | 'NewestFirst';
}

/** Whether both sides are compared after the copy. Never part of `id`: it does not change what is copied. */
interface VerificationPlan {
  readonly mode: 'Off' | 'Full';
  readonly onDifference: 'Fail' | 'Report' | 'Repair';
  readonly onExtra: 'Ignore' | 'Report';
  /** How long a difference may take to disappear. */
  readonly settleMs: number;
}
