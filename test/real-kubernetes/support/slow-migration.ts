// A PromMigration on a real API server that runs long enough to be interrupted, observed from three sides: its resource, the operator's
// metrics, and the writes that arrive at its destination.
import assert from 'node:assert/strict';
import type { PromMigrationStatus } from '../../../src/api/prom-migration-status.ts';
import { COUNT_LABEL } from '../../../src/migration/progress/mark-counts.ts';
import { isProgress, withoutProgress } from '../../real/support/expectations.ts';
import { manifestOf } from '../../real/support/migration.ts';
import { type ReverseProxy, startReverseProxy } from '../../real/support/reverse-proxy.ts';
import { type Destination, PROMETHEUS, type SlowCopy } from '../../real/support/slow-copy.ts';
import { request } from '../../support/http.ts';
import type { Cluster } from '../../support/kubernetes/cluster.ts';
import { countSamples, numberOf, type SeriesSet } from '../../support/series-set.ts';
import type { ServerProcess } from '../../support/server-process.ts';
import { eventually, type OperatorProcess, succeeded } from './operator.ts';

const NAME = 'slow';

export interface SlowMigrationOptions {
  cluster: Cluster;
  copy: SlowCopy;
  namespace: string;
  samplesPerSecond: number;
  /** By default a Prometheus, read by remote_read. */
  destination?: Destination;
}

/** The contents of a destination according to independent readers. */
export interface Copied {
  /** Without the progress series. */
  readonly samples: number;
  readonly lastMarkMs: number;
  /** The number of samples that the last mark counts. */
  readonly marked: number;
}

/** Its destination is behind a relay that records the writes. */
export class SlowMigration implements AsyncDisposable {
  readonly server: ServerProcess;
  readonly #options: SlowMigrationOptions;
  readonly #proxy: ReverseProxy;
  readonly #writtenAtMs: number[];

  private constructor(
    options: SlowMigrationOptions,
    server: ServerProcess,
    proxy: ReverseProxy,
    writtenAtMs: number[],
  ) {
    this.#options = options;
    this.server = server;
    this.#proxy = proxy;
    this.#writtenAtMs = writtenAtMs;
  }

  /** Starts the destination; `apply` creates the resource. */
  static async prepare(options: SlowMigrationOptions): Promise<SlowMigration> {
    const server = await (options.destination ?? PROMETHEUS).start();
    const writtenAtMs: number[] = [];
    const proxy = await startReverseProxy({
      target: server.url,
      losesResponse({ method, url }) {
        if (method === 'POST' && url === '/api/v1/write') writtenAtMs.push(Date.now());
        return false;
      },
    });
    return new SlowMigration(options, server, proxy, writtenAtMs);
  }

  /** The name in the operator's metrics and log. */
  get key(): string {
    return `${this.#options.namespace}/${NAME}`;
  }

  get #destination(): Destination {
    return this.#options.destination ?? PROMETHEUS;
  }

  async apply(): Promise<void> {
    const { copy, samplesPerSecond } = this.#options;
    // Twenty minutes are about 7,000 samples: many windows of noticeable duration.
    const settings = { through: this.#proxy, samplesPerSecond, windowMax: '20m' };
    const spec = copy.spec(this.#destination, this.server, settings);
    succeeded(await this.#kubectl(['apply', '-f', '-'], JSON.stringify(manifestOf(spec, NAME))));
  }

  async status(): Promise<PromMigrationStatus> {
    const text = succeeded(await this.#kubectl(['get', 'prommigration', NAME, '-o', 'json']));
    return (JSON.parse(text) as { status?: PromMigrationStatus }).status ?? {};
  }

  /** The end of the copied range according to its status; 0 without a status. */
  async throughMs(): Promise<number> {
    return Date.parse((await this.status()).progress?.through ?? '1970-01-01T00:00:00Z');
  }

  /** The write requests that arrived at the destination in this period. */
  writesBetween(fromMs: number, toMs = Number.POSITIVE_INFINITY): readonly number[] {
    return this.#writtenAtMs.filter((timeMs) => timeMs >= fromMs && timeMs < toMs);
  }

  /** Waits until this operator, which leads, has finished this many windows from now on. */
  async finishes(windows: number, operator: OperatorProcess, withinMs = 60_000): Promise<void> {
    await eventually(
      `${windows} windows of ${this.key} are finished`,
      async () => (await this.windows(operator)) >= windows,
      withinMs,
      () => operator.log().slice(-4_000),
    );
  }

  async windows(operator: OperatorProcess): Promise<number> {
    return metricSum(await operator.metrics(), 'prom_migrator_windows_total', `migration="${this.key}"`);
  }

  /** Removes its rate limit, and waits for its end. */
  async finish(): Promise<PromMigrationStatus> {
    const patch = '{"spec":{"limits":{"samplesPerSecond":null}}}';
    succeeded(await this.#kubectl(['patch', 'prommigration', NAME, '--type=merge', '-p', patch]));
    const { code, stderr } = await this.#kubectl([
      'wait',
      '--for=condition=Succeeded',
      '--timeout=120s',
      `pmig/${NAME}`,
    ]);
    assert.equal(code, 0, `${stderr}\n${JSON.stringify(await this.status(), undefined, 2)}`);
    return this.status();
  }

  async copied(): Promise<Copied> {
    const set: SeriesSet = await this.#destination.read(this.server);
    const marks = [...set].filter(([, { labels }]) => isProgress(new Map(labels)) && !new Map(labels).has(COUNT_LABEL));
    const mark = marks.at(-1)?.[1];
    assert.ok(marks.length === 1 && mark !== undefined, `${marks.length} progress series`);
    return {
      samples: countSamples(withoutProgress(set)),
      lastMarkMs: mark.timesMs.at(-1) ?? 0,
      marked: numberOf(mark.bits.at(-1) ?? 0n),
    };
  }

  /** Returns the number of compared samples: all of the source, each once in the destination; the status counts every one that was sent. */
  async assertAllThereOnce(): Promise<number> {
    const samples = await this.#options.copy.assertAllThereOnce(this.#destination, this.server);
    const { marked } = await this.copied();
    const { phase, progress } = await this.status();
    assert.equal(phase, 'Succeeded');
    assert.equal(progress?.percent, 100);
    const { samplesWritten = 0, samplesAlreadyPresent = 0, samplesRead, samplesRejected } = progress;
    assert.equal(samplesWritten + samplesAlreadyPresent, marked, 'the status counts every sample of all starts once');
    assert.equal(samplesRead, marked);
    assert.equal(samplesRejected, undefined);
    return samples;
  }

  /** The reasons of its events, one per occurrence. */
  async eventReasons(): Promise<string[]> {
    const text = succeeded(await this.#kubectl(['get', 'events.events.k8s.io', '-o', 'json']));
    const { items } = JSON.parse(text) as {
      items: { reason: string; regarding: { name: string }; series?: { count: number } }[];
    };
    const own = items.filter(({ regarding }) => regarding.name === NAME);
    return own.flatMap(({ reason, series }) => Array<string>(series?.count ?? 1).fill(reason));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#proxy[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
  }

  #kubectl(args: readonly string[], input?: string) {
    const { cluster, namespace } = this.#options;
    return cluster.kubectl(['-n', namespace, ...args], input);
  }
}

/** The sum of a metric's samples whose labels contain the text. */
export function metricSum(exposition: string, name: string, labels = ''): number {
  const lines = exposition.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return lines
    .filter((line) => line.includes(labels))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

/** Whether the operator's metrics report leadership. */
export async function leads(operator: OperatorProcess): Promise<boolean> {
  return metricSum(await operator.metrics(), 'prom_migrator_operator_leader') === 1;
}

/** The status and the text of /readyz. */
export async function readiness(operator: OperatorProcess): Promise<string> {
  const { status, body } = await request(`${operator.url}/readyz`);
  return `${status} ${body.toString('utf8').trim()}`;
}

interface Lease {
  spec: { holderIdentity?: string; leaseDurationSeconds?: number; leaseTransitions?: number; renewTime?: string };
}

export async function readLease(cluster: Cluster, namespace: string): Promise<Lease['spec']> {
  const text = succeeded(await cluster.kubectl(['-n', namespace, 'get', 'lease', 'prom-migrator', '-o', 'json']));
  return (JSON.parse(text) as Lease).spec;
}
