// Faults that real servers cannot produce on demand, over real HTTP: bad bytes, absent servers, and an end at any moment.
import assert from 'node:assert/strict';
import type { MigrationProgress } from '../../src/migration/report/observer.ts';
import { SecretUrl } from '../../src/telemetry/secret.ts';
import { FastClock } from './support/fake-clock.ts';
import { type FakeDestination, startDestination } from './support/fake-destination.ts';
import { type FakeSource, regularSeries, startSource } from './support/fake-source.ts';
import {
  assertSucceeded,
  dayMs,
  epochMs,
  hourMs,
  minuteMs,
  planFor,
  RecordingObserver,
  type Run,
  run,
  unaccounted,
} from './support/plan.ts';
import { expected, type Series } from './support/remote-messages.ts';
import { KERNEL_BYTES } from '../../src/wire/kernel/kernel.ts';

const endMs = epochMs + hourMs;
const series = regularSeries({ count: 4, fromMs: epochMs, toMs: endMs, stepMs: 15_000 });
const everything = expected(series, epochMs, endMs);
const samples = 4 * 240;

/** Everything is stored exactly once, and the fake server reported no failures. */
function assertComplete(destination: FakeDestination, result: Run): void {
  assertSucceeded(result);
  assert.deepEqual(destination.failures, []);
  assert.deepEqual(destination.contents(), everything);
  assert.equal(result.progress.samplesWritten, samples);
}

describe('an unreachable side', () => {
  async function sides(): Promise<{ source: FakeSource; destination: FakeDestination }> {
    return { source: await startSource(series), destination: await startDestination() };
  }
  const nowhere = 'http://127.0.0.1:1/api/v1/read';
  const noName = 'http://host.name.invalid/api/v1/write';

  it('is named when the startup deadline has passed', async () => {
    const { source, destination } = await sides();
    await using _source = source;
    await using _destination = destination;
    const plan = planFor({ source, destination });
    const clock = () => new FastClock({ nowMs: epochMs + dayMs, speed: 20 });
    const cases = [
      [{ ...plan, source: { ...plan.source, url: new SecretUrl(nowhere) } }, 'source', /refuse/],
      [
        { ...plan, destination: { ...plan.destination, url: new SecretUrl(noName) } },
        'destination',
        /host\.name\.invalid/,
      ],
      [
        planFor({ source, destination: { readUrl: nowhere, writeUrl: nowhere, queryUrl: nowhere } }),
        'progress',
        /refuse/,
      ],
    ] as const;
    for (const [broken, side, words] of cases) {
      const { error, observer } = await run(broken, { clock: clock(), startupDeadlineMs: 60_000 });
      assert.equal(error?.code, 'unreachable');
      assert.equal(error?.side, side);
      assert.match(error?.message ?? '', words);
      assert.ok(observer.all('retry').length > 0, 'it was tried again, visibly');
    }
  });

  it('is retried for longer once it has responded', async () => {
    const { source, destination } = await sides();
    await using _source = source;
    await using _destination = destination;
    const clock = new FastClock({ nowMs: epochMs + dayMs, speed: 10_000 });
    let downUntilMs = 0;
    destination.onWrite = () => {
      if (downUntilMs === 0) downUntilMs = clock.now() + 10 * minuteMs;
      return destination.accepted.length > 0 && clock.now() < downUntilMs ? { status: 503 } : undefined;
    };
    assertComplete(destination, await run(planFor({ source, destination }), { clock, startupDeadlineMs: 10_000 }));
  });
});

describe('an abort', () => {
  const moments: Record<string, (source: FakeSource, destination: FakeDestination, abort: () => void) => void> = {
    'during the search for the mark': (_, destination, abort) => {
      destination.onRead = () => {
        abort();
        return undefined;
      };
    },
    'while the source does not respond': (source, _, abort) => {
      source.onQuery = () => {
        abort();
        return 'silence';
      };
    },
    'during the back-off for the source': (source, _, abort) => {
      source.onQuery = () => {
        setTimeout(abort, 20);
        return { status: 503, headers: { 'retry-after': '100' } };
      };
    },
    'while the destination handles a write': (_, destination, abort) => {
      destination.onWrite = async () => {
        abort();
        await new Promise((resolve) => setTimeout(resolve, 2000).unref());
        return undefined;
      };
    },
    'during the back-off for the destination': (_, destination, abort) => {
      destination.onWrite = () => {
        setTimeout(abort, 20);
        return { status: 429, headers: { 'retry-after': '100' } };
      };
    },
    'while the mark is written': (_, destination, abort) => {
      destination.onWrite = async ({ isMark }) => {
        if (isMark) {
          abort();
          await new Promise((resolve) => setTimeout(resolve, 2000).unref());
        }
        return undefined;
      };
    },
  };
  for (const [moment, arrange] of Object.entries(moments)) {
    it(`${moment} stops the run immediately and leaves no resources open`, async () => {
      await using source = await startSource(series);
      await using destination = await startDestination();
      const abort = new AbortController();
      let abortedAtMs = 0;
      arrange(source, destination, () => {
        abortedAtMs ||= performance.now();
        abort.abort();
      });
      const clock = new FastClock({ nowMs: epochMs + dayMs, speed: 10 });
      const { progress, error } = await run(planFor({ source, destination }), { abort: abort.signal, clock });
      assert.ok(performance.now() - abortedAtMs < 3000);
      assert.equal(progress.phase, 'Interrupted');
      assert.equal(error, undefined);
      // A request that was sent beside the one that aborted may still arrive.
      await new Promise((resolve) => setTimeout(resolve, 30));
      const asked = source.queries.length + destination.reads + destination.accepted.length;
      await new Promise((resolve) => setTimeout(resolve, 30));
      assert.equal(source.queries.length + destination.reads + destination.accepted.length, asked);
    });
  }
});

describe('a failure', () => {
  it('of the source cancels deliveries that wait for a retry', async () => {
    await using source = await startSource(series);
    source.onQuery = () => (source.queries.length > 1 ? { status: 401 } : undefined);
    await using destination = await startDestination();
    destination.onWrite = () => ({ status: 503 });
    const { error } = await run(planFor({ source, destination }, { destination: { ordering: 'Any' } }));
    assert.equal(error?.code, 'unauthorized');
    await new Promise((resolve) => setTimeout(resolve, 10));
    const { refused } = destination;
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(destination.refused, refused);
  });
});

describe('a stop', () => {
  it('between the parts of a window leaves the window unmarked and its samples counted', async () => {
    const dense = ['alpha', 'beta', 'gamma'].flatMap((name) =>
      regularSeries({ name, count: 1, fromMs: epochMs, toMs: epochMs + 3000, stepMs: 100 }),
    );
    await using source = await startSource(dense);
    await using destination = await startDestination({ kind: 'keeps-all' });
    const stop = new AbortController();
    source.onQuery = async (query) => {
      if (source.samplesIn(query) > 10) return { status: 413 };
      // The parts with beta or gamma never arrive.
      if (source.samplesIn(query) > 0 && destination.accepted.length > 0) {
        stop.abort();
        return 'silence';
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
      return undefined;
    };
    const plan = planFor({ source, destination }, { endMs: epochMs + 3000, limits: { samplesPerWrite: 5 } });
    const { progress } = await run(plan, { stop: stop.signal });
    assert.equal(progress.phase, 'Interrupted');
    assert.ok(progress.samplesWritten > 0);
    assert.equal(unaccounted(progress), 0);
    assert.equal(destination.marks().length, 0);
    source.onQuery = () => undefined;
    assertSucceeded(await run(plan));
    assert.deepEqual(destination.contents(), expected(dense, epochMs, epochMs + 3000));
  });
});

describe('the memory budget', () => {
  it('splits windows that do not fit, and is never exceeded', async () => {
    // About 6 MB of labels in one response, where reads may use 4.5 MB.
    const large: Series[] = Array.from({ length: 1500 }, (_, i) => ({
      labels: [
        ['__name__', 'wide'],
        ['pad', `${i}`.padStart(4000, 'abcdefgh')],
      ],
      samples: [{ timeMs: epochMs + i * 150, bits: 0n }],
    }));
    await using source = await startSource(large);
    source.samplesOnly = true;
    await using destination = await startDestination({ kind: 'keeps-all' });
    const observer = new RecordingObserver();
    const held: number[] = [];
    observer.onProgress = (progress: Readonly<MigrationProgress>) => held.push(progress.inFlightBytes);
    const memoryBytes = 11.5 * 1024 * 1024 + KERNEL_BYTES;
    const plan = planFor(
      { source, destination },
      { endMs: epochMs + 4 * minuteMs, limits: { memoryBytes, samplesPerWrite: 10_000 } },
    );
    const result = await run(plan, { observer });
    assertSucceeded(result);
    assert.equal(result.progress.samplesWritten, 1500);
    assert.ok(result.observer.all('window-split').length > 0);
    assert.ok(Math.max(...held) <= memoryBytes);
    assert.ok(Math.max(...held) > 1024 * 1024);
    assert.deepEqual(destination.contents(), expected(large, epochMs, endMs));
  });
});
