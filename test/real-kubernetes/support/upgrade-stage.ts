// Migrations between two stores with fixed names, so that their identities are the same in every run and in every version: a proxy leads to where
// they really are. The destination is a real VictoriaMetrics.
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { request } from '../../support/http.ts';
import type { ServerProcess } from '../../support/server-process.ts';
import { startVictoriaMetrics } from '../../support/servers.ts';
import { type FakeStore, startFakeStore } from './fake-store.ts';

export const NAMESPACE = 'upgrade';
/** The migrations, each with its `spec.execution`. */
export const MIGRATIONS: Readonly<Record<string, object>> = {
  'half-way': {},
  // Both run at once, and each has marks of its own.
  'in-stretches': { parallelism: 2, stretch: '2h' },
};
const RANGE = { startMs: Date.UTC(2026, 0, 1), endMs: Date.UTC(2026, 0, 1, 6) };
const DESTINATION = 'victoriametrics:8428';
const SOURCE = 'source:9090';
/** Of migrations that must not be touched. */
const UNTOUCHED = 'untouched:80';

/** A series as VictoriaMetrics exports and imports it. */
interface ExportedSeries {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly number[];
  readonly timestamps: readonly number[];
}

export class UpgradeStage implements AsyncDisposable {
  readonly source: FakeStore;
  readonly destination: ServerProcess;
  /** How many connections to the servers of `untouchedSpec` were requested. */
  touches = 0;
  readonly #proxy: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(source: FakeStore, destination: ServerProcess) {
    this.source = source;
    this.destination = destination;
    const ports: Readonly<Record<string, string>> = {
      [SOURCE]: new URL(source.spec('', RANGE).source.url).port,
      [DESTINATION]: new URL(destination.url).port,
    };
    this.#proxy = createServer().on('connect', (incoming, socket: Socket) => {
      if (incoming.url === UNTOUCHED) {
        this.touches++;
        socket.destroy();
        return;
      }
      const port = ports[incoming.url ?? ''];
      assert.ok(port !== undefined, `a request for ${incoming.url}`);
      const through = connect(Number(port), '127.0.0.1', () => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
      for (const [one, other] of [
        [socket, through],
        [through, socket],
      ] as const) {
        this.#sockets.add(one);
        one.on('error', () => other.destroy()).on('close', () => other.destroy());
        one.pipe(other);
      }
    });
  }

  static async start(): Promise<UpgradeStage> {
    const stage = new UpgradeStage(await startFakeStore(), await startVictoriaMetrics());
    await new Promise<void>((resolve) => stage.#proxy.listen(0, '127.0.0.1', resolve));
    return stage;
  }

  /** What the user has written, apart from the proxy. */
  spec(name: string) {
    return {
      source: { url: `http://${SOURCE}/${name}/read` },
      destination: {
        url: `http://${DESTINATION}/api/v1/write`,
        ordering: 'Any',
        progress: { protocol: 'PromQL', url: `http://${DESTINATION}` },
      },
      timeRange: { start: new Date(RANGE.startMs).toISOString(), end: new Date(RANGE.endMs).toISOString() },
      window: { max: '10m' },
      execution: MIGRATIONS[name] ?? {},
    };
  }

  /** With servers that no program may ask. */
  untouchedSpec() {
    const url = `http://${UNTOUCHED}/`;
    const spec = this.spec('');
    return { ...spec, source: { url }, destination: { url, progress: { ...spec.destination.progress, url } } };
  }

  /** The same through the proxy, which is no part of the identity. */
  throughProxy<Spec extends { source: object; destination: { progress: object } }>(spec: Spec): Spec {
    const { source, destination } = spec;
    const proxyUrl = `http://127.0.0.1:${(this.#proxy.address() as AddressInfo).port}`;
    const progress = { ...destination.progress, proxyUrl };
    return { ...spec, source: { ...source, proxyUrl }, destination: { ...destination, progress, proxyUrl } };
  }

  /** Of each migration. */
  get expectedSamples(): number {
    return this.source.expectedSamples(RANGE);
  }

  /** Everything in the destination, marks included, one series a line. */
  async exported(): Promise<string> {
    const { url } = this.destination;
    await request(`${url}/internal/force_flush`);
    const match = encodeURIComponent('{__name__!=""}');
    const { status, body } = await request(`${url}/api/v1/export?match[]=${match}`);
    assert.equal(status, 200);
    return body.toString('utf8').trim().split('\n').sort().join('\n');
  }

  async imported(lines: string): Promise<void> {
    const { status } = await request(`${this.destination.url}/api/v1/import`, { method: 'POST', body: lines });
    assert.equal(status, 204);
    await request(`${this.destination.url}/internal/force_flush`);
  }

  /** Samples that have arrived by remote write, marks included. */
  async receivedSamples(): Promise<number> {
    const { body } = await request(`${this.destination.url}/metrics`);
    return Number(/^vm_rows_inserted_total\{type="promremotewrite"\} (\d+)$/m.exec(body.toString('utf8'))?.[1] ?? 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#proxy.close(resolve));
    await this.destination[Symbol.asyncDispose]();
    await this.source[Symbol.asyncDispose]();
  }
}

/** The copied series and the marks of a migration in what VictoriaMetrics exports. */
export function seriesOf(name: string, exported: string): { copied: ExportedSeries[]; marks: ExportedSeries[] } {
  const all = exported.split('\n').map((line) => JSON.parse(line) as ExportedSeries);
  return {
    copied: all.filter(({ metric }) => metric['tenant'] === name),
    marks: all.filter(({ metric }) => metric['migration'] === `${NAMESPACE}/${name}`),
  };
}

export function samplesIn(series: readonly ExportedSeries[]): number {
  return series.reduce((sum, { timestamps }) => sum + timestamps.length, 0);
}
