// Starts everything that the npm scripts run. It needs only Node 20 and npm. It installs the locked dependencies if they are missing or
// older than the lock file, and compiles kernel/ if it has changed. Then it runs its argument (a .ts file, or the name of an installed command) with the Node of the
// workspace scripts/node, because that version runs TypeScript directly.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { isatty } from 'node:tty';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { kernelIsCurrent } from './kernel-stamp.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const modules = join(root, 'node_modules');

function installed() {
  const stamp = join(modules, '.package-lock.json');
  return existsSync(stamp) && statSync(stamp).mtimeMs >= statSync(join(root, 'package-lock.json')).mtimeMs;
}

if (!installed()) {
  process.stderr.write('installing the locked dependencies (npm ci)\n');
  const npm = spawnSync('npm', ['ci', '--include=dev', '--include=optional', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (npm.status !== 0) {
    process.stderr.write(`npm ci failed with exit code ${npm.status}; see its output above\n`);
    process.exit(1);
  }
}

const ownNode = join(modules, '.bin', process.platform === 'win32' ? 'node.cmd' : 'node');
if (!existsSync(ownNode)) {
  process.stderr.write(
    `scripts/node/package.json has no Node binary for ${process.platform}-${process.arch}, or npm has left it out: ` +
      'run `npm ci --include=optional` again\n',
  );
  process.exit(1);
}

if (!kernelIsCurrent(root)) {
  const { status } = spawnSync(ownNode, [join(root, 'scripts', 'compile-kernel.ts')], { stdio: ['ignore', 2, 2] });
  if (status !== 0) process.exit(1);
}

const [name, ...args] = process.argv.slice(2);
let script = resolve(root, name);
if (!existsSync(script)) {
  const directory = { biome: '@biomejs/biome', tsc: 'typescript' }[name] ?? name;
  const manifest = JSON.parse(readFileSync(join(modules, directory, 'package.json'), 'utf8'));
  script = join(modules, directory, typeof manifest.bin === 'string' ? manifest.bin : manifest.bin[name]);
}
const child = spawn(ownNode, [script, ...args], {
  stdio: 'inherit',
  env: {
    ...process.env,
    PATH: `${join(modules, '.bin')}${process.platform === 'win32' ? ';' : ':'}${process.env.PATH}`,
  },
});
// A terminal sends its signals to the child as well; only those sent to this process alone must be forwarded.
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
process.on('SIGINT', () => {
  if (![0, 1, 2].some((fd) => isatty(fd))) child.kill('SIGINT');
});
child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
