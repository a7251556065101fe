// Paths, patches and errors of a Kubernetes API server.

import type { KubeObject } from '../../../src/operator/kube/kube-objects.ts';

export function isIn(path: string, collection: string): boolean {
  const parent = path.slice(0, path.lastIndexOf('/'));
  return parent === collection || parent.replace(/\/namespaces\/[^/]+/, '') === collection;
}

/** `/api/v1/x`, `/apis/g/v/x`, and the same under `namespaces/n`. */
export function isCollectionPath(path: string): boolean {
  return /^\/(api\/[^/]+|apis\/[^/]+\/[^/]+)(\/namespaces\/[^/]+)?\/[^/]+$/.test(path);
}

export function statusOf(code: number, reason: string) {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    status: code < 300 ? 'Success' : 'Failure',
    code,
    reason,
    message: reason,
  };
}

export function failure(status: number, reason: string) {
  return { status, value: statusOf(status, reason) };
}

export function merge(into: Readonly<Record<string, unknown>>, patch: Readonly<Record<string, unknown>>) {
  const result = { ...into };
  for (const [name, value] of Object.entries(patch)) {
    const before = result[name];
    if (value === null) delete result[name];
    else if (isRecord(value)) result[name] = merge(isRecord(before) ? before : {}, value);
    else result[name] = value;
  }
  return result;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export interface LogEntry {
  readonly version: number;
  readonly path: string;
  readonly type: string;
  readonly object: KubeObject;
}

export type Stored = KubeObject & { [field: string]: unknown };
