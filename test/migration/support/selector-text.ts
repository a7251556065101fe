// Reads the selectors that the engine writes.

import type { Matcher } from '../../../src/migration/plan/migration-plan.ts';

export function parseSelector(text: string): Matcher[] {
  const matchers: Matcher[] = [];
  const rest = text.slice(1, -1);
  const matcher = /\s*([a-zA-Z_][a-zA-Z0-9_]*|"(?:[^"\\]|\\.)*")(=~|!~|!=|=)("(?:[^"\\]|\\.)*"),?/gsy;
  let at = 0;
  for (let found = matcher.exec(rest); found !== null; found = matcher.exec(rest)) {
    const [, name, kind, value] = found as unknown as [string, string, Matcher['kind'], string];
    matchers.push({
      kind,
      name: name.startsWith('"') ? (JSON.parse(name) as string) : name,
      value: JSON.parse(value) as string,
    });
    at = matcher.lastIndex;
  }
  if (at !== rest.length) throw new Error(`a selector that this server does not know: ${text}`);
  return matchers;
}
