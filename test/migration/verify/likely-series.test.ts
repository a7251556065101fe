import assert from 'node:assert/strict';
import { outlineOf } from '../../../src/migration/read/outline.ts';
import { SeriesRouter } from '../../../src/migration/series/series-router.ts';
import { indexOf } from '../../../src/migration/verify/destination-index.ts';
import { LikelySeries } from '../../../src/migration/verify/likely-series.ts';
import { hashLabels } from '../../../src/wire/label-hash.ts';
import { encodeLabels, type LabelBytes } from '../../../src/wire/labels.ts';
import { FrameCollector } from '../../../src/wire/responses/frames.ts';
import { ChunkedCursor } from '../../../src/wire/responses/read-response.ts';
import { encodeFrames } from '../support/remote-messages.ts';

/** The name of a series, and the value of its only sample. */
type Content = readonly (readonly [name: string, value: number])[];

const { signal } = new AbortController();
const grow = () => Promise.resolve();
const shownAsWritten = (): boolean => true;
const hashOf = (name: string) => hashLabels(encodeLabels([['__name__', name]]));

function bitsOf(value: number): bigint {
  return new BigUint64Array(Float64Array.of(value).buffer)[0] as bigint;
}

function cursorOf(content: Content): ChunkedCursor {
  const collector = new FrameCollector({ maxFrameBytes: 1 << 20 });
  const series = content.map(([name, value]) => ({
    labels: [['__name__', name]] as const,
    chunks: [[{ timeMs: 1, bits: bitsOf(value) }]],
  }));
  collector.push(encodeFrames(series));
  collector.end();
  return new ChunkedCursor(collector.segments);
}

async function partOf(contents: readonly Content[], externalLabels: Record<string, string> = {}) {
  const cursors = contents.map(cursorOf);
  const router = new SeriesRouter({ relabelings: [], externalLabels }, 1024);
  const reservation = { grow, shrink: () => undefined };
  return { cursors, outline: await outlineOf(cursors, { router, uncertain: false, reservation, signal }) };
}

/** For each series of the other response: its name if it was found. And the entries of the part with the same chunks. */
function recognize(part: Awaited<ReturnType<typeof partOf>>, other: Content, isWrittenAs = shownAsWritten) {
  const likely = new LikelySeries(part, isWrittenAs);
  const cursor = cursorOf(other);
  const found: string[] = [];
  for (const [name] of other) {
    assert.ok(cursor.next());
    const hash = likely.hashOf(cursor);
    if (hash === -1) continue;
    assert.equal(hash, hashOf(name));
    found.push(name);
  }
  const same: number[] = [];
  for (let entry = 0; entry < part.outline.entries; entry++) if (likely.isSame(entry)) same.push(entry);
  return { found, same };
}

const three: Content = [
  ['a', 1],
  ['b', 2],
  ['c', 3],
];

describe('series that are likely in another response', () => {
  it('are found with their hashes, and whether their chunks are the same', async () => {
    const other: Content = [
      ['a', 1],
      ['b', 7],
      ['c', 3],
    ];
    assert.deepEqual(recognize(await partOf([three]), other), { found: ['a', 'b', 'c'], same: [0, 2] });
  });

  it('are found beside series that only one of the responses has', async () => {
    const other: Content = [
      ['0', 1],
      ['a', 1],
      ['a1', 1],
      ['c', 3],
      ['d', 3],
    ];
    assert.deepEqual(recognize(await partOf([three]), other), { found: ['a', 'c'], same: [0, 2] });
  });

  it('are not found in another order, and nothing is taken for the same', async () => {
    const { found, same } = recognize(await partOf([three]), three.toReversed());
    assert.deepEqual([found, same], [['c'], [2]]);
  });

  it('are found in several responses, one after the other', async () => {
    const part = await partOf([three, three.slice(1)]);
    assert.deepEqual(recognize(part, [...three, ...three.slice(1)]).same, [0, 1, 2, 3, 4]);
  });

  it('are not found if they are written with other labels, or shown with others', async () => {
    const nothing = { found: [], same: [] };
    assert.deepEqual(recognize(await partOf([three], { site: 'x' }), three), nothing);
    assert.deepEqual(
      recognize(await partOf([three]), three, () => false),
      nothing,
    );
  });

  it('are not found in an empty part, and an empty response finds none', async () => {
    assert.deepEqual(recognize(await partOf([[]]), three), { found: [], same: [] });
    assert.deepEqual(recognize(await partOf([three]), []), { found: [], same: [] });
  });
});

describe('the index of a destination with likely series', () => {
  const appearance = { writtenLabels: (shown: LabelBytes) => shown };
  const indexed = async (part: Awaited<ReturnType<typeof partOf>>, other: readonly Content[]) =>
    indexOf(other.map(cursorOf), { appearance, source: part, grow });
  const namesOf = (index: Awaited<ReturnType<typeof indexed>>) => [...index.unused()].length;

  it('has the same as the source, and the rest is unused', async () => {
    const index = await indexed(await partOf([three]), [[...three, ['d', 4]]]);
    assert.deepEqual(
      three.map(([name], entry) => index.hasSame(entry, hashOf(name))),
      [true, true, true],
    );
    assert.equal(namesOf(index), 1);
    index.restart();
    assert.equal(namesOf(index), 4);
  });

  it('does not have the same if a series arrives in several pieces', async () => {
    const other: Content = [
      ['a', 1],
      ['a', 1],
      ['b', 2],
    ];
    const index = await indexed(await partOf([three]), [other]);
    assert.deepEqual([index.hasSame(0, hashOf('a')), index.hasSame(1, hashOf('b'))], [false, true]);
  });

  it('finds series that are shown with labels that the destination adds by what they were written with', async () => {
    const part = await partOf([three]);
    const stripped = encodeLabels([['__name__', 'b']]);
    const index = await indexOf([cursorOf(three)], {
      appearance: { writtenLabels: () => stripped },
      source: part,
      grow,
    });
    assert.deepEqual([index.hasSame(0, hashOf('a')), index.hasSame(2, hashOf('c'))], [false, false]);
    assert.equal(
      index.visit(stripped, hashOf('b'), () => undefined),
      3,
    );
  });
});
