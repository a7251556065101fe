// What `run --source --destination` says about its choices, and how it ends if an end cannot be used. The choices are in test/migration/ends.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommandLine } from '../../src/cli/command-line.ts';
import { flagManifest } from '../../src/cli/flag-manifest.ts';
import { SYSTEM_CLOCK } from '../../src/telemetry/clock.ts';
import { M3, type Pages, PROMETHEUS, servePages, victoriaMetrics } from '../migration/ends/page-server.ts';
import { fakeEngine, finished } from './fake-engine.ts';
import { fakeIo } from './fake-io.ts';

const INFLUXDB: Pages = { headers: { 'x-influxdb-version': '1.6.7' }, pages: {} };

describe('a run without a manifest', () => {
  const guesses: [name: string, pages: Pages, lines: string[]][] = [
    [
      'a store that is only guessed at',
      M3,
      ['guessed: spec.destination: M3', 'guessed: spec.destination.ordering: the order that every store accepts'],
    ],
    ['a cluster', victoriaMetrics('-storageNode="a"\n'), ['guessed: spec.destination.url: a cluster, tenant 0']],
    ['a database', INFLUXDB, ['guessed: spec.destination.url: the database is called prometheus']],
    [
      'no receiver',
      PROMETHEUS,
      ['note: spec.destination.url: it does not accept remote write: start it with --web.enable-remote-write-receiver'],
    ],
  ];
  for (const [name, pages, expected] of guesses)
    it(`says what it guesses and what is in the way: ${name}`, async () => {
      await using source = await servePages(PROMETHEUS);
      await using destination = await servePages(pages);
      const lines: string[] = [];
      const ends = {
        source: source.url,
        destination: destination.url,
        progress: 'none',
        start: '2024-01-01T00:00:00Z',
      };
      const made = await flagManifest(
        { ...ends, selectors: [] },
        { clock: SYSTEM_CLOCK, random: () => 0, waitMs: 0, command: 'run', say: (line) => lines.push(line) },
      );
      assert.deepEqual(made.problems, []);
      assert.deepEqual(
        lines.filter((line) => expected.includes(line)),
        expected,
        lines.join('\n'),
      );
      assert.ok(!lines.some((line) => line.startsWith('found')), lines.join('\n'));
    });

  const failures: [name: string, statusOf: Pages | undefined, termination: RegExp][] = [
    [
      'refuses connections',
      undefined,
      /^\{"code":"connection-refused","side":"source","message":"source refuses connections at 127\.0\.0\.1:9.*; check --source"/,
    ],
    [
      'wants credentials',
      { pages: {}, others: 401 },
      /^\{"code":"unauthorized","side":"source","message":"the source wants credentials/,
    ],
  ];
  for (const [name, pages, termination] of failures)
    it(`has the reason in the termination log if an end ${name}`, async () => {
      await using destination = await servePages(PROMETHEUS);
      await using server = await servePages(pages ?? PROMETHEUS);
      const directory = mkdtempSync(join(tmpdir(), 'flag-manifest-'));
      try {
        const log = join(directory, 'log');
        const io = { ...fakeIo(), clock: SYSTEM_CLOCK, random: () => 1 };
        // Port 9 of the loopback is the discard service, which nobody runs.
        const source = pages === undefined ? 'http://127.0.0.1:9' : server.url;
        const ends = ['--source', source, '--destination', destination.url, '--start', '1'];
        const argv = ['run', ...ends, '--startup-deadline', '1ms', '--termination-log', log];
        assert.equal(await runCommandLine(argv, io, () => Promise.resolve(fakeEngine(() => finished()))), 1);
        assert.match(readFileSync(log, 'utf8'), termination);
      } finally {
        rmSync(directory, { recursive: true });
      }
    });
});
