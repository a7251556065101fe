import assert from 'node:assert/strict';
import { type StretchFile, readStretch, stretchFileText } from '../../../src/migration/stretches/stretch-file.ts';

const hourMs = 3_600_000;
const startMs = Date.UTC(2024, 0, 1, 1);
const endMs = startMs + 3 * hourMs;
const manifest = { startMs, endMs };

const file: StretchFile = {
  frozenEndMs: undefined,
  stretches: [
    { shard: '0', startMs, endMs: startMs + hourMs },
    { shard: '2024-01-01T02:00:00.000Z', startMs: startMs + hourMs, endMs },
  ],
};

/** The text of the file with changes to its JSON. */
function changed(changes: object): string {
  return JSON.stringify({ ...JSON.parse(stretchFileText(file)), ...changes });
}

const second = { shard: '2024-01-01T02:00:00.000Z', start: '2024-01-01T02:00:00Z', end: '2024-01-01T04:00:00Z' };
const entries = (changes: object) => ({ stretches: [{ ...second, ...changes }] });

describe('the file of the stretches of a Job', () => {
  it('is readable JSON with times as text', () => {
    assert.deepEqual(JSON.parse(stretchFileText(file)), {
      version: 1,
      frozenEnd: null,
      stretches: [
        { shard: '0', start: '2024-01-01T01:00:00.000Z', end: '2024-01-01T02:00:00.000Z' },
        { shard: '2024-01-01T02:00:00.000Z', start: '2024-01-01T02:00:00.000Z', end: '2024-01-01T04:00:00.000Z' },
      ],
    });
  });

  it('gives each index its stretch', () => {
    for (const [index, stretch] of file.stretches.entries()) {
      assert.deepEqual(readStretch(stretchFileText(file), index, manifest), { stretch, frozenEndMs: undefined });
    }
  });

  it('has the end of a migration whose manifest leaves it open', () => {
    const text = stretchFileText({ ...file, frozenEndMs: endMs });
    const read = readStretch(text, 1, { startMs, endMs: undefined });
    assert.deepEqual(read, { stretch: file.stretches[1], frozenEndMs: endMs });
  });

  it('may have no stretches', () => {
    assert.deepEqual(JSON.parse(stretchFileText({ ...file, stretches: [] })).stretches, []);
  });

  const mistakes: [title: string, text: string, index: number, path: string, message: RegExp][] = [
    ['no JSON', '{"version":1', 0, '', /is not JSON/],
    ['no object', '[]', 0, '', /must be a JSON object/],
    ['another version', changed({ version: 2 }), 0, 'version', /must be 1: .* another version of prom-migrator/],
    ['no version', changed({ version: undefined }), 0, 'version', /must be 1/],
    ['no list', changed({ stretches: {} }), 0, 'stretches', /must be a list/],
    ['an index behind the last entry', changed({}), 2, 'stretches', /has 2 entries, .* index 2/],
    ['an end that is no time', changed({ frozenEnd: 'soon' }), 0, 'frozenEnd', /must be an RFC 3339 time/],
    ['no end at all', changed({ frozenEnd: undefined }), 0, 'frozenEnd', /must be an RFC 3339 time/],
    ['two ends', changed({ frozenEnd: '2024-01-01T04:00:00Z' }), 0, 'frozenEnd', /must be null/],
    ['an entry that is no object', changed({ stretches: [1] }), 0, 'stretches[0]', /must be an object/],
    ['a shard that is no text', changed(entries({ shard: 1 })), 0, 'stretches[0].shard', /must be a string/],
    ['a start that is no time', changed(entries({ start: 7 })), 0, 'stretches[0].start', /must be an RFC 3339 time/],
    ['an empty stretch', changed(entries({ end: second.start })), 0, 'stretches[0].end', /later than start/],
    [
      'a stretch before the range',
      changed(entries({ start: '2024-01-01T00:59:59.999Z' })),
      0,
      'stretches[0].start',
      /before the range of the manifest, 2024-01-01T01:00:00.000Z to 2024-01-01T04:00:00.000Z/,
    ],
    [
      'a stretch behind the range',
      changed(entries({ end: '2024-01-01T04:00:00.001Z' })),
      0,
      'stretches[0].end',
      /after the range of the manifest/,
    ],
    [
      "another stretch's shard",
      changed(entries({ shard: '0' })),
      0,
      'stretches[0].shard',
      /begins at 2024-01-01T02:00/,
    ],
    ['an unknown shard', changed(entries({ shard: 'x' })), 0, 'stretches[0].shard', /is not the shard/],
  ];
  for (const [title, text, index, path, message] of mistakes) {
    it(`is rejected with ${title}, with the place and the reason`, () => {
      const read = readStretch(text, index, manifest);
      assert.ok('problems' in read);
      assert.deepEqual(
        read.problems.map((problem) => problem.path),
        [path],
      );
      assert.match(read.problems[0]!.message, message);
    });
  }

  it('must have an end if the manifest has none', () => {
    const read = readStretch(stretchFileText(file), 0, { startMs, endMs: undefined });
    assert.ok('problems' in read);
    assert.match(read.problems[0]!.message, /must be a time: the manifest has no spec\.timeRange\.end/);
  });
});
