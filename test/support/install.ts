// Finds the real servers that tests, demo and benches use, with one installation per version and machine: an environment variable with the
// path, the cache, PATH when the version matches, else an installation into the cache. Never skips: an unavailable server is an error that
// explains how to get it.

import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { cacheDirectory, installedRecord, installOnce } from './cache.ts';
import { run } from './child-output.ts';
import { findChromium } from './chromium.ts';
import { hasApt, packageVersions, unpackPackage } from './debian-packages.ts';
import { buildGoProgram, builtGoProgram } from './go-programs.ts';
import { KUBEBUILDER_ASSETS, OLDEST_CURRENT, type ServerName, SOURCES, type Source } from './server-sources.ts';

export interface FoundServer {
  path: string;
  /** The actual version: `3.5.3+ds1-6` for `3.5`. */
  version: string;
}

const found = new Map<string, Promise<FoundServer>>();

/** Every server and version that `findServer` knows. */
function knownServers(): { name: ServerName; version: string }[] {
  return (Object.keys(SOURCES) as ServerName[]).flatMap((name) =>
    Object.keys(SOURCES[name]).map((version) => ({ name, version })),
  );
}

/** The environment variable with the path of the server: `PROMETHEUS_3_5`, `VICTORIA_METRICS_1_145`, `PROMTOOL_CURRENT`. */
export function environmentVariable(name: ServerName, version: string): string {
  return `${name}_${version}`.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_');
}

/**
 * The program of the server in this version (`2.24`, `3.5`, `current`, …), installed first if necessary. Throws an error with the
 * environment variable and the download page when it is not available.
 */
export function findServer(name: ServerName, version: string): Promise<FoundServer> {
  const key = `${name} ${version}`;
  let server = found.get(key);
  if (!server) {
    server = lookUp(name, version);
    server.catch(() => found.delete(key));
    found.set(key, server);
  }
  return server;
}

async function lookUp(name: ServerName, version: string): Promise<FoundServer> {
  const asset = kubebuilderAsset(name);
  if (asset) return { path: asset, version: (await askVersion(name, asset)) ?? version };
  const variable = environmentVariable(name, version);
  const given = process.env[variable];
  if (given) {
    if (!existsSync(given)) throw new Error(`${variable} is set to ${given}, which does not exist`);
    return { path: given, version: (await askVersion(name, given)) ?? version };
  }
  const source = SOURCES[name][version];
  if (!source) {
    const known = Object.keys(SOURCES[name]).join(', ');
    throw new Error(`no installation is known for ${name} ${version} (known: ${known}); set ${variable} to its path`);
  }
  const ready = (await cached(name, version, source)) ?? (await onPath(name, version, source));
  if (ready) return ready;
  const startedMs = Date.now();
  progress(`${name} ${version}: ${source.from.length === 0 ? 'building from source, takes minutes' : 'downloading'}`);
  try {
    const server = await install(name, version, source);
    progress(
      `${name} ${version}: ${server.version} in ${((Date.now() - startedMs) / 1000).toFixed(1)} s, ${server.path}`,
    );
    return server;
  } catch (error) {
    throw new Error(
      `${name} ${version} is needed and could not be installed. Download it from ${source.download} ` +
        `and set ${variable} to the path of the program. What was tried: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

/**
 * Finds or installs all servers and the browser in parallel, with progress on standard error; returns what was found. Everything that is unavailable
 * is reported in one error at the end.
 */
export async function installAll(): Promise<(FoundServer & { name: ServerName; requested: string })[]> {
  const all = knownServers();
  const reader = findTsdbReader();
  const servers = all.map(async ({ name, version }) => ({
    ...(await findServer(name, version)),
    name,
    requested: version,
  }));
  const results = await Promise.allSettled([reader, findChromium(), ...servers]);
  const failures = results.filter((result) => result.status === 'rejected').map((result) => `${result.reason.message}`);
  if (failures.length > 0) throw new Error(failures.join('\n'));
  return Promise.all(servers);
}

/** The path of the tests' own reader of Prometheus data directories (test/support/go/prometheus/tsdb-cat). */
export async function findTsdbReader(): Promise<string> {
  const given = process.env['TSDB_CAT'];
  if (given) return given;
  const ready = await builtGoProgram('tsdb-cat');
  if (ready) return ready.path;
  progress('tsdb-cat: building from source');
  try {
    return (await buildGoProgram('tsdb-cat', progress)).path;
  } catch (error) {
    throw new Error(
      `The bit-exact reader of Prometheus' data is built with Go, which failed; build test/support/go/prometheus/tsdb-cat elsewhere and ` +
        `set TSDB_CAT to its path. What was tried: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

/**
 * The program in the directory of KUBEBUILDER_ASSETS. The directory must contain at least an API server and an etcd; the controller
 * manager, which envtest's downloads lack, and kubectl may come from elsewhere.
 */
function kubebuilderAsset(name: ServerName): string | undefined {
  const directory = process.env['KUBEBUILDER_ASSETS'];
  if (!directory || !KUBEBUILDER_ASSETS.includes(name)) return undefined;
  const path = join(directory, name);
  if (existsSync(path)) return path;
  if (name === 'kube-apiserver' || name === 'etcd') {
    throw new Error(`KUBEBUILDER_ASSETS is set to ${directory}, which holds no ${name}`);
  }
  return undefined;
}

function cacheKey(version: string, source: Source): string {
  return `${source.package}-${version}`;
}

async function cached(name: ServerName, version: string, source: Source): Promise<FoundServer | undefined> {
  const record = await installedRecord(cacheKey(version, source));
  const path = join(cacheDirectory(), cacheKey(version, source), 'usr/bin', name);
  if (record && existsSync(path)) return { path, version: record.version };
  return source.go && builtGoProgram(source.go);
}

async function install(name: ServerName, version: string, source: Source): Promise<FoundServer> {
  const { go } = source;
  if (!go) return unpack(name, version, source);
  if (source.from.length === 0) return buildGoProgram(go, progress);
  try {
    return await unpack(name, version, source);
  } catch (unavailable) {
    progress(`${name} ${version}: building from source, because ${messageOf(unavailable)}`);
    try {
      return await buildGoProgram(go, progress);
    } catch (failure) {
      throw new Error(`${messageOf(unavailable)}\n${messageOf(failure)}`, { cause: failure });
    }
  }
}

async function unpack(name: ServerName, version: string, source: Source): Promise<FoundServer> {
  if (!hasApt()) throw new Error('this machine has no apt-get and dpkg to take it from a Debian package');
  const { from: suites, package: packageName } = source;
  await installOnce(cacheKey(version, source), async (directory) => {
    const problems: string[] = [];
    for (const suite of suites) {
      try {
        const carried = await packageVersions(suite, packageName);
        const chosen = carried.find((candidate) => fits(candidate, version, source));
        if (!chosen) throw new Error(`Debian ${suite} carries ${packageName} ${carried.join(', ') || 'not at all'}`);
        await unpackPackage(suite, packageName, chosen, directory);
        return { version: chosen, origin: `Debian ${suite}` };
      } catch (error) {
        problems.push(messageOf(error));
      }
    }
    throw new Error(problems.join('\n'));
  });
  const server = await cached(name, version, source);
  if (!server) throw new Error(`the package ${packageName} holds no program named ${name}`);
  return server;
}

async function onPath(name: ServerName, version: string, source: Source): Promise<FoundServer | undefined> {
  const names = name === 'victoria-metrics' ? [name, 'victoria-metrics-prod'] : [name];
  for (const directory of (process.env['PATH'] ?? '').split(delimiter)) {
    for (const path of names.map((file) => join(directory, file)).filter((file) => existsSync(file))) {
      const actual = await askVersion(name, path);
      if (actual && fits(actual, version, source)) return { path, version: actual };
    }
  }
  return undefined;
}

/** The version that the program reports; undefined when there is none (Debian's VictoriaMetrics prints an empty line). */
async function askVersion(name: ServerName, path: string): Promise<string | undefined> {
  const question = {
    prometheus: '--version',
    promtool: '--version',
    'victoria-metrics': '-version',
    influxd: 'version',
    thanos: '--version',
    'kube-apiserver': '--version',
    'kube-controller-manager': '--version',
    kubectl: 'version --client',
    etcd: '--version',
    helm: 'version --short',
  };
  const response = await run(path, question[name].split(' ')).catch(() => '');
  return /(?:[Vv]ersion:? |v)(\d+\.\d+[^\s,]*)/.exec(response)?.[1];
}

function fits(actual: string, requested: string, source: Source): boolean {
  const [major = 0, minor = 0] = actual.split('.').map((part) => Number.parseInt(part, 10));
  const wanted = requested === 'current' ? OLDEST_CURRENT : requested;
  const [wantedMajor = 0, wantedMinor = 0] = wanted.split('.').map(Number);
  return major === wantedMajor && (source.orNewer ? minor >= wantedMinor : minor === wantedMinor);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function progress(text: string): void {
  process.stderr.write(`test servers: ${text}\n`);
}

if (import.meta.main) {
  for (const { name, requested, version, path } of await installAll()) {
    process.stdout.write(`${name} ${requested}\t${version}\t${path}\n`);
  }
}
