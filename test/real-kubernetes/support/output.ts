// Parses the output of kubectl tables and /metrics.
import { readFile } from 'node:fs/promises';
import assert from 'node:assert/strict';

/** The value of the only series with this name (and migration, if given) whose labels contain the text. */
export function sampleOf(text: string, name: string, migration?: string, containing = ''): number | undefined {
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  const wanted = lines.filter(
    (line) => (migration === undefined || line.includes(`migration="${migration}"`)) && line.includes(containing),
  );
  assert.ok(wanted.length <= 1, wanted.join('\n'));
  return wanted[0] === undefined ? undefined : Number(wanted[0].split(' ').at(-1));
}

/** A kubectl table with one row; columns are aligned with their titles, and may be empty. */
export function columnsOf(text: string): { header: string[]; row: Record<string, string>; text: string } {
  const [titles = '', values = '', ...rest] = text.trimEnd().split('\n');
  assert.deepEqual(rest, [], text);
  const starts = [...titles.matchAll(/\S+/g)].map(({ index, 0: title }) => ({ index, title }));
  const row = starts.map(({ index, title }, at) => [title, values.slice(index, starts[at + 1]?.index).trim()] as const);
  return { header: starts.map(({ title }) => title), row: Object.fromEntries(row), text };
}

type Columns = ReturnType<typeof columnsOf>;

/** Checks that both forms of `kubectl get` show the progress of a running migration. */
export function assertShowsProgress(plain: Columns, wide: Columns, name: string): void {
  assert.deepEqual(plain.header, ['NAME', 'PHASE', 'PROGRESS', 'SAMPLES', 'RATE', 'ETA', 'THROUGH', 'AGE']);
  assert.deepEqual(wide.header, [...plain.header, 'SOURCE', 'DESTINATION', 'VERIFIED', 'REASON']);
  for (const { row } of [plain, wide]) {
    assert.equal(row['NAME'], name);
    assert.equal(row['PHASE'], 'Running');
    assert.match(row['PROGRESS'] ?? '', /^[1-9]\d(\.\d+)?%$/);
    assert.match(row['SAMPLES'] ?? '', /^\d+(\.\d+)?[kM]?$/);
    assert.match(row['RATE'] ?? '', /^\d+(\.\d+)?k?\/s$/);
    assert.match(row['ETA'] ?? '', /^(\d+m)?\d+s$/);
    assert.match(row['THROUGH'] ?? '', /^2025-03-01T0[0-3]:\d\d:\d\d(\.\d{3})?Z$/);
    assert.match(row['AGE'] ?? '', /^\d+s$/);
  }
}

export function secondsSince(timeMs: number): string {
  return ((Date.now() - timeMs) / 1000).toFixed(1);
}

export async function residentMebibytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Math.round(Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024);
}
