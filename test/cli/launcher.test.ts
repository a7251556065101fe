import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
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

/** Makes the launcher detect another Node, and one that cannot replace a process. */
const preloads = {
  'too-old.mjs': preloadOf('20.15.1'),
  'ancient.mjs': preloadOf('18.20.0'),
  'old.mjs': `${preloadOf('20.16.0')} process.execve = undefined;`,
};

function preloadOf(version: string): string {
  return `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } });`;
}

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly pid: number | undefined;
}

describe('the package launcher', () => {
  let directory: string;

  beforeEach(() => {
    directory = realpathSync(mkdtempSync(join(tmpdir(), 'launcher-')));
    for (const path of ['bin', 'dist']) mkdirSync(join(directory, path));
    for (const file of readdirSync(bin).filter((name) => name.endsWith('.mjs')))
      cpSync(join(bin, file), join(directory, 'bin', file));
    writeFileSync(join(directory, 'package.json'), JSON.stringify({ type: 'module' }));
    writeFileSync(join(directory, 'dist/main.js'), main);
    for (const [name, text] of Object.entries(preloads)) writeFileSync(join(directory, name), text);
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  async function launch(preload: keyof typeof preloads | undefined, args: string[], terminate = false): Promise<Ended> {
    const node = preload === undefined ? [] : ['--import', join(directory, preload)];
    return await started([process.execPath, ...node, join(directory, 'bin/prom-migrator.mjs'), ...args], terminate);
  }

  async function started([file = '', ...args]: string[], terminate = false): Promise<Ended> {
    const child = spawn(file, args);
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
    ['by replacing itself, with flags for little memory', undefined],
    ['in its own process where none can be replaced', 'old.mjs'],
  ] as const) {
    it(`runs the program ${name}, and passes on arguments, exit code and signals`, async () => {
      const ended = await launch(preload, ['run', 'b c']);
      assert.equal(ended.stderr, '');
      const printed = JSON.parse(ended.stdout);
      assert.deepEqual(printed.argv, ['run', 'b c']);
      assert.equal(printed.flags.includes('--max-semi-space-size=4'), preload === undefined);
      assert.equal(printed.pid, ended.pid);
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

  it('is kubectl pmig under another name, also through a link, which npm and krew make', async () => {
    const link = join(directory, 'kubectl-pmig');
    symlinkSync(join(directory, 'bin/kubectl-pmig.mjs'), link);
    for (const file of [link, join(directory, 'bin/kubectl-pmig.mjs')]) {
      const { code, stdout } = await started([file, 'status', '-n', 'team-a']);
      const { argv, flags } = JSON.parse(stdout);
      assert.deepEqual({ argv, flags, code }, { argv: ['pmig', 'status', '-n', 'team-a'], flags: [], code: 7 });
    }
    const { bin: names } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    assert.equal(names['kubectl-pmig'], 'bin/kubectl-pmig.mjs');
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

  for (const preload of ['too-old.mjs', 'ancient.mjs'] as const) {
    it(`names the oldest Node on ${preload}`, async () => {
      const ended = await launch(preload, []);
      assert.equal(ended.code, 1);
      assert.match(ended.stderr, /^prom-migrator: Node [\d.]+ is too old: install Node 20\.16 or newer\n$/);
      assert.equal(ended.stdout, '');
    });
  }

  it('needs the Node that package.json names', () => {
    const { engines } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    const [, major, minor] =
      /OLDEST_NODE = \[(\d+), (\d+)\]/.exec(readFileSync(join(bin, 'prom-migrator.mjs'), 'utf8')) ?? [];
    // 21 and the first releases of 22 lack process.getBuiltinModule.
    assert.equal(engines.node, `^${major}.${minor}.0 || >=22.3.0`);
  });

  it('suggests npm start in a checkout', async () => {
    rmSync(join(directory, 'dist'), { recursive: true });
    const ended = await launch(undefined, []);
    assert.equal(ended.code, 1);
    assert.match(ended.stderr, /use `npm -s start -- …`, or run `npm run build` first/);
  });
});
