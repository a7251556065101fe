// A 202 for a request of stale markers only, which a read-back by PromQL does not show.

import assert from 'node:assert/strict';
import type { Fault } from '../../support/stores/faults.ts';
import { startFakeStore } from '../../support/stores/fake-store.ts';
import { prometheus } from '../../support/stores/prometheus.ts';
import { epochMs, minuteMs, planFor, type Run, run } from '../support/plan.ts';
import { type Series, staleBits } from '../support/remote-messages.ts';

const markers: Series[] = Array.from({ length: 3 }, (_, i) => ({
  labels: [
    ['__name__', 'ended'],
    ['instance', `host-${i}`],
  ],
  samples: [{ timeMs: epochMs + minuteMs, bits: staleBits }],
}));

async function copy(
  responses: readonly (Fault | undefined)[],
): Promise<{ result: Run; stored: number; writes: number }> {
  await using source = await startFakeStore(prometheus());
  source.put(markers);
  await using destination = await startFakeStore(prometheus());
  let writes = 0;
  destination.onRequest = ({ kind, isMark }) => (kind === 'write' && !isMark ? responses[writes++] : undefined);
  const plan = planFor({ source, destination }, { protocol: 'PromQL', limits: { inFlightWrites: 1 } });
  return { result: await run(plan), stored: destination.counts().floats, writes };
}

describe('a request of stale markers only, acknowledged with 202', () => {
  it('is sent again, and counts as written when the destination acknowledges it', async () => {
    const { result, stored, writes } = await copy([{ status: 202, commits: true }]);
    assert.equal(result.error, undefined);
    assert.equal(result.progress.samplesWritten, markers.length);
    assert.deepEqual({ stored, writes }, { stored: markers.length, writes: 2 });
  });

  it('counts as written when only the second request is stored', async () => {
    const { result, stored } = await copy([{ status: 202 }]);
    assert.equal(result.error, undefined);
    assert.equal(stored, markers.length);
  });

  it('counts as rejected when an HA tracker drops it again', async () => {
    const { result, stored, writes } = await copy([{ status: 202 }, { status: 202 }]);
    assert.equal(result.error?.code, 'samples-rejected');
    assert.match(result.error?.message ?? '', /at most 3/);
    assert.deepEqual({ stored, writes }, { stored: 0, writes: 2 });
  });
});
