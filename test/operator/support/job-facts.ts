// The facts about a Job whose pods copy.

import type { JobFacts } from '../../../src/operator/judge/job-facts.ts';
import { nowMs } from './migrations.ts';

export function jobFacts(changes: Partial<JobFacts> = {}): JobFacts {
  return {
    name: 'copy-1',
    uid: 'job-1',
    createdMs: nowMs,
    key: 'key',
    frozenEndMs: undefined,
    image: 'image:1',
    imageFails: false,
    isDeleting: false,
    isSuspended: false,
    parallelism: 2,
    active: 2,
    pods: 2,
    wanted: 2,
    end: undefined,
    ttlSecondsAfterFinished: undefined,
    failures: [],
    retried: [],
    obstacle: undefined,
    starting: undefined,
    ...changes,
  };
}
