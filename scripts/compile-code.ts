// Writes the code that V8 makes of the packs in dist/: it runs the commands for which a fast start matters, against a server that looks like
// a destination with a finished migration, and keeps what V8 has compiled for them. This file is also the program that runs there.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { nodeFlags } from '../bin/node-settings.mjs';
import { cachePath, ProgramFiles, sealedCache } from '../src/loader/program-files.ts';

/** With them, two builds make the same code, but for a few bytes in which V8 keeps what depends on the time of the run. */
const STEADY_FLAGS = ['--hash-seed=1', '--random-seed=1', '--no-flush-bytecode'];
/** V8 accepts code only with the flags with which it was made. The program sets the first one itself, after it has loaded its modules. */
const DEFAULT_FLAGS = ['--heap-growing-percent=0', '--hash-seed=0', '--random-seed=0', '--flush-bytecode'];

const START = '2026-01-01T00:00:00Z';
const END = '2026-01-01T06:00:00Z';

/** Answers every look for marks with the mark of a finished migration, and every read with no series. */
function startFinishedDestination(): Server {
  const server = createServer((request, response) => {
    const query = new URL(request.url ?? '', 'http://localhost').searchParams.get('query') ?? '';
    const labels = { shard: '0', migration: 'default/example', id: /\bid="([^"]*)"/.exec(query)?.[1] };
    const mark = (Date.parse(END) - 1) / 1000;
    const counted = query.startsWith('count_over_time');
    const result = ['windows', 'read', undefined].map((count) => {
      const metric = { ...(counted ? {} : { __name__: 'prom_migrator_progress' }), ...labels, ...(count && { count }) };
      return counted ? { metric, value: [Date.now() / 1000, '1'] } : { metric, values: [[mark, '1']] };
    });
    const found = labels.id !== undefined && !labels.id.includes('verification') ? result : [];
    request.resume();
    if (request.url?.startsWith('/api/v1/query') !== true) {
      response.setHeader('Content-Type', 'application/x-protobuf').end();
      return;
    }
    const data = { resultType: counted ? 'vector' : 'matrix', result: found };
    response.setHeader('Content-Type', 'application/json').end(JSON.stringify({ status: 'success', data }));
  });
  return server.listen(0, '127.0.0.1');
}

function manifestOf(url: string): object {
  return {
    apiVersion: 'prom-migrator.io/v1alpha1',
    kind: 'PromMigration',
    metadata: { name: 'example' },
    spec: {
      source: { url: `${url}/api/v1/read` },
      destination: { url: `${url}/api/v1/write`, progress: { protocol: 'PromQL', url } },
      timeRange: { start: START, end: END },
    },
  };
}

/** @throws Error if a command fails */
export async function compileCode(dist: string): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'prom-migrator-build-'));
  const server = startFinishedDestination();
  try {
    await once(server, 'listening');
    const file = join(directory, 'migration.json');
    writeFileSync(file, JSON.stringify(manifestOf(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)));
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
    for (const { path, source, script } of files.loaded)
      writeFileSync(cachePath(path), sealedCache(source, script.createCachedData()));
  });
  files.require('./main.js');
}

if (import.meta.main) {
  const [dist = '', ...args] = process.argv.slice(2);
  process.argv = [process.execPath, join(dist, 'main.js'), ...args];
  runProgram(dist);
}
