#!/usr/bin/env node
// The command of the installed package. It needs Node 20 or newer to start and Node 24 or newer to run: on an older one it goes
// over to the Node binary that came along as an optional dependency, in place of itself where the platform allows it.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { isatty } from 'node:tty';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { memoryVariables, nodeFlags } from './node-settings.mjs';

const OLDEST_NODE = 24;
const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const main = join(root, 'dist', 'main.js');

function fail(message) {
  process.stderr.write(`prom-migrator: ${message}\n`);
  process.exit(1);
}

function ownNode() {
  const require = createRequire(import.meta.url);
  const { optionalDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  for (const name of Object.keys(optionalDependencies ?? {})) {
    if (!name.endsWith(`-${process.platform}-${process.arch}`)) continue;
    try {
      return join(dirname(require.resolve(`${name}/package.json`)), 'bin', 'node');
    } catch {
      // Not installed: npm leaves optional dependencies of other platforms out, and all of them with --omit=optional.
    }
  }
  return undefined;
}

function runInChild(binary, args) {
  const child = spawn(binary, args, { stdio: 'inherit', env: environment });
  child.on('error', (error) => fail(`cannot start ${binary}: ${error.message}`));
  // A terminal sends its signals to the child as well; only what is sent to this process alone must be handed on.
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  process.on('SIGINT', () => {
    if (![0, 1, 2].some((fd) => isatty(fd))) child.kill('SIGINT');
  });
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}

const environment = { ...memoryVariables, ...process.env };

/** A pending signal of the profiler would end the program that takes the place of a profiled one. */
const profiled = process.execArgv.some((flag) => /^--(?:cpu-)?prof\b/.test(flag));

/** Whether somebody has decided on it already: the image does, and whoever sets NODE_OPTIONS. */
function hasFlags() {
  return [...process.execArgv, process.env.NODE_OPTIONS ?? ''].some((text) => text.includes('--max-semi-space-size'));
}

function replaceProcess(binary, args) {
  // Without a process in between, signals and exit codes need no forwarding.
  process.execve(binary, [binary, ...args], environment);
}

const canReplace = typeof process.execve === 'function' && !profiled;
const program = [main, ...process.argv.slice(2)];
if (!existsSync(main)) {
  fail('this is a checkout without a build: use `npm -s start -- …`, or run `npm run build` first');
} else if (Number.parseInt(process.versions.node, 10) >= OLDEST_NODE) {
  if (canReplace && !hasFlags()) replaceProcess(process.execPath, [...nodeFlags, ...process.execArgv, ...program]);
  await import(pathToFileURL(main).href);
} else {
  const binary = ownNode();
  // Also a binary that is there may not run here: those of npm are linked against glibc, and Alpine has none.
  if (binary === undefined || spawnSync(binary, ['--version'], { stdio: 'ignore' }).status !== 0) {
    fail(
      `Node ${process.versions.node} is too old, and there is no Node binary for ${process.platform}-${process.arch} ` +
        `beside it: install Node ${OLDEST_NODE} or newer, or reinstall with \`npm install --include=optional\``,
    );
  }
  if (canReplace) replaceProcess(binary, [...nodeFlags, ...program]);
  runInChild(binary, [...nodeFlags, ...program]);
}
