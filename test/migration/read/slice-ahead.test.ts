// A source and a companion that takes its time: how the reader asks one of them while it waits for the other.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { readAhead } from '../../../src/migration/read/read-ahead.ts';
import type { Slice } from '../../../src/migration/read/slice.ts';
import { releasePart } from '../../../src/migration/read/window-part.ts';
import { DoesNotFit } from '../../../src/remote/does-not-fit.ts';
import { type FakeSource, regularSeries, startSource } from '../support/fake-source.ts';
import { epochMs, hourMs } from '../support/plan.ts';
import { companionReader } from './support/companion-reader.ts';

const endMs = epochMs + 12 * hourMs;
const samples = 5 * 12 * 60;

/** Reads everything with a companion. @param read what the companion does */
async function readAll(source: FakeSource, read: (slice: Slice) => Promise<void>) {
  await using opened = await companionReader(source, endMs, read);
  const windows: [number, number][] = [];
  let received = 0;
  for await (const part of opened.reader.windows(epochMs, endMs, new AbortController().signal)) {
    windows.push([part.fromMs, part.toMs]);
    received += part.outline.sampleBound;
    releasePart(part);
  }
  return { windows, samples: received, usedBytes: opened.usedBytes };
}

const openSource = () => startSource(regularSeries({ count: 5, fromMs: epochMs, toMs: endMs, stepMs: 60_000 }));
const rangesOf = (source: FakeSource) => source.queries.filter((query) => query.startMs !== query.endMs);

describe('a reader with a companion that needs the source', () => {
  it('requests the next slice from the source while the companion reads', async () => {
    await using source = await openSource();
    const ahead: number[] = [];
    const result = await readAll(source, async ({ toMs }) => {
      for (let i = 0; i < 50 && !rangesOf(source).some(({ startMs }) => startMs >= toMs); i++) await sleep(2);
      if (rangesOf(source).some(({ startMs }) => startMs >= toMs)) ahead.push(toMs);
    });
    assert.ok(result.windows.length > 3);
    assert.equal(ahead.length, result.windows.length - 1, 'all but the last');
    assert.equal(rangesOf(source).length, result.windows.length, 'no slice is requested twice');
    assert.ok(result.samples >= samples);
    assert.equal(result.usedBytes, 0);
  });

  it('drops what was read ahead if the companion cannot hold the slice, and reads everything once', async () => {
    await using source = await openSource();
    const tooLong = hourMs;
    const read: [number, number][] = [];
    const result = await readAll(source, async ({ fromMs, toMs }) => {
      await sleep(5);
      if (toMs - fromMs > tooLong) throw new DoesNotFit('too much');
      read.push([fromMs, toMs]);
    });
    assert.deepEqual(result.windows, read);
    let atMs = epochMs;
    for (const [fromMs, toMs] of result.windows) {
      assert.equal(fromMs, atMs);
      atMs = toMs;
    }
    assert.equal(atMs, endMs);
    assert.equal(result.usedBytes, 0, 'the memory of dropped slices is given back');
  });

  it('tries again what failed ahead of time', async () => {
    await using source = await openSource();
    let failures = 0;
    source.onQuery = ({ startMs }) => (startMs >= epochMs + 2 * hourMs && failures++ < 2 ? { status: 503 } : undefined);
    const result = await readAll(source, () => sleep(5));
    assert.ok(failures > 2);
    assert.ok(result.samples >= samples);
    assert.equal(result.windows.at(-1)?.[1], endMs);
    assert.equal(result.usedBytes, 0);
  });

  it('ends the request for the next slice when the reader is left', async () => {
    await using source = await openSource();
    const failure = new TypeError('the companion does not work');
    const result = readAll(source, async ({ fromMs }) => {
      await sleep(5);
      if (fromMs > epochMs) throw failure;
    });
    await assert.rejects(result, /the companion does not work/);
  });

  it('gives back the memory of the next slice when its consumer leaves between two windows', async () => {
    await using source = await openSource();
    await using opened = await companionReader(source, endMs, () => sleep(5));
    const reading = new AbortController();
    for await (const part of readAhead(opened.reader.windows(epochMs, endMs, reading.signal), 2, releasePart)) {
      // One window is compared, one has been read, and the source has sent the one after it.
      for (let i = 0; i < 50 && rangesOf(source).length < 3; i++) await sleep(2);
      assert.equal(rangesOf(source).length, 3);
      await sleep(20);
      releasePart(part);
      break;
    }
    reading.abort();
    await sleep(20);
    assert.equal(opened.usedBytes, 0);
  });

  it('reads another range completely, although it is left while a slice of the first one arrives', async () => {
    await using source = await openSource();
    const windows: [number, number][] = [];
    const leaving = new AbortController();
    let again: Promise<void> | undefined;
    await using opened = await companionReader(source, endMs, async ({ fromMs }) => {
      if (fromMs === epochMs || again !== undefined) return;
      leaving.abort();
      again = readAgain();
    });
    const { reader } = opened;
    const readAgain = async () => {
      for await (const part of reader.windows(epochMs, endMs, new AbortController().signal)) {
        windows.push([part.fromMs, part.toMs]);
        releasePart(part);
      }
    };
    await assert.rejects(
      async () => {
        for await (const part of reader.windows(epochMs, endMs, leaving.signal)) releasePart(part);
      },
      (error) => error === leaving.signal.reason,
    );
    await again;
    let atMs = epochMs;
    for (const [fromMs, toMs] of windows) {
      assert.equal(fromMs, atMs);
      atMs = toMs;
    }
    assert.equal(atMs, endMs);
    assert.equal(opened.usedBytes, 0);
  });
});
