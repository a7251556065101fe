// The regular expressions of the CRD's rules. The API server evaluates them with RE2; a run evaluates them with JavaScript's own, which
// needs no library at startup. This is possible because the rules use only what both understand in the same way.

/** An element without `\s`, and the quantifier after it. Missing on purpose: the dot (it excludes other line ends), groups with a `?`, `\d`. */
const ELEMENT =
  /(?:\[\^?(?:\\[-\\\]t]|[ -Z^-~])+\]|\\[\\.^$|?*+(){}[\]t]|\((?!\?)|[)|^$]|[ "#%&',\-/0-9:;<=>@A-Z_`a-z~!])(?:[*+?]|\{\d+(?:,\d*)?\})?/y;

/** RE2's `\s`: JavaScript's has more characters. */
const WHITE_SPACE = '\\t\\n\\f\\r ';

/**
 * The same expression in JavaScript's syntax, for the flag `u`.
 * @throws Error for an expression that JavaScript and RE2 could understand differently
 */
export function toJavaScriptPattern(re2Pattern: string): string {
  const withoutWhiteSpace = re2Pattern.replaceAll(/(\\[^s])|\\s/gs, (_, other?: string) => other ?? '\\t');
  for (let at = 0; at < withoutWhiteSpace.length; at = ELEMENT.lastIndex) {
    ELEMENT.lastIndex = at;
    if (!ELEMENT.test(withoutWhiteSpace)) {
      throw new Error(`the CRD uses a regular expression that this version does not support: ${re2Pattern}`);
    }
  }
  let isInClass = false;
  const translated = re2Pattern.replaceAll(/\\.|[[\]]/gs, (part) => {
    if (part === '[' || part === ']') isInClass = part === '[';
    if (part !== '\\s') return part;
    return isInClass ? WHITE_SPACE : `[${WHITE_SPACE}]`;
  });
  // Reports now what would fail in each run.
  new RegExp(translated, 'u');
  return translated;
}
