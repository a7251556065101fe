// How the planner reacts to sequences of failures.
import assert from 'node:assert/strict';
import type { TimeRange } from '../../../src/migration/read/open-window.ts';
import type { ReadFailure } from '../../../src/migration/read/read-failure.ts';
import { assertComplete, cross, DAY, HOUR, metric, plannerOf, SECOND } from './support/crossing.ts';
import { SimulatedStore } from './support/simulated-store.ts';

const unavailable: ReadFailure = { kind: 'transient', responded: true };
const damaged: ReadFailure = { kind: 'damaged', problem: 'a wrong checksum', oversized: false };
const badChunk: ReadFailure = { kind: 'undecodable', problem: 'a bad chunk', plain: false };
const rangeOf = ({ fromMs, toMs }: TimeRange) => ({ fromMs, toMs });
const good = { series: 10, samples: 200, bytes: 2400, fixedBytes: 2000, streamed: true };

describe('the window planner', () => {
  describe('a transient failure', () => {
    it('is retried after increasing delays, and the attempts restart at 1 with the next slice', () => {
      const planner = plannerOf();
      planner.begin(0, DAY);
      const waits: (number | undefined)[] = [];
      for (let i = 0; i < 4; i++) {
        assert.equal(planner.next()?.attempt, i + 1);
        const reaction = planner.failed({ kind: 'transient', responded: false });
        waits.push(reaction.kind === 'retry' ? reaction.pauseAttempt : undefined);
      }
      assert.deepEqual(waits, [1, 2, 3, 4]);
      assert.equal(planner.next()?.attempt, 5);
      assert.deepEqual(planner.responded(good), { kind: 'deliver', remaining: 0 });
      assert.equal(planner.next()?.attempt, 1);
    });

    it('splits a window, but not further in a long outage', () => {
      const planner = plannerOf();
      planner.begin(0, DAY);
      let splits = 0;
      for (let i = 0; i < 500; i++) {
        planner.next();
        const reaction = planner.failed(unavailable);
        assert.ok(reaction.kind === 'retry' && reaction.pauseAttempt !== undefined);
        if (reaction.split !== undefined) splits++;
      }
      assert.ok(splits > 9 && splits <= 40, `${splits} splits`);
    });

    it('leaves no portions to read', () => {
      const store = new SimulatedStore([metric('m')]);
      const planner = plannerOf();
      let failures = 60;
      cross(planner, store, [0, HOUR], () => (failures-- > 0 ? unavailable : undefined));
      cross(planner, store, [HOUR, DAY]);
      const { deliveries } = cross(planner, store, [DAY, 2 * DAY]);
      assert.ok(deliveries.every(({ slice }) => slice.names.from === '' && slice.names.to === undefined));
    });
  });

  describe('a damaged stream', () => {
    it('is read again as often as necessary, and never as SAMPLES', () => {
      const store = new SimulatedStore([metric('m')]);
      const planner = plannerOf();
      cross(planner, store, [0, HOUR]);
      let failures = 200;
      const { deliveries } = cross(planner, store, [HOUR, 2 * HOUR], ({ samplesOnly }) => {
        assert.equal(samplesOnly, false);
        return failures-- > 0 ? damaged : undefined;
      });
      assertComplete(deliveries, ['m'], [HOUR, 2 * HOUR]);
    });

    it('ten times in a row ends the migration when there was never a good response', () => {
      const planner = plannerOf();
      planner.begin(0, HOUR);
      const reactions = Array.from({ length: 10 }, () => {
        planner.next();
        return planner.failed(damaged).kind;
      });
      assert.deepEqual(reactions, [...Array.from({ length: 9 }, () => 'retry'), 'fail']);
    });
  });

  describe('a stream that is complete but invalid', () => {
    it('in the same way three times is read as SAMPLES, for that slice only, with an event', () => {
      const planner = plannerOf();
      planner.begin(0, DAY);
      planner.next();
      planner.responded(good);
      const reactions = Array.from({ length: 3 }, () => {
        assert.equal(planner.next()?.samplesOnly, false);
        const reaction = planner.failed(badChunk);
        return reaction.kind === 'retry' && [reaction.toSamples === true, reaction.pauseAttempt !== undefined];
      });
      assert.deepEqual(reactions, [
        [false, true],
        [false, true],
        [true, false],
      ]);
      const slice = planner.next();
      assert.equal(slice?.samplesOnly, true);
      assert.equal(slice.insteadOfStream, true);
      planner.responded({ ...good, streamed: false });
      assert.equal(planner.next()?.samplesOnly, false);
    });

    it('is still read as SAMPLES when the slice is too large and has to be split', () => {
      const planner = plannerOf();
      planner.begin(0, 4 * SECOND);
      planner.next();
      planner.failed({ kind: 'unknown-encoding' });
      // One name in one second: the only remaining option is to split the second.
      planner.next();
      planner.failed({ kind: 'too-large', limit: 'labels', seenNames: ['m'] });
      assert.equal(planner.next()?.samplesOnly, true);
    });

    it('that only the writer detects is read again to the end of its window, twice as a stream, then as SAMPLES', () => {
      const planner = plannerOf();
      const reactions: string[] = [];
      planner.begin(0, DAY);
      const { fromMs, toMs } = planner.next()!.window;
      const window = { fromMs, toMs };
      for (let i = 0; i < 3; i++) {
        const slice = planner.next()!;
        assert.deepEqual(rangeOf(slice.window), window, 'the same window, although windows have grown');
        assert.equal(slice.uncertain, i > 0);
        planner.responded(good);
        reactions.push(planner.undecodable(window, 'a bad chunk').reaction);
        planner.begin(window.fromMs, DAY);
      }
      assert.deepEqual(reactions, ['retry', 'retry', 'samples-only']);
      const slice = planner.next()!;
      assert.deepEqual([slice.samplesOnly, slice.insteadOfStream, slice.uncertain], [true, true, true]);
      assert.deepEqual(rangeOf(slice.window), window);
      planner.responded(good);
      const next = planner.next()!;
      assert.deepEqual([next.samplesOnly, next.uncertain], [false, false]);
    });

    it('ends the migration when its SAMPLES fail repeatedly in the same way', () => {
      const planner = plannerOf();
      planner.begin(0, DAY);
      const window = planner.next()!.window;
      const reactions: string[] = [];
      for (let i = 0; i < 5; i++) {
        planner.next();
        planner.responded(good);
        reactions.push(planner.undecodable(window, 'a bad field').reaction);
        planner.begin(window.fromMs, DAY);
      }
      assert.deepEqual(reactions, ['retry', 'retry', 'samples-only', 'retry', 'fail']);
    });

    it('in a different way each time is read again as a stream', () => {
      const planner = plannerOf();
      planner.begin(0, DAY);
      const window = planner.next()!.window;
      for (let i = 0; i < 6; i++) {
        planner.next();
        planner.responded(good);
        assert.deepEqual(planner.undecodable(window, `problem ${i}`), { times: 1, reaction: 'retry' });
        planner.begin(window.fromMs, DAY);
      }
    });
  });

  describe('a source without a usable stream', () => {
    it('is read as SAMPLES from then on, without a fallback event when it has no stream at all', () => {
      for (const streams of [false, true]) {
        const planner = plannerOf();
        planner.begin(0, DAY);
        planner.next();
        const reaction = planner.failed({ kind: 'unsupported', streams });
        assert.ok(reaction.kind === 'retry' && reaction.toSamples);
        for (let i = 0; i < 3; i++) {
          const slice = planner.next();
          assert.deepEqual([slice?.samplesOnly, slice?.insteadOfStream], [true, streams]);
          planner.responded({ ...good, streamed: false });
        }
      }
    });

    it('cannot be distinguished from one whose proxy failed temporarily', () => {
      const planner = plannerOf();
      planner.begin(0, DAY);
      planner.next();
      planner.responded(good);
      planner.next();
      planner.failed({ kind: 'unsupported', streams: true });
      assert.equal(planner.next()?.samplesOnly, false);
    });
  });

  it('requests SAMPLES when the user configures it, and does not report a fallback', () => {
    const planner = plannerOf({ form: 'Samples' });
    planner.begin(0, DAY);
    const slice = planner.next();
    assert.deepEqual([slice?.samplesOnly, slice?.insteadOfStream], [true, false]);
  });

  it('marks windows that an earlier run may have written as uncertain', () => {
    const store = new SimulatedStore([metric('m')]);
    const { deliveries } = cross(plannerOf({ uncertainUntilMs: 3 * HOUR }), store, [0, DAY]);
    assert.ok(deliveries.length > 2);
    for (const { slice } of deliveries) assert.equal(slice.uncertain, slice.fromMs < 3 * HOUR);
  });
});
