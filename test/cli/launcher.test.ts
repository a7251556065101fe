import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const bin = fileURLToPath(new URL('../../bin', import.meta.url));

const main = `
process.on('SIGTERM', () => process.exit(143));
const { argv, execArgv, pid, versions } = process;
console.log(JSON.stringify({ major: Number.parseInt(versions.node), argv: argv.slice(2), pid, flags: execArgv }));
if (process.argv[2] === 'wait') setTimeout(() => process.exit(9), 5000);
else process.exitCode = 7;
`;

/** Makes the launcher detect an old Node, with or without `process.execve`. */
const preloads = {
  'old.mjs': "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '22.1.0' } });",
  'older.mjs':
    "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.1.0' } }); process.execve = undefined;",
};

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly pid: number | undefined;
}

describe('the package launcher', () => {
  let directory: string;
  const packageNode = `some-node-${process.platform}-${process.arch}`;

  beforeEach(() => {
    directory = realpathSync(mkdtempSync(join(tmpdir(), 'launcher-')));
    for (const path of ['bin', 'dist', `node_modules/${packageNode}/bin`])
      mkdirSync(join(directory, path), { recursive: true });
    for (const file of readdirSync(bin).filter((name) => name.endsWith('.mjs')))
      cpSync(join(bin, file), join(directory, 'bin', file));
    const manifest = {
      type: 'module',
      optionalDependencies: { 'some-node-other-cpu': '1.0.0', [packageNode]: '1.0.0' },
    };
    writeFileSync(join(directory, 'package.json'), JSON.stringify(manifest));
    writeFileSync(join(directory, 'dist/main.js'), main);
    writeFileSync(join(directory, `node_modules/${packageNode}/package.json`), '{}');
    symlinkSync(process.execPath, join(directory, `node_modules/${packageNode}/bin/node`));
    for (const [name, text] of Object.entries(preloads)) writeFileSync(join(directory, name), text);
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  async function launch(preload: keyof typeof preloads | undefined, args: string[], terminate = false): Promise<Ended> {
    const node = preload === undefined ? [] : ['--import', join(directory, preload)];
    const child = spawn(process.execPath, [...node, join(directory, 'bin/prom-migrator.mjs'), ...args]);
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (data) => {
      stdout += data;
      if (terminate) child.kill('SIGTERM');
    });
    child.stderr.on('data', (data) => {
      stderr += data;
    });
    const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
    return { code, stdout, stderr, pid: child.pid };
  }

  for (const [name, preload] of [
    ['in its own process on a sufficiently new Node', undefined],
    ['by replacing itself with the bundled Node', 'old.mjs'],
    ['in a child process with the bundled Node', 'older.mjs'],
  ] as const) {
    it(`runs the program ${name}, and passes on arguments, exit code and signals`, async () => {
      const ended = await launch(preload, ['run', 'b c']);
      assert.equal(ended.stderr, '');
      const printed = JSON.parse(ended.stdout);
      assert.deepEqual(printed.argv, ['run', 'b c']);
      assert.ok(printed.flags.includes('--max-semi-space-size=4'), 'with little memory for what lives shortly');
      assert.equal(printed.major, Number.parseInt(process.versions.node, 10));
      assert.equal(printed.pid === ended.pid, preload !== 'older.mjs');
      assert.equal(ended.code, 7);
      assert.equal((await launch(preload, ['wait'], true)).code, 143);
    });
  }

  it('starts Node only once where memory does not matter', async () => {
    for (const args of [['--version'], ['--help'], ['run', '--help'], ['help', 'run'], []]) {
      const { flags } = JSON.parse((await launch(undefined, args)).stdout);
      assert.deepEqual(flags, [], args.join(' '));
    }
    for (const command of ['run', 'verify', 'operator']) {
      const { flags } = JSON.parse((await launch(undefined, [command])).stdout);
      assert.deepEqual(flags, ['--max-semi-space-size=4'], command);
    }
  });

  it('keeps the process that is profiled, whose pending signal would end its successor', async () => {
    const profiles = join(directory, 'profiles');
    const child = spawn(process.execPath, [
      ...['--cpu-prof', `--cpu-prof-dir=${profiles}`],
      ...[join(directory, 'bin/prom-migrator.mjs'), 'run'],
    ]);
    let stdout = '';
    child.stdout.on('data', (data) => {
      stdout += data;
    });
    const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
    assert.equal(code, 7);
    assert.ok(!JSON.parse(stdout).flags.includes('--max-semi-space-size=4'), 'not started again');
    assert.equal(readdirSync(profiles).length, 1);
  });

  it('explains what to do when no suitable Node is found', async () => {
    rmSync(join(directory, 'node_modules'), { recursive: true });
    const ended = await launch('old.mjs', []);
    assert.equal(ended.code, 1);
    assert.match(ended.stderr, /^prom-migrator: Node 22\.1\.0 is too old, .*: install Node 24 or newer.*\n$/);
  });

  it('explains what to do when the bundled Node does not run here', async () => {
    const binary = join(directory, `node_modules/${packageNode}/bin/node`);
    rmSync(binary);
    writeFileSync(binary, 'not a program', { mode: 0o755 });
    const ended = await launch('old.mjs', []);
    assert.equal(ended.code, 1);
    assert.match(ended.stderr, /is too old/);
  });

  it('suggests npm start in a checkout', async () => {
    rmSync(join(directory, 'dist'), { recursive: true });
    const ended = await launch(undefined, []);
    assert.equal(ended.code, 1);
    assert.match(ended.stderr, /use `npm -s start -- …`, or run `npm run build` first/);
  });
});
