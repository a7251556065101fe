// A whole migration with access tokens that expire, and a token endpoint that is down when a new one is needed.

import assert from 'node:assert/strict';
import { oauth2 } from '../../support/clouds/credentials.ts';
import { bearer, json, startTokenServer } from '../../support/clouds/token-server.ts';
import { startFakeStore } from '../../support/stores/fake-store.ts';
import { prometheus } from '../../support/stores/prometheus.ts';
import { SteppedClock } from '../support/fake-clock.ts';
import { dayMs, endpoint, epochMs, hourMs, planFor, run } from '../support/plan.ts';
import { assertComplete, prometheusWith } from './support/copies.ts';
import { testSeries } from './support/store-cases.ts';

const STEP_MS = 60_000;
const LIFE_MS = 10 * STEP_MS;
/** Two writes are in flight, and each moves the clock. */
const ON_THE_WAY_MS = 2 * STEP_MS;

describe('a migration into a store that requires access tokens', () => {
  async function copy(isDown: (request: number) => boolean) {
    const clock = new SteppedClock({ nowMs: epochMs + 30 * dayMs, speed: 20 });
    const ends = new Map<string, number>();
    await using tokens = await startTokenServer((_, number) => {
      if (isDown(number)) return json(503, { error: 'temporarily_unavailable' });
      ends.set(`Bearer token-${number}`, clock.monotonicMs() + LIFE_MS);
      return bearer(`token-${number}`, { expires_in: LIFE_MS / 1000 });
    });
    await using source = await prometheusWith();
    await using destination = await startFakeStore(prometheus(), { now: () => clock.now() });
    const rejected: string[] = [];
    destination.onRequest = async ({ kind, headers }) => {
      const endMs = ends.get(headers.authorization ?? '');
      if (endMs === undefined || clock.monotonicMs() >= endMs + ON_THE_WAY_MS) {
        rejected.push(`${kind} ${headers.authorization}`);
        return { status: 401, body: 'token expired' };
      }
      if (kind === 'write') clock.aheadMs += STEP_MS;
      // A request for a new token is on its way meanwhile.
      await new Promise((resolve) => setTimeout(resolve, 5));
      return undefined;
    };
    const auth = oauth2(tokens.url);
    const sides = { source, destination };
    const changes = { destination: { auth }, limits: { samplesPerWrite: 10 }, window: { maxMs: hourMs / 4 } };
    const progress = { protocol: 'RemoteRead' as const, endpoint: endpoint('progress', destination.readUrl, { auth }) };
    const result = await run({ ...planFor(sides, changes), progress }, { clock });
    assertComplete(result, destination, testSeries());
    assert.deepEqual(rejected, []);
    return { result, tokens: ends.size };
  }

  it('has no request refused, and none that waits for more than a token', async () => {
    const { result, tokens } = await copy(() => false);
    assert.ok(tokens > 4, `${tokens} tokens`);
    assert.deepEqual(result.observer.all('retry'), []);
  });

  it('waits and retries while there is no valid token, and reports why', async () => {
    // The second token is requested in vain until the first one has expired, and some times more.
    const { result } = await copy((request) => request > 1 && request < 10);
    const retries = result.observer.all('retry');
    assert.ok(retries.length > 0);
    for (const { code, message } of retries) {
      assert.equal(code, 'credentials-unavailable');
      assert.match(
        message,
        /cannot be authenticated: the token endpoint 127\.0\.0\.1:\d+ \(spec\.destination\.oauth2\.tokenUrl\) returned 503: temporarily_unavailable$/,
      );
    }
  });
});
