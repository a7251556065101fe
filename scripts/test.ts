// `npm test`: runs every check and ends with one line `N passed, N failed`. Lint, dead code, format and types count as one check each. Tests with real
// servers mostly wait, so three parts of them run side by side.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { installAll } from '../test/support/install.ts';

const root = join(import.meta.dirname, '..');

interface Step {
  readonly title: string;
  readonly args: readonly string[];
  readonly needsServers?: true;
}

const modules = join(root, 'node_modules');
const mocha = join(modules, 'mocha/bin/mocha.js');
const biome = join(modules, '@biomejs/biome/bin/biome');
const KUBERNETES = ['test/execute/worker-threads.test.ts', 'test/real-kubernetes/**/*.test.ts'];
/** What reads both sides, or reads in another way than by remote_read. */
const READERS = ['test/real/{verify,source,thanos,plan,stretch}*.test.ts'];
/** Need no API server, or one for a while: so that all parts take about as long. */
const RELEASE = ['test/chart/**/*.test.ts', 'test/release/{repeatable,workflows}.test.ts'];
const SHORTER_PART = ['test/real-kubernetes/{verification,job-rights}.test.ts'];
const REAL = ['--config', 'test/mocharc.real.json'];
const SCALE = 'test/real-kubernetes/scale.test.ts';

/** The steps of a group run side by side. */
const GROUPS: readonly (readonly Step[])[] = [
  [{ title: 'lint', args: [biome, 'lint', '--error-on-warnings'] }],
  [{ title: 'dead code', args: [join(modules, 'knip/bin/knip.js'), '--no-progress'] }],
  [{ title: 'format', args: [biome, 'format'] }],
  [{ title: 'types', args: [join(modules, 'typescript/bin/tsc'), '--noEmit'] }],
  [{ title: 'unit tests', args: [mocha, '--config', 'test/mocharc.unit.json'] }],
  [
    {
      title: 'real servers',
      args: [mocha, ...REAL, 'test/real/**/*.test.ts', ...READERS.flatMap((files) => ['--ignore', files])],
      needsServers: true,
    },
    { title: 'readers, release', args: [mocha, ...REAL, ...READERS, ...RELEASE, ...SHORTER_PART], needsServers: true },
    {
      title: 'Kubernetes',
      args: [mocha, ...REAL, ...KUBERNETES, ...[SCALE, ...SHORTER_PART].flatMap((files) => ['--ignore', files])],
      needsServers: true,
    },
  ],
  // A thousand migrations need the whole machine.
  [{ title: 'scale', args: [mocha, ...REAL, SCALE], needsServers: true }],
];

interface Result {
  readonly code: number;
  /** As mocha printed them, if it was mocha. */
  readonly passed: number | undefined;
  readonly failed: number | undefined;
  /** What mocha printed about the tests that failed, or the end of what another tool printed. */
  readonly failures: string;
}

/** The end of an output that is repeated when a step fails without mocha's list of failures. */
const REPEATED_END = 4_000;
/** Each step's part of the list of failures at the end of all. */
const REPEATED_MOST = 20_000;

/** Runs one step. Its output is printed as it arrives, or all at once at the end. */
function run(step: Step, print: 'live' | 'at the end'): Promise<Result> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, step.args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    const kept: Buffer[] = [];
    let output = '';
    const pass = (bytes: Buffer, stream: NodeJS.WriteStream) => {
      if (print === 'live') stream.write(bytes);
      else kept.push(bytes);
    };
    child.stderr.on('data', (bytes: Buffer) => pass(bytes, process.stderr));
    child.stdout.on('data', (bytes: Buffer) => {
      pass(bytes, process.stdout);
      output = (output + bytes.toString('utf8')).slice(-1_000_000);
    });
    child.on('close', (code) => {
      process.stdout.write(Buffer.concat(kept));
      const count = (word: string) => {
        const found = [...output.matchAll(new RegExp(`^\\s*(\\d+) ${word}`, 'gm'))].at(-1);
        return found === undefined ? undefined : Number(found[1]);
      };
      const failures =
        output.match(/^\s*\d+ failing$[\s\S]*/m)?.[0].slice(0, REPEATED_MOST) ?? output.slice(-REPEATED_END);
      resolve({ code: code ?? 1, passed: count('passing'), failed: count('failing'), failures });
    });
  });
}

async function runStep(step: Step, print: 'live' | 'at the end'): Promise<Result> {
  process.stdout.write(`\n== ${step.title}${print === 'live' ? '' : ', beside it; its output follows at its end'}\n`);
  const startedAt = Date.now();
  const result = await run(step, print);
  const seconds = Math.round((Date.now() - startedAt) / 1000);
  process.stdout.write(`== ${step.title}: exit ${result.code} after ${seconds} s\n`);
  return result;
}

let passed = 0;
let failed = 0;
let failures = '';
let isInstalled = false;
const startedAt = Date.now();
for (const group of GROUPS) {
  if (!isInstalled && group.some(({ needsServers }) => needsServers)) {
    await installAll();
    isInstalled = true;
    process.stdout.write(`\nservers installed, ${Math.round((Date.now() - startedAt) / 1000)} s after the start\n`);
  }
  const results = await Promise.all(group.map((step, index) => runStep(step, index === 0 ? 'live' : 'at the end')));
  for (const [index, result] of results.entries()) {
    if (result.code !== 0) failures += `\n== failed in: ${group[index]?.title}\n${result.failures}`;
    passed += result.passed ?? (result.code === 0 ? 1 : 0);
    // A runner that exits before it prints its counts has failed too.
    failed += result.failed ?? (result.code === 0 ? 0 : 1);
  }
}
// Where somebody who is shown only the end of the output finds them.
process.stdout.write(failures);
process.stdout.write(`\nafter ${Math.round((Date.now() - startedAt) / 1000)} s:\n${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
