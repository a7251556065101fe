// What follows when a Job has ended before everything is in the destination.
import assert from 'node:assert/strict';
import { type Attempt, judgeEnd } from '../../../src/operator/judge/attempt.ts';
import type { JobFacts, JobFailure } from '../../../src/operator/judge/job-facts.ts';
import { jobFacts } from '../support/job-facts.ts';
import { nowMs, progressOf } from '../support/migrations.ts';

const facts = jobFacts({ active: 0, wanted: 0, end: 'Failed' });

const exit = 'pod copy-1-0-abcde failed: exit code 137, OOMKilled';
const said = (code: string, side?: string): JobFailure => ({
  startMs: Date.parse('2025-01-01T00:00:00Z'),
  reason: { code, message: `why ${code}`, ...(side !== undefined && { side }) },
  exit,
});
const killed: JobFailure = { startMs: undefined, reason: undefined, exit };

function verdictOn(job: JobFacts | undefined, changes: Partial<Attempt> = {}) {
  const attempt: Attempt = {
    end: { kind: 'result', result: { progress: progressOf({ phase: 'Interrupted' }) } },
    cause: 'job-ended',
    earlier: undefined,
    verifies: false,
    samplesRejected: 0,
    job,
    ...changes,
  };
  return judgeEnd(attempt, nowMs);
}

function short(job: JobFacts | undefined, changes?: Partial<Attempt>): string {
  const verdict = verdictOn(job, changes);
  if (verdict.kind === 'again') return `again ${verdict.failures.reason}: ${verdict.failures.message}`;
  if (verdict.kind === 'stopped') return `stopped ${verdict.cause}`;
  return `${verdict.outcome.succeeded} ${verdict.outcome.reason}: ${verdict.outcome.message}`;
}

describe('the end of a Job', () => {
  const first = 'the stretch from 2025-01-01T00:00:00Z';
  const table: readonly [what: string, failures: readonly JobFailure[], verdict: string][] = [
    [
      'rejected samples',
      [said('samples-rejected', 'destination')],
      `false SamplesRejected: ${first}: why samples-rejected`,
    ],
    [
      'a refusal',
      [said('receiver-disabled', 'destination')],
      `false DestinationRefused: ${first}: why receiver-disabled`,
    ],
    ['rejected credentials', [said('unauthorized', 'source')], `again CredentialsRefused: ${first}: why unauthorized`],
    ['pods that were killed too often', [killed], `false StretchesFailed: the stretch: ${exit}`],
    ['a defect that persists', [said('internal')], `false StretchesFailed: ${first}: why internal`],
    ['a code of another version', [said('new-code')], `false StretchesFailed: ${first}: why new-code`],
    [
      'several failures, of which one says why',
      [killed, said('samples-rejected', 'destination')],
      'false SamplesRejected: 2 stretches failed: the one from 2025-01-01T00:00:00Z: why samples-rejected',
    ],
  ];
  for (const [what, failures, verdict] of table) {
    it(`is judged by what its pods say: ${what}`, () => assert.equal(short({ ...facts, failures }), verdict));
  }

  it('is not taken at its word: what the marks do not cover is divided again, after longer and longer pauses', () => {
    assert.match(
      short({ ...facts, end: 'Complete' }),
      /^again JobIncomplete: the Job is complete, but marks .*missing/,
    );
    assert.match(short(undefined, { cause: 'job-lost' }), /^again JobIncomplete: the Job has ended or was deleted/);
    const once = verdictOn(undefined);
    assert.ok(once.kind === 'again');
    const twice = verdictOn(undefined, { earlier: once.failures });
    assert.ok(twice.kind === 'again');
    assert.ok(twice.failures.retryAtMs > once.failures.retryAtMs);
  });

  describe('whose pods failed too often, although its marks progressed,', () => {
    const progressed = { jobProgressed: true };

    it('is not the end of the migration: the attempts of another one count from zero', () => {
      for (const failure of [killed, said('internal'), said('unreachable', 'source'), said('interrupted')]) {
        assert.match(
          short({ ...facts, failures: [failure] }, progressed),
          /^again JobIncomplete: pods .* too often, but/,
        );
        assert.match(short({ ...facts, failures: [failure] }), /^false StretchesFailed/);
      }
    });

    it('is the end if a user has to change something', () => {
      const failures = [killed, said('internal'), said('receiver-disabled', 'destination')];
      assert.match(short({ ...facts, failures }, progressed), /^false DestinationRefused: 3 stretches/);
    });

    it('is followed by another one after longer and longer pauses', () => {
      const pauseAfter = (exhaustedJobs: number) => {
        const verdict = verdictOn({ ...facts, failures: [killed] }, { ...progressed, exhaustedJobs });
        assert.ok(verdict.kind === 'again');
        return verdict.failures.retryAtMs - nowMs;
      };
      assert.deepEqual([0, 1, 2, 20].map(pauseAfter), [5_000, 10_000, 20_000, 300_000]);
    });
  });

  it('is not judged if it is replaced', () => {
    assert.equal(short({ ...facts, end: undefined }, { cause: 'job-replaced' }), 'stopped job-replaced');
  });

  it('is a success if the marks cover everything, whatever the Job says', () => {
    const end = {
      kind: 'result',
      result: { progress: progressOf({ phase: 'Succeeded', windows: 1, samplesRead: 1 }) },
    } as const;
    assert.match(short({ ...facts, failures: [killed] }, { end }), /^true Completed/);
  });
});
