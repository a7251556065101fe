#!/usr/bin/env node
// The command of the installed package. It needs Node 20 or newer to start and Node 24 or newer to run: on an older one it goes
// over to the Node binary that came along as an optional dependency, in place of itself where the platform allows it.
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { memoryVariables, nodeFlags } from './node-settings.mjs';

const OLDEST_NODE = 24;
const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const main = join(root, 'dist', 'main.js');

function fail(message) {
  process.stderr.write(`prom-migrator: ${message}\n`);
  process.exit(1);
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

function replaceProcess(binary, args) {
  // Without a process in between, signals and exit codes need no forwarding.
  process.execve(binary, [binary, ...args], environment);
}

const canReplace = typeof process.execve === 'function' && !profiled;
const program = [main, ...process.argv.slice(2)];
if (!existsSync(main)) {
  fail('this is a checkout without a build: use `npm -s start -- …`, or run `npm run build` first');
} else if (Number.parseInt(process.versions.node, 10) >= OLDEST_NODE) {
  if (canReplace && needsLittleMemory() && !hasFlags())
    replaceProcess(process.execPath, [...nodeFlags, ...process.execArgv, ...program]);
  await import(pathToFileURL(main).href);
} else {
  const { findOwnNode, runInChild } = await import('./own-node.mjs');
  const binary = findOwnNode(root);
  if (binary === undefined) {
    fail(
      `Node ${process.versions.node} is too old, and there is no Node binary for ${process.platform}-${process.arch} ` +
        `beside it: install Node ${OLDEST_NODE} or newer, or reinstall with \`npm install --include=optional\``,
    );
  }
  const args = [...nodeFlags, ...program];
  if (canReplace) replaceProcess(binary, args);
  runInChild(binary, args, environment, (error) => fail(`cannot start ${binary}: ${error.message}`));
}
