// Promscale: accepts any age, keeps the first value of a timestamp, drops native histograms with a 2xx, is strict about headers. With
// multi-tenancy the `TENANT` header becomes the label `__tenant__`, which reads return.

import type { IncomingHttpHeaders } from 'node:http';
import { labelOf } from '../../migration/support/remote-messages.ts';
import { Contents, within } from './contents.ts';
import type { Behaviour } from './fake-store.ts';
import { samplesResponse } from './responses.ts';
import type { StoreResponse } from './faults.ts';
import { encodeSamplesResponse, type LabeledSamples } from './messages.ts';
import { withoutNegativeZero } from './stored-values.ts';

export interface PromscaleOptions {
  /** A write without a tenant is rejected. */
  readonly multitenancy?: boolean;
}

const tenantLabel = '__tenant__';

export function promscale({ multitenancy = false }: PromscaleOptions = {}): Behaviour {
  return {
    name: 'Promscale',
    paths: { write: '/write', read: '/read', query: '' },
    rangeEnds: 'closed',
    open: () => {
      const contents = new Contents();
      return {
        contents,
        write: (series, { headers }) =>
          headerProblem(headers, 'write') ?? write(series, contents, multitenancy ? tenantOf(headers) : 'no tenants'),
        read: ({ matchers, startMs, endMs }, headers) => {
          const problem = headerProblem(headers, 'read');
          if (problem !== undefined) return problem;
          const tenant = multitenancy ? tenantOf(headers) : '';
          const found = contents
            .select(matchers, within(startMs, endMs))
            .filter(({ labels }) => tenant === '' || labelOf(labels, tenantLabel) === tenant);
          return samplesResponse(encodeSamplesResponse(found));
        },
        select: (matchers, fromMs, toMs) => contents.select(matchers, within(fromMs, toMs)),
      };
    },
  };
}

function tenantOf(headers: IncomingHttpHeaders): string {
  return typeof headers['tenant'] === 'string' ? headers['tenant'] : '';
}

function headerProblem(headers: IncomingHttpHeaders, kind: 'read' | 'write'): StoreResponse | undefined {
  const version = headers[`x-prometheus-remote-${kind}-version`];
  if (headers['content-type'] !== 'application/x-protobuf') return { status: 400, body: 'not protobuf\n' };
  if (headers['content-encoding'] !== 'snappy') return { status: 400, body: 'not snappy\n' };
  if (typeof version === 'string' && version.startsWith('0.1.')) return undefined;
  return { status: 400, body: `unexpected remote ${kind} version\n` };
}

function write(series: readonly LabeledSamples[], contents: Contents, tenant: string): StoreResponse {
  if (tenant === '') return { status: 400, body: 'authorization error for tenant : unauthorized or invalid tenant\n' };
  const added = tenant === 'no tenants' ? [] : [[tenantLabel, tenant] as const];
  for (const { labels: own, samples } of series) {
    const labels = [...own.filter(([name]) => added.length === 0 || name !== tenantLabel), ...added];
    const known = new Set(contents.find(labels)?.samples.map(({ timeMs }) => timeMs));
    for (const sample of samples) {
      if (sample.histogram !== undefined || known.has(sample.timeMs)) continue;
      known.add(sample.timeMs);
      contents.insert(labels, withoutNegativeZero(sample));
    }
  }
  return { status: 200 };
}
