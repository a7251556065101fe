import assert from 'node:assert/strict';
import fc from 'fast-check';
import { AddedLabels } from '../../../src/migration/progress/added-labels.ts';
import { PresentTimes, readInPieces } from '../../../src/migration/progress/present-times.ts';
import { pieceMatchers, type SeriesPiece } from '../../../src/migration/progress/series-pieces.ts';
import { DoesNotFit } from '../../../src/remote/does-not-fit.ts';
import { encodeLabels } from '../../../src/wire/labels.ts';
import { labelKey } from '../../../src/wire/label-hash.ts';
import { RemoteError } from '../../../src/remote/meaning/remote-error.ts';
import { selects } from '../support/remote-messages.ts';

type Labels = Readonly<Record<string, string>>;

const nothingAdded = AddedLabels.unknown({});
const anyTime = { isAdded: () => false, canSplitTime: true, learned: { singleNames: false } };

function keyOf(labels: Labels): string {
  return labelKey(encodeLabels(Object.entries(labels)));
}

/** Series with a sample each millisecond; rejects queries for more than `maxSamples`. */
class FakeDestination {
  readonly asked: SeriesPiece[] = [];
  readonly #series: readonly Labels[];
  readonly #maxSamples: number;

  constructor(series: readonly Labels[], maxSamples = Number.POSITIVE_INFINITY) {
    this.#series = series;
    this.#maxSamples = maxSamples;
  }

  async read(
    wanted: readonly Labels[],
    range: { fromMs: number; toMs: number; names?: readonly string[] },
    options = anyTime,
  ): Promise<Map<string, Float64Array>> {
    const present = new PresentTimes(() => wanted.map(keyOf), nothingAdded);
    const names = range.names ?? [...new Set(wanted.map((labels) => labels['__name__'] ?? ''))];
    await readInPieces({ ...range, names }, present, options, async (piece) => {
      this.asked.push(piece);
      const { fromMs, toMs } = piece;
      const matchers = pieceMatchers(piece);
      const found = this.#series.filter((labels) => selects(matchers, Object.entries(labels)));
      if (found.length * (toMs - fromMs) > this.#maxSamples) throw new DoesNotFit('too much');
      for (const labels of found) {
        const times = present.of(encodeLabels(Object.entries(labels)));
        for (let timeMs = fromMs; timeMs < toMs; timeMs++) times?.push(timeMs);
      }
    });
    return present.sorted();
  }
}

function isExtended(labels: Labels, other: Labels): boolean {
  return Object.entries(labels).every(([name, value]) => value === '' || other[name] === value);
}

function every(fromMs: number, toMs: number): number[] {
  return Array.from({ length: toMs - fromMs }, (_, i) => fromMs + i);
}

describe('the samples that the destination already has', () => {
  it('are read in shorter time ranges when one series exceeds the limit', async () => {
    const destination = new FakeDestination([{ __name__: 'm', a: '1' }], 3);
    const present = await destination.read([{ __name__: 'm', a: '1' }], { fromMs: 100, toMs: 120 });
    assert.deepEqual([...present.keys()], [keyOf({ __name__: 'm', a: '1' })]);
    assert.deepEqual([...present.get(keyOf({ __name__: 'm', a: '1' }))!], every(100, 120));
  });

  it('are read by name, then by the values of a label, whatever labels the series share', async () => {
    const label = fc.constantFrom('', 'a', 'b', 'abc', 'Z', '/x/y', 'é', '\u{1f600}', '\n');
    const series = fc.uniqueArray(
      fc.record({ __name__: fc.constantFrom('m', 'n', 'o'), one: label, two: label, three: label }),
      { minLength: 1, maxLength: 40, selector: (labels) => keyOf(labels) },
    );
    await fc.assert(
      fc.asyncProperty(series, series, fc.integer({ min: 1, max: 30 }), async (wanted, others, maxSamples) => {
        // An unwanted series with all labels of a wanted one and more cannot be excluded from a read of that one.
        const apart = others.filter((other) => wanted.every((labels) => !isExtended(labels, other)));
        const shown = [...new Map([...wanted, ...apart].map((labels) => [keyOf(labels), labels])).values()];
        const destination = new FakeDestination(shown, maxSamples);
        const present = await destination.read(wanted, { fromMs: 0, toMs: 8 });
        assert.deepEqual(new Set(present.keys()), new Set(wanted.map(keyOf)));
        for (const times of present.values()) assert.deepEqual([...times], every(0, 8));
      }),
      { interruptAfterTimeLimit: 8000 },
    );
  });

  it('are not searched repeatedly among unwanted series', async () => {
    const shown = Array.from({ length: 64 }, (_, i) => ({ __name__: 'm', pod: `pod-${i}`, node: `n${i % 4}` }));
    const destination = new FakeDestination(shown, 8);
    const present = await destination.read([shown[17]!], { fromMs: 0, toMs: 8 });
    assert.equal(present.size, 1);
    assert.ok(destination.asked.length <= 2, `${destination.asked.length} reads`);
  });

  it('are not read in shorter time ranges when that does not reduce the response', async () => {
    const destination = new FakeDestination([{ __name__: 'm', a: '1' }], 3);
    const options = { ...anyTime, canSplitTime: false };
    await assert.rejects(destination.read([{ __name__: 'm', a: '1' }], { fromMs: 0, toMs: 8 }, options), {
      code: 'read-back-too-large',
    });
  });

  it('fail with the side and a hint when not even a millisecond of one series can be read', async () => {
    const destination = new FakeDestination([{ __name__: 'm' }], 0);
    await assert.rejects(destination.read([{ __name__: 'm' }], { fromMs: 0, toMs: 8 }), (error: Error) => {
      assert.deepEqual(
        [error.name, 'code' in error && error.code, 'side' in error && error.side],
        ['MigrationError', 'read-back-too-large', 'progress'],
      );
      assert.match('hint' in error ? String(error.hint) : '', /spec\.limits\.memory/);
      return true;
    });
  });

  it('are read in smaller parts when the destination reports a limit, and not for other errors', async () => {
    const fail = (errorClass: 'too-large' | 'refused') => async () => {
      throw new RemoteError({ class: errorClass, code: 'response-too-large', side: 'progress', what: 'said so' });
    };
    const present = new PresentTimes(() => [keyOf({ __name__: 'm' })], nothingAdded);
    const range = { names: ['m'], fromMs: 0, toMs: 1 };
    await assert.rejects(readInPieces(range, present, anyTime, fail('too-large')), { code: 'read-back-too-large' });
    await assert.rejects(readInPieces(range, present, anyTime, fail('refused')), { name: 'RemoteError' });
  });

  it('are read name by name when the destination requires one name in a query, from the first refusal on', async () => {
    const learned = { singleNames: false };
    const asked: number[] = [];
    const names = Array.from({ length: 150 }, (_, i) => `m${i}`);
    const read = async (piece: SeriesPiece) => {
      asked.push(piece.names.length);
      if (piece.names.length > 1)
        throw new RemoteError({ class: 'refused', code: 'metric-name-required', side: 'progress', what: 'said so' });
    };
    for (const expected of [[100, ...names.map(() => 1)], names.map(() => 1)]) {
      asked.length = 0;
      const present = new PresentTimes(() => [], nothingAdded);
      await readInPieces({ names, fromMs: 0, toMs: 10 }, present, { ...anyTime, learned }, read);
      assert.deepEqual(asked, expected);
    }
  });

  it('are read for a hundred names per request, and for fewer when the names are long', async () => {
    const names = Array.from({ length: 250 }, (_, i) => `m${i}`);
    const destination = new FakeDestination([]);
    await destination.read([], { fromMs: 0, toMs: 10, names });
    assert.deepEqual(
      destination.asked.map((piece) => piece.names.length),
      [100, 100, 50],
    );
    assert.deepEqual(
      destination.asked.flatMap((piece) => piece.names),
      names,
    );

    const long = new FakeDestination([]);
    const longNames = ['a'.repeat(3000), 'b'.repeat(3000), 'c'.repeat(9000)];
    await long.read([], { fromMs: 0, toMs: 10, names: longNames });
    assert.deepEqual(
      long.asked.map((piece) => piece.names.length),
      [1, 1, 1],
    );
  });

  it('have each timestamp once, in order, however often it was returned', async () => {
    const present = new PresentTimes(() => [keyOf({ __name__: 'm' })], nothingAdded);
    const times = present.of(encodeLabels([['__name__', 'm']]));
    times?.push(3, 1, 2);
    present.of(encodeLabels([['__name__', 'm']]))?.push(1, 3);
    assert.deepEqual([...present.sorted().get(keyOf({ __name__: 'm' }))!], [1, 2, 3]);
  });

  it('are read without listing the series when the destination has none', async () => {
    const present = new PresentTimes(() => assert.fail('listed'), nothingAdded);
    await readInPieces({ names: ['m'], fromMs: 0, toMs: 10 }, present, anyTime, async () => undefined);
    assert.equal(present.sorted().size, 0);
  });

  it('are not read at all when no series is wanted', async () => {
    const destination = new FakeDestination([]);
    assert.equal((await destination.read([], { fromMs: 0, toMs: 10, names: [] })).size, 0);
    assert.deepEqual(destination.asked, []);
  });
});
