import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDifferences } from '../../src/cli/difference-file.ts';
import type { Difference } from '../../src/migration/report/verification.ts';

const LONG = 'x'.repeat(100_000);

function difference(timestampMs: number, labels = 'up'): Difference {
  return { labels, timestampMs, kind: 'extra', source: undefined, destination: '1' };
}

const timesIn = (text: string) => [...text.matchAll(/"timestampMs":(\d+)/g)].map(([, time]) => Number(time));

const never = new AbortController().signal;

describe('the file of --differences', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'differences-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('has a line for each difference that was kept, and none for those that were discarded', () => {
    const path = join(directory, 'd.jsonl');
    const file = openDifferences(path);
    file.add(difference(1));
    void file.keep(never);
    // More than is buffered: what was written already is taken back.
    for (let i = 0; i < 5; i++) file.add(difference(2, LONG));
    file.discard();
    file.add(difference(3, LONG));
    file.add(difference(4));
    void file.keep(never);
    file.add(difference(5, LONG));
    file.add(difference(6));
    file.close();
    const text = readFileSync(path, 'utf8');
    assert.deepEqual(timesIn(text), [1, 3, 4]);
    assert.ok(text.endsWith('}\n'));
    for (const line of text.trimEnd().split('\n')) JSON.parse(line);
  });

  it('marks what is missing as expected, once that is known', () => {
    const path = join(directory, 'd.jsonl');
    const link = join(directory, 'link.jsonl');
    writeFileSync(path, '');
    symlinkSync(path, link);
    const file = openDifferences(link);
    const missing = {
      ...difference(1, `${LONG}\u2028ä`),
      kind: 'missing',
      source: '1',
      destination: undefined,
    } as const;
    for (let i = 0; i < 3; i++) {
      file.add(missing);
      file.add(difference(2, '"kind":"missing"'));
    }
    void file.keep(never);
    file.expectMissing('rejected');
    file.close();
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    const parsed = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    const shown = parsed.map(({ kind, expected }) => [kind, expected]);
    assert.deepEqual(
      shown,
      Array(3)
        .fill([
          ['missing', 'rejected'],
          ['extra', undefined],
        ])
        .flat(),
    );
    assert.equal(parsed[0]!['labels'], missing.labels);
    assert.deepEqual(readdirSync(directory).sort(), ['d.jsonl', 'link.jsonl']);
  });
});
