import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommandLine } from '../../src/cli/command-line.ts';
import type { RunEngine } from '../../src/cli/run-command.ts';
import type { MigrationResult } from '../../src/migration/report/observer.ts';
import { NO_COUNTS } from '../../src/migration/report/counts.ts';
import { fakeEngine, finished, someProgress, startMs } from './fake-engine.ts';
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

  describe('its result on stdout', () => {
    const result = (): MigrationResult => ({
      progress: someProgress({
        phase: 'Failed',
        resumedFromMs: startMs + 1,
        earlier: {
          ...NO_COUNTS,
          samplesRead: 1_000_000,
          samplesWritten: 999_990,
          samplesRejected: { too_old: 10 },
          series: 50,
          windows: 5,
        },
        watermarkMs: startMs + 3_600_000,
        reachedMs: startMs + 3 * 3_600_000,
        samplesRead: 1_234_567,
        samplesWritten: 1_234_000,
        samplesFiltered: 500,
        samplesAlreadyPresent: 60,
        samplesConflicting: 4,
        samplesRejected: { too_old: 2, out_of_order: 1 },
        samplesReadPlain: 900,
        samplesAlteredAtMost: 12,
        series: 42,
        windows: 7,
        bytesRead: 5_000_000,
        bytesWritten: 4_000_000,
        retries: 3,
      }),
      error: {
        code: 'unauthorized',
        message: 'the answer was 401',
        hint: 'set spec.destination.basicAuth',
        side: 'destination',
      },
    });

    it('is one JSON object with every field when --output json is given', async () => {
      const io = fakeIo();
      const engine = fakeEngine(async () => {
        await io.clock.advance(12_500);
        return result();
      });
      assert.equal(await run(io, engine, '--output', 'json'), 1);
      assert.equal(io.stdout.lines.length, 1);
      assert.deepEqual(JSON.parse(io.stdout.text), {
        migration: 'default/demo',
        phase: 'Failed',
        resumedFrom: '2026-01-01T00:00:00.001Z',
        through: '2026-01-01T01:00:00.000Z',
        completedRatio: 0.125,
        samplesRead: 1_234_567,
        samplesWritten: 1_234_000,
        samplesFiltered: 500,
        samplesAlreadyPresent: 60,
        samplesConflicting: 4,
        samplesRejected: { too_old: 2, out_of_order: 1 },
        samplesReadPlain: 900,
        samplesAlteredAtMost: 12,
        series: 42,
        windows: 7,
        bytesRead: 5_000_000,
        bytesWritten: 4_000_000,
        retries: 3,
        total: {
          samplesRead: 2_234_567,
          samplesWritten: 2_233_990,
          samplesFiltered: 500,
          samplesAlreadyPresent: 60,
          samplesConflicting: 4,
          samplesRejected: { too_old: 12, out_of_order: 1 },
          samplesReadPlain: 900,
          samplesAlteredAtMost: 12,
          series: 50,
          windows: 12,
          bytesRead: 5_000_000,
          bytesWritten: 4_000_000,
          retries: 3,
        },
        durationSeconds: 12.5,
        error: {
          code: 'unauthorized',
          message: 'the answer was 401 (set spec.destination.basicAuth)',
          side: 'destination',
        },
      });
    });

    it('has no error in it when there was none, and null for times that there are not', async () => {
      const io = fakeIo();
      await run(
        io,
        fakeEngine(() => ({ progress: someProgress({ phase: 'Interrupted', endMs: startMs }) })),
        '-o',
        'json',
      );
      const printed = JSON.parse(io.stdout.text);
      assert.equal('error' in printed, false);
      assert.equal(printed.total, null, 'no mark was looked for');
      assert.equal(printed.resumedFrom, null);
      assert.equal(printed.through, null);
      assert.equal(printed.completedRatio, null);
    });

    it('is a short aligned summary otherwise', async () => {
      const io = fakeIo();
      await run(
        io,
        fakeEngine(async () => {
          await io.clock.advance(12_500);
          return result();
        }),
      );
      assert.deepEqual(io.stdout.lines, [
        'migration                  default/demo',
        'phase                      Failed',
        'error                      unauthorized: the answer was 401 (set spec.destination.basicAuth)',
        'resumed from               2026-01-01T00:00:00.001Z',
        'through                    2026-01-01T01:00:00.000Z',
        'samples read               1,234,567',
        'samples written            1,234,000',
        '  filtered                 500',
        '  already present          60',
        '  conflicting              4',
        '  rejected                 3',
        '    too_old                2',
        '    out_of_order           1',
        'samples read plain         900',
        '  altered, at most         12',
        'samples read, all runs     2,234,567',
        'samples written, all runs  2,233,990',
        '  rejected, all runs       13',
        'series                     42',
        'windows                    7',
        'bytes read                 4.8 MiB',
        'bytes written              3.8 MiB',
        'retries                    3',
        'duration                   13s (98.7k/s)',
      ]);
      assert.match(
        io.stderr.text,
        / error migration failed: the answer was 401 code=unauthorized side=destination hint="set /,
      );
    });

    it('calls a number of rejected samples a bound when some of them may be there', async () => {
      const rejected = { samplesRejected: { out_of_order: 5 }, samplesRejectedUnproven: 2 };
      const text = fakeIo();
      await run(
        text,
        fakeEngine(() => finished(rejected)),
      );
      assert.match(text.stdout.text, /^ {2}rejected, at most {5,}5$/m);
      assert.match(text.stdout.text, /^ {4}of these, possibly stored {2,}2$/m);
      assert.match(text.stderr.text, / warn +samples are missing .*ofThesePossiblyThere=2/);
      const json = fakeIo();
      await run(
        json,
        fakeEngine(() => finished(rejected)),
        '--output',
        'json',
      );
      assert.equal(JSON.parse(json.stdout.text).samplesRejectedUnproven, 2);
    });

    it("keeps a server's control characters off the terminal and passwords in URLs out of it", async () => {
      const io = fakeIo();
      const error = { code: 'x', message: 'http://me:pw@host/write?p=pw said \u001b[2J\nphase Succeeded' };
      await run(
        io,
        fakeEngine(() => ({ progress: someProgress({ phase: 'Failed' }), error })),
      );
      const all = io.stdout.text + io.stderr.text;
      assert.ok(!all.includes('\u001b'));
      assert.ok(!all.includes('pw'));
      assert.equal(io.stdout.lines.filter((line) => line.startsWith('phase')).length, 1);
    });
  });

  describe('its exit code', () => {
    const cases: [string, MigrationResult, number][] = [
      ['0 when all of it is there', finished(), 0],
      ['0 when there were conflicts, which no destination could hold', finished({ samplesConflicting: 3 }), 0],
      ['3 when samples were rejected and skipped', finished({ samplesRejected: { too_old: 1 } }), 3],
      [
        '3 when an earlier run has skipped samples, although nothing was left for this one to do',
        finished({ earlier: { ...NO_COUNTS, samplesRead: 1, samplesRejected: { too_old: 1 } } }),
        3,
      ],
      ['0 when a reason is there without a sample', finished({ samplesRejected: { too_old: 0 } }), 0],
      ['1 when it failed', { progress: someProgress({ phase: 'Failed' }), error: { code: 'x', message: 'y' } }, 1],
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

    it('comes with a warning for conflicts and for rejected samples', async () => {
      const io = fakeIo();
      await run(
        io,
        fakeEngine(() => finished({ samplesConflicting: 3, samplesRejected: { too_old: 5 } })),
      );
      assert.match(io.stderr.text, / warn {2}the source returned several samples .* leftOut=3/);
      assert.match(io.stderr.text, / warn {2}samples are missing in the destination.* samples=5 too_old=5/);
    });

    it('is 1 with one line and no stack for an error that nobody expected', async () => {
      const io = fakeIo();
      const engine = fakeEngine(() => {
        throw new TypeError('cannot read properties of undefined');
      });
      assert.equal(await run(io, engine), 1);
      assert.deepEqual(io.stderr.lines, ['prom-migrator: unexpected error: cannot read properties of undefined']);
      assert.equal(io.stdout.text, '');
    });

    it('comes with the stack of such an error at --log-level debug', async () => {
      const io = fakeIo();
      const engine = fakeEngine(() => {
        throw new TypeError('boom');
      });
      await run(io, engine, '--log-level', 'debug');
      assert.match(io.stderr.text, /TypeError: boom\n\s+at /);
    });

    it('is 1 when the result could not be written', async () => {
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
    it('are handed to the loader by name, stdin among them, with the directory of secrets', async () => {
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

    it('that hold a bad manifest end with 2 and one line a problem', async () => {
      const io = fakeIo();
      assert.equal(await run(io, refusing), 2);
      assert.deepEqual(io.stderr.lines, [
        'm.yaml, document 2: spec.source.url: "ftp://x": must be http or https',
        'm.yaml, document 2: spec.timeRange: end is before start',
      ]);
    });

    it('that hold a bad manifest give an object of the usual shape with --output json', async () => {
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
