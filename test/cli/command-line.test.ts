import assert from 'node:assert/strict';

import { runCommandLine } from '../../src/cli/command-line.ts';
import type { RunEngine } from '../../src/cli/job.ts';

import { fakeEngine, finished } from './fake-engine.ts';
import { type FakeIo, fakeIo } from './fake-io.ts';

const noEngine = () => Promise.reject(new Error('the engine must not be needed'));
function run(io: FakeIo, engine: RunEngine, ...flags: string[]): Promise<number> {
  return runCommandLine(['run', '-f', '-', ...flags], io, () => Promise.resolve(engine));
}

describe('the flags of the command line', () => {
  it('are passed to the engine', async () => {
    const deadlines: number[] = [];
    const engine = fakeEngine((context) => {
      deadlines.push(context.startupDeadlineMs);
      return finished();
    });
    await run(fakeIo(), engine);
    await run(fakeIo(), engine, '--startup-deadline=1m30s');
    await run(fakeIo(), engine, '--startup-deadline', 'none');
    assert.deepEqual(deadlines, [300_000, 90_000, Number.POSITIVE_INFINITY]);
  });

  const bad: [string[], RegExp][] = [
    [['run'], /no manifest given: use -f FILE/],
    [['run', '-f', '-', '-f', '-'], /-f - can be given only once/],
    [['run', '-f'], /-f needs a value: --filename FILE/],
    [['run', '-f', '--output', 'json'], /-f needs a value/],
    [['run', '--filename='], /--filename has an empty value/],
    [['run', '-f', 'x', '--outptu', 'json'], /unknown flag --outptu \(did you mean --output\?\)/],
    [['run', '-f', 'x', '--log-f=json'], /unknown flag --log-f \(did you mean --log-format\?\)/],
    [['run', '-f', 'x', '--color'], /unknown flag --color\n/],
    [['run', '-f', 'x', '--output', 'jsno'], /--output must be one of text, json, not "jsno" \(did you mean json\?\)/],
    [
      ['run', '-f', 'x', '--log-level', 'INFO'],
      /--log-level must be one of error, warn, info, debug, not "INFO" \(did you mean info\?\)/,
    ],
    [['run', '-f', 'x', '--output', 'json', '--output', 'text'], /--output is given twice/],
    [['run', '-f', 'x', '--help=yes'], /--help takes no value/],
    [['run', 'migration.yaml'], /unexpected argument "migration.yaml" \(use -f migration.yaml to give a file\)/],
    [['run', '-f', 'x', '--grace', '10'], /--grace takes a duration such as 30s.*not "10"/],
    [['run', '-f', 'x', '--grace', '60d'], /--grace takes .*at most 24d/],
    [['run', '-f', 'x', '--grace', 'none'], /--grace takes a duration/],
    [['run', '-f', 'x', '--startup-deadline', 'soon'], /--startup-deadline takes .*or none, not "soon"/],
    [['run', '-f', 'x', '--metrics-address', '9090'], /--metrics-address takes HOST:PORT.*not "9090"/],
    [['rum'], /unknown command "rum" \(did you mean run\?\)/],
    [
      ['migrate'],
      /unknown command "migrate"; commands: run, plan, verify, init, operator, pmig, crds, completion, help/,
    ],
    [
      ['-f', 'x'],
      /unknown flag -f: a command comes first \(run, plan, verify, init, operator, pmig, crds, completion, help\)/,
    ],
    [['completion'], /no shell given: bash, zsh, fish\nSee prom-migrator completion --help/],
    [['completion', 'bsah'], /the shell must be one of bash, zsh, fish, not "bsah" \(did you mean bash\?\)/],
    [['completion', 'bash', 'zsh'], /unexpected argument "zsh"/],
    [['crds', 'v1'], /unexpected argument "v1"/],
    [['help', 'rnu'], /unknown command "rnu" \(did you mean run\?\)/],
  ];
  for (const [argv, message] of bad) {
    it(`exit with code 2: ${argv.join(' ')}`, async () => {
      const io = fakeIo();
      assert.equal(await runCommandLine(argv, io, noEngine), 2);
      assert.match(io.stderr.text, message);
      assert.equal(io.stdout.text, '');
    });
  }

  for (const argv of [['--help'], ['-h'], ['help'], ['run', '--help'], ['run', '-f', 'x', '-h'], ['help', 'run']]) {
    it(`print the help on stdout: ${argv.join(' ')}`, async () => {
      const io = fakeIo();
      assert.equal(await runCommandLine(argv, io, noEngine), 0);
      assert.match(io.stdout.text, /Exit codes( of run)?:\n {4}0 {2}everything is/);
      assert.equal(io.stdout.text.includes('--startup-deadline'), argv.includes('run'));
      assert.ok(io.stdout.lines.every((line) => line.length <= 100));
      assert.equal(io.stderr.text, '');
    });
  }

  it('print the version', async () => {
    const io = fakeIo();
    assert.equal(await runCommandLine(['run', '--version'], io, noEngine), 0);
    assert.match(io.stdout.text, /^\d+\.\d+\.\d+/);
  });

  it('accept a value that looks like a flag after =', async () => {
    const io = fakeIo();
    assert.equal(
      await runCommandLine(['run', '--filename=-h'], io, () => Promise.resolve(fakeEngine(() => finished()))),
      2,
    );
    assert.match(io.stderr.text, /^-h: no such file/);
  });
});
