import assert from 'node:assert/strict';
import { decideJob, type JobAction, type JobDecision, type JobInput } from '../../../src/operator/judge/decide-job.ts';
import type { JobFacts } from '../../../src/operator/judge/job-facts.ts';
import { jobKeyOf } from '../../../src/operator/judge/job-key.ts';
import { completed, crashed, failedStatus, input, missing, rejected, running } from '../support/decide-inputs.ts';
import { jobFacts } from '../support/job-facts.ts';
import { type MigrationOptions, migrationOf, monotonicMs, nowMs } from '../support/migrations.ts';

const DESTINATION = {
  url: 'http://destination/write',
  ordering: 'Any',
  progress: { protocol: 'RemoteRead', url: 'http://destination/read' },
};

function inJob(execution: object = {}, options: MigrationOptions = {}) {
  const spec = { destination: DESTINATION, execution: { mode: 'Job', parallelism: 2, ...execution }, ...options.spec };
  return migrationOf({ ...options, spec });
}

const key = jobKeyOf(inJob().spec);
const follower = running({ follows: true, restartKey: key });

const jobOf = (changes: Partial<JobFacts> = {}) => jobFacts({ key, ...changes });

function decided(changes: Partial<JobInput>): JobDecision {
  return decideJob({
    ...input({ resource: inJob() }),
    jobs: [],
    hasStrayPods: false,
    isDivided: false,
    jobUid: undefined,
    judged: new Set(),
    image: 'image:1',
    ...changes,
  });
}

function actionsOf(changes: Partial<JobInput>): string[] {
  return decided(changes).actions.map(short);
}

function short(action: JobAction): string {
  switch (action.type) {
    case 'create':
      return 'create';
    case 'conclude':
      return `conclude ${action.cause}`;
    case 'delete':
    case 'replace':
      return `${action.type} ${action.job.name}`;
    case 'patch':
      return `patch ${action.job.name} ${JSON.stringify(action.spec)}`;
  }
}

const rejectedStretch = { startMs: nowMs, reason: { code: 'samples-rejected', message: 'too old' }, exit: '' };

describe('the decision about the Jobs of a migration', () => {
  const following: readonly [what: string, changes: Partial<JobInput>, actions: string[]][] = [
    ['waits for the division', {}, []],
    ['creates a Job for what is left', { isDivided: true }, ['create']],
    ['does not create a second one', { isDivided: true, jobs: [jobOf()] }, []],
    ['adopts the Job of an earlier operator', { jobs: [jobOf()] }, []],
    [
      'adopts another parallelism',
      { resource: inJob({ parallelism: 8 }), jobs: [jobOf()] },
      ['patch copy-1 {"parallelism":8}'],
    ],
    ['resumes a Job that was suspended', { jobs: [jobOf({ isSuspended: true })] }, ['patch copy-1 {"suspend":false}']],
    ['looks a last time after the end', { jobs: [jobOf({ end: 'Complete' })] }, ['conclude job-ended']],
    ['looks a last time after a failure', { jobs: [jobOf({ end: 'Failed' })] }, ['conclude job-ended']],
    ['notices that its Job was deleted', { isDivided: true, jobUid: 'job-1' }, ['conclude job-lost']],
    [
      'notices that its Job is being deleted',
      { isDivided: true, jobUid: 'job-1', jobs: [jobOf({ isDeleting: true })] },
      ['conclude job-lost'],
    ],
    [
      'deletes a second Job, which an operator may have created that has just lost its lease',
      { jobUid: 'job-1', isDivided: true, jobs: [jobOf(), jobOf({ name: 'copy-2', uid: 'job-2' })] },
      ['delete copy-2'],
    ],
    [
      'ends a Job with a stretch whose samples were rejected',
      { jobs: [jobOf({ failures: [rejectedStretch] })] },
      ['patch copy-1 {"suspend":true}', 'conclude job-ended'],
    ],
    [
      'replaces the Job when another mode is set, and does not take it for lost',
      { resource: inJob({ mode: 'InProcess' }), isDivided: true, jobUid: 'job-1', jobs: [jobOf()] },
      ['delete copy-1'],
    ],
    [
      'lets the others continue if rejected samples are skipped',
      {
        resource: inJob({}, { spec: { rejectedSamples: 'Skip' } }),
        worker: running({ follows: true, restartKey: jobKeyOf(inJob({}, { spec: { rejectedSamples: 'Skip' } }).spec) }),
        jobUid: 'job-1',
        jobs: [jobOf({ failures: [rejectedStretch] })],
      },
      [],
    ],
    [
      'stops before it deletes a Job of other settings that another operator has created late',
      { isDivided: true, jobs: [jobOf({ key: 'other' })] },
      ['replace copy-1', 'delete copy-1'],
    ],
    [
      'creates none before a Job of other settings is gone',
      { isDivided: true, jobs: [jobOf({ key: 'other', isDeleting: true })] },
      ['replace copy-1'],
    ],
    ['leaves a Job alone whose image is not the current one', { jobs: [jobOf({ image: 'image:0' })] }, []],
    [
      'replaces a Job whose image cannot be pulled as soon as the operator has another one',
      { jobs: [jobOf({ image: 'image:0', imageFails: true })] },
      ['replace copy-1'],
    ],
    ['keeps a Job whose image cannot be pulled while it has no other', { jobs: [jobOf({ imageFails: true })] }, []],
    ['does nothing while the follower stops', { worker: { ...follower, stopping: 'spec-changed' } as never }, []],
    [
      'leaves the Job alone after an edit that it cannot adopt, until the follower has stopped',
      {
        resource: inJob({ job: { podLabels: { a: 'b' } }, parallelism: 8 }),
        isDivided: true,
        jobUid: 'job-1',
        jobs: [jobOf()],
      },
      [],
    ],
  ];
  for (const [what, changes, actions] of following) {
    it(`while it is followed, ${what}`, () => {
      assert.deepEqual(actionsOf({ worker: follower, ...changes }), actions);
    });
  }

  it('suspends the Job of a suspended migration, once', () => {
    const resource = inJob({}, { spec: { suspend: true } });
    assert.deepEqual(actionsOf({ resource, jobs: [jobOf()] }), ['patch copy-1 {"suspend":true}']);
    for (const job of [jobOf({ isSuspended: true }), jobOf({ end: 'Complete' }), jobOf({ isDeleting: true })]) {
      assert.deepEqual(actionsOf({ resource, jobs: [job] }), []);
    }
  });

  it('keeps a Job of the current settings for the next follower, and waits for the pods of others', () => {
    assert.equal(decided({ jobs: [jobOf()] }).podsEnding, false);
    const other = jobOf({ key: 'other' });
    assert.deepEqual(actionsOf({ jobs: [other] }), ['delete copy-1']);
    assert.equal(decided({ jobs: [other] }).podsEnding, true);
    const deleting = jobOf({ isDeleting: true });
    assert.deepEqual(actionsOf({ jobs: [deleting] }), []);
    assert.equal(decided({ jobs: [deleting] }).podsEnding, true, 'until they are gone');
    assert.equal(decided({ resource: migrationOf(), jobs: [jobOf()] }).podsEnding, true, 'mode InProcess');
    assert.equal(
      decided({ hasStrayPods: true }).podsEnding,
      true,
      'a deleted Job, or an earlier migration of this name',
    );
  });

  it('suspends the Jobs of a migration that is not accepted, and deletes none', () => {
    const other = jobOf({ name: 'copy-2', uid: 'job-2', key: 'other' });
    const jobs = [jobOf(), other, jobOf({ isSuspended: true })];
    const suspensions = ['patch copy-1 {"suspend":true}', 'patch copy-2 {"suspend":true}'];
    assert.deepEqual(actionsOf({ check: missing, jobs }), suspensions);
    assert.equal(decided({ check: missing, jobs }).podsEnding, true, 'those of the other one');
    assert.deepEqual(actionsOf({ check: missing, jobs, worker: { kind: 'idle', failures: crashed } }), suspensions);
  });

  it('changes nothing until an edit is checked that the follower cannot adopt, and suspends the Job if it is invalid', () => {
    for (const execution of [{ stretch: '4h' }, { mode: 'InProcess' }]) {
      const edited = {
        resource: inJob(execution),
        worker: follower,
        jobUid: 'job-1',
        isDivided: true,
        jobs: [jobOf()],
      };
      assert.deepEqual(actionsOf({ ...edited, check: undefined }), []);
      assert.deepEqual(actionsOf({ ...edited, check: missing }), ['patch copy-1 {"suspend":true}']);
      const { current, podsEnding } = decided({ ...edited, check: missing });
      assert.deepEqual([current?.uid, podsEnding], ['job-1', true], 'it is still followed');
      const ending = (job: Partial<JobFacts>) => decided({ ...edited, check: missing, jobs: [jobOf(job)] }).podsEnding;
      assert.equal(ending({ isSuspended: true }), true, 'its pods need time to end');
      assert.equal(ending({ isSuspended: true, pods: 0 }), false);
      assert.equal(ending({ pods: 0 }), true, 'it may create some');
    }
  });

  it('deletes a Job that has been judged, but only when the next attempt is due', () => {
    const judged = new Set(['job-1']);
    const jobs = [jobOf({ end: 'Failed' })];
    assert.deepEqual(actionsOf({ jobs, judged }), ['delete copy-1']);
    const worker = { kind: 'idle', failures: crashed } as const;
    assert.deepEqual(actionsOf({ jobs, judged, worker }), []);
    const now = { wallMs: nowMs, monotonicMs: crashed.retryAtMs };
    assert.deepEqual(actionsOf({ jobs, judged, worker, now }), ['delete copy-1']);
    assert.ok(crashed.retryAtMs > monotonicMs);
  });

  it('deletes a Job that an earlier operator has judged, after an edit', () => {
    const resource = inJob({}, { generation: 2, status: failedStatus });
    for (const job of [jobOf({ end: 'Failed' }), jobOf({ isSuspended: true })]) {
      assert.deepEqual(actionsOf({ resource, jobs: [job] }), ['delete copy-1']);
    }
  });

  it('lets Kubernetes delete a Job only when its end is in the status', () => {
    const execution = { job: { ttlSecondsAfterFinished: 0 } };
    const worker = { kind: 'ended', outcome: rejected, generation: 1, atMs: nowMs, verified: undefined } as const;
    const jobs = [jobOf({ end: 'Failed' })];
    assert.deepEqual(actionsOf({ resource: inJob(execution), worker, jobs }), []);
    const resource = inJob(execution, { status: failedStatus });
    const patch = ['patch copy-1 {"ttlSecondsAfterFinished":0}'];
    assert.deepEqual(actionsOf({ resource, worker, jobs }), patch);
    assert.deepEqual(actionsOf({ resource, jobs }), patch, 'also after a restart of the operator');
    assert.deepEqual(actionsOf({ resource, worker, jobs: [jobOf({ end: 'Failed', ttlSecondsAfterFinished: 0 })] }), []);
    assert.deepEqual(actionsOf({ resource: inJob({}, { status: failedStatus }), worker, jobs }), []);
  });

  it('stops what still runs after a failure, and nothing after a success', () => {
    const ended = { kind: 'ended', generation: 1, atMs: nowMs, verified: undefined } as const;
    assert.deepEqual(actionsOf({ worker: { ...ended, outcome: rejected }, jobs: [jobOf()] }), [
      'patch copy-1 {"suspend":true}',
    ]);
    assert.deepEqual(actionsOf({ worker: { ...ended, outcome: completed }, jobs: [jobOf()] }), []);
  });

  it('stops the Jobs of a deleted migration, and leaves their deletion to its owner reference', () => {
    const resource = inJob({}, { deletedAt: '2025-06-01T11:59:00Z' });
    const jobs = [jobOf({ key: 'other' }), jobOf({ isSuspended: true }), jobOf({ isDeleting: true })];
    for (const worker of [follower, { kind: 'idle', failures: undefined } as const]) {
      assert.deepEqual(actionsOf({ resource, jobs, worker }), ['patch copy-1 {"suspend":true}']);
    }
  });

  it('deletes a Job that comes late while the operator itself copies, and keeps one that has ended', () => {
    const worker = running();
    assert.deepEqual(actionsOf({ resource: migrationOf(), worker, jobs: [jobOf()] }), ['delete copy-1']);
    assert.deepEqual(actionsOf({ resource: migrationOf(), worker, jobs: [jobOf({ end: 'Complete' })] }), []);
    assert.deepEqual(actionsOf({ worker, jobs: [jobOf()] }), [], 'it is verified after its Job');
  });

  it('stops a Job whose migration has failed under an earlier operator', () => {
    const resource = inJob({}, { status: failedStatus });
    assert.deepEqual(actionsOf({ resource, jobs: [jobOf()] }), ['patch copy-1 {"suspend":true}']);
  });
});
