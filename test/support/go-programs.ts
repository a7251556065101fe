// Builds the programs pinned by test/support/go (every go.sum contains all checksums): the current Prometheus with its promtool, the tests'
// own TSDB reader, the fast parts of the benches, Kubernetes' API server, controller manager and kubectl, etcd, helm, Thanos, actionlint, and what tools make
// of an object's status. Takes Go from PATH, or from Debian's package when there is none.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { cacheDirectory, installedRecord, installOnce, withLock } from './cache.ts';
import { run } from './child-output.ts';
import { hasApt, packageVersions, unpackPackage } from './debian-packages.ts';

const MODULES = resolve(import.meta.dirname, 'go');
/** Required by the go.mod files; an older Go cannot even parse parts of them. */
const GO_MAJOR_MINOR = '1.26';
const PROGRESS_EVERY_MS = 15_000;

/** The inputs and outputs of one `go build`. */
interface Build {
  /** The first part of its cache key. */
  name: string;
  /** The directory under test/support/go whose go.mod pins it. */
  directory: string;
  /** The programs and their packages. */
  programs: Readonly<Record<string, string>>;
  /** A package in this directory: its sources are part of the cache key. */
  sources?: string;
  tags?: string;
  /** The module in go.mod whose version is the programs' version. */
  module: string;
  linkerFlags(version: string): string;
}

const PROMETHEUS: Build = {
  name: 'prometheus',
  directory: 'prometheus',
  programs: {
    prometheus: 'github.com/prometheus/prometheus/cmd/prometheus',
    promtool: 'github.com/prometheus/prometheus/cmd/promtool',
  },
  tags: 'remove_all_sd',
  module: 'github.com/prometheus/prometheus',
  linkerFlags: (version) => `-X github.com/prometheus/common/version.Version=${version}`,
};

/**
 * Separate builds, so that a user who already has an API server builds only the missing controller manager.
 * @param directory pins the version
 */
function kubernetes(program: string, directory = 'kubernetes', name = program): Build {
  return {
    name,
    directory,
    programs: { [name]: `k8s.io/kubernetes/cmd/${program}` },
    module: 'k8s.io/kubernetes',
    // Without these it reports v0.0.0, which helm considers too old for a chart's kubeVersion.
    linkerFlags(version) {
      const [major, minor] = version.split('.');
      const variables = { gitVersion: `v${version}`, gitMajor: major, gitMinor: minor, gitTreeState: 'clean' };
      return Object.entries(variables)
        .map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`)
        .join(' ');
    },
  };
}

const BUILDS = {
  prometheus: PROMETHEUS,
  promtool: PROMETHEUS,
  'tsdb-cat': { ...PROMETHEUS, name: 'tsdb-cat', programs: { 'tsdb-cat': './tsdb-cat' }, sources: 'tsdb-cat' },
  'bench-data': {
    ...PROMETHEUS,
    name: 'bench-data',
    programs: { 'bench-data': './bench-data' },
    sources: 'bench-data',
  },
  'store-api': {
    ...PROMETHEUS,
    name: 'store-api',
    programs: { 'store-api': './store-api' },
    sources: 'store-api',
  },
  'kube-apiserver': kubernetes('kube-apiserver'),
  'kube-controller-manager': kubernetes('kube-controller-manager'),
  kubectl: kubernetes('kubectl'),
  // Only for `npm run test:oldest`.
  'oldest-kube-apiserver': kubernetes('kube-apiserver', 'kubernetes-oldest', 'oldest-kube-apiserver'),
  'oldest-kube-controller-manager': kubernetes(
    'kube-controller-manager',
    'kubernetes-oldest',
    'oldest-kube-controller-manager',
  ),
  etcd: {
    name: 'etcd',
    directory: 'etcd',
    programs: { etcd: 'go.etcd.io/etcd/server/v3' },
    module: 'go.etcd.io/etcd/server/v3',
    linkerFlags: () => '',
  },
  helm: {
    name: 'helm',
    directory: 'helm',
    programs: { helm: 'helm.sh/helm/v4/cmd/helm' },
    module: 'helm.sh/helm/v4',
    linkerFlags: (version) => `-X helm.sh/helm/v4/internal/version.version=v${version}`,
  },
  thanos: {
    name: 'thanos',
    directory: 'thanos',
    programs: { thanos: 'github.com/thanos-io/thanos/cmd/thanos' },
    // As in its releases: its messages are labels in memory, which crash it with Prometheus' other kind of labels.
    tags: 'slicelabels',
    module: 'github.com/thanos-io/thanos',
    linkerFlags: (version) => `-X github.com/prometheus/common/version.Version=${version}`,
  },
  actionlint: {
    name: 'actionlint',
    directory: 'actionlint',
    programs: { actionlint: 'github.com/rhysd/actionlint/cmd/actionlint' },
    module: 'github.com/rhysd/actionlint',
    linkerFlags: () => '',
  },
  readiness: {
    name: 'readiness',
    directory: 'readiness',
    programs: { readiness: './readiness' },
    sources: 'readiness',
    module: 'github.com/fluxcd/cli-utils',
    linkerFlags: () => '',
  },
} as const satisfies Record<string, Build>;

export type GoProgram = keyof typeof BUILDS;

/** The cache key of the program, which depends on all inputs of its build. */
async function cacheKey(build: Build): Promise<string> {
  const hash = createHash('sha256');
  const module = join(MODULES, build.directory);
  for (const name of ['go.mod', 'go.sum']) hash.update(await readFile(join(module, name)));
  if (build.sources) {
    const directory = join(module, build.sources);
    for (const name of (await readdir(directory)).sort()) hash.update(await readFile(join(directory, name)));
  }
  return `${build.name}-go-${hash.digest('hex').slice(0, 12)}`;
}

/** The path and version of the program if it is in the cache. */
export async function builtGoProgram(program: GoProgram): Promise<{ path: string; version: string } | undefined> {
  const key = await cacheKey(BUILDS[program]);
  const record = await installedRecord(key);
  return record && { path: join(await installOnce(key, () => Promise.reject()), program), version: record.version };
}

/** Builds the program into the cache unless it is there; Prometheus and promtool are built together. Reports its progress to `progress`. */
export async function buildGoProgram(
  program: GoProgram,
  progress: (text: string) => void,
): Promise<{ path: string; version: string }> {
  const build: Build = BUILDS[program];
  const key = await cacheKey(build);
  const directory = await installOnce(key, async (target) => {
    const { version, tag } = await pinnedVersion(build);
    const scratch = await mkdtemp(join(tmpdir(), 'prom-migrator-go-'));
    try {
      // One build at a time: they share most compiled packages, and each uses all cores.
      await withLock(join(cacheDirectory(), 'go-build.lock'), () =>
        goBuild(build, version, { target, scratch, progress }),
      );
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
    return { version, origin: `Go module ${build.module}@${tag}` };
  });
  const record = await installedRecord(key);
  return { path: join(directory, program), version: record?.version ?? '' };
}

async function pinnedVersion(build: Build): Promise<{ version: string; tag: string }> {
  const file = join(MODULES, build.directory, 'go.mod');
  const words = (await readFile(file, 'utf8')).split(/\s+/);
  const tag = words[words.indexOf(build.module, words.indexOf('require')) + 1] ?? '';
  const numbers = /^v(\d+)\.(\d+)\.(\d+)/.exec(tag);
  if (!numbers) throw new Error(`${file} names no version of ${build.module}`);
  // Prometheus' library tags: v0.316.0 is release 3.16.0.
  const library = build.module === PROMETHEUS.module && /^v0\.(\d)(\d\d)\.(\d+)/.exec(tag);
  return { version: (library || numbers).slice(1).map(Number).join('.'), tag };
}

async function goBuild(
  build: Build,
  version: string,
  { target, scratch, progress }: { target: string; scratch: string; progress: (text: string) => void },
): Promise<void> {
  const go = await findGo();
  const names = Object.keys(build.programs);
  const packages = Object.values(build.programs);
  const options = {
    cwd: join(MODULES, build.directory),
    env: {
      ...process.env,
      ...(go.root ? { GOROOT: go.root } : {}),
      CGO_ENABLED: '0',
      GOFLAGS: '',
      GOWORK: 'off',
      TMPDIR: scratch,
    },
  };
  const startedMs = Date.now();
  let state = 'downloading modules';
  const ticker = setInterval(() => {
    progress(`${names.join(', ')} ${version}: ${state}, ${Math.round((Date.now() - startedMs) / 1000)} s`);
  }, PROGRESS_EVERY_MS);
  try {
    const flags = ['-mod=readonly', ...(build.tags ? [`-tags=${build.tags}`] : []), '-trimpath'];
    const total = (await run(go.path, ['list', ...flags, '-deps', ...packages], options)).split('\n').length - 1;
    const linkerFlags = `-ldflags=-s -w ${build.linkerFlags(version)}`.trimEnd();
    const output = names.length === 1 ? join(target, names[0] ?? '') : `${target}/`;
    let compiled = 0;
    state = `0 of at most ${total} packages compiled`;
    await run(go.path, ['build', '-v', ...flags, '-buildvcs=false', linkerFlags, '-o', output, ...packages], {
      ...options,
      // With -v, the names of the compiled packages, one per line, are mixed with the errors of the compiler.
      isProgress(line) {
        if (!/^[\w.~-]+(\/[\w.~-]+)*$/.test(line)) return false;
        compiled++;
        state = `${compiled} of at most ${total} packages compiled`;
        return true;
      },
    });
  } finally {
    clearInterval(ticker);
  }
}

/** Go from PATH when it is new enough or can download a newer one, else from Debian's package. */
async function findGo(): Promise<{ path: string; root?: string }> {
  try {
    const version = (await run('go', ['env', 'GOVERSION'])).trim();
    const toolchain = (await run('go', ['env', 'GOTOOLCHAIN']).catch(() => 'local')).trim();
    const [major, minor] = version.replace(/^go/, '').split('.').map(Number);
    const wanted = Number(GO_MAJOR_MINOR.split('.')[1]);
    if (major === 1 && ((minor ?? 0) >= wanted || ((minor ?? 0) >= 21 && !toolchain.startsWith('local')))) {
      return { path: 'go' };
    }
  } catch {
    // Not on PATH.
  }
  if (!hasApt()) {
    throw new Error(`Go ${GO_MAJOR_MINOR} or newer is needed and not on PATH: https://go.dev/dl/`);
  }
  const directory = await installOnce(`go-${GO_MAJOR_MINOR}`, async (target) => {
    for (const suite of ['sid', 'forky']) {
      const [version] = await packageVersions(suite, `golang-${GO_MAJOR_MINOR}-go`);
      if (!version) continue;
      await unpackPackage(suite, `golang-${GO_MAJOR_MINOR}-go`, version, target);
      const [sources = version] = await packageVersions(suite, `golang-${GO_MAJOR_MINOR}-src`);
      await unpackPackage(suite, `golang-${GO_MAJOR_MINOR}-src`, sources, target);
      return { version, origin: `Debian ${suite}` };
    }
    throw new Error(`Debian has no golang-${GO_MAJOR_MINOR}-go any more: install Go from https://go.dev/dl/`);
  });
  const root = join(directory, 'usr/lib', `go-${GO_MAJOR_MINOR}`);
  const path = join(root, 'bin/go');
  if (!existsSync(path)) throw new Error(`${path} is missing from Debian's Go package`);
  return { path, root };
}
