// .github/workflows, checked by actionlint: syntax, expressions, inputs of well-known actions, names of contexts. They cannot run here.

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { run } from '../support/child-output.ts';
import { buildGoProgram } from '../support/go-programs.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const files = globSync('.github/workflows/*.yaml', { cwd: ROOT }).sort();

interface Job {
  permissions?: object;
  'timeout-minutes'?: number;
  /** Another workflow. */
  uses?: string;
  needs?: string | string[];
  steps?: { uses?: string; run?: string }[];
}

interface Workflow {
  permissions?: object;
  jobs: Record<string, Job>;
}

describe('the workflows', function () {
  this.timeout(900_000);
  const workflows = files.map((file) => parse(readFileSync(join(ROOT, file), 'utf8')) as Workflow);
  const jobs = workflows.flatMap((workflow) => Object.values(workflow.jobs));

  it('are accepted by actionlint', async () => {
    const { path } = await buildGoProgram('actionlint', () => {});
    assert.ok(files.length >= 2);
    // Without shellcheck, which is another program.
    assert.equal(await run(path, ['-no-color', '-shellcheck=', '-pyflakes=', ...files], { cwd: ROOT }), '');
    const bad = 'test/release/bad-workflow.yaml';
    await assert.rejects(run(path, ['-no-color', bad], { cwd: ROOT }), /ended with 1/);
  });

  it('have few permissions, a time limit, and actions of a version', () => {
    for (const workflow of workflows) assert.ok(workflow.permissions, 'without permissions a job may write everything');
    for (const job of jobs) {
      if (job.uses !== undefined) {
        assert.ok(job.uses.startsWith('./.github/workflows/'), job.uses);
        continue;
      }
      assert.ok(job['timeout-minutes']);
      for (const { uses } of job.steps ?? []) if (uses !== undefined) assert.match(uses, /^[\w-]+\/[\w-]+@v\d+/);
    }
  });

  it('publish nothing before all tests have passed', () => {
    const release = parse(readFileSync(join(ROOT, '.github/workflows/release.yaml'), 'utf8')) as Workflow;
    const first = Object.values(release.jobs).filter(({ needs }) => needs === undefined);
    assert.deepEqual(
      first.map(({ uses }) => uses),
      ['./.github/workflows/test.yaml'],
    );
  });

  it('run scripts that exist', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const commands = jobs.flatMap(({ steps = [] }) => steps.flatMap(({ run: command = '' }) => command.split('\n')));
    const names = commands.flatMap((command) => /^npm (?:run )?(test|release)\b/.exec(command)?.[1] ?? []);
    assert.deepEqual([...new Set(names)].sort(), ['release', 'test']);
    for (const name of names) assert.ok(name in scripts, name);
  });
});
