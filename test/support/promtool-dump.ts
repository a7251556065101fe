// Parses the lines of `promtool tsdb dump`: labels with Go-quoted values, a value, a time.
import type { Label } from './series-set.ts';

/** The labels at the start of a line such as `{__name__="up", "größe"="groß"} 1 1700000000000`, and the position of the value. */
export function parseDumpLine(line: string): { labels: Label[]; labelsEnd: number } {
  const labels: Label[] = [];
  let at = 1;
  while (line[at] !== '}') {
    const name = line[at] === '"' ? quoted(line, at) : bare(line, at);
    const value = quoted(line, name.end + 1);
    labels.push([name.text, value.text]);
    at = value.end;
    if (line.startsWith(', ', at)) at += 2;
    else if (line[at] !== '}') throw new Error(`cannot read labels at column ${at + 1}: ${line}`);
  }
  return { labels, labelsEnd: at + 2 };
}

function bare(line: string, at: number): { text: string; end: number } {
  const end = line.indexOf('=', at);
  if (end < 0) throw new Error(`a label without value at column ${at + 1}: ${line}`);
  return { text: line.slice(at, end), end };
}

const GO_ESCAPE = /\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|(.))/g;
const GO_LETTERS: Record<string, string> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

/** A quoted string, as written by Go's strconv.Quote. */
function quoted(line: string, at: number): { text: string; end: number } {
  let end = at + 1;
  while (line[end] !== '"') {
    if (end >= line.length) throw new Error(`an unfinished text at column ${at + 1}: ${line}`);
    end += line[end] === '\\' ? 2 : 1;
  }
  const text = line.slice(at + 1, end).replaceAll(GO_ESCAPE, (_, byte, short, long, letter) => {
    if (letter !== undefined) return GO_LETTERS[letter] ?? letter;
    return String.fromCodePoint(Number.parseInt(byte ?? short ?? long, 16));
  });
  return { text, end: end + 1 };
}
