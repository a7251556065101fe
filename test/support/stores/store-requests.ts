// Parses requests to a fake store.

import type { Behaviour, RequestKind, StoreRequest, TenantStore } from './fake-store.ts';
import type { IncomingHttpHeaders } from 'node:http';
import { PROGRESS_METRIC } from '../../../src/migration/progress/progress-mark.ts';
import { labelOf } from '../../migration/support/remote-messages.ts';
import type { StoreResponse } from './faults.ts';
import { decodeRead, decodeWrite, type LabeledSamples } from './messages.ts';
import { exportResponse, json } from './responses.ts';
import { parseSelector } from './promql.ts';

export function kindOf({ paths }: Behaviour, path: string): RequestKind {
  if (path === paths.write) return 'write';
  if (path === paths.read) return 'read';
  if (path === paths.export) return 'export';
  if (path === '/internal/force_flush') return 'flush';
  if (paths.query === undefined) return 'unknown';
  if (path === `${paths.query}/api/v1/series`) return 'series';
  return path === `${paths.query}/api/v1/query` ? 'query' : 'unknown';
}

export function describeRequest(
  kind: RequestKind,
  path: string,
  headers: IncomingHttpHeaders,
  { body, parameters }: { body: Buffer; parameters: URLSearchParams },
): StoreRequest {
  const series = kind === 'write' ? decodeWrite(body) : [];
  return {
    kind,
    path,
    headers,
    bytes: body.length,
    series,
    samples: series.reduce((sum, { samples }) => sum + samples.length, 0),
    isMark: series.some(({ labels }) => labelOf(labels, '__name__') === PROGRESS_METRIC),
    query: kind === 'read' ? decodeRead(body) : undefined,
    promql: kind === 'query' ? (parameters.get('query') ?? '') : undefined,
    status: undefined,
  };
}

function rangeIn(parameters: URLSearchParams): [fromMs: number, toMs: number] {
  const [fromMs, toMs] = ['start', 'end'].map((name) => Math.round(Number(parameters.get(name)) * 1000));
  return [fromMs!, toMs!];
}

export function seriesList(index: NonNullable<TenantStore['index']>, parameters: URLSearchParams): StoreResponse {
  const found = parameters.getAll('match[]').flatMap((match) => index(parseSelector(match), ...rangeIn(parameters)));
  const limit = Number(parameters.get('limit') ?? found.length);
  const data = found.slice(0, limit).map(({ labels }) => Object.fromEntries(labels));
  return json(200, { status: 'success', data });
}

export function exportSeries(tenant: TenantStore, parameters: URLSearchParams): StoreResponse {
  const [fromMs, toMs] = rangeIn(parameters);
  const found: LabeledSamples[] = [];
  for (const match of parameters.getAll('match[]')) {
    const series = tenant.select!(parseSelector(match), fromMs, toMs);
    if ('status' in series) return series;
    found.push(...series);
  }
  return exportResponse(found);
}
