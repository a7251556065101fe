// Shared by the tests of a source and a destination: the manifest parts for each kind of server, and the comparison of both sides, which
// prints its figures.
import assert from 'node:assert/strict';
import snappy from 'snappyjs';
import type { Matcher, ReadResponseType } from '../../../src/wire/messages.ts';
import { type Reply, request } from '../../support/http.ts';
import { type ComparisonOptions, compareSeries } from '../../support/series-comparison.ts';
import type { SeriesSamples, SeriesSet } from '../../support/series-set.ts';
import type { ServerProcess } from '../../support/server-process.ts';
import { encodeMessage } from '../../wire/support/oracle.ts';
import type { MigrationRun, MigrationSpec } from './migration.ts';

export function fromPrometheus(server: ServerProcess): MigrationSpec {
  return { url: `${server.url}/api/v1/read` };
}

export function toPrometheus(server: ServerProcess): MigrationSpec {
  return {
    url: `${server.url}/api/v1/write`,
    progress: { protocol: 'RemoteRead', url: `${server.url}/api/v1/read` },
  };
}

export function toVictoriaMetrics(server: ServerProcess): MigrationSpec {
  return { url: `${server.url}/api/v1/write`, progress: { protocol: 'PromQL', url: server.url } };
}

export function range(startMs: number, endMs: number): MigrationSpec {
  return { start: new Date(startMs).toISOString(), end: new Date(endMs).toISOString() };
}

const isProgress = (labels: ReadonlyMap<string, string>) => labels.get('__name__') === 'prom_migrator_progress';

/** Compares all samples of both sides except the progress series; prints the figures under `pair`. */
export function assertEqualSets(
  pair: string,
  expected: SeriesSet,
  actual: SeriesSet,
  options: ComparisonOptions = { values: 'bits' },
): void {
  const result = compareSeries(expected, actual, { ignore: isProgress, ...options });
  const { seriesCompared, samplesCompared, differences, first } = result;
  console.log(`      ${pair}: ${seriesCompared} series, ${samplesCompared} samples, ${differences} differences`);
  assert.ok(samplesCompared > 1000, `${pair}: there must be something to compare, not ${samplesCompared} samples`);
  assert.equal(differences, 0, `${pair}: ${first}`);
}

/** Fails with the complete output unless the migration exited as expected. */
export function assertExit(run: MigrationRun, exitCode: number): void {
  assert.equal(run.exitCode, exitCode, `exit code ${run.exitCode ?? run.exitSignal}:\n${run.stderr}`);
}

const matcherTypes = { '=': 0, '!=': 1, '=~': 2, '!~': 3 } as const;

/** One query to a remote_read endpoint, encoded by protobufjs and snappyjs; [fromMs, toMs). */
export function askRemoteRead(
  url: string,
  question: {
    matchers: readonly Matcher[];
    fromMs: number;
    toMs: number;
    accept: readonly ReadResponseType[];
  },
): Promise<Reply> {
  const message = encodeMessage('ReadRequest', {
    queries: [
      {
        startTimestampMs: question.fromMs,
        endTimestampMs: question.toMs - 1,
        matchers: question.matchers.map(({ kind, name, value }) => ({ type: matcherTypes[kind], name, value })),
      },
    ],
    acceptedResponseTypes: question.accept.map((type) => (type === 'SAMPLES' ? 0 : 1)),
  });
  return request(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-protobuf',
      'content-encoding': 'snappy',
      'x-prometheus-remote-read-version': '0.1.0',
    },
    body: snappy.compress(message),
  });
}

/** A set as a plain response returns it: Go's protobuf omits a value that equals 0, so there is no −0 in it. */
export function withPositiveZeros(set: SeriesSet): SeriesSet {
  const minusZero = 0x8000000000000000n;
  const positive = ({ bits }: SeriesSamples) => bits.map((value) => (value === minusZero ? 0n : value));
  return new Map([...set].map(([key, series]) => [key, { ...series, bits: positive(series) }]));
}
