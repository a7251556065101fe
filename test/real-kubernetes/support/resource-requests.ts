// Requests for PromMigrations to a real API server, and its responses.

import { COMPILED_CRD } from '../../../src/api/compiled-crd.ts';

export interface Resource {
  metadata: { name: string; generation: number; namespace: string };
  spec: Record<string, unknown>;
  status?: unknown;
}

interface Cause {
  reason: string;
  message: string;
  field: string;
}

export interface Refusal {
  reason: string;
  message: string;
  details?: { causes?: Cause[] };
}

export function collectionPath(manifest: Record<string, unknown>, query = ''): string {
  const namespace = (manifest['metadata'] as { namespace?: string } | undefined)?.namespace ?? 'default';
  return `/apis/${COMPILED_CRD.resource.apiVersion}/namespaces/${namespace}/prommigrations${query}`;
}
