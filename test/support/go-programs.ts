// Builds the programs that test/support/go pins (its go.sum names every checksum): the current Prometheus with its promtool, and the
// tests' own TSDB reader. Takes Go from PATH, or out of Debian's package when there is none. Called by install.ts.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { cacheDirectory, installedRecord, installOnce, withLock } from './cache.ts';
import { run } from './child-output.ts';
import { hasApt, packageVersions, unpackPackage } from './debian-packages.ts';

const MODULE = resolve(import.meta.dirname, 'go/prometheus');
/** What go.mod asks for; an older Go could not even parse parts of it. */
const GO_MAJOR_MINOR = '1.26';

export type GoProgram = 'prometheus' | 'promtool' | 'tsdb-cat';

/** The cache key of the program: another one as soon as anything that it is built from changes. */
async function cacheKey(program: GoProgram): Promise<string> {
  const hash = createHash('sha256');
  for (const name of ['go.mod', 'go.sum']) hash.update(await readFile(join(MODULE, name)));
  if (program === 'tsdb-cat') {
    const directory = join(MODULE, 'tsdb-cat');
    for (const name of (await readdir(directory)).sort()) hash.update(await readFile(join(directory, name)));
  }
  return `${program === 'tsdb-cat' ? 'tsdb-cat' : 'prometheus'}-go-${hash.digest('hex').slice(0, 12)}`;
}

/** Where the program lies if the cache has it, and its version. */
export async function builtGoProgram(program: GoProgram): Promise<{ path: string; version: string } | undefined> {
  const key = await cacheKey(program);
  const record = await installedRecord(key);
  return record && { path: join(await installOnce(key, () => Promise.reject()), program), version: record.version };
}

/** Builds the program into the cache unless it is there. Prometheus and promtool are built together. */
export async function buildGoProgram(program: GoProgram): Promise<{ path: string; version: string }> {
  const key = await cacheKey(program);
  const directory = await installOnce(key, async (target) => {
    const goMod = await readFile(join(MODULE, 'go.mod'), 'utf8');
    const tag = /github\.com\/prometheus\/prometheus v0\.(\d)(\d\d)\.(\d+)/.exec(goMod);
    if (!tag) throw new Error(`${join(MODULE, 'go.mod')} names no Prometheus version`);
    // Prometheus' library tags: v0.316.0 is release 3.16.0.
    const version = `${Number(tag[1])}.${Number(tag[2])}.${Number(tag[3])}`;
    const packages =
      program === 'tsdb-cat'
        ? ['./tsdb-cat']
        : ['prometheus', 'promtool'].map((name) => `github.com/prometheus/prometheus/cmd/${name}`);
    const scratch = await mkdtemp(join(tmpdir(), 'prom-migrator-go-'));
    try {
      // One build after the other: they share most of what they compile, and each uses all cores by itself.
      await withLock(join(cacheDirectory(), 'go-build.lock'), () =>
        goBuild(target, packages, `-s -w -X github.com/prometheus/common/version.Version=${version}`, scratch),
      );
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
    return { version, origin: `Go module github.com/prometheus/prometheus@${tag[0].split(' ')[1]}` };
  });
  const record = await installedRecord(key);
  return { path: join(directory, program), version: record?.version ?? '' };
}

async function goBuild(target: string, packages: string[], linkerFlags: string, scratch: string): Promise<void> {
  const go = await findGo();
  const flags = ['-mod=readonly', '-tags=remove_all_sd', '-trimpath', '-buildvcs=false', `-ldflags=${linkerFlags}`];
  await run(go.path, ['build', ...flags, '-o', `${target}/`, ...packages], {
    cwd: MODULE,
    env: {
      ...process.env,
      ...(go.root ? { GOROOT: go.root } : {}),
      CGO_ENABLED: '0',
      GOFLAGS: '',
      GOWORK: 'off',
      TMPDIR: scratch,
    },
  });
}

/** Go from PATH when it is new enough or may fetch a newer one itself, else out of Debian's package. */
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
