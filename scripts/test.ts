// `npm test`: runs every check, one step after the other, and ends with one line `N passed, N failed`. Lint, dead code, format and types count as one
// check each.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { installAll } from '../test/support/install.ts';

const root = join(import.meta.dirname, '..');

interface Step {
  readonly title: string;
  readonly args: readonly string[];
}

const modules = join(root, 'node_modules');
const mocha = join(modules, 'mocha/bin/mocha.js');
const biome = join(modules, '@biomejs/biome/bin/biome');
const STEPS: readonly Step[] = [
  { title: 'lint', args: [biome, 'lint', '--error-on-warnings'] },
  { title: 'dead code', args: [join(modules, 'knip/bin/knip.js'), '--no-progress'] },
  { title: 'format', args: [biome, 'format'] },
  { title: 'types', args: [join(modules, 'typescript/bin/tsc'), '--noEmit'] },
  { title: 'unit tests', args: [mocha, '--config', 'test/mocharc.unit.json'] },
  { title: 'real servers', args: [mocha, '--config', 'test/mocharc.real.json'] },
];

/** Runs one step with its output passed through. @returns its exit code and the counts that mocha printed, if it was mocha */
function run(step: Step): Promise<{ code: number; passed: number | undefined; failed: number | undefined }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, step.args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (bytes: Buffer) => {
      process.stdout.write(bytes);
      output = (output + bytes.toString('utf8')).slice(-1_000_000);
    });
    child.on('close', (code) => {
      const count = (word: string) => {
        const found = [...output.matchAll(new RegExp(`^\\s*(\\d+) ${word}`, 'gm'))].at(-1);
        return found === undefined ? undefined : Number(found[1]);
      };
      resolve({ code: code ?? 1, passed: count('passing'), failed: count('failing') });
    });
  });
}

let passed = 0;
let failed = 0;
const startedAt = Date.now();
for (const step of STEPS) {
  if (step.title === 'real servers') await installAll();
  process.stdout.write(`\n== ${step.title}\n`);
  const stepStartedAt = Date.now();
  const result = await run(step);
  passed += result.passed ?? (result.code === 0 ? 1 : 0);
  // A runner that exits before it prints its counts has failed too.
  failed += result.failed ?? (result.code === 0 ? 0 : 1);
  process.stdout.write(
    `== ${step.title}: exit ${result.code} after ${Math.round((Date.now() - stepStartedAt) / 1000)} s\n`,
  );
}
process.stdout.write(`\nafter ${Math.round((Date.now() - startedAt) / 1000)} s:\n${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
