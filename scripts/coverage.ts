// `npm run coverage`: how much of src/ the unit tests run, a line for each room and its folders. There is no gate: the figure shows where to
// look, and the tests against real servers run much of the rest. Pages for each file are left in coverage/.
//
//   npm run coverage                               # unit tests
//   npm run coverage -- --config test/mocharc.real.json 'test/real/**/*.test.ts'   # or any other arguments of mocha

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const root = join(import.meta.dirname, '..');
const directory = join(root, 'coverage');

interface Count {
  total: number;
  covered: number;
}
type Kind = 'lines' | 'branches' | 'functions';
type Summary = Record<string, Record<Kind, Count>>;
const KINDS: readonly Kind[] = ['lines', 'branches', 'functions'];

function measure(mochaArgs: readonly string[]): number {
  const c8 = join(root, 'node_modules/c8/bin/c8.js');
  const mocha = join(root, 'node_modules/mocha/bin/mocha.js');
  const options = [
    '--all',
    '--include=src/**',
    '--reporter=json-summary',
    '--reporter=html',
    `--reports-dir=${directory}`,
  ];
  const { status } = spawnSync(process.execPath, [c8, ...options, process.execPath, mocha, ...mochaArgs], {
    cwd: root,
    stdio: 'inherit',
  });
  return status ?? 1;
}

/** Adds each file's counts to those of its folder and of all folders above it. */
function byFolder(summary: Summary, base: string): Map<string, Record<Kind, Count>> {
  const folders = new Map<string, Record<Kind, Count>>();
  for (const [file, counts] of Object.entries(summary)) {
    if (file === 'total') continue;
    for (let folder = dirname(relative(base, file)); ; folder = dirname(folder)) {
      const sum = folders.get(folder) ?? {
        lines: { total: 0, covered: 0 },
        branches: { total: 0, covered: 0 },
        functions: { total: 0, covered: 0 },
      };
      for (const kind of KINDS) {
        sum[kind].total += counts[kind].total;
        sum[kind].covered += counts[kind].covered;
      }
      folders.set(folder, sum);
      if (folder === '.' || folder === 'src') break;
    }
  }
  return folders;
}

function print(folders: Map<string, Record<Kind, Count>>): void {
  const percent = ({ total, covered }: Count) => (total === 0 ? '-' : `${((covered / total) * 100).toFixed(1)} %`);
  process.stdout.write(`\n${'folder'.padEnd(28)}${KINDS.map((kind) => kind.padStart(12)).join('')}\n`);
  for (const folder of [...folders.keys()].sort()) {
    const counts = folders.get(folder);
    if (counts === undefined) continue;
    process.stdout.write(`${folder.padEnd(28)}${KINDS.map((kind) => percent(counts[kind]).padStart(12)).join('')}\n`);
  }
}

const given = process.argv.slice(2);
const status = measure(given.length > 0 ? given : ['--config', 'test/mocharc.unit.json']);
const summary = JSON.parse(readFileSync(join(directory, 'coverage-summary.json'), 'utf8')) as Summary;
print(byFolder(summary, root));
process.exitCode = status;
