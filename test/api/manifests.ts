// Manifests for the tests of api/ and of migration/plan.ts.

import { type LoadedManifests, loadManifests } from '../../src/api/manifest.ts';
import { formatProblem, type Problem } from '../../src/api/problem.ts';
import { Secret } from '../../src/telemetry/secret.ts';

/** The current time in these tests. */
export const nowMs = Date.parse('2026-01-01T00:00:00Z');

/** The smallest useful manifest: a new, mutable object each time. */
export function smallest(): Record<string, unknown> {
  return {
    apiVersion: 'prom-migrator.io/v1alpha1',
    kind: 'PromMigration',
    metadata: { name: 'm' },
    spec: {
      source: { url: 'http://source:9090/api/v1/read' },
      destination: {
        url: 'http://destination:8428/api/v1/write',
        progress: { protocol: 'PromQL', url: 'http://destination:8428' },
      },
      timeRange: { start: '2024-01-01T00:00:00Z' },
    },
  };
}

/** Changes by path, such as `spec.source.url`; undefined removes the field. */
export type Changes = Readonly<Record<string, unknown>>;

export function changed(changes: Changes): Record<string, unknown> {
  const manifest = smallest();
  for (const [path, value] of Object.entries(changes)) {
    const names = path.split('.');
    const last = names.pop() ?? '';
    let parent = manifest;
    for (const name of names) {
      parent[name] ??= {};
      parent = parent[name] as Record<string, unknown>;
    }
    if (value === undefined) delete parent[last];
    else parent[last] = value;
  }
  return manifest;
}

export function secret(name: string, stringData: Readonly<Record<string, string>>): Record<string, unknown> {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData };
}

export function documents(...values: readonly unknown[]): string {
  return values.map((value) => JSON.stringify(value, null, 2)).join('\n---\n');
}

export function load(text: string, secretsDir?: string): LoadedManifests {
  return loadManifests([{ name: 'm.yaml', text: new Secret(text) }], secretsDir, nowMs);
}

/** The lines that the user sees. */
export function linesOf(response: LoadedManifests | { readonly problems: readonly Problem[] } | object): string[] {
  return 'problems' in response ? (response.problems as readonly Problem[]).map(formatProblem) : [];
}
