// Finds the write requests that carried a sample: the evidence for a loss or a duplicate. Decodes the requests that the proxy in front of
// the destination has recorded, with protobufjs and snappyjs. Decodes only requests that were sent completely.

import protobuf from 'protobufjs';
import snappy from 'snappyjs';
import { type Label, labelText, sortLabels } from '../test/support/series-set.ts';
import type { Difference } from './differences.ts';
import type { SeenRequest } from './proxy/fault-proxy.ts';

const SCHEMA = `syntax = "proto3";
  message WriteRequest { repeated TimeSeries timeseries = 1; }
  message TimeSeries { repeated Label labels = 1; repeated Sample samples = 2; repeated Histogram histograms = 4; }
  message Label { string name = 1; string value = 2; }
  message Sample { int64 timestamp = 2; }
  message Histogram { int64 timestamp = 15; }`;

interface DecodedSeries {
  labels: { name: string; value: string }[];
  samples: { timestamp: number }[];
  histograms: { timestamp: number }[];
}

/** For each difference, the requests that carried its sample, in order. */
export function findCarriers(
  differences: readonly Difference[],
  requests: readonly SeenRequest[],
): ReadonlyMap<Difference, readonly SeenRequest[]> {
  const type = protobuf.parse(SCHEMA, { keepCase: true }).root.lookupType('WriteRequest');
  const wanted = new Map(differences.map((difference) => [keyOf(difference.labels, difference.timeMs), difference]));
  const carriers = new Map<Difference, SeenRequest[]>(differences.map((difference) => [difference, []]));
  for (const request of requests) {
    for (const key of samplesOf(type, request.body)) {
      const difference = wanted.get(key);
      if (difference !== undefined) carriers.get(difference)?.push(request);
    }
  }
  return carriers;
}

function keyOf(labels: readonly Label[], timeMs: number): string {
  return `${labelText(labels)}@${timeMs}`;
}

function samplesOf(type: protobuf.Type, body: Buffer | undefined): string[] {
  if (body === undefined || body.length === 0) return [];
  let series: DecodedSeries[];
  try {
    const message = type.decode(new Uint8Array(snappy.uncompress(body)));
    series = (type.toObject(message, { longs: Number, arrays: true }) as { timeseries: DecodedSeries[] }).timeseries;
  } catch {
    return [];
  }
  return series.flatMap(({ labels, samples, histograms }) => {
    const sorted = sortLabels(labels.map(({ name, value }): Label => [name, value]));
    return [...samples, ...histograms].map(({ timestamp }) => keyOf(sorted, timestamp));
  });
}
