// The scalars of a YAML document that a server has printed: one key a line, indented. No other form of YAML is understood, and lists are skipped.

/** By path: `limits.ingestion_rate`. The dots of a key itself are kept. */
export type YamlScalars = ReadonlyMap<string, string>;

const SEPARATOR = '\u0000';

/** @param names the keys from the top of the document to the value */
export function scalarAt(scalars: YamlScalars, ...names: readonly string[]): string | undefined {
  return scalars.get(names.join(SEPARATOR));
}

export function yamlScalars(lines: string): YamlScalars {
  const scalars = new Map<string, string>();
  const open: { readonly indent: number; readonly name: string }[] = [];
  for (const text of lines.split('\n')) {
    if (text.length > LONGEST_LINE) continue;
    const line = text.trimEnd();
    const [, spaces = '', quoted, plain, value = ''] = KEY.exec(line) ?? [];
    const name = quoted ?? plain;
    if (name === undefined) continue;
    while ((open.at(-1)?.indent ?? -1) >= spaces.length) open.pop();
    open.push({ indent: spaces.length, name });
    if (value !== '') scalars.set(open.map((key) => key.name).join(SEPARATOR), unquoted(value));
  }
  return scalars;
}

const LONGEST_LINE = 4096;
const KEY = /^( *)(?:"([^"]+)"|([^\s"'#-][^\s:]*)):(?: +(\S.*))?$/;

function unquoted(value: string): string {
  const [, double, single] = /^(?:"(.*)"|'(.*)')$/.exec(value) ?? [];
  return double ?? single ?? value;
}
