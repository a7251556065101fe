import assert from 'node:assert/strict';
import { sampledNames } from '../../../src/migration/read/sampled-names.ts';
import { encodeLabels } from '../../../src/wire/labels.ts';
import type { SeriesCursor } from '../../../src/wire/responses/read-response.ts';

interface Entry {
  readonly labels: Uint8Array;
  readonly sampleBound: number;
}

/** Only the fields that a sample of names uses. */
function cursorOf(entries: readonly Entry[]): SeriesCursor {
  let at = -1;
  const cursor = {
    get labels() {
      return entries[at]?.labels;
    },
    get sampleBound() {
      return entries[at]?.sampleBound;
    },
    next: () => ++at < entries.length,
    rewind: () => {
      at = -1;
    },
  };
  return cursor as unknown as SeriesCursor;
}

const series = (name: string, sampleBound: number, count: number): Entry[] =>
  Array.from({ length: count }, (_, i) => ({
    labels: encodeLabels([
      ['__name__', name],
      ['instance', `host-${i}`],
    ]),
    sampleBound,
  }));

function sampleOf(...responses: (readonly Entry[])[]): Map<string, number> {
  const all = responses.flat();
  const size = {
    labelBytes: all.reduce((sum, { labels }) => sum + labels.length, 0),
    sampleBound: all.reduce((sum, { sampleBound }) => sum + sampleBound, 0),
  };
  const names = sampledNames(responses.map(cursorOf), size);
  return new Map([...Map.groupBy(names, (name) => name)].map(([name, list]) => [name, list.length]));
}

describe('a sample of the names of a response', () => {
  it('has each name as often as corresponds to its size', () => {
    const counts = sampleOf([...series('few', 480, 100), ...series('many', 480, 300), ...series('short', 240, 200)]);
    assert.equal(
      [...counts.values()].reduce((sum, count) => sum + count, 0),
      256,
    );
    for (const [name, share] of [
      ['few', 100 / 500],
      ['many', 300 / 500],
      ['short', 100 / 500],
    ] as const) {
      assert.ok(Math.abs((counts.get(name) ?? 0) / 256 - share) < 0.02, `${name}: ${counts.get(name)}`);
    }
  });

  it('repeats the name of a series that is larger than the distance', () => {
    assert.ok((sampleOf([...series('a', 10, 5), ...series('huge', 100_000, 1)]).get('huge') ?? 0) > 250);
  });

  it('covers the responses of all selectors', () => {
    const counts = sampleOf(series('a', 100, 20), [], series('b', 100, 20));
    assert.deepEqual([...counts.values()], [128, 128]);
  });

  it('is empty for an empty response, and passes over labels that cannot be read', () => {
    assert.equal(sampleOf([]).size, 0);
    assert.deepEqual([...sampleOf([{ labels: new Uint8Array([0x0a, 0x7f]), sampleBound: 3 }]).keys()], ['']);
  });
});
