// Writes the status of PromMigrations by server-side apply: complete, only if it has changed, not more often than useful, and fenced, so that
// the API server refuses a former leader's write. One call at a time per key.

import type { PromMigration } from '../api/prom-migration.ts';
import type { PromMigrationStatus } from '../api/prom-migration-status.ts';
import type { Clock } from '../telemetry/clock.ts';
import type { KubeClient } from './kube/kube-client.ts';
import { isConflict, isNotFound } from './kube/kube-errors.ts';
import { keyOf, resourcePath } from './kube/kube-objects.ts';
import { leftoversPatch } from './judge/status-leftovers.ts';
import { isEditedByOthers, STATUS_MANAGER } from './judge/status-origin.ts';
import { writeUrgency } from './judge/write-urgency.ts';

const PROGRESS_EVERY_MS = 10_000;
/** Even urgent changes are not written more often: conditions may change quickly. */
const AT_MOST_EVERY_MS = 1_000;

export type WriteResult =
  /** The object after the write, and the intermediate versions of the write. */
  | { readonly kind: 'written'; readonly resource: PromMigration; readonly passed: readonly string[] }
  | { readonly kind: 'unchanged' }
  /** Too soon after the last write. */
  | { readonly kind: 'later'; readonly afterMs: number }
  /** The object changed meanwhile, or is another object of that name. Decide again after the next watch event. */
  | { readonly kind: 'conflict' }
  | { readonly kind: 'gone' };

export interface StatusWriterOptions {
  readonly client: Pick<KubeClient, 'apply' | 'patch'>;
  readonly clock: Clock;
  readonly onWrite: (result: 'success' | 'conflict' | 'gone' | 'error') => void;
}

/** The path of a PromMigration, or of its subresource. */
export function migrationPath(namespace: string | undefined, name?: string, subresource?: string): string {
  return resourcePath({
    group: 'prom-migrator.io',
    version: 'v1alpha1',
    resource: 'prommigrations',
    ...(namespace !== undefined && { namespace }),
    ...(name !== undefined && { name }),
    ...(subresource !== undefined && { subresource }),
  });
}

export class StatusWriter {
  readonly #options: StatusWriterOptions;
  readonly #writtenAtMs = new Map<string, number>();

  constructor(options: StatusWriterOptions) {
    this.#options = options;
  }

  /**
   * @param resource the object as last seen: its status is compared with the new one, and its version fences the write
   * @param hurry set when the operator stops and no later write follows
   * @throws KubeApiError, KubeConnectionError when the write has to be retried
   */
  async write(
    resource: PromMigration,
    status: PromMigrationStatus,
    { hurry = false, signal }: { hurry?: boolean; signal?: AbortSignal } = {},
  ): Promise<WriteResult> {
    const urgency = writeUrgency(resource.status, status);
    if (urgency === 'none') return { kind: 'unchanged' };
    const { clock, onWrite } = this.#options;
    const key = keyOf(resource);
    const writtenAtMs = this.#writtenAtMs.get(key);
    const pauseMs = urgency === 'now' ? AT_MOST_EVERY_MS : PROGRESS_EVERY_MS;
    const sinceMs = writtenAtMs === undefined ? pauseMs : clock.monotonicMs() - writtenAtMs;
    if (!hurry && sinceMs < pauseMs) return { kind: 'later', afterMs: pauseMs - sinceMs };

    try {
      const written = await this.#replace(resource, status, signal);
      return { kind: 'written', ...written };
    } catch (error) {
      if (isConflict(error) || isNotFound(error)) {
        const kind = isConflict(error) ? 'conflict' : 'gone';
        onWrite(kind);
        return { kind };
      }
      onWrite('error');
      throw error;
    }
  }

  /**
   * Server-side apply takes over fields but keeps the fields of other managers. Those are removed before the apply: if they were removed after
   * it, the status would for a moment be the operator's own and still show a forged `completionTime`.
   */
  async #replace(
    resource: PromMigration,
    status: PromMigrationStatus,
    signal: AbortSignal | undefined,
  ): Promise<Pick<WriteResult & { kind: 'written' }, 'resource' | 'passed'>> {
    const edited = isEditedByOthers(resource) ? await this.#removeLeftovers(resource, status, signal) : undefined;
    const applied = await this.#apply(edited ?? resource, status, signal);
    // Fields without an owner, whose managedFields were cleared by a client.
    const cleared = await this.#removeLeftovers(applied, status, signal);
    const steps = [edited, applied, cleared].filter((step) => step !== undefined);
    const passed = steps.slice(0, -1).map(({ metadata }) => metadata.resourceVersion ?? '');
    return { resource: steps.at(-1) ?? applied, passed };
  }

  async #apply(
    resource: PromMigration,
    status: PromMigrationStatus,
    signal: AbortSignal | undefined,
  ): Promise<PromMigration> {
    const { apiVersion, kind, metadata } = resource;
    const { name, namespace, uid, resourceVersion } = metadata;
    const body = { apiVersion, kind, metadata: { name, namespace, uid, resourceVersion }, status };
    const settings = { fieldManager: STATUS_MANAGER, force: true, ...(signal !== undefined && { signal }) };
    const { clock, client, onWrite } = this.#options;
    const applied = await client.apply<PromMigration>(migrationPath(namespace, name, 'status'), body, settings);
    this.#writtenAtMs.set(keyOf(resource), clock.monotonicMs());
    onWrite('success');
    return applied;
  }

  /** @returns undefined without any */
  async #removeLeftovers(
    { metadata: { name, namespace, uid, resourceVersion }, status = {} }: PromMigration,
    wanted: PromMigrationStatus,
    signal: AbortSignal | undefined,
  ): Promise<PromMigration | undefined> {
    const leftovers = leftoversPatch(status, wanted);
    if (leftovers === undefined) return undefined;
    const cleared = await this.#options.client.patch<PromMigration>(
      migrationPath(namespace, name, 'status'),
      { metadata: { uid, resourceVersion }, status: leftovers },
      {
        contentType: 'application/merge-patch+json',
        query: { fieldManager: STATUS_MANAGER },
        ...(signal !== undefined && { signal }),
      },
    );
    this.#options.onWrite('success');
    return cleared;
  }

  forget(key: string): void {
    this.#writtenAtMs.delete(key);
  }
}
