// The file that tells the pods of a Job which stretches they copy: written by the operator, read by `run --stretches`. The pod with index i
// copies the entry i. Pure.

import type { FieldProblem } from '../../api/problem.ts';
import { parseTime } from '../../api/time.ts';
import type { MigrationPlan } from '../plan/migration-plan.ts';
import { type Stretch, startOfShard } from '../plan/stretches.ts';

/** Where the marks of a stretch begin, and where it ends. */
export type FileStretch = Pick<Stretch, 'shard' | 'startMs' | 'endMs'>;

export interface StretchFile {
  /** The end of the migration, if its manifest leaves it open. */
  readonly frozenEndMs: number | undefined;
  readonly stretches: readonly FileStretch[];
}

export type ReadStretch =
  | { readonly stretch: FileStretch; readonly frozenEndMs: number | undefined }
  | { readonly problems: readonly FieldProblem[] };

type ManifestRange = Pick<MigrationPlan, 'startMs' | 'endMs'>;

const VERSION = 1;

/** The text of the file: one line for each stretch. */
export function stretchFileText({ frozenEndMs, stretches }: StretchFile): string {
  const frozenEnd = frozenEndMs === undefined ? null : timeText(frozenEndMs);
  const lines = stretches.map(({ shard, startMs, endMs }) =>
    JSON.stringify({ shard, start: timeText(startMs), end: timeText(endMs) }),
  );
  return `{"version":${VERSION},"frozenEnd":${JSON.stringify(frozenEnd)},"stretches":[\n${lines.join(',\n')}\n]}\n`;
}

/** Reads the entry of one index, and checks that it is a stretch of the plan's range. */
export function readStretch(text: string, index: number, plan: ManifestRange): ReadStretch {
  try {
    const { frozenEndMs, stretches } = parsed(text);
    const stretch = stretches[index];
    if (stretch === undefined) {
      throw new BadFile('stretches', `has ${stretches.length} entries, and none of them has the index ${index}`);
    }
    checkEnd(frozenEndMs, plan);
    checkStretch(stretch, index, { startMs: plan.startMs, endMs: plan.endMs ?? frozenEndMs ?? plan.startMs });
    return { stretch, frozenEndMs };
  } catch (error) {
    if (error instanceof BadFile) return { problems: [error.problem] };
    throw error;
  }
}

class BadFile extends Error {
  readonly problem: FieldProblem;

  constructor(path: string, message: string, value?: unknown) {
    super(message);
    this.problem = { path, message, value: value === undefined ? undefined : JSON.stringify(value) };
  }
}

function parsed(text: string): StretchFile {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw new BadFile('', 'is not JSON');
  }
  if (!isObject(content)) throw new BadFile('', 'must be a JSON object');
  const { version, frozenEnd, stretches } = content;
  if (version !== VERSION) {
    const message = `must be ${VERSION}: the file was written by another version of prom-migrator`;
    throw new BadFile('version', message, version);
  }
  if (!Array.isArray(stretches)) throw new BadFile('stretches', 'must be a list');
  return {
    frozenEndMs: frozenEnd === null ? undefined : timeMs(frozenEnd, 'frozenEnd'),
    stretches: stretches.map(stretchOf),
  };
}

function stretchOf(entry: unknown, index: number): FileStretch {
  const path = `stretches[${index}]`;
  if (!isObject(entry)) throw new BadFile(path, 'must be an object with shard, start and end');
  const { shard, start, end } = entry;
  if (typeof shard !== 'string' || shard === '') throw new BadFile(`${path}.shard`, 'must be a string', shard);
  const stretch = { shard, startMs: timeMs(start, `${path}.start`), endMs: timeMs(end, `${path}.end`) };
  if (stretch.endMs <= stretch.startMs) throw new BadFile(`${path}.end`, 'must be later than start', end);
  return stretch;
}

/** With a frozen end beside the manifest's own, or with none, the marks of the pods would not be found again. */
function checkEnd(frozenEndMs: number | undefined, { endMs }: ManifestRange): void {
  if (endMs === undefined && frozenEndMs === undefined) {
    throw new BadFile('frozenEnd', 'must be a time: the manifest has no spec.timeRange.end');
  }
  if (endMs !== undefined && frozenEndMs !== undefined) {
    throw new BadFile('frozenEnd', 'must be null: the manifest has a spec.timeRange.end', timeText(frozenEndMs));
  }
}

function checkStretch(
  { shard, startMs, endMs }: FileStretch,
  index: number,
  range: { readonly startMs: number; readonly endMs: number },
): void {
  const path = `stretches[${index}]`;
  const bounds = `the range of the manifest, ${timeText(range.startMs)} to ${timeText(range.endMs)}`;
  if (startMs < range.startMs) throw new BadFile(`${path}.start`, `is before ${bounds}`, timeText(startMs));
  if (endMs > range.endMs) throw new BadFile(`${path}.end`, `is after ${bounds}`, timeText(endMs));
  if (startOfShard(shard, range) !== startMs) {
    throw new BadFile(`${path}.shard`, `is not the shard that begins at ${timeText(startMs)}`, shard);
  }
}

function timeMs(value: unknown, path: string): number {
  const parsedMs = typeof value === 'string' ? parseTime(value) : undefined;
  if (parsedMs === undefined) throw new BadFile(path, 'must be an RFC 3339 time', value);
  return parsedMs;
}

function timeText(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
