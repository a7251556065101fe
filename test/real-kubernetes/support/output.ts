// Reads what is made to be read by people and by Prometheus: tables of kubectl, and /metrics. Called by the tests of migrations.
import assert from 'node:assert/strict';

/** The value of the one series of that name, of that migration where one is given, whose labels contain the text. */
export function sampleOf(text: string, name: string, migration?: string, containing = ''): number | undefined {
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  const wanted = lines.filter(
    (line) => (migration === undefined || line.includes(`migration="${migration}"`)) && line.includes(containing),
  );
  assert.ok(wanted.length <= 1, wanted.join('\n'));
  return wanted[0] === undefined ? undefined : Number(wanted[0].split(' ').at(-1));
}

/** A table of kubectl with one row; columns stand where their titles do, and may be empty. */
export function columnsOf(text: string): { header: string[]; row: Record<string, string>; text: string } {
  const [titles = '', values = '', ...rest] = text.trimEnd().split('\n');
  assert.deepEqual(rest, [], text);
  const starts = [...titles.matchAll(/\S+/g)].map(({ index, 0: title }) => ({ index, title }));
  const row = starts.map(({ index, title }, at) => [title, values.slice(index, starts[at + 1]?.index).trim()] as const);
  return { header: starts.map(({ title }) => title), row: Object.fromEntries(row), text };
}
