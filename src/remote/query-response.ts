// Parses and checks the JSON of the Prometheus query API and of VictoriaMetrics' export. Pure.

import { meansPartial } from './partial-response.ts';

export interface QuerySeries {
  readonly metric: Readonly<Record<string, string>>;
  /** Milliseconds, and the value as the server wrote it (`1`, `NaN`, `+Inf`). */
  readonly samples: readonly (readonly [timeMs: number, value: string])[];
  readonly histogramTimesMs: readonly number[];
}

export interface QueryResult {
  readonly resultType: 'vector' | 'matrix' | 'scalar';
  readonly series: readonly QuerySeries[];
  /** Thanos reports here that stores were missing, Prometheus that a remote read failed. */
  readonly warnings: readonly string[];
}

export interface ExportedSeries {
  readonly metric: Readonly<Record<string, string>>;
  readonly timesMs: readonly number[];
}

interface Problem {
  readonly problem: string;
}

/**
 * Parses `{"status":"success","data":{"resultType":…,"result":…}}`. Timestamps become whole milliseconds. `missing` is what the server
 * reports about a part of its storage that it could not read. An unexpected shape is a `problem`, never an exception.
 */
export function parseQueryResponse(text: string): { result: QueryResult; missing: string | undefined } | Problem {
  const response = parseJson(text);
  if (!isRecord(response)) return { problem: 'not a JSON object' };
  if (response['status'] !== 'success')
    return { problem: `status ${shown(response['status'])}, ${shown(response['error'])}` };
  const data = response['data'];
  if (!isRecord(data)) return { problem: 'no data field' };
  const { resultType, result } = data;
  const series = seriesOf(resultType, result);
  if (series === undefined) return { problem: `a malformed result of type ${shown(resultType)}` };
  const warnings = Array.isArray(response['warnings']) ? response['warnings'].slice(0, SHOWN_WARNINGS).map(shown) : [];
  return {
    result: { resultType: resultType as QueryResult['resultType'], series, warnings },
    missing: missingPart(response),
  };
}

/** VictoriaMetrics has a flag for missing storage nodes, others have warnings. */
function missingPart({ isPartial, warnings }: Record<string, unknown>): string | undefined {
  if (isPartial === true) return 'isPartial';
  if (!Array.isArray(warnings)) return undefined;
  const partial = warnings.find((warning) => typeof warning === 'string' && meansPartial(warning));
  return partial === undefined ? undefined : shown(partial);
}

/** The number of series in a response of `/api/v1/series`: `{"status":"success","data":[…]}`. */
export function parseSeriesResponse(text: string): { series: number } | Problem {
  const response = parseJson(text);
  if (!isRecord(response)) return { problem: 'not a JSON object' };
  const { status, data, error } = response;
  if (status !== 'success') return { problem: `status ${shown(status)}, ${shown(error)}` };
  if (!Array.isArray(data)) return { problem: 'no data' };
  // A part of the storage that was not read may hold a matching series.
  return { series: missingPart(response) === undefined ? data.length : Math.max(1, data.length) };
}

/** One line of `/api/v1/export`: `{"metric":{…},"values":[…],"timestamps":[…]}`, timestamps in milliseconds. */
export function parseExportLine(line: string): { series: ExportedSeries } | Problem {
  const parsed = parseJson(line);
  if (!isRecord(parsed)) return { problem: 'a line that is not a JSON object' };
  const { metric, timestamps } = parsed;
  if (!isLabels(metric)) return { problem: 'a line without metric' };
  if (!Array.isArray(timestamps) || !timestamps.every((time) => Number.isSafeInteger(time))) {
    return { problem: 'a line without timestamps in whole milliseconds' };
  }
  return { series: { metric, timesMs: timestamps as number[] } };
}

function seriesOf(resultType: unknown, result: unknown): QuerySeries[] | undefined {
  if (!Array.isArray(result)) return undefined;
  if (resultType === 'scalar') {
    const samples = samplesOf([result]);
    return samples && [{ metric: {}, samples, histogramTimesMs: [] }];
  }
  if (resultType !== 'vector' && resultType !== 'matrix') return undefined;
  const series: QuerySeries[] = [];
  for (const element of result as unknown[]) {
    if (!isRecord(element) || !isLabels(element['metric'])) return undefined;
    const one = resultType === 'vector';
    const samples = samplesOf(listOf(element[one ? 'value' : 'values'], one));
    const histogramTimesMs = timesOf(listOf(element[one ? 'histogram' : 'histograms'], one));
    if (samples === undefined || histogramTimesMs === undefined) return undefined;
    series.push({ metric: element['metric'], samples, histogramTimesMs });
  }
  return series;
}

function listOf(value: unknown, single: boolean): unknown {
  if (value === undefined) return [];
  return single ? [value] : value;
}

function samplesOf(pairs: unknown): [number, string][] | undefined {
  if (!Array.isArray(pairs)) return undefined;
  const samples: [number, string][] = [];
  for (const pair of pairs as unknown[]) {
    if (!Array.isArray(pair) || typeof pair[0] !== 'number' || typeof pair[1] !== 'string') return undefined;
    samples.push([millisecondsOf(pair[0]), pair[1]]);
  }
  return samples;
}

function timesOf(pairs: unknown): number[] | undefined {
  if (!Array.isArray(pairs)) return undefined;
  const times: number[] = [];
  for (const pair of pairs as unknown[]) {
    if (!Array.isArray(pair) || typeof pair[0] !== 'number') return undefined;
    times.push(millisecondsOf(pair[0]));
  }
  return times;
}

// A double holds seconds with an error far below half a millisecond for any time that Prometheus can store.
function millisecondsOf(seconds: number): number {
  return Math.round(seconds * 1000);
}

const SHOWN_CHARS = 1000;
const SHOWN_WARNINGS = 10;

/** A server's text, made safe for a message. */
function shown(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, SHOWN_CHARS) : typeof value;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isLabels(value: unknown): value is Record<string, string> {
  return isRecord(value) && Object.values(value).every((label) => typeof label === 'string');
}
