// What the actions of `kubectl pmig` are given, and how they end.

import type { Clock } from '../telemetry/clock.ts';
import type { ApiContext, MigrationApi } from './migration-api.ts';

export const ACTIONS = ['status', 'watch', 'suspend', 'resume', 'report'] as const;
/** Where install.yaml and the documentation put the operator. */
export const DEFAULT_OPERATOR_NAMESPACE = 'prom-migrator-system';
export type Action = (typeof ACTIONS)[number];

/** `ended`: the migration has failed or is gone. `late`: not within the time given. */
export type PmigOutcome = 'done' | 'failed' | 'ended' | 'late';

export interface PmigOptions {
  readonly action: Action;
  /** Only `status` works without one. */
  readonly name: string | undefined;
  /** Default that of the context. */
  readonly namespace: string | undefined;
  readonly allNamespaces: boolean;
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  readonly output: 'text' | 'json';
  /** How long suspend and resume wait for the operator; undefined: not at all. */
  readonly waitMs: number | undefined;
  /** Of the report: a directory, or a file ending in .tar.gz or .tgz. */
  readonly to: string | undefined;
  readonly operatorNamespace: string;
}

/** The part of the process that the actions use. */
export interface PmigIo {
  readonly stdout: { readonly isTTY: boolean; columns(): number; rows(): number; write(text: string): void };
  readonly stderr: { write(text: string): void };
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly signal: AbortSignal;
}

/** What an action works with. */
export interface ActionContext extends ApiContext {
  readonly api: MigrationApi;
  readonly io: PmigIo;
  readonly options: PmigOptions;
  readonly namespace: string;
}
