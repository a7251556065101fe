// The requests about PromMigrations, with the rights of a user: some of them may be missing.

import type { PromMigration } from '../api/prom-migration.ts';
import type { KubeClient } from '../operator/kube/kube-client.ts';
import { isForbidden, KubeApiError, KubeConnectionError } from '../operator/kube/kube-errors.ts';
import { type KubeList, resourcePath } from '../operator/kube/kube-objects.ts';
import { type Change, reflect } from '../operator/kube/reflector.ts';
import { migrationPath } from '../operator/status-writer.ts';
import type { Clock } from '../telemetry/clock.ts';
import { Deadline } from '../telemetry/deadline.ts';
import type { CoreEvent, EventsRead } from './text/migration-view.ts';

const FIELD_MANAGER = 'kubectl-pmig';

export interface ApiContext {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: () => number;
  readonly signal: AbortSignal;
}

export class MigrationApi {
  readonly #context: ApiContext;

  constructor(context: ApiContext) {
    this.#context = context;
  }

  /** @throws KubeApiError, KubeConnectionError; all other methods throw the same */
  get(namespace: string, name: string): Promise<PromMigration> {
    const { client, signal } = this.#context;
    return client.get<PromMigration>(migrationPath(namespace, name), { signal });
  }

  async list(namespace: string | undefined): Promise<readonly PromMigration[]> {
    const { client, signal } = this.#context;
    const { items } = await client.get<KubeList<PromMigration>>(migrationPath(namespace), { signal });
    return items ?? [];
  }

  /** The names in the namespace; undefined without the right to list them. */
  async names(namespace: string): Promise<readonly string[] | undefined> {
    try {
      return (await this.list(namespace)).map(({ metadata }) => metadata.name);
    } catch (error) {
      if (isForbidden(error)) return undefined;
      throw error;
    }
  }

  setSuspend(namespace: string, name: string, suspend: boolean): Promise<PromMigration> {
    const { client, signal } = this.#context;
    return client.patch<PromMigration>(
      migrationPath(namespace, name),
      { spec: { suspend } },
      { contentType: 'application/merge-patch+json', query: { fieldManager: FIELD_MANAGER }, signal },
    );
  }

  /** The events about an object, or the reason why they cannot be read: nothing depends on them. */
  async events(namespace: string, fieldSelector: string): Promise<EventsRead> {
    const { client, signal } = this.#context;
    const path = resourcePath({ group: '', version: 'v1', namespace, resource: 'events' });
    try {
      const { items } = await client.get<KubeList<CoreEvent>>(path, { query: { fieldSelector }, signal });
      return { events: items ?? [] };
    } catch (error) {
      if (error instanceof KubeApiError || error instanceof KubeConnectionError) return { missing: error.message };
      throw error;
    }
  }

  eventsOf({ metadata: { namespace = '', uid = '' } }: PromMigration): Promise<EventsRead> {
    return this.events(namespace, `involvedObject.uid=${uid}`);
  }

  /**
   * The migration whenever it has changed, from a watch; undefined when it is gone. Faults of the API server are survived, and reported.
   * @throws KubeApiError if the user may not list or watch
   */
  async *follow(
    namespace: string,
    name: string,
    { signal, onFault }: { signal: AbortSignal; onFault: (reason: string) => void },
  ): AsyncGenerator<PromMigration | undefined, void, undefined> {
    const { client, clock, random } = this.#context;
    const objects = new Map<string, PromMigration>();
    using work = new Deadline(signal);
    const path = migrationPath(namespace);
    const selected = { fieldSelector: `metadata.name=${name}` };
    const options = { client, clock, random, objects, path, selected, signal: work.signal };
    for await (const change of reflect<PromMigration>(options)) {
      if (change.kind === 'waiting') {
        if (change.isForbidden) throw forbidden(change);
        onFault(change.reason);
      } else yield objects.get(`${namespace}/${name}`);
    }
  }
}

function forbidden({ reason }: Change & { kind: 'waiting' }): KubeApiError {
  const message = reason.replace(/^403 Forbidden: /, '').replace(/; retrying in [\d.]+ s$/, '');
  return new KubeApiError({ status: 403, reason: 'Forbidden', message });
}
