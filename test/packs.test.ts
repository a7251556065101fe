// What the build makes of the bundle: scripts that the loader runs, with the code that V8 has compiled beside them.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bundle, PROGRAM } from '../scripts/bundle.ts';
import { compileCode } from '../scripts/compile-code.ts';
import { exampleManifest, startExampleStores } from '../scripts/example-stores.ts';
import { packProgram } from '../scripts/packs.ts';
import { cachePath, FIRST_PACK } from '../src/loader/program-files.ts';
import { originalStack } from '../src/telemetry/original-stack.ts';

const ROOT = resolve(import.meta.dirname, '..');

describe('the packs of the program', () => {
  let directory: string;
  let dist: string;

  before(async function () {
    this.timeout(180_000);
    directory = await mkdtemp(join(tmpdir(), 'prom-migrator-packs-'));
    dist = join(directory, 'dist');
    await packProgram(await bundle(PROGRAM, dist), ROOT, dist);
    await compileCode(dist);
  });
  after(() => rm(directory, { recursive: true, force: true }));

  async function start(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    const env = { ...process.env, NODE_DEBUG: 'prom-migrator' };
    const child = spawn(process.execPath, [join(dist, 'main.js'), ...args], { stdio: ['ignore', 'pipe', 'pipe'], env });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const [code] = (await once(child, 'close')) as [number];
    return { code, stdout, stderr };
  }

  it('are the program, which says nothing about the compiled code that it uses', async () => {
    assert.deepEqual({ ...(await start('--version')), stdout: '' }, { code: 0, stdout: '', stderr: '' });
    const { code, stdout } = await start('run', '--help');
    assert.equal(code, 0);
    assert.match(stdout, /prom-migrator run -f FILE/);
  });

  it('have compiled code for all that a copy loads, which V8 accepts', async () => {
    const stores = startExampleStores();
    await once(stores, 'listening');
    try {
      const file = join(directory, 'copy.json');
      const url = `http://127.0.0.1:${(stores.address() as AddressInfo).port}`;
      await writeFile(file, JSON.stringify(exampleManifest(url)));
      const { code, stdout, stderr } = await start('run', '-f', file, '--output', 'json', '--log-level', 'error');
      assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
      const { phase, samplesWritten } = JSON.parse(stdout) as Record<string, unknown>;
      assert.deepEqual({ phase, samplesWritten }, { phase: 'Succeeded', samplesWritten: 1_440_000 });
    } finally {
      stores.close();
    }
  });

  it('start in the same way without, or with a damaged one, and say so to NODE_DEBUG', async () => {
    const cache = cachePath(join(dist, FIRST_PACK));
    const sealed = await readFile(cache);
    const expected = (await start('--version')).stdout;
    try {
      sealed[sealed.length >> 1]! ^= 255;
      await writeFile(cache, sealed);
      const damaged = await start('--version');
      assert.deepEqual([damaged.code, damaged.stdout], [0, expected]);
      assert.match(damaged.stderr, /program\.js\S*\.cache is damaged or belongs to another build: compiling/);
      await rm(cache);
      const missing = await start('--version');
      assert.deepEqual([missing.code, missing.stdout], [0, expected]);
      assert.match(missing.stderr, /no compiled code: .*ENOENT/);
    } finally {
      sealed[sealed.length >> 1]! ^= 255;
      await writeFile(cache, sealed);
    }
  });

  it('replace all files of the bundle, which would load a second copy of a module', async () => {
    const entries = Object.keys(PROGRAM).map((name) => `${name}.js`);
    const files = (await readdir(dist)).filter((name) => name.endsWith('.js'));
    for (const entry of entries) assert.ok(files.includes(entry), entry);
    for (const file of files.filter((name) => !entries.includes(name)))
      assert.match(await readFile(join(dist, file), 'latin1'), /^\(\{\n/, file);
  });

  it('have maps to the lines of the source', async () => {
    const lines = (await readFile(join(dist, FIRST_PACK), 'latin1')).split('\n');
    const line = lines.findIndex((text) => text.includes('function compilePlan('));
    const column = lines[line]!.indexOf('function compilePlan(') + 'function '.length;
    const url = pathToFileURL(join(dist, FIRST_PACK)).href;
    const place = originalStack(`at compilePlan (${url}:${line + 1}:${column + 1})`);
    const source = (await readFile(join(ROOT, 'src/migration/plan/plan.ts'), 'utf8')).split('\n');
    const original = source.findIndex((text) => text.includes('function compilePlan('));
    assert.match(place, new RegExp(`src/migration/plan/plan\\.ts:${original + 1}:`));
  });
});
