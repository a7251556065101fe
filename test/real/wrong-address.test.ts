// Unreachable sides and wrong URLs, with the real command line against real servers: what is retried until the deadline, what ends the run
// immediately, and that the error names the side, the code and the setting.
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RunResult } from '../../src/cli/result.ts';
import { freePorts, type ServerProcess } from '../support/server-process.ts';
import { startPrometheus, startVictoriaMetrics } from '../support/servers.ts';
import { type CommandRun, runCommand } from './support/command.ts';
import { manifestOf } from './support/migration.ts';

const START_MS = Date.UTC(2025, 4, 1);

let victoria: ServerProcess;
/** Without a receiver, and empty, so that there is never a mark. */
let prometheus: ServerProcess;
let stub: Server;
let stubUrl: string;
let closedPort = 0;

before(async () => {
  [victoria, prometheus] = await Promise.all([startVictoriaMetrics(), startPrometheus({ version: '3.5' })]);
  [closedPort = 0] = await freePorts(1);
  // A login page with status 200, and a server that denies access to an authenticated client.
  stub = createServer((question, response) => {
    question.resume();
    if (question.url?.startsWith('/forbidden')) response.writeHead(403).end('not for you\n');
    else response.writeHead(200, { 'content-type': 'text/html' }).end('<html><title>Sign in</title></html>');
  });
  await new Promise<void>((resolve) => stub.listen(0, '127.0.0.1', resolve));
  stubUrl = `http://127.0.0.1:${(stub.address() as AddressInfo).port}`;
});

after(async () => {
  stub.closeAllConnections();
  stub.close();
  await Promise.all([victoria, prometheus].map((server) => server[Symbol.asyncDispose]()));
});

interface Urls {
  source?: string;
  destination?: string;
  /** A remote_read URL, or with `promql` the base of a query API. */
  progress?: string;
  promql?: string;
}

interface Failure {
  readonly title: string;
  readonly urls: () => Urls;
  readonly code: string;
  readonly side: 'source' | 'destination' | 'progress';
  /** The message must match. */
  readonly says: RegExp;
}

function failing({ urls }: Failure, args: readonly string[] = []): Promise<CommandRun> {
  const { source, destination, progress, promql } = urls();
  const manifest = manifestOf({
    source: { url: source ?? `${prometheus.url}/api/v1/read` },
    destination: {
      url: destination ?? `${victoria.url}/api/v1/write`,
      progress:
        promql === undefined
          ? { protocol: 'RemoteRead', url: progress ?? `${prometheus.url}/api/v1/read` }
          : { protocol: 'PromQL', url: promql },
    },
    timeRange: {
      start: new Date(START_MS).toISOString(),
      end: new Date(START_MS + 3_600_000).toISOString(),
    },
  });
  return runCommand(['run', '-f', '-', '--output', 'json', ...args], { stdin: JSON.stringify(manifest) });
}

function assertFailed(run: CommandRun, { code, side, says }: Failure): RunResult {
  assert.equal(run.exitCode, 1, run.stderr);
  const result = JSON.parse(run.stdout) as RunResult;
  assert.equal(result.phase, 'Failed');
  assert.deepEqual([result.error?.code, result.error?.side], [code, side], run.stderr);
  assert.match(result.error?.message ?? '', says);
  assert.doesNotMatch(run.stderr, /^\s+at /m, 'no stack trace');
  assert.match(run.stderr, new RegExp(` error migration failed: .* code=${code} side=${side} hint=`));
  return result;
}

/** Far less than the time for which a side is retried by default, and enough for a start on a busy machine. */
const LONG_S = 60;

describe('a side that cannot be reached', () => {
  const failures: readonly (Failure & { readonly retried: string })[] = [
    {
      title: 'the source refuses connections',
      urls: () => ({ source: `http://127.0.0.1:${closedPort}/api/v1/read` }),
      code: 'unreachable',
      side: 'source',
      says: /the source http:\/\/127\.0\.0\.1:\d+\/api\/v1\/read did not respond within 2 s: source refuses connections at 127\.0\.0\.1:\d+.*spec\.source\.url/,
      retried: 'connection-refused',
    },
    {
      title: 'the destination refuses connections',
      urls: () => ({ destination: `http://127.0.0.1:${closedPort}/api/v1/write` }),
      code: 'unreachable',
      side: 'destination',
      says: /the destination http:.* refuses connections at 127\.0\.0\.1:\d+.*spec\.destination\.url/,
      retried: 'connection-refused',
    },
    {
      title: 'the progress endpoint refuses connections',
      urls: () => ({ progress: `http://127.0.0.1:${closedPort}` }),
      code: 'unreachable',
      side: 'progress',
      says: /the progress http:.* refuses connections at 127\.0\.0\.1:\d+.*spec\.destination\.progress\.url/,
      retried: 'connection-refused',
    },
    {
      title: 'the source has an unknown host name',
      urls: () => ({ source: 'http://prometheus.invalid:9090/api/v1/read' }),
      code: 'unreachable',
      side: 'source',
      says: /host name that cannot be resolved: prometheus\.invalid.*host name in spec\.source\.url/,
      retried: 'dns-not-found',
    },
  ];

  for (const failure of failures) {
    it(`is retried, with a log line, until the deadline: ${failure.title}`, async () => {
      const run = await failing(failure, ['--startup-deadline', '2s']);
      const result = assertFailed(run, failure);
      assert.ok(result.retries >= 1);
      assert.match(run.stderr, new RegExp(` warn {2}retrying side=${failure.side} code=${failure.retried} attempt=1 `));
      assert.ok(run.seconds > 2 && run.seconds < LONG_S, `${run.seconds} s`);
    });
  }
});

describe('a wrong URL', () => {
  const failures: readonly Failure[] = [
    {
      title: 'the path of the source does not exist',
      urls: () => ({ source: `${prometheus.url}/api/v1/reed` }),
      code: 'wrong-path',
      side: 'source',
      says: /returned 404.*check spec\.source\.url; remote_read is at \/api\/v1\/read/,
    },
    {
      title: 'the web interface of the source',
      urls: () => ({ source: `${prometheus.url}/query` }),
      code: 'method-not-allowed',
      side: 'source',
      says: /check spec\.source\.url; remote_read is at/,
    },
    {
      title: 'VictoriaMetrics as a source',
      urls: () => ({ source: `${victoria.url}/api/v1/read` }),
      code: 'wrong-path',
      side: 'source',
      says: /VictoriaMetrics and Thanos themselves do not have it/,
    },
    {
      title: 'a login page in front of the source',
      urls: () => ({ source: `${stubUrl}/api/v1/read` }),
      code: 'wrong-content-type',
      side: 'source',
      says: /Sign in.*spec\.source\.url/,
    },
    {
      title: 'a login page in front of the destination',
      urls: () => ({ destination: `${stubUrl}/api/v1/write` }),
      code: 'wrong-content-type',
      side: 'destination',
      says: /spec\.destination\.url/,
    },
    {
      title: 'a source that requires credentials',
      urls: () => ({ source: `${stubUrl}/forbidden` }),
      code: 'forbidden',
      side: 'source',
      says: /returned 403: not for you.*spec\.source\.basicAuth, authorization/,
    },
    {
      title: 'a Prometheus without its receiver',
      urls: () => ({ destination: `${prometheus.url}/api/v1/write` }),
      code: 'receiver-disabled',
      side: 'destination',
      says: /--web\.enable-remote-write-receiver/,
    },
    {
      title: 'the path of the destination does not exist',
      urls: () => ({ destination: `${victoria.url}/api/v1/wright` }),
      code: 'wrong-path',
      side: 'destination',
      says: /check spec\.destination\.url; remote_write is at/,
    },
    {
      title: 'the web interface of the destination',
      urls: () => ({ destination: `${prometheus.url}/query` }),
      code: 'method-not-allowed',
      side: 'destination',
      says: /check spec\.destination\.url; remote_write is at/,
    },
    {
      title: 'a full URL instead of the base of the query API',
      urls: () => ({ promql: `${victoria.url}/vmui/` }),
      code: 'wrong-path',
      side: 'progress',
      says: /spec\.destination\.progress\.url/,
    },
    {
      title: 'a login page in front of the progress endpoint',
      urls: () => ({ promql: stubUrl }),
      code: 'wrong-content-type',
      side: 'progress',
      says: /spec\.destination\.progress\.url/,
    },
    {
      title: 'HTTPS for a server that uses HTTP',
      urls: () => ({ source: `${prometheus.url.replace('http:', 'https:')}/api/v1/read` }),
      code: 'tls-failed',
      side: 'source',
      says: /check whether spec\.source\.url names the right scheme \(https or http, grpcs or grpc\)/,
    },
  ];
  for (const failure of failures) {
    it(`ends the run immediately with the side, the code and the setting: ${failure.title}`, async () => {
      const run = await failing(failure);
      assert.equal(assertFailed(run, failure).retries, 0);
      assert.ok(run.seconds < LONG_S, `${run.seconds} s`);
    });
  }
});
