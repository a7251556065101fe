// `run` with spec.preflight Enforce: nothing is written while a finding blocks.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { runEnforced } from '../../src/execute/run-enforced.ts';
import { type RunContext, runMigration } from '../../src/execute/run-migration.ts';
import { SYSTEM_CLOCK } from '../../src/telemetry/clock.ts';
import { prometheusWith } from '../migration/stores/support/copies.ts';
import { endpoint, planFor, RecordingObserver } from '../migration/support/plan.ts';
import { startFakeStore } from '../support/stores/fake-store.ts';
import { prometheus } from '../support/stores/prometheus.ts';

function contextOf(changes: Partial<Omit<RunContext, 'observer'>> = {}) {
  const observer = new RecordingObserver();
  const never = new AbortController().signal;
  const context = { clock: SYSTEM_CLOCK, random: () => 0.5, stop: never, abort: never, startupDeadlineMs: 60_000 };
  return { ...context, observer, ...changes };
}

const warnings = ({ events }: RecordingObserver) =>
  events.flatMap((event) => (event.type === 'warning' ? [event.code] : []));

describe('a run with preflight Enforce', () => {
  it('writes nothing while a finding blocks, and names it', async () => {
    await using source = await prometheusWith();
    await using destination = await startRefusingGet();
    const urls = { writeUrl: destination.url, readUrl: destination.url, queryUrl: destination.url };
    const plan = planFor({ source, destination: urls }, { protocol: 'None' });
    const { progress, error } = await runEnforced(plan, contextOf());
    assert.equal(progress.phase, 'Failed');
    assert.equal(error?.code, 'preflight-blocked');
    assert.equal(error?.side, 'destination');
    assert.match(error?.message ?? '', /^side-refuses \(destination\): has unauthorized: .*; needs .*; do: /);
    assert.deepEqual([...new Set(destination.methods)], ['GET']);
    await runMigration(plan, contextOf());
    assert.ok(destination.methods.includes('POST'), 'it would write otherwise');
  });

  it('copies if nothing blocks, and reports what warns', async () => {
    await using source = await prometheusWith();
    await using destination = await startFakeStore(prometheus());
    const context = contextOf();
    const { progress } = await runEnforced(planFor({ source, destination }, { protocol: 'None' }), context);
    assert.equal(progress.phase, 'Succeeded');
    assert.ok(progress.samplesWritten > 0);
    assert.deepEqual(warnings(context.observer), ['preflight-finding', 'at-least-once']);
  });

  it('does not look at a copy that has begun', async () => {
    await using source = await prometheusWith();
    await using destination = await startFakeStore(prometheus());
    const plan = planFor({ source, destination });
    assert.equal((await runEnforced(plan, contextOf())).progress.phase, 'Succeeded');
    const before = source.requests.length;
    const context = contextOf();
    assert.equal((await runEnforced(plan, context)).progress.phase, 'Succeeded');
    assert.equal(source.requests.length, before);
    assert.deepEqual(warnings(context.observer), []);
  });

  it('writes nothing if a side cannot be looked at before the startup deadline', async () => {
    await using destination = await startFakeStore(prometheus());
    const source = { readUrl: 'http://127.0.0.1:9/api/v1/read' };
    const plan = planFor({ source, destination });
    const quick = endpoint('source', source.readUrl, {
      timeouts: { connectMs: 500, firstByteMs: 500, silenceMs: 500 },
    });
    const context = contextOf({ startupDeadlineMs: 1 });
    const { error } = await runEnforced({ ...plan, source: { ...plan.source, ...quick } }, context);
    assert.equal(error?.code, 'preflight-not-judged');
    assert.match(error?.message ?? '', /^the source could not be looked at: /);
    assert.deepEqual(
      destination.requests.filter(({ kind, bytes }) => kind === 'write' && bytes > 0),
      [],
    );
  });

  it('ends when it is stopped', async () => {
    await using source = await prometheusWith();
    await using destination = await startFakeStore(prometheus());
    const context = contextOf({ stop: AbortSignal.abort() });
    const { progress } = await runEnforced(planFor({ source, destination }), context);
    assert.equal(progress.phase, 'Interrupted');
  });
});

/** A destination that refuses every GET, and accepts every write. */
async function startRefusingGet() {
  const methods: string[] = [];
  const server = createServer((request, response) => {
    methods.push(request.method ?? '');
    request.resume();
    response.writeHead(request.method === 'GET' ? 401 : 204).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1/write`,
    methods,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
