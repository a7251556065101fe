import assert from 'node:assert/strict';
import { DestinationPace } from '../../../src/migration/limits/destination-pace.ts';
import type { SentRequest } from '../../../src/migration/limits/limit-units.ts';
import { RemoteError } from '../../../src/remote/meaning/remote-error.ts';
import { SimulatedClock } from './support/simulation.ts';

const { signal } = new AbortController();
const amountsOf = (samples: number) => ({ samples, requests: 1, bytes: 10 * samples });

function refusal(text: string, retryAfterMs: number): RemoteError {
  const code = text === '' ? 'rate-limited' : 'ingestion-limited';
  const what = `returned 429: ${text}`;
  return new RemoteError({ class: 'transient', code, side: 'destination', what, status: 429, retryAfterMs });
}

/** Runs the clock until a request may be sent, for at most `maxMs`. */
async function sent(pace: DestinationPace, clock: SimulatedClock, samples: number, maxMs: number) {
  let request: SentRequest | undefined;
  void pace.take(amountsOf(samples), signal).then((taken) => {
    request = taken;
  });
  const wake = clock.sleep(maxMs);
  await clock.run(clock.now() + maxMs);
  await wake;
  return request;
}

describe('the pace of a destination', () => {
  it('holds no request for more than ten seconds, whatever was learned from small ones', async () => {
    const clock = new SimulatedClock();
    const pace = new DestinationPace({ clock, progress: { heldBy: undefined } });
    pace.accepted((await sent(pace, clock, 1_000_000, 1000)) as SentRequest);
    // An outage that looks like a limit, while the last sample of a window is written.
    for (let i = 0; i < 25; i++) {
      const request = await sent(pace, clock, 1, 10_001);
      assert.ok(request !== undefined);
      pace.refused(request, refusal('', 5000));
    }
    pace.accepted((await sent(pace, clock, 1, 10_001)) as SentRequest);
    assert.notEqual(await sent(pace, clock, 10_000, 10_001), undefined);
  });

  it('takes no limit from a text that has none', async () => {
    const clock = new SimulatedClock();
    const pace = new DestinationPace({ clock, progress: { heldBy: undefined } });
    const request = (await sent(pace, clock, 1000, 1000)) as SentRequest;
    pace.refused(request, refusal('ingestion rate limit (1e999) exceeded while adding 3 samples', 0));
    assert.ok(pace.isFollowing);
    assert.notEqual(await sent(pace, clock, 1000, 10_001), undefined);
  });
});
