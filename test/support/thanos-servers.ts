// Starts the real components of Thanos, each with its HTTP and gRPC ports on the loopback: `await using gateway = await startStoreGateway(bucket)`.
import { once } from 'node:events';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { run } from './child-output.ts';
import { request } from './http.ts';
import { findServer } from './install.ts';
import { freePorts, type ServerProcess, startServer } from './server-process.ts';

/** `url` is its HTTP API. */
export interface ThanosServer extends ServerProcess {
  /** Its StoreAPI: `grpc://127.0.0.1:port`. */
  readonly storeUrl: string;
  /** `127.0.0.1:port`, as Query's --endpoint takes it. */
  readonly endpoint: string;
}

/** The labels of prometheus.yml that a Sidecar announces, without which it does not start. */
export function externalLabels(labels: Readonly<Record<string, string>>): string {
  return [
    'global:',
    '  external_labels:',
    ...Object.entries(labels).map(([name, value]) => `    ${name}: ${value}`),
  ].join('\n');
}

/** Of Prometheus, without which a Sidecar uploads nothing. */
export const UPLOADABLE = ['--storage.tsdb.min-block-duration=2h', '--storage.tsdb.max-block-duration=2h'];

/** A Sidecar of this Prometheus, which uploads its blocks into the directory `bucket`. */
export function startSidecar(prometheus: ServerProcess, bucket?: string): Promise<ThanosServer> {
  return startThanos('sidecar', async () => [
    `--prometheus.url=${prometheus.url}`,
    `--tsdb.path=${prometheus.dataDir}`,
    ...(bucket === undefined ? [] : [objectStorage(bucket), '--shipper.upload-compacted']),
  ]);
}

/** A Store Gateway of the blocks in the directory `bucket`. */
export function startStoreGateway(bucket: string, extraArgs: readonly string[] = []): Promise<ThanosServer> {
  return startThanos('store', async (dataDir) => [
    `--data-dir=${dataDir}`,
    objectStorage(bucket),
    // Without it, blocks of the last half hour's upload are not served.
    '--consistency-delay=0s',
    '--ignore-deletion-marks-delay=0s',
    '--sync-block-duration=1s',
    ...extraArgs,
  ]);
}

export function startQuery(
  endpoints: readonly ThanosServer[],
  extraArgs: readonly string[] = [],
): Promise<ThanosServer> {
  return startThanos('query', async () => [
    ...endpoints.map(({ endpoint }) => `--endpoint=${endpoint}`),
    '--query.auto-downsampling',
    ...extraArgs,
  ]);
}

/** A Receive that keeps everything; `writeUrl` takes remote_write. */
export async function startReceive(
  extraArgs: readonly string[] = [],
): Promise<ThanosServer & { readonly writeUrl: string }> {
  let writeUrl = '';
  const server = await startThanos(
    'receive',
    async (dataDir, [writePort]) => {
      writeUrl = `http://127.0.0.1:${writePort}/api/v1/receive`;
      return [
        `--tsdb.path=${dataDir}`,
        '--tsdb.retention=0d',
        '--label=receive="r1"',
        `--remote-write.address=127.0.0.1:${writePort}`,
        ...extraArgs,
      ];
    },
    3,
  );
  return Object.assign(server, { writeUrl });
}

/**
 * Compacts and downsamples the blocks in the directory `bucket`, then deletes raw blocks that are older than `rawRetention`; returns when that
 * is done.
 */
export async function compactOnce(bucket: string, { rawRetention }: { rawRetention: string }): Promise<void> {
  const { path } = await findServer('thanos', '0.42');
  const [port] = await freePorts(1);
  const scratch = await mkdtemp(join(dirname(bucket), 'compact-'));
  await run(path, [
    'compact',
    `--data-dir=${scratch}`,
    objectStorage(bucket),
    '--consistency-delay=0s',
    '--delete-delay=0s',
    `--retention.resolution-raw=${rawRetention}`,
    `--http-address=127.0.0.1:${port}`,
  ]);
}

function objectStorage(bucket: string): string {
  return `--objstore.config=${JSON.stringify({ type: 'FILESYSTEM', config: { directory: bucket } })}`;
}

async function startThanos(
  component: string,
  argumentsOf: (dataDir: string, ports: readonly number[]) => Promise<readonly string[]>,
  ports = 2,
): Promise<ThanosServer> {
  const { path, version } = await findServer('thanos', '0.42');
  let grpcPort = 0;
  const server = await startServer({
    name: `thanos-${component}`,
    path,
    version,
    ports,
    async args([httpPort, grpc = 0, ...others], dataDir) {
      grpcPort = grpc;
      await mkdir(dataDir, { recursive: true });
      return [
        component,
        `--http-address=127.0.0.1:${httpPort}`,
        `--grpc-address=127.0.0.1:${grpc}`,
        ...(await argumentsOf(dataDir, others)),
      ];
    },
    url: (port) => `http://127.0.0.1:${port}`,
    // It does not say which process it is, so both ports have to be open.
    ready: async (url) => (await request(`${url}/-/ready`)).status === 200 && (await listens(grpcPort)),
  });
  const endpoint = `127.0.0.1:${grpcPort}`;
  return Object.assign(server, { endpoint, storeUrl: `grpc://${endpoint}` });
}

async function listens(port: number): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port });
  try {
    await once(socket, 'connect');
    return true;
  } finally {
    socket.destroy();
  }
}
