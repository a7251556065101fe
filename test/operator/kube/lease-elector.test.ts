import assert from 'node:assert/strict';
import { KubeClient } from '../../../src/operator/kube/kube-client.ts';
import type { Lease, LeaseSpec } from '../../../src/operator/kube/kube-objects.ts';
import { RELEASED } from '../../../src/operator/kube/lease-rules.ts';
import { LeaseElector } from '../../../src/operator/kube/lease-elector.ts';
import { FakeApiServer, type SeenRequest } from '../support/fake-api-server.ts';
import { ManualClock, settled, until } from '../support/manual-clock.ts';

const collection = '/apis/coordination.k8s.io/v1/namespaces/operators/leases';
const path = `${collection}/prom-migrator`;
const isWrite = ({ method }: SeenRequest) => method === 'PUT' || method === 'POST';

class World implements AsyncDisposable {
  readonly server: FakeApiServer;
  readonly client: KubeClient;
  /** Shared by all candidates: their wall clocks are what `skewMs` makes of it. */
  readonly clock = new ManualClock();
  readonly log: string[] = [];
  readonly #candidates: Candidate[] = [];

  constructor(server: FakeApiServer) {
    this.server = server;
    this.client = new KubeClient(server.connection, { request: () => {} });
  }

  get lease(): Lease | undefined {
    return this.server.read<Lease>(path);
  }

  /** Who works, or has been told to stop and may not have done so yet. */
  get working(): string[] {
    return this.#candidates.filter((candidate) => candidate.isWorking).map(({ identity }) => identity);
  }

  candidate(identity: string, skewMs = 0, client = this.client): Candidate {
    const candidate = new Candidate(this, identity, skewMs, client);
    this.#candidates.push(candidate);
    return candidate;
  }

  /** Time passes in small steps, with the answers of the server between them. */
  async pass(ms: number, stepMs = 1_000): Promise<void> {
    for (let left = ms; left > 0; left -= stepMs) {
      await this.clock.advance(Math.min(stepMs, left));
      await new Promise((resolve) => setTimeout(resolve, 2));
      await settled();
      assert.ok(this.working.length <= 1, `two at once: ${this.log.join()}`);
    }
  }

  /** Deletes the Lease, as `kubectl delete lease` does. */
  delete(): void {
    this.server.remove(path);
  }

  /** Puts fields into the Lease, as `kubectl patch` does. */
  patch(spec: Partial<LeaseSpec>): void {
    this.server.put(collection, { ...this.lease!, spec: { ...this.lease?.spec, ...spec } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.clearFaults();
    for (const { stop } of this.#candidates) stop.abort(new Error('stop'));
    await Promise.all(this.#candidates.map(({ running }) => running));
    this.client.close();
    await this.server[Symbol.asyncDispose]();
  }
}

/** How long the work of one that has to stop may go on. */
const STOPPING_MS = 2_000;

class Candidate {
  readonly identity: string;
  readonly stop = new AbortController();
  readonly errors: unknown[] = [];
  readonly elector: LeaseElector;
  readonly running: Promise<void>;
  readonly #clock: ManualClock;
  #works = false;
  #stoppingUntilMs = Number.NEGATIVE_INFINITY;
  stoppedAtMs = Number.NaN;
  startedAtMs = Number.NaN;
  ended = false;

  constructor(world: World, identity: string, skewMs: number, client: KubeClient) {
    const { clock, log } = world;
    this.identity = identity;
    this.#clock = clock;
    this.elector = new LeaseElector({
      client,
      namespace: 'operators',
      name: 'prom-migrator',
      identity,
      clock: {
        now: () => clock.now() + skewMs,
        monotonicMs: () => clock.monotonicMs(),
        sleep: (ms, signal) => clock.sleep(ms, signal),
      },
      random: () => 0,
      onClaimed: (waitMs) => log.push(`${identity} claimed for ${waitMs}`),
      onStarted: () => {
        log.push(`${identity} started`);
        this.#works = true;
        this.startedAtMs = clock.monotonicMs();
      },
      onStopped: () => {
        log.push(`${identity} stopped`);
        this.#works = false;
        this.stoppedAtMs = clock.monotonicMs();
        // One that is stopped in an orderly way ends its work first.
        if (!this.stop.signal.aborted) this.#stoppingUntilMs = this.stoppedAtMs + STOPPING_MS;
      },
      onError: (error) => this.errors.push(error),
    });
    this.running = this.#run();
  }

  get isWorking(): boolean {
    return this.#works || this.#clock.monotonicMs() < this.#stoppingUntilMs;
  }

  /** Contends again after a loss, when its work has stopped, as the operator does. */
  async #run(): Promise<void> {
    while (!this.stop.signal.aborted) {
      await this.elector.run(this.stop.signal);
      this.ended = true;
      await this.#clock.sleep(STOPPING_MS, this.stop.signal).catch(() => undefined);
    }
  }
}

/** Without a Lease, as on the first day. */
async function newWorld() {
  return new World(await FakeApiServer.start());
}

/** With a Lease that an earlier holder has given back. */
async function world() {
  const parts = await newWorld();
  const metadata = { name: 'prom-migrator', uid: 'first', annotations: { [RELEASED]: 'first' } };
  parts.server.put(collection, {
    metadata,
    spec: { holderIdentity: '', leaseDurationSeconds: 1, leaseTransitions: 3 },
  });
  return parts;
}

/** Holds the lease, and nothing else is under way. */
async function leading({ elector }: Candidate) {
  await until('it leads', () => elector.isLeader);
  await settled();
}

describe('the lease elector', () => {
  it('creates the lease, with times of six digits, renews it, and works when it has held it for its duration', async () => {
    await using parts = await newWorld();
    const a = parts.candidate('a');
    await until('it has claimed the lease', () => parts.log.length === 1);
    await settled();
    const first = parts.lease?.spec;
    assert.match(first?.acquireTime ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    assert.deepEqual(first, {
      holderIdentity: 'a',
      leaseDurationSeconds: 15,
      acquireTime: '2026-01-01T00:00:00.000000Z',
      renewTime: '2026-01-01T00:00:00.000000Z',
      leaseTransitions: 0,
    });
    await parts.pass(14_000);
    assert.deepEqual([parts.log, a.elector.isLeader], [['a claimed for 15000'], false]);
    await parts.pass(1_500);
    assert.deepEqual(parts.log, ['a claimed for 15000', 'a started']);
    const before = parts.server.requests.length;
    await parts.pass(60_000);
    assert.deepEqual(parts.log, ['a claimed for 15000', 'a started']);
    assert.deepEqual(parts.lease?.spec, { ...first, renewTime: '2026-01-01T00:01:15.000000Z' });
    // One request for each renewal.
    assert.ok(parts.server.requests.length - before <= 31);
  });

  it('lets one work and the others wait', async () => {
    await using parts = await world();
    const a = parts.candidate('a');
    await leading(a);
    const b = parts.candidate('b');
    await parts.pass(60_000);
    assert.deepEqual(parts.log, ['a started']);
    assert.equal(b.elector.holder, 'a');
    assert.equal(b.elector.isLeader, false);
    assert.deepEqual(b.errors, []);
  });

  it('gives the lease back when it is stopped, so that another need not wait for its end', async () => {
    await using parts = await world();
    const a = parts.candidate('a');
    await leading(a);
    const b = parts.candidate('b');
    await parts.pass(3_000);
    a.stop.abort(new Error('stop'));
    await a.running;
    assert.equal(a.elector.isLeader, false);
    await parts.pass(2_500);
    assert.deepEqual(parts.log, ['a started', 'a stopped', 'b started']);
    assert.equal(b.elector.isLeader, true);
    assert.equal(parts.lease?.spec?.leaseTransitions, 5);
    assert.deepEqual(parts.lease?.metadata.annotations, {});
  });

  it('gives back also a lease whose renewal was cut off', async () => {
    await using parts = await world();
    const a = parts.candidate('a');
    await leading(a);
    parts.server.fault({ when: isWrite, act: 'lose-answer', times: 2 });
    await parts.clock.advance(2_000);
    await until('the renewal is cut off', () => a.errors.length === 1);
    a.stop.abort(new Error('stop'));
    await a.running;
    assert.equal(parts.lease?.spec?.holderIdentity, '');
    assert.equal(a.errors.length, 1);
  });

  it('stops its work before another one may start, when the server does not answer any more', async () => {
    await using parts = await world();
    const a = parts.candidate('a');
    await leading(a);
    await parts.pass(4_000);
    const renewedAtMs = parts.clock.monotonicMs();
    parts.server.fault({ act: 'no-answer', times: 1_000 });
    await parts.pass(12_000);
    assert.equal(a.ended, true);
    assert.deepEqual(parts.log, ['a started', 'a stopped']);
    assert.ok(a.stoppedAtMs - renewedAtMs <= 10_000, `${a.stoppedAtMs - renewedAtMs} ms`);
    // It was not given back: its workers may still be busy ending.
    assert.equal(parts.lease?.spec?.holderIdentity, 'a');
  });

  it('goes on when the server is away for less than the renew deadline', async () => {
    await using parts = await world();
    const a = parts.candidate('a');
    await leading(a);
    parts.server.fault({ act: { status: 500 }, times: 3 });
    await parts.pass(30_000);
    assert.equal(a.errors.length, 3);
    assert.deepEqual(parts.log, ['a started']);
    assert.equal(a.elector.isLeader, true);
  });

  it('takes over from a holder that fell silent, a lease duration after it saw the last change', async () => {
    await using parts = await world();
    parts.server.put(collection, {
      metadata: { name: 'prom-migrator', labels: { mine: 'x' } },
      spec: { holderIdentity: 'dead', leaseDurationSeconds: 20, leaseTransitions: 6, preferredHolder: 'kept' },
    });
    const b = parts.candidate('b');
    await parts.pass(20_000);
    assert.deepEqual(parts.log, []);
    await parts.pass(4_000);
    assert.deepEqual(parts.log, ['b started']);
    assert.equal(b.elector.isLeader, true);
    assert.equal(parts.lease?.spec?.leaseTransitions, 7);
    assert.deepEqual(parts.lease?.metadata.labels, { mine: 'x' });
    assert.equal(Object.entries(parts.lease?.spec ?? {}).find(([name]) => name === 'preferredHolder')?.[1], 'kept');
  });

  for (const skewMs of [-3_600_000, 3_600_000]) {
    it(`is not misled by a wall clock that is ${skewMs / 1000} s off`, async () => {
      await using parts = await world();
      const a = parts.candidate('a');
      await leading(a);
      parts.candidate('b', skewMs);
      await parts.pass(40_000);
      assert.deepEqual(parts.log, ['a started']);
      parts.server.fault({
        when: (request) => isWrite(request) && JSON.stringify(request.body).includes('"a"'),
        act: 'reset',
        times: 1_000,
      });
      await parts.pass(40_000);
      assert.deepEqual(parts.log, ['a started', 'a stopped', 'b started']);
    });
  }

  it('does not take a change of labels for a renewal', async () => {
    await using parts = await world();
    const lease = { metadata: { name: 'prom-migrator' }, spec: { holderIdentity: 'dead', leaseDurationSeconds: 15 } };
    parts.server.put(collection, lease);
    parts.candidate('b');
    for (let round = 0; round < 9; round++) {
      await parts.pass(2_000);
      if (parts.log.length === 0)
        parts.server.put(collection, { ...lease, metadata: { name: 'prom-migrator', labels: { round: `${round}` } } });
    }
    assert.deepEqual(parts.log, ['b started']);
  });

  it('stops at the next renewal when the lease was stolen, and touches it no more', async () => {
    await using parts = await world();
    const a = parts.candidate('a');
    await leading(a);
    parts.server.put(collection, { ...parts.lease!, spec: { ...parts.lease?.spec, holderIdentity: 'thief' } });
    await parts.pass(2_500);
    assert.deepEqual(parts.log, ['a started', 'a stopped']);
    assert.equal(a.ended, true);
    assert.deepEqual(a.errors, []);
    assert.equal(parts.lease?.spec?.holderIdentity, 'thief');
  });

  it('goes on when somebody has put a label on the lease, without an error', async () => {
    await using parts = await world();
    const a = parts.candidate('a');
    await leading(a);
    parts.server.put(collection, { ...parts.lease!, metadata: { ...parts.lease!.metadata, labels: { x: 'y' } } });
    await parts.pass(4_000);
    assert.deepEqual(parts.lease?.metadata.labels, { x: 'y' });
    assert.deepEqual([parts.log, a.errors], [['a started'], []]);
  });

  it('does not use the lease after a pause longer than its deadline, and did not say so in the meantime', async () => {
    await using parts = await world();
    const a = parts.candidate('a');
    await leading(a);
    const before = parts.server.requests.length;
    // As after SIGSTOP: all timers are due at once.
    const { clock } = parts;
    clock.skip(11_000);
    assert.equal(a.elector.isLeader, false);
    await clock.advance(0);
    await until('it has stopped', () => a.ended);
    assert.deepEqual(parts.log, ['a started', 'a stopped']);
    assert.equal(parts.server.requests.length, before);
  });

  it('lets exactly one of many take a free lease', async () => {
    await using parts = await world();
    const candidates = ['a', 'b', 'c', 'd', 'e'].map((identity) => parts.candidate(identity));
    await parts.pass(10_000);
    assert.equal(candidates.filter(({ elector }) => elector.isLeader).length, 1);
    assert.equal(parts.log.length, 1);
    assert.deepEqual(
      candidates.flatMap(({ errors }) => errors),
      [],
    );
  });

  it('waits through errors at the start, and obeys Retry-After', async () => {
    await using parts = await world();
    parts.server.fault({ act: { status: 429, reason: 'TooManyRequests', retryAfter: 8 } });
    const a = parts.candidate('a');
    await until('the error is told', () => a.errors.length === 1);
    await parts.pass(7_500);
    assert.equal(parts.server.requests.length, 1);
    await parts.pass(1_000);
    assert.equal(a.elector.isLeader, true);
  });

  it('never has two leaders, and never none for long, while holders die and requests fail', async () => {
    await using parts = await world();
    const { log, server } = parts;
    let alive: Candidate[] = ['a', 'b', 'c'].map((identity) => parts.candidate(identity));
    let without = 0;
    for (let second = 0; second < 120; second++) {
      if (second % 7 === 3) server.fault({ act: second % 2 === 0 ? 'lose-answer' : { status: 500 }, times: 2 });
      await parts.pass(1_000);
      const leaders = alive.filter(({ elector }) => elector.isLeader);
      assert.ok(leaders.length <= 1, log.join());
      without = leaders.length === 0 ? without + 1 : 0;
      assert.ok(without < 20, `${without} s without a leader`);
      if (second % 30 === 29) {
        leaders[0]?.stop.abort(new Error('stop'));
        alive = alive.filter((candidate) => candidate !== leaders[0]);
        alive.push(parts.candidate(`new-${second}`));
      }
    }
    assert.ok(log.filter((line) => line.endsWith('started')).length >= 4);
    for (let index = 0; index + 1 < log.length; index += 2) {
      assert.equal(log[index]?.replace('started', 'stopped'), log[index + 1]);
    }
  }).timeout(10_000);

  it('takes its lease again at once after an outage in which nobody else has touched it', async () => {
    await using parts = await world();
    const a = parts.candidate('a');
    await leading(a);
    parts.server.fault({ act: { status: 500 }, times: 8 });
    await parts.pass(24_000);
    assert.deepEqual(parts.log, ['a started', 'a stopped', 'a started']);
    assert.equal(parts.lease?.metadata.uid, 'first');
  });

  it('refuses times that leave no room to stop', () => {
    const elector = (times: { leaseDurationMs?: number; renewDeadlineMs?: number; retryPeriodMs?: number }) => () =>
      new LeaseElector({
        client: {} as KubeClient,
        namespace: 'n',
        name: 'x',
        identity: 'a',
        clock: new ManualClock(),
        random: () => 0,
        onStarted() {},
        onStopped() {},
        ...times,
      });
    assert.throws(elector({ renewDeadlineMs: 15_000 }), RangeError);
    assert.throws(elector({ retryPeriodMs: 9_000 }), RangeError);
    assert.doesNotThrow(elector({ leaseDurationMs: 1_500, renewDeadlineMs: 1_000, retryPeriodMs: 200 }));
  });
});

describe('the lease elector, when somebody else deletes or edits the lease', () => {
  /** What is done to the lease, a moment after the leader has renewed it. */
  const meddling: [what: string, act: (parts: World) => void][] = [
    ['deletes it', (parts) => parts.delete()],
    ['empties it', (parts) => parts.patch({ holderIdentity: '' })],
    ['empties it as a release looks', (parts) => parts.patch({ holderIdentity: '', leaseDurationSeconds: 1 })],
    ['deletes it and creates it from a backup', (parts) => restore(parts, 'another')],
    ['restores an older state of it', (parts) => parts.patch({ renewTime: '2026-01-01T00:00:00.000000Z' })],
    ['names another holder', (parts) => parts.patch({ holderIdentity: 'thief' })],
  ];
  function restore(parts: World, uid: string) {
    const backup = parts.lease!;
    parts.delete();
    parts.server.put(collection, { ...backup, metadata: { ...backup.metadata, uid } });
  }

  for (const [what, act] of meddling) {
    it(`stops the leader first, and lets the next one work a lease duration later, when somebody ${what}`, async () => {
      await using parts = await world();
      const a = parts.candidate('a');
      await leading(a);
      parts.candidate('b');
      await parts.pass(10_000);
      const actedAtMs = parts.clock.monotonicMs();
      act(parts);
      await parts.pass(2_500, 100);
      assert.ok(a.ended, `it has not stopped: ${parts.log.join()}`);
      await parts.pass(actedAtMs + 14_900 - parts.clock.monotonicMs(), 100);
      const starts = () => parts.log.filter((line) => line.endsWith('started'));
      assert.deepEqual(starts(), ['a started'], parts.log.join());
      await parts.pass(12_000, 500);
      assert.equal(starts().length, 2, parts.log.join());
      assert.equal(parts.working.length, 1);
    });
  }

  it('waits also when it has only just started and has seen no lease', async () => {
    await using parts = await world();
    const a = parts.candidate('a');
    await leading(a);
    // The leader's requests get lost, so that it does not know for as long as it may work.
    parts.server.fault({ when: ({ body }) => JSON.stringify(body ?? '').includes('"a"'), act: 'no-answer', times: 99 });
    parts.delete();
    const b = parts.candidate('b');
    await parts.pass(14_000, 250);
    assert.deepEqual(parts.log, ['a started', 'b claimed for 15000', 'a stopped']);
    await parts.pass(2_000, 250);
    assert.equal(b.elector.isLeader, true);
  });

  it('waits anew when the lease that it has claimed is deleted', async () => {
    await using parts = await newWorld();
    const a = parts.candidate('a');
    for (let round = 0; round < 6; round++) {
      await parts.pass(10_000, 500);
      assert.equal(a.elector.isLeader, false);
      parts.delete();
    }
    await parts.pass(20_000);
    assert.equal(a.elector.isLeader, true);
    assert.deepEqual([...new Set(parts.log)], ['a claimed for 15000', 'a started']);
  });

  it('waits as long as the holder that it saw relied on, if that is longer', async () => {
    await using parts = await newWorld();
    const spec = { holderIdentity: 'slow', leaseDurationSeconds: 40, renewTime: '2026-01-01T00:00:00.000000Z' };
    parts.server.put(collection, { metadata: { name: 'prom-migrator' }, spec });
    parts.candidate('b');
    await parts.pass(3_000);
    parts.delete();
    await parts.pass(40_000);
    assert.deepEqual(parts.log, ['b claimed for 40000']);
    await parts.pass(6_000);
    assert.deepEqual(parts.log, ['b claimed for 40000', 'b started']);
  });

  it('leaves a claim behind that the next one respects', async () => {
    await using parts = await newWorld();
    const a = parts.candidate('a');
    await parts.pass(10_000);
    a.stop.abort(new Error('stop'));
    await a.running;
    const b = parts.candidate('b');
    await parts.pass(15_000);
    assert.equal(b.elector.isLeader, false);
    await parts.pass(5_000);
    assert.equal(b.elector.isLeader, true);
  });

  it('knows a lease that it has created although the response was lost', async () => {
    await using parts = await newWorld();
    parts.server.fault({ when: ({ method }) => method === 'POST', act: 'lose-answer' });
    parts.candidate('a');
    await parts.pass(20_000);
    assert.deepEqual(parts.log, ['a claimed for 15000', 'a started']);
    assert.equal(parts.lease?.spec?.leaseTransitions, 0);
  });

  it('never lets two work, however often the lease is deleted, emptied and replaced while requests fail', async () => {
    let seed = 1;
    const random = (below: number) => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % below;
    };
    await using parts = await newWorld();
    for (const identity of ['a', 'b', 'c']) parts.candidate(identity);
    let next = 0;
    for (let round = 0; round < 30; round++) {
      await parts.pass(500 * (1 + random(50)), 500);
      const [, act] = meddling[random(meddling.length)]!;
      if (parts.lease !== undefined) act(parts);
      if (random(3) === 0) parts.server.fault({ act: random(2) === 0 ? 'lose-answer' : { status: 500 }, times: 3 });
      if (random(4) === 0) parts.candidate(`new-${next++}`);
    }
    await parts.pass(40_000);
    assert.equal(parts.working.length, 1);
    assert.ok(parts.log.filter((line) => line.endsWith('started')).length >= 5, parts.log.join());
  }).timeout(30_000);
});
