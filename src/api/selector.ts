// PromQL series selectors (`up{job=~"a|b"}`, `{"my.metric", "label.x"="y"}`) to matchers, as the parser of Prometheus 3 reads them.

import { RE2JS } from 're2js';

export interface SelectorMatcher {
  readonly kind: '=' | '!=' | '=~' | '!~';
  readonly name: string;
  readonly value: string;
}

export type ParsedSelector =
  | { readonly ok: true; readonly matchers: readonly SelectorMatcher[] }
  | { readonly ok: false; readonly message: string };

/** The text is not a selector. Never leaves this file. */
class SelectorSyntaxError extends Error {}

/**
 * Parses one selector. Rejects everything beyond a selector (offset, @, ranges, functions, operators), bad RE2 expressions, and, like
 * PromQL, a selector whose matchers all match the empty string.
 */
export function parseSelector(text: string): ParsedSelector {
  try {
    const matchers = new Parser(text).selector();
    if (matchers.every(matchesEmpty)) {
      return {
        ok: false,
        message: `must contain at least one matcher that does not match the empty string, such as __name__=~".+"`,
      };
    }
    return { ok: true, matchers };
  } catch (error) {
    if (error instanceof SelectorSyntaxError) return { ok: false, message: error.message };
    throw error;
  }
}

/** The PromQL selector for these matchers. `parseSelector` reads it back as the same matchers. */
export function formatSelector(matchers: readonly SelectorMatcher[]): string {
  const name = (text: string) => (/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(text) ? text : quote(text));
  return `{${matchers.map((matcher) => `${name(matcher.name)}${matcher.kind}${quote(matcher.value)}`).join(',')}}`;
}

function quote(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n')}"`;
}

/** Why a regular expression of PromQL or of a relabel rule does not compile as RE2, or undefined if it does. */
export function regexProblem(regex: string): string | undefined {
  try {
    compileAnchored(regex);
    return undefined;
  } catch (error) {
    // The message repeats the whole expression after a colon. The reason is before it.
    const reason = error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : 'cannot be parsed';
    return `not a valid RE2 regular expression: ${reason.replace(/[\r\n]+/g, ' ').slice(0, 160)}`;
  }
}

/** Prometheus anchors both ends and lets `.` match a newline. */
function compileAnchored(regex: string): RE2JS {
  RE2JS.compile(regex);
  return RE2JS.compile(`^(?s:${regex})$`);
}

function matchesEmpty(matcher: SelectorMatcher): boolean {
  switch (matcher.kind) {
    case '=':
      return matcher.value === '';
    case '!=':
      return matcher.value !== '';
    case '=~':
      return compileAnchored(matcher.value).matches('');
    case '!~':
      return !compileAnchored(matcher.value).matches('');
  }
}

const SIMPLE_ESCAPES: Readonly<Record<string, number>> = {
  a: 0x07,
  b: 0x08,
  f: 0x0c,
  n: 0x0a,
  r: 0x0d,
  t: 0x09,
  v: 0x0b,
  '\\': 0x5c,
};

const ESCAPE_DIGITS: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  selector(): SelectorMatcher[] {
    const metric = this.#word(/[a-zA-Z_:][a-zA-Z0-9_:]*/y);
    let matchers: SelectorMatcher[] = [];
    if (this.#take('{')) matchers = this.#matchers();
    else if (metric === '') this.#fail('expected a metric name or {');
    if (metric !== '') {
      if (matchers.some((matcher) => matcher.name === '__name__')) this.#fail('the metric name is set twice');
      matchers.unshift({ kind: '=', name: '__name__', value: metric });
    }
    this.#end();
    return matchers;
  }

  /** Parses the text after the opening brace, including the closing one. */
  #matchers(): SelectorMatcher[] {
    const matchers: SelectorMatcher[] = [];
    let quotedMetric = false;
    while (!this.#take('}')) {
      const quoted = this.#string();
      const name = quoted ?? this.#word(/[a-zA-Z_][a-zA-Z0-9_]*/y);
      if (name === '' && quoted === undefined) this.#fail('expected a label name or }');
      const kind = this.#kind();
      if (kind !== undefined) {
        if (name === '') this.#fail('a label name cannot be empty');
        const value = this.#string();
        if (value === undefined) this.#fail('expected a value in quotes');
        const problem = kind === '=~' || kind === '!~' ? regexProblem(value) : undefined;
        if (problem !== undefined) this.#fail(`the value of ${name} is ${problem}`);
        matchers.push({ kind, name, value });
      } else if (quoted !== undefined) {
        if (quotedMetric) this.#fail('the metric name is set twice');
        quotedMetric = true;
        matchers.push({ kind: '=', name: '__name__', value: quoted });
      } else this.#fail('expected one of = != =~ !~');
      if (!this.#take(',')) {
        if (!this.#take('}')) this.#fail('expected , or }');
        break;
      }
    }
    if (quotedMetric && matchers.filter((matcher) => matcher.name === '__name__').length > 1) {
      this.#fail('the metric name is set twice');
    }
    return matchers;
  }

  #end(): void {
    this.#space();
    const rest = this.#text.slice(this.#at);
    if (rest === '') return;
    if (rest.startsWith('[')) this.#fail('a range is not allowed here; use spec.timeRange');
    if (rest.startsWith('@') || /^offset\b/i.test(rest))
      this.#fail('offset and @ are not allowed here; use spec.timeRange');
    if (rest.startsWith('(')) this.#fail('functions are not allowed here, only a series selector');
    this.#fail('unexpected text after the series selector');
  }

  #kind(): SelectorMatcher['kind'] | undefined {
    this.#space();
    for (const kind of ['=~', '!~', '!=', '='] as const) if (this.#take(kind)) return kind;
    return undefined;
  }

  #space(): void {
    const space = /(?:[ \t\r\n]|#[^\n]*)*/y;
    space.lastIndex = this.#at;
    this.#at += space.exec(this.#text)?.[0].length ?? 0;
  }

  #take(token: string): boolean {
    this.#space();
    if (!this.#text.startsWith(token, this.#at)) return false;
    this.#at += token.length;
    return true;
  }

  #word(pattern: RegExp): string {
    this.#space();
    pattern.lastIndex = this.#at;
    const word = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += word.length;
    return word;
  }

  /** A string in double quotes, single quotes or backticks. Undefined if no string begins at this position. */
  #string(): string | undefined {
    this.#space();
    const mark = this.#text[this.#at];
    if (mark !== '"' && mark !== "'" && mark !== '`') return undefined;
    const start = this.#at++;
    if (mark === '`') {
      const end = this.#text.indexOf(mark, this.#at);
      if (end < 0) this.#fail('the string that starts here is not closed', start);
      const raw = this.#text.slice(this.#at, end);
      this.#at = end + 1;
      return raw;
    }
    // Bytes, because \x and octal escapes denote bytes and not characters.
    const bytes: number[] = [];
    for (;;) {
      const character = String.fromCodePoint(this.#text.codePointAt(this.#at) ?? 0x0a);
      if (character === '\n') this.#fail('the string that starts here is not closed', start);
      this.#at += character.length;
      if (character === mark) break;
      if (character === '\\') bytes.push(...this.#escape(mark));
      else bytes.push(...Buffer.from(character));
    }
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes));
    } catch {
      return this.#fail('the string that starts here is not UTF-8', start);
    }
  }

  /** The bytes for the escape sequence after a backslash (Go's rules). */
  #escape(mark: string): Iterable<number> {
    const start = this.#at - 1;
    const letter = this.#text[this.#at++] ?? '';
    const simple = letter === mark ? letter.charCodeAt(0) : SIMPLE_ESCAPES[letter];
    if (simple !== undefined) return [simple];
    const octal = letter >= '0' && letter <= '7';
    if (octal) this.#at--;
    const length = octal ? 3 : (ESCAPE_DIGITS[letter] ?? 0);
    const digits = this.#text.slice(this.#at, this.#at + length);
    const wellFormed = length > 0 && digits.length === length && (octal ? /^[0-7]+$/ : /^[0-9a-fA-F]+$/).test(digits);
    const code = wellFormed ? Number.parseInt(digits, octal ? 8 : 16) : -1;
    this.#at += length;
    const character = letter === 'u' || letter === 'U';
    const isCharacter = code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
    if (code < 0 || (character ? !isCharacter : code > 0xff)) {
      this.#fail('unknown escape sequence; use \\\\ for a backslash', start);
    }
    return character ? Buffer.from(String.fromCodePoint(code)) : [code];
  }

  #fail(message: string, at = this.#at): never {
    throw new SelectorSyntaxError(`${message} (at character ${at + 1})`);
  }
}
