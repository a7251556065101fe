// The exit codes of `prom-migrator run`, and the files that it reads.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommandLine } from '../../src/cli/command-line.ts';
import type { RunEngine } from '../../src/cli/job.ts';
import type { MigrationResult } from '../../src/migration/report/observer.ts';
import { NO_COUNTS } from '../../src/migration/report/counts.ts';
import { fakeEngine, finished, someProgress } from './fake-engine.ts';
import { type FakeIo, fakeIo } from './fake-io.ts';

function run(io: FakeIo, engine: RunEngine, ...flags: string[]): Promise<number> {
  return runCommandLine(['run', '-f', '-', ...flags], io, () => Promise.resolve(engine));
}

describe('prom-migrator run', () => {
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'run-command-'));
  });
  after(() => rmSync(directory, { recursive: true }));

  describe('its exit code', () => {
    const cases: [string, MigrationResult, number][] = [
      ['0 when everything is copied', finished(), 0],
      ['0 when there were conflicts, which no destination could store', finished({ samplesConflicting: 3 }), 0],
      ['3 when samples were rejected and skipped', finished({ samplesRejected: { too_old: 1 } }), 3],
      [
        '3 when an earlier run has skipped samples, although this one had nothing left to do',
        finished({ earlier: { ...NO_COUNTS, samplesRead: 1, samplesRejected: { too_old: 1 } } }),
        3,
      ],
      ['0 when a reason has no samples', finished({ samplesRejected: { too_old: 0 } }), 0],
      [
        '1 when it failed',
        { progress: someProgress({ phase: 'Failed' }), error: { code: 'internal', message: 'y' } },
        1,
      ],
      ['1 when it ended unfinished without a signal', { progress: someProgress({ phase: 'Interrupted' }) }, 1],
    ];
    for (const [name, result, code] of cases) {
      it(`is ${name}`, async () => {
        assert.equal(
          await run(
            fakeIo(),
            fakeEngine(() => result),
          ),
          code,
        );
      });
    }

    it('adds a warning for conflicts and for rejected samples', async () => {
      const io = fakeIo();
      await run(
        io,
        fakeEngine(() => finished({ samplesConflicting: 3, samplesRejected: { too_old: 5 } })),
      );
      assert.match(io.stderr.text, / warn {2}the source returned several samples .* leftOut=3/);
      assert.match(io.stderr.text, / warn {2}samples are missing in the destination.* samples=5 too_old=5/);
    });

    it('is 1 with one line and no stack for an unexpected error', async () => {
      const io = fakeIo();
      const engine = fakeEngine(() => {
        throw new TypeError('cannot read properties of undefined');
      });
      assert.equal(await run(io, engine), 1);
      assert.deepEqual(io.stderr.lines, ['prom-migrator: unexpected error: cannot read properties of undefined']);
      assert.equal(io.stdout.text, '');
    });

    it('adds the stack of such an error at --log-level debug', async () => {
      const io = fakeIo();
      const engine = fakeEngine(() => {
        throw new TypeError('boom');
      });
      await run(io, engine, '--log-level', 'debug');
      assert.match(io.stderr.text, /TypeError: boom\n\s+at /);
    });

    it('is 1 when the result cannot be written', async () => {
      const io = fakeIo();
      io.stdout.failure = new Error('ENOSPC: no space left on device');
      assert.equal(
        await run(
          io,
          fakeEngine(() => finished()),
        ),
        1,
      );
      assert.match(io.stderr.text, /could not be written to stdout: ENOSPC/);
    });
  });

  describe('its files', () => {
    it('are passed to the loader by name, including stdin, with the secrets directory', async () => {
      const file = join(directory, 'migration.yaml');
      writeFileSync(file, '\ufeffkind: PromMigration\n');
      const io = fakeIo({ stdin: 'kind: Secret\n' });
      const engine = fakeEngine(() => finished());
      assert.equal(await run(io, engine, '-f', file, '--secrets-dir', directory), 0);
      assert.deepEqual(engine.prepared, {
        files: [
          { name: '(stdin)', text: 'kind: Secret\n' },
          { name: file, text: 'kind: PromMigration\n' },
        ],
        secretsDir: directory,
      });
    });

    it('are all named when they cannot be read, with exit code 2', async () => {
      const binary = join(directory, 'binary.yaml');
      writeFileSync(binary, Buffer.from([0x6b, 0xff, 0xfe]));
      const io = fakeIo();
      const missing = join(directory, 'missing.yaml');
      const code = await run(
        io,
        fakeEngine(() => finished()),
        ...['-f', missing, '-f', directory, '-f', binary, '--secrets-dir', join(directory, 'nowhere')],
      );
      assert.equal(code, 2);
      assert.deepEqual(io.stderr.lines, [
        `${missing}: no such file`,
        `${directory}: is a directory; name the files in it`,
        `${binary}: is not UTF-8 text`,
        `${join(directory, 'nowhere')}: no such directory (--secrets-dir)`,
      ]);
      assert.equal(io.stdout.text, '');
    });

    const problems = [
      { file: 'm.yaml', document: 2, path: 'spec.source.url', value: '"ftp://x"', message: 'must be http or https' },
      { file: 'm.yaml', document: 2, path: 'spec.timeRange', value: undefined, message: 'end is before\nstart' },
    ];
    const refusing: RunEngine = { ...fakeEngine(() => finished()), prepare: () => ({ problems }) };

    it('exit with 2 and print one line per problem when the manifest is invalid', async () => {
      const io = fakeIo();
      assert.equal(await run(io, refusing), 2);
      assert.deepEqual(io.stderr.lines, [
        'm.yaml, document 2: spec.source.url: "ftp://x": must be http or https',
        'm.yaml, document 2: spec.timeRange: end is before start',
      ]);
    });

    it('print an object of the usual shape with --output json when the manifest is invalid', async () => {
      const good = fakeIo();
      await run(
        good,
        fakeEngine(() => finished()),
        '-o',
        'json',
      );
      const io = fakeIo();
      assert.equal(await run(io, refusing, '-o', 'json', '--log-format', 'json'), 2);
      const printed = JSON.parse(io.stdout.text);
      assert.deepEqual(Object.keys(printed), [...Object.keys(JSON.parse(good.stdout.text)), 'error']);
      assert.equal(printed.phase, 'Failed');
      assert.deepEqual(printed.error, {
        code: 'bad-manifest',
        message:
          'm.yaml, document 2: spec.source.url: "ftp://x": must be http or https\nm.yaml, document 2: spec.timeRange: end is before start',
        side: null,
      });
      assert.deepEqual(
        io.stderr.lines.map((line) => JSON.parse(line).code),
        ['bad-manifest', 'bad-manifest'],
      );
    });
  });
});
