// `--stretches` and `--stretch-index`: a run that copies one stretch of its migration, in a pod of a Job.

import type { MigrationPlan } from '../migration/plan/migration-plan.ts';
import { stretchExitCodeOf } from './exit-codes.ts';
import type { CommandIo } from './io.ts';
import type { Job, PreparedPlan } from './job.ts';
import { readManifestFiles } from './manifest-files.ts';
import type { ParsedFlags } from './parse-arguments.ts';
import { UsageError } from './usage-error.ts';

/** Kubernetes sets it in the pods of an Indexed Job. */
const INDEX_VARIABLE = 'JOB_COMPLETION_INDEX';

/**
 * The job itself without the flags.
 * @throws UsageError if it is not known which stretch is meant
 */
export function withStretchFlags(job: Job, flags: ParsedFlags, env: CommandIo['env']): Job {
  const file = flags.value('stretches');
  if (file === undefined) {
    if (flags.has('stretch-index')) throw new UsageError('--stretch-index needs --stretches FILE', job.command.name);
    return job;
  }
  const index = indexOf(flags, env, job.command.name);
  return {
    ...job,
    partOf: (plan, stdin) => planOfStretch(file, index, plan, stdin),
    exitStatus: stretchExitCodeOf,
  };
}

function indexOf(flags: ParsedFlags, env: CommandIo['env'], command: string): number {
  const given = flags.value('stretch-index');
  const text = given ?? env[INDEX_VARIABLE];
  if (text === undefined || text === '') {
    throw new UsageError(`--stretches needs --stretch-index NUMBER, or ${INDEX_VARIABLE} in the environment`, command);
  }
  if (!/^\d{1,9}$/.test(text)) {
    const name = given === undefined ? INDEX_VARIABLE : '--stretch-index';
    throw new UsageError(`${name} takes the number of an entry, from 0, not ${JSON.stringify(text)}`, command);
  }
  return Number(text);
}

async function planOfStretch(
  file: string,
  index: number,
  plan: MigrationPlan,
  stdin: CommandIo['stdin'],
): Promise<PreparedPlan> {
  const { files, problems } = await readManifestFiles([file], stdin);
  const text = files[0]?.text.reveal();
  if (text === undefined) return { problems };
  // Only pods need them.
  const [{ readStretch }, { podStretchPlan }] = await Promise.all([
    import('../migration/stretches/stretch-file.ts'),
    import('../migration/stretches/stretch-plan.ts'),
  ]);
  const read = readStretch(text, index, plan);
  if ('problems' in read) {
    return { problems: read.problems.map((problem) => ({ file, document: undefined, ...problem })) };
  }
  return { plan: podStretchPlan(plan, read.stretch, read.frozenEndMs) };
}
