#!/usr/bin/env node
// The command of the installed package. It runs on Node 20.16 or newer, and brings none along.
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { memoryVariables, nodeFlags } from './node-settings.mjs';

/** As `engines` in package.json. */
const OLDEST_NODE = [20, 16];
const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const main = join(root, 'dist', 'main.js');

function fail(message) {
  process.stderr.write(`prom-migrator: ${message}\n`);
  process.exit(1);
}

/** Node 21 and the first releases of 22 lack the function too. */
function isTooOld(version) {
  const [major, minor] = version.split('.').map(Number);
  const isOlder = major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1]);
  return isOlder || typeof process.getBuiltinModule !== 'function';
}

const environment = { ...memoryVariables, ...process.env };

/** A pending signal of the profiler would end the program that takes the place of a profiled one. */
const profiled = process.execArgv.some((flag) => /^--(?:cpu-)?prof\b/.test(flag));

/** Whether somebody has decided on it already: the image does, and whoever sets NODE_OPTIONS. */
function hasFlags() {
  return [...process.execArgv, process.env.NODE_OPTIONS ?? ''].some((text) => text.includes('--max-semi-space-size'));
}

/** Commands that move data. The others end before memory matters, and a second start of Node takes half of their time. */
function needsLittleMemory() {
  const [command, ...rest] = process.argv.slice(2);
  const moves = ['run', 'verify', 'operator'].includes(command);
  return moves && !rest.some((flag) => ['--help', '-h', '--version', '-V'].includes(flag));
}

if (isTooOld(process.versions.node)) {
  fail(`Node ${process.versions.node} is too old: install Node ${OLDEST_NODE.join('.')} or newer`);
} else if (!existsSync(main)) {
  fail('this is a checkout without a build: use `npm -s start -- …`, or run `npm run build` first');
}
// Without a process in between, signals and exit codes need no forwarding. Where a process cannot be replaced (before Node 22.15, and on
// Windows), the program takes more memory.
if (typeof process.execve === 'function' && !profiled && needsLittleMemory() && !hasFlags()) {
  const args = [...nodeFlags, ...process.execArgv, main, ...process.argv.slice(2)];
  process.execve(process.execPath, [process.execPath, ...args], environment);
}
await import(pathToFileURL(main).href);
