import assert from 'node:assert/strict';
import { terminationText } from '../../../src/migration/report/termination-message.ts';
import { JOB_FROZEN_END, JOB_IMAGE, JOB_KEY, JOB_STARTS } from '../../../src/operator/job/job-names.ts';
import type { Job, Pod } from '../../../src/operator/job/job-objects.ts';
import { indexesIn } from '../../../src/operator/job/job-ranges.ts';
import { factsOf as factsAt } from '../../../src/operator/job/job-view.ts';
import { failedStretches, failureOfJob } from '../../../src/operator/judge/job-facts.ts';

const nowMs = Date.parse('2025-06-01T12:30:00Z');
const factsOf = (job: Job, pods: readonly Pod[]) => factsAt(job, pods, nowMs);

const START_SECONDS = 1_735_689_600;

function jobOf(status: NonNullable<Job['status']> = {}, spec: Partial<Job['spec']> = {}): Job {
  const starts = Array.from({ length: 20 }, (_, index) => START_SECONDS + index * 7200).join(',');
  return {
    metadata: {
      name: 'copy-1',
      namespace: 'team',
      uid: 'job-1',
      annotations: { [JOB_KEY]: 'key', [JOB_STARTS]: starts },
    },
    spec: { completions: 20, parallelism: 4, ...spec },
    status,
  };
}

let pods = 0;

function podOf(index: number, status: NonNullable<Pod['status']>): Pod {
  const labels = { 'batch.kubernetes.io/job-completion-index': String(index) };
  return { metadata: { name: `copy-1-${index}-${++pods}`, namespace: 'team', labels }, status };
}

function failedPod(
  index: number,
  terminated: { exitCode: number; reason?: string; message?: string; finishedAt?: string },
): Pod {
  const sidecar = { name: 'istio-proxy', state: { terminated: { exitCode: 0, message: 'not ours' } } };
  return podOf(index, {
    phase: 'Failed',
    containerStatuses: [sidecar, { name: 'prom-migrator', state: { terminated } }],
  });
}

describe('the facts about a Job', () => {
  it('are those of its spec and status', () => {
    const facts = factsOf(jobOf({ active: 3, completedIndexes: '0-9,12', failedIndexes: '11' }), []);
    const { name, uid, key, active, wanted, end, isSuspended, parallelism } = facts;
    assert.deepEqual(
      { name, uid, key, active, wanted, end, isSuspended, parallelism },
      {
        name: 'copy-1',
        uid: 'job-1',
        key: 'key',
        active: 3,
        wanted: 4,
        end: undefined,
        isSuspended: false,
        parallelism: 4,
      },
    );
    assert.equal(factsOf(jobOf({ completedIndexes: '0-16' }), []).wanted, 3);
    assert.equal(factsOf(jobOf({}, { suspend: true }), []).wanted, 0);
  });

  it('know how it has ended', () => {
    const endOf = (...types: string[]) =>
      factsOf(jobOf({ conditions: types.map((type) => ({ type, status: 'True' })) }), []).end;
    assert.equal(endOf(), undefined);
    assert.equal(endOf('FailureTarget'), undefined, 'its pods still run');
    assert.equal(endOf('FailureTarget', 'Failed'), 'Failed');
    assert.equal(endOf('SuccessCriteriaMet', 'Complete'), 'Complete');
    assert.equal(factsOf(jobOf({ conditions: [{ type: 'Failed', status: 'False' }] }), []).end, undefined);
  });

  it('have what the pods of a failed stretch have said', () => {
    const message = terminationText({
      code: 'receiver-disabled',
      side: 'destination',
      message: 'refused',
      hint: 'allow it',
    });
    const facts = factsOf(jobOf({ failedIndexes: '2' }), [
      failedPod(2, { exitCode: 1, message, finishedAt: '2025-06-01T12:00:00Z' }),
      failedPod(3, { exitCode: 5, message: terminationText({ code: 'other' }) }),
    ]);
    assert.deepEqual(failedStretches(facts), [
      { startMs: (START_SECONDS + 14_400) * 1000, code: 'receiver-disabled', message: 'refused (allow it)' },
    ]);
    assert.deepEqual(failureOfJob(facts), {
      code: 'receiver-disabled',
      side: 'destination',
      text: 'the stretch from 2025-01-01T04:00:00Z: refused (allow it)',
    });
  });

  it('prefer what an earlier pod has said to the end of one that was killed', () => {
    const message = terminationText({ code: 'unreachable', side: 'source', message: 'no route' });
    const facts = factsOf(jobOf({ failedIndexes: '0' }), [
      failedPod(0, { exitCode: 137, reason: 'OOMKilled', finishedAt: '2025-06-01T12:02:00Z' }),
      failedPod(0, { exitCode: 5, message, finishedAt: '2025-06-01T12:01:00Z' }),
    ]);
    assert.equal(failedStretches(facts)[0]?.message, 'no route');
  });

  it('say how a pod ended that has left no message', () => {
    const killed = factsOf(jobOf({ failedIndexes: '0' }), [failedPod(0, { exitCode: 137, reason: 'OOMKilled' })]);
    assert.match(failedStretches(killed)[0]?.message ?? '', /^pod copy-1-0-\d+ failed: exit code 137, OOMKilled$/);
    assert.equal(failureOfJob(killed)?.code, undefined);
    const gone = factsOf(jobOf({ failedIndexes: '0' }), []);
    assert.equal(failedStretches(gone)[0]?.message, 'its pods failed, and are gone');
  });

  it('name ten failed stretches at most', () => {
    assert.equal(factsOf(jobOf({ failedIndexes: '0-14' }), []).failures.length, 10);
  });

  describe('name a stretch whose pods keep failing', () => {
    const message = terminationText({ code: 'unreachable', side: 'source', message: 'no route' });
    const failed = (index: number, minute: string) =>
      failedPod(index, { exitCode: 5, message, finishedAt: `2025-06-01T12:${minute}:00Z` });
    const runs = (index: number) => podOf(index, { phase: 'Running' });
    const startsOf = (status: NonNullable<Job['status']>, pods: readonly Pod[]) =>
      factsOf(jobOf(status), pods).retried.map(({ startMs = 0 }) => (startMs / 1000 - START_SECONDS) / 7200);

    it('after its second failure, not after the first', () => {
      assert.deepEqual(startsOf({}, [failed(3, '01')]), []);
      assert.deepEqual(startsOf({}, [failed(3, '01'), failed(3, '02'), failed(1, '01')]), [3]);
    });

    it('until it has ended, or a pod has run for a while', () => {
      const twice = [failed(3, '24'), failed(3, '25')];
      assert.deepEqual(startsOf({}, [...twice, runs(3)]), [3]);
      assert.deepEqual(startsOf({}, [failed(3, '01'), failed(3, '02'), runs(3)]), []);
      assert.deepEqual(startsOf({ completedIndexes: '3' }, twice), []);
      assert.deepEqual(startsOf({ failedIndexes: '3' }, twice), []);
      assert.deepEqual(factsOf(jobOf({}, { suspend: true }), twice).retried, []);
    });

    it('not after disruptions and signals', () => {
      const { metadata, status } = failed(3, '02');
      const conditions = [{ type: 'DisruptionTarget', status: 'True' }];
      const disrupted: Pod = { metadata, status: { ...status, conditions } };
      const signalled = failedPod(3, { exitCode: 143, message: terminationText({ code: 'interrupted' }) });
      assert.deepEqual(startsOf({}, [failed(3, '01'), disrupted, signalled]), []);
    });
  });

  it('have the image, and whether it can be pulled', () => {
    const job = jobOf();
    const annotated = { ...job, metadata: { ...job.metadata, annotations: { [JOB_IMAGE]: 'image:1' } } };
    assert.equal(factsOf(annotated, []).image, 'image:1');
    const waiting = (reason: string) =>
      podOf(0, { phase: 'Pending', containerStatuses: [{ name: 'prom-migrator', state: { waiting: { reason } } }] });
    assert.equal(factsOf(job, [waiting('ContainerCreating')]).imageFails, false);
    for (const reason of ['ErrImagePull', 'ImagePullBackOff']) {
      assert.equal(factsOf(job, [waiting(reason)]).imageFails, true);
    }
  });

  it('have the end of an open range', () => {
    const job = jobOf();
    const endOf = (annotations: Record<string, string>) =>
      factsOf({ ...job, metadata: { ...job.metadata, annotations } }, []).frozenEndMs;
    assert.equal(endOf({ [JOB_FROZEN_END]: '2025-06-01T12:00:00.000Z' }), Date.parse('2025-06-01T12:00:00Z'));
    assert.equal(endOf({}), undefined);
    assert.equal(endOf({ [JOB_FROZEN_END]: 'soon' }), undefined, 'someone has changed it');
  });

  it('have a pod that has a node and does not start, and none that runs or waits for a node', () => {
    const scheduled = [{ type: 'PodScheduled', status: 'True' }];
    const starting = podOf(0, { phase: 'Pending', conditions: scheduled });
    const others = [
      podOf(1, { phase: 'Running', conditions: scheduled }),
      podOf(2, { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False' }] }),
      podOf(3, { phase: 'Pending' }),
    ];
    assert.equal(factsOf(jobOf(), others).starting, undefined);
    assert.equal(factsOf(jobOf(), [...others, starting]).starting?.name, starting.metadata.name);
  });

  const obstacles: readonly [what: string, status: NonNullable<Pod['status']>, obstacle: RegExp | undefined][] = [
    ['runs', { phase: 'Running', containerStatuses: [{ name: 'prom-migrator', state: {} }] }, undefined],
    ['is new', { phase: 'Pending' }, undefined],
    [
      'is being created',
      {
        phase: 'Pending',
        containerStatuses: [{ name: 'prom-migrator', state: { waiting: { reason: 'ContainerCreating' } } }],
      },
      undefined,
    ],
    [
      'fits nowhere',
      {
        phase: 'Pending',
        conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes' }],
      },
      /is not scheduled: 0\/3 nodes$/,
    ],
    [
      'has no image',
      {
        phase: 'Pending',
        containerStatuses: [
          { name: 'prom-migrator', state: { waiting: { reason: 'ErrImagePull', message: 'denied' } } },
        ],
      },
      /does not start: ErrImagePull: denied$/,
    ],
  ];
  for (const [what, status, obstacle] of obstacles) {
    it(`know what prevents a pod from running: it ${what}`, () => {
      const facts = factsOf(jobOf(), [podOf(0, status)]);
      if (obstacle === undefined) assert.equal(facts.obstacle, undefined);
      else assert.match(facts.obstacle ?? '', obstacle);
    });
  }

  it('count the other pods that do not run either', () => {
    const status = { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', message: 'full' }] };
    const facts = factsOf(jobOf(), [podOf(0, status), podOf(1, status), podOf(2, status)]);
    assert.match(facts.obstacle ?? '', /full \(and 2 more\)$/);
  });
});

describe('the indexes in a status', () => {
  for (const [text, indexes] of [
    [undefined, []],
    ['', []],
    ['3', [3]],
    ['0,2-4,9', [0, 2, 3, 4, 9]],
    ['x,1-', []],
  ] as const) {
    it(`are read from ${JSON.stringify(text)}`, () => assert.deepEqual(indexesIn(text), indexes));
  }
});
