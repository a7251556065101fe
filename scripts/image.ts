// `npm run test:image`: builds the image from the Dockerfile and runs test/image/container.ts against it, with podman or docker, depending
// on which is installed (CONTAINER_TOOL selects another). The argument --keep keeps the image. NODE_IMAGE sets the base image; the default
// is the Dockerfile's. If no registry can be reached, a plain Debian machine makes a base image with debootstrap and the project's Node.

import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { machineArchives } from '../test/support/debian-packages.ts';

const root = resolve(import.meta.dirname, '..');
const IMAGE = 'localhost/prom-migrator:test';
const DEBIAN_BASE = `localhost/prom-migrator-debian-node:${process.versions.node}`;
const DEBIAN_SUITE = 'trixie';
/** Libraries that Node's own binaries are linked with and that a minimal Debian lacks. */
const DEBIAN_PACKAGES = ['libatomic1', 'libstdc++6'];

function say(text: string): void {
  process.stderr.write(`image: ${text}\n`);
}

function fail(text: string): never {
  say(text);
  process.exit(1);
}

function succeeds(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

function run(command: string, args: readonly string[], cwd = root): void {
  const { status, error } = spawnSync(command, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) fail(`${command} ${args[0]} failed${error === undefined ? '' : `: ${error.message}`}`);
}

function findTool(): string {
  const tools = process.env['CONTAINER_TOOL'] ? [process.env['CONTAINER_TOOL']] : ['podman', 'docker'];
  // A docker client without its daemon does not count.
  const tool = tools.find((candidate) => succeeds(candidate, ['info']));
  if (tool === undefined)
    fail(`none of ${tools.join(', ')} works here: install podman with runc, or start the docker daemon`);
  return tool;
}

/**
 * podman raises limits for its containers, which is not permitted on a machine that is a container itself; docker's daemon already has the
 * necessary limits.
 */
function limitsOf(tool: string): string[] {
  return tool.endsWith('podman') ? ['--ulimit=nofile=1024:1024', '--ulimit=nproc=1024:1024'] : [];
}

function dockerfileBase(): string {
  const [, base] = /^ARG NODE_IMAGE=(\S+)$/m.exec(readFileSync(join(root, 'Dockerfile'), 'utf8')) ?? [];
  return base ?? fail('the Dockerfile names no NODE_IMAGE');
}

function findBase(tool: string): string {
  const given = process.env['NODE_IMAGE'];
  if (given) return given;
  const own = dockerfileBase();
  if (succeeds(tool, ['image', 'inspect', own])) return own;
  say(`pulling ${own}`);
  if (succeeds(tool, ['pull', '--quiet', own])) return own;
  if (succeeds(tool, ['image', 'inspect', DEBIAN_BASE])) return DEBIAN_BASE;
  if (!succeeds('debootstrap', ['--version']) || process.getuid?.() !== 0) {
    fail(
      `${own} cannot be pulled; set NODE_IMAGE to an image with Node 24 or newer and npm, or run this as root with debootstrap installed`,
    );
  }
  makeDebianBase(tool);
  return DEBIAN_BASE;
}

/** The directory of the npm in PATH: npm is JavaScript, and runs on any Node. */
function findNpm(): string {
  const directories = (process.env['PATH'] ?? '').split(delimiter);
  const command = directories.map((directory) => join(directory, 'npm')).find((path) => existsSync(path));
  const npm = command === undefined ? undefined : resolve(dirname(realpathSync(command)), '..');
  return npm !== undefined && existsSync(join(npm, 'bin/npm-cli.js')) ? npm : fail('npm is not on PATH');
}

/** A minimal Debian with the current Node and the npm of this machine. */
function makeDebianBase(tool: string): void {
  say(`the image cannot be pulled: building ${DEBIAN_BASE} with debootstrap, which takes a minute or two`);
  const npm = findNpm();
  const directory = mkdtempSync(join(tmpdir(), 'prom-migrator-base-'));
  try {
    const mirror = machineArchives()[0]?.uri ?? fail('this machine has no Debian archive configured');
    run('debootstrap', [
      '--variant=minbase',
      `--include=${DEBIAN_PACKAGES.join(',')}`,
      DEBIAN_SUITE,
      directory,
      mirror,
    ]);
    cpSync(realpathSync(process.execPath), join(directory, 'usr/local/bin/node'));
    mkdirSync(join(directory, 'usr/local/lib/node_modules'), { recursive: true });
    cpSync(npm, join(directory, 'usr/local/lib/node_modules/npm'), { recursive: true });
    symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(directory, 'usr/local/bin/npm'));
    const archive = `${directory}.tar`;
    run('tar', ['-C', directory, '-cf', archive, '.']);
    const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
    run(tool, ['import', '--change', `ENV ${path}`, archive, DEBIAN_BASE]);
    rmSync(archive);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The build secrets of the Dockerfile, from this machine's own npm configuration. */
function secretArguments(directory: string): string[] {
  const own = join(homedir(), '.npmrc');
  const lines = existsSync(own) ? [readFileSync(own, 'utf8')] : [];
  const authorities = process.env['NODE_EXTRA_CA_CERTS'];
  const secrets = [`id=npmrc,src=${join(directory, 'npmrc')}`];
  if (authorities && existsSync(authorities)) {
    lines.push('cafile=/run/secrets/authorities');
    secrets.push(`id=authorities,src=${authorities}`);
  }
  writeFileSync(join(directory, 'npmrc'), `${lines.join('\n')}\n`, { mode: 0o600 });
  return secrets.flatMap((secret) => ['--secret', secret]);
}

const tool = findTool();
const base = findBase(tool);
const limits = limitsOf(tool);
const directory = mkdtempSync(join(tmpdir(), 'prom-migrator-image-'));
let status: number | null = null;
try {
  say(`building ${IMAGE} on ${base} with ${tool}`);
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  run(tool, [
    'build',
    `--tag=${IMAGE}`,
    `--build-arg=NODE_IMAGE=${base}`,
    `--build-arg=VERSION=${version}`,
    '--network=host',
    ...limits,
    ...secretArguments(directory),
    '.',
  ]);
  const mocha = join(root, 'node_modules/mocha/bin/mocha.js');
  ({ status } = spawnSync(
    process.execPath,
    [mocha, '--extension', 'ts', '--timeout', '180000', 'test/image/container.ts'],
    {
      cwd: root,
      stdio: 'inherit',
      env: {
        ...process.env,
        PATH: `${dirname(process.execPath)}:${process.env['PATH']}`,
        CONTAINER_TOOL: tool,
        CONTAINER_LIMITS: limits.join(' '),
        PROM_MIGRATOR_IMAGE: IMAGE,
      },
    },
  ));
} finally {
  rmSync(directory, { recursive: true, force: true });
  if (!process.argv.includes('--keep')) succeeds(tool, ['image', 'rm', '--force', IMAGE]);
}
process.exitCode = status ?? 1;
