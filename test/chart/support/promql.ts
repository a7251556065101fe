// Finds the series that a PromQL expression selects, and the labels that it uses. Not a parser: promtool checks the syntax.

export interface SeriesUse {
  readonly name: string;
  readonly labels: readonly string[];
}

const KEYWORDS = new Set(
  'and or unless by without on ignoring group_left group_right offset bool start end inf nan atan2'.split(' '),
);

/** A string, a duration or number, a name, or a single character. Comments extend to the end of the line. */
const TOKEN = /#[^\n]*|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[0-9][0-9a-z.]*|\$?[A-Za-z_:][\w:]*|=~|!~|!=|\S/g;

export function seriesOf(expression: string): SeriesUse[] {
  const tokens = (expression.match(TOKEN) ?? []).filter((token) => !token.startsWith('#'));
  const uses: SeriesUse[] = [];
  for (let at = 0; at < tokens.length; at += 1) {
    const token = tokens[at]!;
    if (/^(by|without|on|ignoring|group_left|group_right)$/i.test(token)) {
      if (tokens[at + 1] === '(') at = tokens.indexOf(')', at);
    } else if (token === '[') {
      at = tokens.indexOf(']', at);
    } else if (/^[A-Za-z_:]/.test(token) && !KEYWORDS.has(token.toLowerCase())) {
      const isCall = tokens[at + 1] === '(' || /^(by|without)$/i.test(tokens[at + 1] ?? '');
      if (isCall) continue;
      const labels: string[] = [];
      if (tokens[at + 1] === '{') {
        const end = tokens.indexOf('}', at);
        for (let inside = at + 2; inside < end; inside += 1) {
          if (/^(=|=~|!=|!~)$/.test(tokens[inside + 1] ?? '')) labels.push(tokens[inside]!);
        }
        at = end;
      }
      uses.push({ name: token, labels });
    }
  }
  return uses;
}

/** The labels in the grouping and matching clauses of an expression. */
export function groupingLabelsOf(expression: string): string[] {
  const clauses = expression.matchAll(/\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^()]*)\)/gi);
  return [...clauses].flatMap(([, list]) => (list ?? '').split(',').map((label) => label.trim())).filter(Boolean);
}
