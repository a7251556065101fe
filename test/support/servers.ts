// Starts the real servers of tests, demo and benches: `await using prometheus = await startPrometheus({ version: '3.5' })`. Each runs on
// the loopback, on a free port, in a temporary directory, and stops at the end of the block.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ClientIdentity, request } from './http.ts';
import { findServer } from './install.ts';
import { type ServerProcess, startServer } from './server-process.ts';

export interface PrometheusOptions {
  /** `2.24`, `2.42`, `2.53`, `3.5` or `current`. */
  version: string;
  /** Whether it accepts remote write; 2.24 does not support it. */
  receiver?: boolean;
  /** `storage.tsdb.out_of_order_time_window`, for example `30d`. */
  outOfOrderWindow?: string;
  /** Whether it accepts native histograms; releases from 3.9 on always do. */
  nativeHistograms?: boolean;
  /** Start timestamps, and with them XOR2 and the start-timestamp histogram chunks; only for `current`. */
  startTimestamps?: boolean;
  /** Chunk encoding of floats in `current`: `xor` by default, which `startTimestamps` changes to `xor2`. */
  floatChunks?: 'xor' | 'xor2';
  extraArgs?: readonly string[];
  /** Additional top-level sections of prometheus.yml. */
  config?: string;
  dataDir?: string;
  web?: WebOptions;
}

/** Prometheus' web configuration, and the credentials for it. */
export interface WebOptions {
  basicAuth?: { username: string; password: string; bcrypt: string };
  /** PEM text; `clientCa` requires a client certificate signed by it. */
  tls?: { cert: string; key: string; clientCa?: string };
  /** The credentials of the tests' own requests: readiness, loading, reading. */
  identity?: ClientIdentity;
}

/** A password and its bcrypt hash, for a Prometheus with basic authentication. */
export const BASIC_AUTH = {
  username: 'migrator',
  password: 'open sesame',
  bcrypt: '$2a$04$pSSKeCUCdETUwBkkTCkt4ucb.Z.VK52Bfjrs6pO9lu/CzC2uo.gZ.',
} as const;

/** A Prometheus that scrapes nothing, keeps everything and enables its admin API. */
export async function startPrometheus(options: PrometheusOptions): Promise<ServerProcess> {
  const { path, version } = await findServer('prometheus', options.version);
  const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  if (options.receiver && major === 2 && minor < 33)
    throw new Error(`Prometheus ${version} has no remote write receiver`);
  const features: string[] = [];
  if (options.nativeHistograms && (major === 2 || minor < 9)) features.push('native-histograms');
  if (options.startTimestamps) features.push('st-storage');
  const identity = options.web?.identity;
  return startServer({
    name: 'prometheus',
    path,
    version,
    dataDir: options.dataDir,
    async args([port], dataDir, directory) {
      const configuration = join(directory, 'prometheus.yml');
      await writeFile(configuration, prometheusConfiguration(options));
      return [
        `--config.file=${configuration}`,
        `--storage.tsdb.path=${dataDir}`,
        '--storage.tsdb.retention.time=100y',
        `--web.listen-address=127.0.0.1:${port}`,
        '--web.enable-admin-api',
        '--web.enable-lifecycle',
        ...(options.receiver ? ['--web.enable-remote-write-receiver'] : []),
        ...(features.length > 0 ? [`--enable-feature=${features.join(',')}`] : []),
        ...(options.web ? [`--web.config.file=${await writeWebConfiguration(options.web, directory)}`] : []),
        ...(options.extraArgs ?? []),
      ];
    },
    url: (port) => `${options.web?.tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    ready: async (url, dataDir) => {
      const options = identity ? { identity } : {};
      if ((await request(`${url}/-/ready`, options)).status !== 200) return false;
      const { body } = await request(`${url}/api/v1/status/flags`, options);
      return body.includes(JSON.stringify(dataDir));
    },
  });
}

function prometheusConfiguration(options: PrometheusOptions): string {
  const tsdb = [
    ...(options.outOfOrderWindow ? [`    out_of_order_time_window: ${options.outOfOrderWindow}`] : []),
    ...(options.floatChunks ? [`    chunk_encoding: { floats: ${options.floatChunks} }`] : []),
  ];
  return [
    // Scraping itself would put a current sample into the head, and everything older than an hour out of bounds.
    'scrape_configs: []',
    ...(tsdb.length > 0 ? ['storage:', '  tsdb:', ...tsdb] : []),
    options.config ?? '',
    '',
  ].join('\n');
}

async function writeWebConfiguration(web: WebOptions, directory: string): Promise<string> {
  const lines: string[] = [];
  if (web.tls) {
    await writeFile(join(directory, 'server.pem'), web.tls.cert);
    await writeFile(join(directory, 'server-key.pem'), web.tls.key);
    lines.push('tls_server_config:', `  cert_file: ${join(directory, 'server.pem')}`);
    lines.push(`  key_file: ${join(directory, 'server-key.pem')}`);
    if (web.tls.clientCa) {
      await writeFile(join(directory, 'client-ca.pem'), web.tls.clientCa);
      lines.push('  client_auth_type: RequireAndVerifyClientCert');
      lines.push(`  client_ca_file: ${join(directory, 'client-ca.pem')}`);
    }
  }
  if (web.basicAuth) lines.push('basic_auth_users:', `  ${web.basicAuth.username}: ${web.basicAuth.bcrypt}`);
  const file = join(directory, 'web.yml');
  await writeFile(file, `${lines.join('\n')}\n`);
  return file;
}

export interface VictoriaMetricsOptions {
  version?: string;
  /** `-retentionPeriod`, a hundred years by default: older samples are dropped silently. */
  retention?: string;
  /** `-search.latencyOffset`, none by default; the server's default hides samples younger than 30 s from queries. */
  latencyOffset?: string;
  extraArgs?: readonly string[];
  dataDir?: string;
}

/** A single-node VictoriaMetrics that scrapes nothing and does not deduplicate. */
export async function startVictoriaMetrics(options: VictoriaMetricsOptions = {}): Promise<ServerProcess> {
  const { path, version } = await findServer('victoria-metrics', options.version ?? '1.145');
  return startServer({
    name: 'victoria-metrics',
    path,
    version,
    dataDir: options.dataDir,
    args: async ([port], dataDir) => [
      `-storageDataPath=${dataDir}`,
      `-httpListenAddr=127.0.0.1:${port}`,
      `-retentionPeriod=${options.retention ?? '100y'}`,
      `-search.latencyOffset=${options.latencyOffset ?? '0s'}`,
      ...(options.extraArgs ?? []),
    ],
    url: (port) => `http://127.0.0.1:${port}`,
    ready: async (url, dataDir) => (await request(`${url}/flags`)).body.includes(JSON.stringify(dataDir)),
  });
}

export interface InfluxdbOptions {
  version?: string;
  /** Created at startup, with an unlimited retention policy. */
  database: string;
  /** Additional sections of influxdb.conf. */
  config?: string;
  dataDir?: string;
}

/** An InfluxDB 1.x with one database. */
export async function startInfluxdb(options: InfluxdbOptions): Promise<ServerProcess> {
  const { path, version } = await findServer('influxd', options.version ?? '1.6');
  const server = await startServer({
    name: 'influxdb',
    path,
    version,
    dataDir: options.dataDir,
    ports: 2,
    async args([port, rpcPort], dataDir, directory) {
      const configuration = join(directory, 'influxdb.conf');
      await writeFile(configuration, influxdbConfiguration(port ?? 0, rpcPort ?? 0, dataDir, options.config ?? ''));
      return ['-config', configuration];
    },
    url: (port) => `http://127.0.0.1:${port}`,
    ready: async (url) => (await request(`${url}/ping`)).status === 204,
  });
  const statement = encodeURIComponent(`CREATE DATABASE "${options.database}"`);
  const response = await request(`${server.url}/query?q=${statement}`, { method: 'POST' });
  if (response.status === 200) return server;
  await server[Symbol.asyncDispose]();
  throw new Error(`InfluxDB did not create ${options.database}: ${response.status} ${response.body}`);
}

function influxdbConfiguration(port: number, rpcPort: number, dataDir: string, more: string): string {
  return `reporting-disabled = true
bind-address = "127.0.0.1:${rpcPort}"
[meta]
  dir = "${dataDir}/meta"
[data]
  dir = "${dataDir}/data"
  wal-dir = "${dataDir}/wal"
  query-log-enabled = false
[monitor]
  store-enabled = false
# Ten seconds by default, which many new series take on a busy machine.
[coordinator]
  write-timeout = "60s"
[http]
  bind-address = "127.0.0.1:${port}"
  log-enabled = false
${more}
`;
}
