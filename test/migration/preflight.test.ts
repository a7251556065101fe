// `plan` against stores that behave like the real ones: what it asks for, that it writes nothing, and that no secret gets into what it says.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { preflight } from '../../src/migration/preflight.ts';
import { verdictOf } from '../../src/migration/preflight/preflight-result.ts';
import { Secret, SecretUrl } from '../../src/telemetry/secret.ts';
import { SYSTEM_CLOCK } from '../../src/telemetry/clock.ts';
import { cortex } from '../support/stores/cortex.ts';
import { type Behaviour, startFakeStore } from '../support/stores/fake-store.ts';
import { m3 } from '../support/stores/m3.ts';
import { prometheus } from '../support/stores/prometheus.ts';
import { promscale } from '../support/stores/promscale.ts';
import { thanos } from '../support/stores/thanos.ts';
import { victoriametrics } from '../support/stores/victoriametrics.ts';
import { shownTexts } from '../support/secrets.ts';
import { prometheusWith } from './stores/support/copies.ts';
import { testSeries } from './stores/support/store-cases.ts';
import { endpoint, planFor } from './support/plan.ts';

const context = () => ({ clock: SYSTEM_CLOCK, random: () => 0.5, signal: new AbortController().signal });

/** Times of a fast clock do not fit the clock of these runs. */
const TIMEOUTS = { connectMs: 5000, firstByteMs: 5000, silenceMs: 5000 };

const stores: readonly (readonly [string, () => Behaviour, 'RemoteRead' | 'PromQL'])[] = [
  ['Prometheus', prometheus, 'RemoteRead'],
  ['VictoriaMetrics', victoriametrics, 'PromQL'],
  ['Cortex', cortex, 'RemoteRead'],
  ['Thanos', thanos, 'PromQL'],
  ['M3', m3, 'RemoteRead'],
  ['Promscale', promscale, 'RemoteRead'],
];

describe('plan', () => {
  for (const [name, open, protocol] of stores) {
    it(`reads from ${name} and writes nothing`, async () => {
      await using source = await prometheusWith();
      await using destination = await startFakeStore(open());
      const plan = planFor({ source, destination }, { protocol });
      const { findings, unjudged, estimate } = await preflight(plan, context());
      assert.deepEqual(unjudged, []);
      assert.deepEqual(
        findings.filter(({ grade }) => grade === 'blocks').map(({ code, has }) => [code, has]),
        [],
      );
      const samples = testSeries().reduce((sum, series) => sum + series.samples.length, 0);
      assert.ok(
        estimate && Math.abs(estimate.samples.value / samples - 1) < 0.25,
        `${estimate?.samples.value} of ${samples}`,
      );
      for (const store of [source, destination]) {
        assert.deepEqual(
          store.requests.filter(({ kind, bytes }) => kind === 'write' && bytes > 0),
          [],
        );
      }
      assert.deepEqual(destination.series(), []);
      assert.deepEqual(destination.failures, []);
    });
  }

  it('finds samples that the destination already has', async () => {
    await using source = await prometheusWith();
    await using destination = await prometheusWith();
    const { findings } = await preflight(planFor({ source, destination }), context());
    assert.ok(findings.some(({ code }) => code === 'destination-has-data'));
  });

  it('names each side that refuses, and shows no secret', async () => {
    const secrets = ['Qm9ndXM-canary', 'canary-user', 'canary-password', 'canary-query'];
    await using refusing = await startRefusing(secrets);
    const secretEndpoint = (side: 'source' | 'destination' | 'progress', path: string) => ({
      ...endpoint(side, `${refusing.url}${path}?token=canary-query`, { timeouts: TIMEOUTS }),
      headers: { 'x-api-key': new Secret('Qm9ndXM-canary') },
      auth: { kind: 'basic', username: new Secret('canary-user'), password: new Secret('canary-password') } as const,
    });
    const sides = {
      source: { readUrl: refusing.url },
      destination: { writeUrl: refusing.url, readUrl: refusing.url, queryUrl: refusing.url },
    };
    const plan = {
      ...planFor(sides, { source: secretEndpoint('source', '/api/v1/read') }),
      destination: { ...secretEndpoint('destination', '/api/v1/write'), ordering: 'InOrder' as const },
      progress: { protocol: 'RemoteRead' as const, endpoint: secretEndpoint('progress', '/api/v1/read') },
    };
    const result = await preflight(plan, context());
    assert.equal(verdictOf(result), 'blocked');
    const refused = result.findings.filter(({ code }) => code === 'side-refuses');
    assert.deepEqual(refused.map(({ side }) => side).sort(), ['destination', 'progress', 'source']);
    for (const { has } of refused) assert.match(has, /^unauthorized: /);
    const shown = shownTexts(result);
    for (const secret of secrets) assert.ok(!shown.includes(secret), `${secret} is shown`);
    assert.ok(refusing.requests > 0);
  });

  it('does not judge what does not respond', async () => {
    const plan = planFor({
      source: { readUrl: new SecretUrl('http://127.0.0.1:9/api/v1/read').reveal() },
      destination: {
        writeUrl: 'http://127.0.0.1:9/w',
        readUrl: 'http://127.0.0.1:9/r',
        queryUrl: 'http://127.0.0.1:9',
      },
    });
    const result = await preflight(plan, context());
    assert.equal(verdictOf(result), 'not-judged');
    assert.deepEqual(result.unjudged.map(({ side }) => side).sort(), ['destination', 'progress', 'source']);
    assert.equal(result.estimate, undefined);
  });
});

/** Responds 401 to everything, and repeats what it was sent. */
async function startRefusing(secrets: readonly string[]) {
  let requests = 0;
  const server = createServer((request, response) => {
    requests++;
    request.resume();
    response.writeHead(401, { 'content-type': 'text/plain' });
    response.end(`no access for ${secrets.join(' ')} ${request.headers.authorization ?? ''} at ${request.url ?? ''}`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get requests() {
      return requests;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
