// Secrets stay secret: each field that accepts a secret, and the query of each URL, has its own canary; servers repeat what they received,
// in responses of every class. Then everything that the operator has written is searched for the canaries.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { tell } from '../real/support/expectations.ts';
import { createAuthority } from '../support/certificates.ts';
import { bearer as issued, json, startTokenServer } from '../support/clouds/token-server.ts';
import { request } from '../support/http.ts';
import { type Cluster, startCluster } from '../support/kubernetes/cluster.ts';
import { type FakeStore, type Fault, type StoreRequest, startFakeStore } from './support/fake-store.ts';
import { spellingsOf } from './support/canaries.ts';
import { MigrationObjects, standOf } from './support/migration-objects.ts';
import {
  eventually,
  type InstalledChart,
  installChart,
  type OperatorProcess,
  startOperator,
  succeeded,
  untilReady,
} from './support/operator.ts';
import { reportsOf } from './support/reports.ts';

const RANGE = { startMs: Date.UTC(2025, 4, 1), endMs: Date.UTC(2025, 4, 1, 1) };
const RANDOM = randomBytes(6).toString('hex');

describe('secrets', function () {
  this.timeout(240_000);
  let cluster: Cluster;
  let store: FakeStore;
  let operator: OperatorProcess;
  let migrations: MigrationObjects;
  let chart: InstalledChart;
  /** By their purpose. */
  const canaries = new Map<string, string>();

  function canary(what: string): string {
    const value = `canary-${what}-${RANDOM}`;
    canaries.set(what, value);
    return value;
  }

  before(async function () {
    this.timeout(900_000);
    cluster = await startCluster();
    store = await startFakeStore();
    chart = await installChart(cluster, { maxMigrations: 12, log: { level: 'debug' } });
    migrations = await MigrationObjects.inNamespace(cluster, 'team-a');
    operator = await startOperator({ chart });
    await untilReady(operator);
  });

  after(async () => {
    await operator?.[Symbol.asyncDispose]();
    await store?.[Symbol.asyncDispose]();
    await cluster?.[Symbol.asyncDispose]();
  });

  /** A Secret of this name with one key, which contains a canary, optionally embedded in other text. */
  async function secretOf(name: string, around: (canary: string) => string = (value) => value) {
    await migrations.putSecret(name, { value: around(canary(name)) });
    return { name, key: 'value' };
  }

  async function basicAuth(prefix: string) {
    const references = { username: await secretOf(`${prefix}-user`), password: await secretOf(`${prefix}-password`) };
    const pair = `${canaries.get(`${prefix}-user`)}:${canaries.get(`${prefix}-password`)}`;
    canaries.set(`${prefix}-header`, Buffer.from(pair).toString('base64'));
    return references;
  }

  const bearer = async (prefix: string) => ({ type: 'Bearer', credentials: await secretOf(`${prefix}-token`) });

  function untilStands(name: string, type: string, stand: RegExp) {
    return migrations.until(name, `has ${type} ${stand}`, (status) => stand.test(standOf(status, type) ?? ''), 90_000);
  }

  it('in user and password are not repeated, though every server repeats them in a 401', async () => {
    for (const side of ['source', 'destination', 'progress'] as const) {
      const name = `basic-${side}`;
      const spec = store.spec(name, RANGE, `?query=${canary(`${name}-query`)}`);
      const credentials = { basicAuth: await basicAuth(name) };
      const { source, destination } = spec;
      const { progress } = destination;
      const refused = { source: 'read', destination: 'write', progress: 'back' }[side];
      store.faults.set(name, (asked) => (asked.kind === refused ? { status: 401, body: echo(asked) } : undefined));
      await migrations.create(name, {
        ...spec,
        source: side === 'source' ? { ...source, ...credentials } : source,
        destination: {
          ...destination,
          ...(side === 'destination' && credentials),
          progress: side === 'progress' ? { ...progress, ...credentials } : progress,
        },
      });
    }
    for (const side of ['source', 'destination', 'progress']) {
      const { status } = await untilStands(`basic-${side}`, 'Degraded', /True CredentialsRefused/);
      assert.match(
        status?.recentErrors?.[0]?.message ?? '',
        /you sent .*\*\*\*/,
        'what the server said is shown, masked',
      );
    }
  });

  it('in tokens are not repeated by retries, and the migration succeeds with them', async () => {
    const spec = store.spec('bearer', RANGE, `?api_key=${canary('bearer-query')}&p=${canary('bearer-query-p')}`);
    const asked: Record<string, number> = {};
    store.faults.set('bearer', (request) => {
      const times = (asked[request.kind] ?? 0) + 1;
      asked[request.kind] = times;
      return times <= 2 ? { status: 503, body: echo(request) } : undefined;
    });
    await migrations.create('bearer', {
      ...spec,
      source: { ...spec.source, authorization: await bearer('bearer-source') },
      destination: {
        ...spec.destination,
        authorization: await bearer('bearer-destination'),
        progress: { ...spec.destination.progress, authorization: await bearer('bearer-progress') },
      },
    });
    const { status } = await migrations.untilPhase('bearer', 'Succeeded', 120_000);
    assert.match(status?.recentErrors?.[0]?.message ?? '', /you sent .*\*\*\*/);
    assert.equal(store.storedSamples('bearer'), store.expectedSamples(RANGE));
  });

  it("are not in a destination's messages about rejected samples, nor in events", async () => {
    const spec = store.spec('rejected', RANGE, `?token=${canary('rejected-query')}`);
    store.faults.set('rejected', (asked) =>
      asked.kind === 'write' ? { status: 400, body: `out of order sample: ${echo(asked)}` } : undefined,
    );
    const destination = { ...spec.destination, authorization: await bearer('rejected') };
    await migrations.create('rejected', { ...spec, destination });
    const { status } = await migrations.untilPhase('rejected', 'Failed');
    assert.match(JSON.stringify(status), /you sent/);
  });

  it('are not in a redirect, a rejection or a failed connection', async () => {
    const responses: Record<string, (asked: StoreRequest) => Fault> = {
      redirect: (asked) => ({ status: 302, body: echo(asked), headers: { location: `https://elsewhere${asked.url}` } }),
      missing: (asked) => ({ status: 404, body: echo(asked) }),
      page: (asked) => ({ status: 200, body: `<html>${echo(asked)}</html>`, headers: { 'content-type': 'text/html' } }),
    };
    for (const [name, response] of Object.entries(responses)) {
      const spec = store.spec(name, RANGE, `?password=${canary(`${name}-query`)}`);
      store.faults.set(name, response);
      await migrations.create(name, { ...spec, source: { ...spec.source, authorization: await bearer(name) } });
    }
    const spec = store.spec('nobody', RANGE);
    // No server listens there.
    const url = `http://127.0.0.1:1/read?token=${canary('nobody-query')}`;
    await migrations.create('nobody', { ...spec, source: { url, authorization: await bearer('nobody') } });
    await untilStands('nobody', 'Degraded', /True SourceFailing/);
    for (const name of Object.keys(responses)) await migrations.untilPhase(name, 'Failed', 90_000);
  });

  it('of token requests and tokens are not repeated, though every server repeats what it was sent', async () => {
    await using tokens = await startTokenServer(({ url, headers, form, text }) => {
      if (url.pathname === '/good') return issued(canary('issued-token'));
      const pair = Buffer.from(headers.authorization?.slice('Basic '.length) ?? '', 'base64').toString('utf8');
      const description = `you sent ${headers.authorization} (${pair}) ${form.get('client_assertion')} ${text} to ${url}`;
      return json(400, { error: 'invalid_client', error_description: description });
    });
    const { key } = createAuthority().issue('client');
    canaries.set('a key for assertions', key.split('\n')[1] ?? '');
    const oauth2 = async (name: string, path: string, proof: object) => ({
      oauth2: {
        clientId: { secret: await secretOf(`${name}-id`) },
        ...{ ...proof, tokenUrl: `${tokens.url}${path}?key=${canary(`${name}-query`)}` },
        endpointParams: { audience: canary(`${name}-parameter`) },
      },
    });
    const refusals = {
      'token-refused': await oauth2('token-refused', '/bad', { clientSecret: await secretOf('token-refused') }),
      'key-refused': await oauth2('key-refused', '/bad', {
        privateKey: { key: await secretOf('key', () => key), algorithm: 'ES256' },
      }),
      'issued-refused': await oauth2('issued', '/good', { clientSecret: await secretOf('issued') }),
      'keys-refused': {
        sigv4: { region: 'r', accessKey: await secretOf('access-key'), secretKey: await secretOf('secret-key') },
      },
    };
    for (const [name, credentials] of Object.entries(refusals)) {
      const spec = store.spec(name, RANGE);
      store.faults.set(name, (asked) => (asked.kind === 'read' ? { status: 401, body: echo(asked) } : undefined));
      await migrations.create(name, { ...spec, source: { ...spec.source, ...credentials } });
    }
    for (const name of Object.keys(refusals)) {
      const { status } = await untilStands(name, 'Degraded', /True CredentialsRefused/);
      assert.match(status?.recentErrors?.[0]?.message ?? '', /you sent .*\*\*\*/);
    }
    assert.ok(tokens.requests.some(({ form }) => form.has('client_assertion')));
  });

  it('that cannot be used are reported by name, not by value', async () => {
    const authority = createAuthority();
    const { key } = authority.issue('client');
    canaries.set('a private key', key.split('\n')[1] ?? '');
    await migrations.putSecret('good-key', { value: key });
    const pem = (text: string) => `-----BEGIN PRIVATE KEY-----\n${text}\n-----END PRIVATE KEY-----\n`;
    const https = (name: string) => {
      const spec = store.spec(name, RANGE);
      return { ...spec, source: { url: spec.source.url.replace('http:', 'https:') } };
    };
    const unusable: Record<string, object> = {
      'bad-ca': { tls: { ca: { secret: await secretOf('bad-ca') } } },
      'bad-cert': {
        tls: { cert: { secret: await secretOf('bad-cert') }, keySecret: { name: 'good-key', key: 'value' } },
      },
      'bad-key': {
        tls: { cert: { secret: await secretOf('bad-key-cert') }, keySecret: await secretOf('bad-key', pem) },
      },
      'bad-token': {
        authorization: { type: 'Bearer', credentials: await secretOf('bad-token', (text) => `${text}\n☃\0`) },
      },
    };
    for (const [name, fields] of Object.entries(unusable)) {
      const spec = https(name);
      await migrations.create(name, { ...spec, source: { ...spec.source, ...fields } });
      await untilStands(name, 'Accepted', /False SecretUnusable/);
    }
    // Two valid ones, for a server that does not speak TLS.
    await migrations.putSecret('client', { cert: authority.issue('other').cert, key });
    const missing = https('missing-key');
    const authorization = { type: 'Bearer', credentials: { name: (await secretOf('holder')).name, key: 'none' } };
    await migrations.create('missing-key', { ...missing, source: { ...missing.source, authorization } });
    await untilStands('missing-key', 'Accepted', /False SecretNotFound/);
    const plain = https('no-tls');
    await migrations.create('no-tls', { ...plain, source: { ...plain.source, authorization: await bearer('no-tls') } });
    await migrations.until('no-tls', 'cannot connect', ({ recentErrors }) => recentErrors !== undefined);
  });

  it('are in nothing that the operator has written', async () => {
    const token = /"?token"?: "?([\w.-]+)/.exec(await readFile(chart.kubeconfig, 'utf8'))?.[1];
    assert.ok(token, 'the service account has a token');
    canaries.set("the operator's own token", token);
    await eventually('the failures are told as events', async () => {
      return (await migrations.events()).filter(({ reason }) => reason === 'Failed').length >= 4;
    });
    const metrics = await operator.metrics();
    const pages = await Promise.all(['/readyz', '/livez', '/'].map((path) => request(`${operator.url}${path}`)));
    assert.equal(await operator.stop(), 0);
    const get = async (...args: string[]) => succeeded(await cluster.kubectl(['get', '-A', '-o', 'json', ...args]));
    const objects = (await migrations.list()).map(({ metadata, status }) => ({ metadata, status }));
    const written = {
      reports: await reportsOf(chart, await migrations.list(), operator.log()),
      log: operator.log(),
      events: await get('events.events.k8s.io', '--show-managed-fields'),
      'old events': await get('events', '--show-managed-fields'),
      leases: await get('leases', '--show-managed-fields'),
      status: JSON.stringify(objects),
      metrics,
      pages: pages.map(({ body }) => body.toString('utf8')).join('\n'),
    };
    assert.ok(
      objects.length >= 17 && objects.every(({ status }) => status?.phase !== undefined),
      'each has a status of the operator to search',
    );
    assert.ok(written.log.split('\n').length > 25, 'there is a log to search');

    const found: string[] = [];
    for (const [where, text] of Object.entries(written)) {
      for (const [what, value] of canaries) {
        for (const spelling of spellingsOf(value)) {
          const at = text.indexOf(spelling);
          if (at >= 0) found.push(`${what} in ${where}: …${text.slice(Math.max(0, at - 200), at + 60)}…`);
        }
      }
    }
    assert.deepEqual(found, []);

    // The test can fail: the servers received the secrets and repeated them.
    const sent = store.requests.map(({ authorization, url }) => `${authorization ?? ''} ${url}`).join('\n');
    for (const what of [
      'issued-token',
      'access-key',
      'bearer-source-token',
      'bearer-destination-token',
      'bearer-progress-token',
      'bearer-query',
    ]) {
      assert.ok(sent.includes(canaries.get(what) ?? '?'), `${what} was never used`);
    }
    tell(
      `${canaries.size} canaries in ${spellingsOf('').length} spellings, none of them in ${Object.keys(written).join(', ')}`,
    );
  });
});

/** Some servers include the request in their error message. */
function echo({ authorization = '', url }: StoreRequest): string {
  const [, base64 = ''] = /^Basic (.*)$/.exec(authorization) ?? [];
  const plain = Buffer.from(base64, 'base64').toString('utf8');
  return `you sent ${authorization} (${plain}) to ${url}`;
}
