import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, openSync, closeSync, readFileSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DifferenceFile } from '../../src/cli/difference-file.ts';
import type { Difference } from '../../src/migration/report/verification.ts';

const LONG = 'x'.repeat(100_000);

function difference(timestampMs: number, labels = 'up'): Difference {
  return { labels, timestampMs, kind: 'extra', source: undefined, destination: '1' };
}

const timesIn = (text: string) => [...text.matchAll(/"timestampMs":(\d+)/g)].map(([, time]) => Number(time));

describe('DifferenceFile', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'differences-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('has a line for each difference that was kept, and none for those that were discarded', () => {
    const path = join(directory, 'd.jsonl');
    const file = new DifferenceFile(path);
    file.add(difference(1));
    file.keep();
    // More than is buffered: what was written already is taken back.
    for (let i = 0; i < 5; i++) file.add(difference(2, LONG));
    file.discard();
    file.add(difference(3, LONG));
    file.add(difference(4));
    file.keep();
    file.add(difference(5, LONG));
    file.add(difference(6));
    file.close();
    const text = readFileSync(path, 'utf8');
    assert.deepEqual(timesIn(text), [1, 3, 4]);
    assert.ok(text.endsWith('}\n'));
    for (const line of text.trimEnd().split('\n')) JSON.parse(line);
  });

  it('writes into a pipe only what was kept', async () => {
    const path = join(directory, 'pipe');
    execFileSync('mkfifo', [path]);
    const reading = readFile(path, 'utf8');
    // Neither end waits for the other.
    const held = openSync(path, 'r+');
    const file = new DifferenceFile(path);
    file.add(difference(1));
    file.keep();
    file.add(difference(2));
    file.discard();
    file.add(difference(3));
    file.keep();
    file.close();
    closeSync(held);
    assert.deepEqual(timesIn(await reading), [1, 3]);
  });
});
