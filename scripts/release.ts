// `npm run release`: checks that this is a version to release, and writes its files to release/. With --dry-run, a commit without a tag and a
// changelog without a date are only named. .github/workflows/release.yaml signs and publishes the files.

import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { parse } from 'yaml';
import { run } from '../test/support/child-output.ts';
import { readPublication } from './publication.ts';
import { licenceProblems, publicationProblems, type ReleaseState, versionProblems } from './release-checks.ts';
import { writeReleaseFiles } from './release-files.ts';

const root = resolve(import.meta.dirname, '..');

function readState(version: string): ReleaseState {
  const read = (path: string) => readFileSync(join(root, path), 'utf8');
  const lock = JSON.parse(read('package-lock.json')) as {
    version?: string;
    packages: Record<string, { version?: string }>;
  };
  return {
    version,
    lockVersions: [lock.version, lock.packages['']?.version],
    chart: parse(read('charts/prom-migrator/Chart.yaml')),
    dockerfile: read('Dockerfile'),
    changelog: read('CHANGELOG.md'),
  };
}

const git = async (...args: string[]) => (await run('git', args, { cwd: root })).trim();

/** When the version was made: the time of its commit, unless SOURCE_DATE_EPOCH says otherwise. */
async function epoch(): Promise<number> {
  const text = process.env['SOURCE_DATE_EPOCH'] ?? (await git('log', '-1', '--format=%ct'));
  const seconds = Number(text);
  if (!/^\d+$/.test(text)) throw new Error(`SOURCE_DATE_EPOCH is not a number of seconds: ${text}`);
  return seconds;
}

function report(problems: readonly string[], isFatal: boolean): void {
  for (const problem of problems) process.stderr.write(`release: ${isFatal ? '' : 'before publishing: '}${problem}\n`);
  if (isFatal && problems.length > 0) process.exit(1);
}

const { values } = parseArgs({
  options: {
    'dry-run': { type: 'boolean', default: false },
    output: { type: 'string', default: join(root, 'release') },
  },
});
const publication = readPublication();
const state = readState(publication.version);
report(versionProblems(state), true);
const checkout = {
  changes: await git('status', '--porcelain'),
  tags: (await git('tag', '--points-at', 'HEAD')).split('\n'),
  workflowRepository: process.env['GITHUB_REPOSITORY'],
};
report(publicationProblems(state, publication.slug, checkout), !values['dry-run']);
const output = resolve(values.output);
const packages = await writeReleaseFiles({ version: publication.version, epochSeconds: await epoch(), output });
report(licenceProblems(packages), true);
process.stdout.write(readFileSync(join(output, 'SHA256SUMS'), 'utf8'));
process.stdout.write(
  `${packages.length} packages are in the program; their licences are in THIRD-PARTY-LICENCES.txt\n${output}\n`,
);
