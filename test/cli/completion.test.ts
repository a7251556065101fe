// The scripts for shells. bash is the real one: it loads the script and completes command lines.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { COMMANDS, SHELLS } from '../../src/cli/commands.ts';
import { completionScript } from '../../src/cli/completion.ts';

const has = (program: string) => spawnSync(program, ['--version']).status === 0;

describe('completion', () => {
  let directory: string;

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'completion-'));
    writeFileSync(join(directory, 'migration.yaml'), '');
    mkdirSync(join(directory, 'secrets'));
    for (const shell of SHELLS) writeFileSync(join(directory, shell), completionScript(shell, COMMANDS));
  });
  after(() => rmSync(directory, { recursive: true }));

  /** What bash proposes for the last of the words. */
  function inBash(...words: string[]): string[] {
    const script = `source ./bash
      COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
      _prom_migrator; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const output = execFileSync('bash', ['--norc', '-c', script, 'bash', 'prom-migrator', ...words], {
      cwd: directory,
    });
    return output
      .toString()
      .split('\n')
      .filter((line) => line !== '');
  }

  const cases: [string[], string[]][] = [
    [['ver'], ['verify']],
    [['c'], ['crds', 'completion']],
    [['run', '--log-f'], ['--log-format']],
    [
      ['run', '--log-format', ''],
      ['text', 'json'],
    ],
    [['run', '--log-format', '=', 'j'], ['json']],
    [
      ['run', '--log-format', '='],
      ['text', 'json'],
    ],
    [['run', '-o', 'j'], ['json']],
    [['run', '-f', 'mig'], ['migration.yaml']],
    [['verify', '--secrets-dir', ''], ['secrets']],
    [['run', '--grace', ''], []],
    [['completion', 'z'], ['zsh']],
    [['pmig', 'sus'], ['suspend']],
    [['help', 'pl'], ['plan']],
  ];
  for (const [words, expected] of cases)
    it(`in bash: prom-migrator ${words.join(' ')}`, () => assert.deepEqual(inBash(...words), expected));

  it('in bash proposes every flag of every command', () => {
    for (const { name, flags } of COMMANDS)
      assert.deepEqual(
        inBash(name, '--'),
        flags.map((flag) => `--${flag.name}`),
        name,
      );
  });

  it('has every command and flag in the scripts of the other shells', () => {
    for (const shell of ['zsh', 'fish'] as const) {
      const script = completionScript(shell, COMMANDS);
      for (const { name, flags } of COMMANDS) {
        assert.ok(script.includes(name), `${shell} ${name}`);
        for (const flag of flags)
          assert.ok(script.includes(shell === 'zsh' ? `--${flag.name}[` : ` -l ${flag.name}`), `${shell} ${flag.name}`);
      }
    }
  });

  for (const [shell, args] of [
    ['zsh', ['-n']],
    ['fish', ['--no-execute']],
  ] as const) {
    if (has(shell)) {
      it(`is accepted by ${shell}`, () => {
        execFileSync(shell, [...args, join(directory, shell)]);
      });
    }
  }
});
