// The loader of the packs that the build writes, and the compiled code beside them: it is used when it fits, and nothing else ever is.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { cachePath, FIRST_PACK, ProgramFiles, sealedCache } from '../../src/loader/program-files.ts';

const LOADER = new URL('../../src/loader/program-files.ts', import.meta.url).href;

const FIRST = `({
"later.js":"second.js",
"main.js"(module,exports,require,packUrl){
exports.answer = () => 41;
exports.url = packUrl;
exports.later = () => require("./later.js");
exports.path = require("node:path");
},
})
`;
const SECOND = '({\n"later.js"(module,exports,require){module.exports={main:require("./main.js")}},\n})\n';

interface Main {
  answer(): number;
  later(): { main: Main };
  readonly url: string;
  readonly path: unknown;
}

describe('the loader of the program', () => {
  let directory: string;
  let first: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'prom-migrator-loader-'));
    first = join(directory, FIRST_PACK);
    await writeFile(first, FIRST);
    await writeFile(join(directory, 'second.js'), SECOND);
  });
  afterEach(async () => {
    await chmod(directory, 0o755);
    await rm(directory, { recursive: true });
  });

  const url = () => pathToFileURL(join(directory, 'main.js')).href;

  function load() {
    const files = new ProgramFiles(url());
    return { files, main: files.require('./main.js') as Main };
  }

  /** In a process of its own: V8 compiles the same source only once in each, and other tests change V8's flags. */
  function run(code: string, ...flags: string[]): unknown {
    const program = `
      import { ProgramFiles } from ${JSON.stringify(LOADER)};
      const files = new ProgramFiles(${JSON.stringify(url())});
      const answer = files.require('./main.js').answer();
      const { script } = files.loaded[0];
      console.log(JSON.stringify(${code}));`;
    const args = [...flags, '--input-type=module', '--eval', program];
    return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
  }

  /** `rejected` is null if V8 was given no code. */
  function start(...flags: string[]): unknown {
    return run('{ answer, rejected: script.cachedDataRejected ?? null }', ...flags);
  }

  async function writeCache(): Promise<Buffer> {
    const code = Buffer.from(run('script.createCachedData().toString("base64")') as string, 'base64');
    await writeFile(cachePath(first), sealedCache(Buffer.from(FIRST), code));
    return code;
  }

  it('loads a module once, from the pack that has it, and only when it is required', () => {
    const { files, main } = load();
    assert.equal(files.loaded.length, 1);
    assert.equal(main.later().main, main);
    assert.equal(files.loaded.length, 2);
    assert.equal(main.url, url());
    assert.equal(main.path, process.getBuiltinModule('node:path'));
  });

  it('fails for a module that does not exist as require does, so that optional packages are left out', () => {
    const { files } = load();
    for (const id of ['none', './none.js', 'node:none'])
      assert.throws(() => files.require(id), { code: 'MODULE_NOT_FOUND', message: `${id} is not in the bundle` });
  });

  it('throws again for a module that has thrown', async () => {
    const broken = '"broken.js"(module,exports){exports.half = true; throw new Error("broken");},\n';
    await writeFile(first, FIRST.replace('({\n', `({\n${broken}`));
    const { files } = load();
    for (let attempt = 0; attempt < 2; attempt++) assert.throws(() => files.require('./broken.js'), /^Error: broken$/);
  });

  it('uses the compiled code of this Node', async () => {
    assert.deepEqual(start(), { answer: 41, rejected: null });
    await writeCache();
    assert.deepEqual(start(), { answer: 41, rejected: false });
    assert.ok(cachePath(first).includes(process.version) && cachePath(first).includes(process.arch));
  });

  for (const [name, damage] of [
    ['is empty', () => Buffer.alloc(0)],
    ['ends within its checksums', (sealed: Buffer) => sealed.subarray(0, 6)],
    ['has nothing but checksums', (sealed: Buffer) => sealed.subarray(0, 8)],
    ['is truncated', (sealed: Buffer) => sealed.subarray(0, -1)],
    ['has a changed bit in the code', (sealed: Buffer) => flipped(sealed, sealed.length - 9)],
    ['has a changed bit in a checksum', (sealed: Buffer) => flipped(sealed, 1)],
  ] as const) {
    it(`compiles the source if the cache ${name}`, async () => {
      await writeCache();
      await writeFile(cachePath(first), damage(await readFile(cachePath(first))));
      assert.deepEqual(start(), { answer: 41, rejected: null });
    });
  }

  it('compiles the source if the cache is of another source, also of the same length', async () => {
    await writeCache();
    await writeFile(first, FIRST.replace('41', '42'));
    assert.deepEqual(start(), { answer: 42, rejected: null });
  });

  it('compiles the source if V8 rejects the code, as it does for another version or other flags', async () => {
    const code = await writeCache();
    assert.deepEqual(start('--no-opt'), { answer: 41, rejected: true });
    await writeFile(cachePath(first), sealedCache(Buffer.from(FIRST), flipped(code, 0)));
    assert.deepEqual(start(), { answer: 41, rejected: true });
  });

  it('writes nothing', async () => {
    const before = await readdir(directory);
    await chmod(directory, 0o555);
    load().main.later();
    assert.deepEqual(await readdir(directory), before);
  });
});

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at]! ^= 1;
  return copy;
}
