// Writes the code that V8 makes of the packs in dist/: it copies some series between servers of its own, and keeps what V8 has compiled for
// that. This file is also the program that runs there.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { nodeFlags } from '../bin/node-settings.mjs';
import { cachePath, FIRST_PACK, ProgramFiles, sealedCache } from '../src/loader/program-files.ts';
import { exampleManifest, startExampleStores } from './example-stores.ts';

/** With them, two builds make the same code, but for a few bytes in which V8 keeps what depends on the time of the run. */
const STEADY_FLAGS = ['--hash-seed=1', '--random-seed=1', '--no-flush-bytecode'];
/** V8 accepts code only with the flags with which it was made: those of a usual start. */
const DEFAULT_FLAGS = ['--hash-seed=0', '--random-seed=0', '--flush-bytecode'];
/** The program sets it itself (src/telemetry/small-heap.ts), after it has loaded the first pack and before it loads another. */
const HEAP_FLAG = '--heap-growing-percent';

/** @throws Error if a command fails */
export async function compileCode(dist: string): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'prom-migrator-build-'));
  const server = startExampleStores();
  try {
    await once(server, 'listening');
    const file = join(directory, 'migration.json');
    writeFileSync(file, JSON.stringify(exampleManifest(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)));
    await runAndKeep(dist, ['run', '-f', file, '--output', 'json']);
  } finally {
    server.close();
    rmSync(directory, { recursive: true });
  }
}

async function runAndKeep(dist: string, args: readonly string[]): Promise<void> {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const child = spawn(process.execPath, [...nodeFlags, ...STEADY_FLAGS, import.meta.filename, dist, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${args[0]} failed while its code was compiled: ${output}`);
}

/** Runs the program, and writes the caches of the packs that it has loaded when it ends. */
function runProgram(dist: string): void {
  const files = new ProgramFiles(pathToFileURL(join(dist, 'main.js')).href);
  process.on('exit', () => {
    for (const flag of DEFAULT_FLAGS) setFlagsFromString(flag);
    for (const { path, script } of files.loaded) {
      setFlagsFromString(`${HEAP_FLAG}=${basename(path) === FIRST_PACK ? 0 : 50}`);
      writeFileSync(cachePath(path), sealedCache(readFileSync(path), script.createCachedData()));
    }
  });
  files.require('./main.js');
}

if (import.meta.main) {
  const [dist = '', ...args] = process.argv.slice(2);
  process.argv = [process.execPath, join(dist, 'main.js'), ...args];
  runProgram(dist);
}
