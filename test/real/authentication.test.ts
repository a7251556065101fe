// Credentials and certificates against real servers. No secret is ever shown: not in the debug log, not in the result, not in the metrics,
// whether the run succeeds or not.

import assert from 'node:assert/strict';
import { generateDataset } from '../support/dataset.ts';
import { pushSamples } from '../support/load.ts';
import { dumpPrometheus } from '../support/readers.ts';
import { compareSeries } from '../support/series-comparison.ts';
import type { SeriesSet } from '../support/series-set.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { BASIC_AUTH, startPrometheus, type WebOptions } from '../support/servers.ts';
import type { MigrationSpec } from './support/migration.ts';
import { startReverseProxy } from './support/reverse-proxy.ts';
import {
  AUTHORITY,
  assertRefused,
  CLIENT,
  QUERY_SECRET,
  runWatched,
  STRANGER,
  STRANGERS,
  TOKEN,
  type Watched,
} from './support/watched-run.ts';

const START_MS = Date.UTC(2025, 4, 1);
const END_MS = START_MS + 3_600_000;
const serverCertificate = AUTHORITY.issue('localhost');

const BASIC: WebOptions = {
  basicAuth: BASIC_AUTH,
  identity: { username: BASIC_AUTH.username, password: BASIC_AUTH.password },
};
const MUTUAL_TLS: WebOptions = {
  tls: { ...serverCertificate, clientCa: AUTHORITY.cert },
  identity: { ca: AUTHORITY.cert, ...CLIENT },
};

const secret = (name: string, stringData: Record<string, string>) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name },
  stringData,
});
const LOGIN = secret('login', { user: BASIC_AUTH.username, password: `${BASIC_AUTH.password}\n` });
const basicAuth = { username: { name: 'login', key: 'user' }, password: { name: 'login', key: 'password' } };
const CERTIFICATES = [
  { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'authority' }, data: { 'ca.crt': AUTHORITY.cert } },
  secret('client', { 'tls.crt': CLIENT.cert, 'tls.key': CLIENT.key }),
];
const tls = {
  ca: { configMap: { name: 'authority', key: 'ca.crt' } },
  cert: { secret: { name: 'client', key: 'tls.crt' } },
  keySecret: { name: 'client', key: 'tls.key' },
};

let set: SeriesSet;
let source: ServerProcess;
let destination: ServerProcess;

/** A source with data and an empty destination, both with this web configuration. */
async function startBoth(web: WebOptions): Promise<void> {
  set = generateDataset({ series: 11, startMs: START_MS, endMs: END_MS });
  [source, destination] = await Promise.all([
    startPrometheus({ version: '3.5', receiver: true, web }),
    startPrometheus({ version: '3.5', receiver: true, web }),
  ]);
  const identity = web.identity ?? {};
  await pushSamples(`${source.url}/api/v1/write`, set, { identity });
}

async function stopBoth(): Promise<void> {
  await Promise.all([source[Symbol.asyncDispose](), destination[Symbol.asyncDispose]()]);
}

function specOf(
  from: { url: string; fields: object },
  to: { url: string; fields: object; progress?: object },
): MigrationSpec {
  return {
    source: { url: `${from.url}/api/v1/read`, ...from.fields },
    destination: {
      url: `${to.url}/api/v1/write`,
      ...to.fields,
      progress: { protocol: 'RemoteRead', url: `${to.url}/api/v1/read`, ...to.progress },
    },
    timeRange: { start: new Date(START_MS).toISOString(), end: new Date(END_MS).toISOString() },
  };
}

const both = (fields: object) => specOf({ url: source.url, fields }, { url: destination.url, fields });

async function assertCopied(run: Watched): Promise<void> {
  assert.equal(run.exitCode, 0, run.stderr);
  assert.match(run.metrics, /prom_migrator_build_info/, 'the metrics were looked at');
  const { differences, first } = compareSeries(set, await dumpPrometheus(destination), {
    values: 'bits',
    ignore: (labels) => labels.get('__name__') === 'prom_migrator_progress',
  });
  assert.equal(differences, 0, first ?? '');
}

describe('basic authentication', () => {
  before(() => startBoth(BASIC));
  after(stopBoth);

  it('is taken from a Secret in the same file; reading the progress inherits it from the destination', async () => {
    await assertCopied(await runWatched(both({ basicAuth }), [LOGIN]));
  });

  it('is taken from a second file, and from a secrets directory', async () => {
    const spec = both({ basicAuth });
    const fromFile = await runWatched(spec, [], {
      args: ['-f', 'secrets.yaml'],
      files: { 'secrets.yaml': JSON.stringify(LOGIN) },
    });
    assert.equal(fromFile.exitCode, 0, fromFile.stderr);
    const fromDirectory = await runWatched(spec, [], {
      args: ['--secrets-dir', 'secrets'],
      files: { 'secrets/login/user': BASIC_AUTH.username, 'secrets/login/password': `${BASIC_AUTH.password}\n` },
    });
    assert.equal(fromDirectory.exitCode, 0, fromDirectory.stderr);
    assert.equal(fromDirectory.result.samplesRead, 0, 'the first run had copied everything');
  });

  it('with a wrong password ends immediately and names the side and the setting', async () => {
    const wrong = secret('wrong', { user: BASIC_AUTH.username, password: 'wrong horse' });
    const wrongAuth = { username: { name: 'wrong', key: 'user' }, password: { name: 'wrong', key: 'password' } };
    const at = (fields: object) => ({ url: source.url, fields });
    const to = (fields: object, progress: object) => ({ url: destination.url, fields, progress });
    // Unique names, so that there is no mark to resume from.
    const sides = [
      ['source', specOf(at({ basicAuth: wrongAuth }), to({ basicAuth }, {}))],
      ['destination', specOf(at({ basicAuth }), to({ basicAuth: wrongAuth }, { basicAuth }))],
      ['progress', specOf(at({ basicAuth }), to({ basicAuth }, { basicAuth: wrongAuth }))],
    ] as const;
    for (const [side, spec] of sides) {
      const path = side === 'progress' ? 'spec\\.destination\\.progress' : `spec\\.${side}`;
      const fresh = { ...spec, externalLabels: { side } };
      const run = await runWatched(fresh, [LOGIN, wrong]);
      assertRefused(run, 'unauthorized', side, new RegExp(`${path}\\.basicAuth`));
    }
  });
});

describe('a bearer token', () => {
  before(() => startBoth({}));
  after(stopBoth);

  const authorization = { credentials: { name: 'token', key: 'token' } };

  it('is sent with every request', async () => {
    await using from = await startReverseProxy({ target: source.url, authorization: `Bearer ${TOKEN}` });
    await using to = await startReverseProxy({ target: destination.url, authorization: `Bearer ${TOKEN}` });
    const spec = specOf({ url: from.url, fields: { authorization } }, { url: to.url, fields: { authorization } });
    await assertCopied(await runWatched(spec, [secret('token', { token: TOKEN })]));
    assert.equal(from.refused + to.refused, 0);
  });

  it('that is rejected ends the run immediately, and is masked where the server repeats it', async () => {
    await using from = await startReverseProxy({ target: source.url, authorization: 'Bearer another' });
    const spec = specOf({ url: from.url, fields: { authorization } }, { url: destination.url, fields: {} });
    const run = await runWatched({ ...spec, externalLabels: { run: 'refused' } }, [secret('token', { token: TOKEN })]);
    assertRefused(run, 'unauthorized', 'source', /spec\.source\.basicAuth, authorization/);
    assert.match(run.result.error?.message ?? '', /no such token: Bearer \*\*\*/);
    assert.equal(from.refused, 1);
  });
});

describe('a secret in the query of a URL', () => {
  before(() => startBoth({}));
  after(stopBoth);

  const query = `?db=metrics&u=me&p=${encodeURIComponent(QUERY_SECRET)}`;

  function withQuery(sourceBase: string, destinationBase: string): MigrationSpec {
    const spec = specOf({ url: sourceBase, fields: {} }, { url: destinationBase, fields: {} });
    const sourceOf = spec['source'] as { url: string };
    const destinationOf = spec['destination'] as { url: string; progress: { url: string } };
    sourceOf.url += query;
    destinationOf.url += query;
    destinationOf.progress.url += query;
    return spec;
  }

  it('is sent and never shown', async () => {
    await assertCopied(await runWatched(withQuery(source.url, destination.url)));
  });

  it('is not shown in errors', async () => {
    const spec = withQuery(`${source.url}/nowhere`, destination.url);
    assertRefused(await runWatched(spec), 'wrong-path', 'source', /spec\.source\.url/);
    const away = await runWatched(withQuery('http://127.0.0.1:1', destination.url), [], {
      args: ['--startup-deadline', '1s'],
    });
    assert.equal(away.exitCode, 1);
    assert.equal(away.result.error?.code, 'unreachable');
    assert.match(away.result.error?.message ?? '', /127\.0\.0\.1:1\/api\/v1\/read\?/, 'the URL is named');
  });
});

describe('mutual TLS', () => {
  before(() => startBoth(MUTUAL_TLS));
  after(stopBoth);

  it('works with certificates from a ConfigMap and a Secret', async () => {
    await assertCopied(await runWatched(both({ tls }), CERTIFICATES));
  });

  const failures: readonly { title: string; tls: object; code: string; setting: RegExp }[] = [
    {
      title: 'a CA that did not sign the server certificate',
      tls: { ...tls, ca: { configMap: { name: 'strangers', key: 'ca.crt' } } },
      code: 'tls-untrusted',
      setting: /spec\.source\.tls\.ca/,
    },
    {
      title: 'no configured CA',
      tls: { cert: tls.cert, keySecret: tls.keySecret },
      code: 'tls-untrusted',
      setting: /spec\.source\.tls\.ca/,
    },
    {
      title: 'no client certificate',
      tls: { ca: tls.ca },
      code: 'tls-client-certificate',
      setting: /spec\.source\.tls\.cert and spec\.source\.tls\.keySecret/,
    },
    {
      title: 'a client certificate of another CA',
      tls: {
        ca: tls.ca,
        cert: { secret: { name: 'stranger', key: 'tls.crt' } },
        keySecret: { name: 'stranger', key: 'tls.key' },
      },
      code: 'tls-client-certificate',
      setting: /spec\.source\.tls\.cert and spec\.source\.tls\.keySecret/,
    },
    {
      title: 'a server name that is not in the certificate',
      tls: { ...tls, serverName: 'prometheus.example.com' },
      code: 'tls-wrong-name',
      setting: /spec\.source\.tls\.serverName/,
    },
  ];
  for (const failure of failures) {
    it(`ends immediately with ${failure.title}`, async () => {
      const spec = specOf({ url: source.url, fields: { tls: failure.tls } }, { url: destination.url, fields: { tls } });
      const run = await runWatched({ ...spec, externalLabels: { run: failure.code } }, [
        ...CERTIFICATES,
        { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'strangers' }, data: { 'ca.crt': STRANGERS.cert } },
        secret('stranger', { 'tls.crt': STRANGER.cert, 'tls.key': STRANGER.key }),
      ]);
      assertRefused(run, failure.code, 'source', failure.setting);
    });
  }

  it('is distinguished from plain HTTP', async () => {
    const spec = specOf(
      { url: source.url.replace('https:', 'http:'), fields: {} },
      { url: destination.url, fields: { tls } },
    );
    const run = await runWatched({ ...spec, externalLabels: { run: 'plain' } }, CERTIFICATES);
    assertRefused(run, 'https-expected', 'source', /https:\/\/ in spec\.source\.url/);
  });
});
