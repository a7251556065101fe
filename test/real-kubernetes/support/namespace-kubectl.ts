// kubectl in one namespace, with the permissions of a user of the installed operator.

import assert from 'node:assert/strict';
import type { PromMigrationStatus } from '../../../src/api/prom-migration-status.ts';
import type { Cluster } from '../../support/kubernetes/cluster.ts';
import { eventually, succeeded } from './operator.ts';

interface Resource {
  metadata: {
    generation: number;
    finalizers?: string[];
    managedFields: { manager: string; subresource?: string; fieldsV1: object }[];
  };
  status?: PromMigrationStatus;
}

interface KubernetesEvent {
  reason: string;
  type: string;
  note: string;
  reportingController: string;
  regarding: { kind: string };
}

export class NamespaceKubectl {
  readonly #cluster: Cluster;
  readonly #namespace: string;

  constructor(cluster: Cluster, namespace: string) {
    this.#cluster = cluster;
    this.#namespace = namespace;
  }

  kubectl(args: readonly string[], input?: string) {
    return this.#cluster.kubectl(['-n', this.#namespace, ...args], input);
  }

  async apply(...documents: object[]): Promise<string> {
    const text = documents.map((document) => JSON.stringify(document)).join('\n---\n');
    return succeeded(await this.kubectl(['apply', '-f', '-'], text));
  }

  async read(name: string): Promise<Resource> {
    const args = ['get', 'prommigration', name, '--show-managed-fields', '-o', 'json'];
    return JSON.parse(succeeded(await this.kubectl(args))) as Resource;
  }

  async jsonPath(name: string, path: string): Promise<string> {
    return succeeded(await this.kubectl(['get', 'pmig', name, '-o', `jsonpath=${path}`]));
  }

  watch(signal: AbortSignal, onOutput: (text: string) => void): Promise<unknown> {
    return this.#cluster.kubectl(['-n', this.#namespace, 'get', 'pmig', '--watch'], undefined, { signal, onOutput });
  }
}

/** Edits a PromMigration from four clients at once until the condition holds, at most 400 times. */
export async function editUntil(cluster: Cluster, key: string, holds: () => Promise<boolean>): Promise<void> {
  const [namespace, name] = key.split('/');
  const path = `/apis/prom-migrator.io/v1alpha1/namespaces/${namespace}/prommigrations/${name}`;
  const type = 'application/merge-patch+json';
  let suspended = true;
  for (let edit = 1; edit < 400 && !(await holds()); edit++) {
    if (edit % 20 === 0) suspended = !suspended;
    await Promise.all(
      [1, 2, 3, 4].map((hand) => {
        const annotations = { [`example.org/hand-${hand}`]: String(edit) };
        return cluster.request('PATCH', path, { metadata: { annotations }, spec: { suspend: suspended } }, type);
      }),
    );
  }
}

/** Checks that both kubectl commands for events show the start and the success of a migration, and what preceded them. */
export async function assertTellsItsStory(
  own: NamespaceKubectl,
  name: string,
  before: readonly string[] = [],
): Promise<void> {
  await eventually(`the events of ${name}`, async () => {
    const said = succeeded(await own.kubectl(['events', '--for', `prommigration/${name}`]));
    return /Started/.test(said) && /Succeeded/.test(said);
  });
  const args = ['get', 'events.events.k8s.io', '-o', 'json', `--field-selector=regarding.name=${name}`];
  const { items } = JSON.parse(succeeded(await own.kubectl(args))) as { items: KubernetesEvent[] };
  const said = items.map(({ type, reason }) => `${type} ${reason}`).sort();
  assert.deepEqual(said, [...before, 'Normal Started', 'Normal Succeeded']);
  for (const { regarding, note } of items) {
    assert.equal(regarding.kind, 'PromMigration');
    assert.ok(note.length > 10, note);
  }
  const description = succeeded(await own.kubectl(['describe', 'pmig', name]));
  assert.match(description.split('Events:')[1] ?? '', /Normal\s+Started[\s\S]*Normal\s+Succeeded/);
}
