// Candidates for a Lease, an API server in this process, and a clock that the test advances. Fails as soon as two candidates work at once.

import assert from 'node:assert/strict';
import { KubeClient } from '../../../src/operator/kube/kube-client.ts';
import type { Lease, LeaseSpec } from '../../../src/operator/kube/kube-objects.ts';
import { LeaseElector } from '../../../src/operator/kube/lease-elector.ts';
import { RELEASED } from '../../../src/operator/kube/lease-rules.ts';
import type { SeenRequest } from './api-requests.ts';
import { FakeApiServer } from './fake-api-server.ts';
import { ManualClock, settled, until } from './manual-clock.ts';

export const collection = '/apis/coordination.k8s.io/v1/namespaces/operators/leases';
const path = `${collection}/prom-migrator`;
export const isWrite = ({ method }: SeenRequest) => method === 'PUT' || method === 'POST';

export class World implements AsyncDisposable {
  readonly server: FakeApiServer;
  readonly client: KubeClient;
  /** Shared by all candidates; `skewMs` offsets their wall clocks. */
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

  /** The candidates that work, including those that are stopping. */
  get working(): string[] {
    return this.#candidates.filter((candidate) => candidate.isWorking).map(({ identity }) => identity);
  }

  candidate(identity: string, skewMs = 0, client = this.client): Candidate {
    const candidate = new Candidate(this, identity, skewMs, client);
    this.#candidates.push(candidate);
    return candidate;
  }

  /** Advances the time in small steps, with the responses of the server in between. */
  async pass(ms: number, stepMs = 1_000): Promise<void> {
    for (let left = ms; left > 0; left -= stepMs) {
      await this.clock.advance(Math.min(stepMs, left));
      await new Promise((resolve) => setTimeout(resolve, 2));
      await settled();
      assert.ok(this.working.length <= 1, `two at once: ${this.log.join()}`);
    }
  }

  /** Deletes the Lease like `kubectl delete lease`. */
  delete(): void {
    this.server.remove(path);
  }

  /** Changes fields of the Lease like `kubectl patch`. */
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

/** How long stopping work may continue. */
const STOPPING_MS = 2_000;

export class Candidate {
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
        // A candidate that is stopped in an orderly way ends its work first.
        if (!this.stop.signal.aborted) this.#stoppingUntilMs = this.stoppedAtMs + STOPPING_MS;
      },
      onError: (error) => this.errors.push(error),
    });
    this.running = this.#run();
  }

  get isWorking(): boolean {
    return this.#works || this.#clock.monotonicMs() < this.#stoppingUntilMs;
  }

  /** Contends again after a loss, when its work has stopped, like the operator. */
  async #run(): Promise<void> {
    while (!this.stop.signal.aborted) {
      await this.elector.run(this.stop.signal);
      this.ended = true;
      await this.#clock.sleep(STOPPING_MS, this.stop.signal).catch(() => undefined);
    }
  }
}

/** Without a Lease, like on the first start. */
export async function newWorld() {
  return new World(await FakeApiServer.start());
}

/** With a Lease that an earlier holder has released. */
export async function world() {
  const parts = await newWorld();
  const metadata = { name: 'prom-migrator', uid: 'first', annotations: { [RELEASED]: 'first' } };
  parts.server.put(collection, {
    metadata,
    spec: { holderIdentity: '', leaseDurationSeconds: 1, leaseTransitions: 3 },
  });
  return parts;
}

/** Waits until it leads and nothing else is pending. */
export async function leading({ elector }: Candidate) {
  await until('it leads', () => elector.isLeader);
  await settled();
}
