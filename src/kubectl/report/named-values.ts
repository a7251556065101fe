// Finds values whose name says that they are secret, in any text: `password=…`, `X-Api-Key: …`, `"token": …`. The text may be hostile: every
// step takes linear time. A name is tried only where a run of its characters starts, and ends of quotes are found without patterns. Pure.

const NAME =
  'passw(?:or)?d|passphrase|secret|token|credentials?|authori[sz]ation|(?:api|access|private|secret|signing|account)[-_ ]?key';
/** The name with its separator. Go prints headers as `map[Authorization:[Bearer …]]`. */
const NAMED = new RegExp(
  `(?<![\\w.-])([\\w.-]*(?:${NAME}))\\\\*["'\`]?\\s*([=:]{1,2}>?|%3[AD])(\\s*)(?:\\[\\s*)?`,
  'gi',
);
const SECRET_NAME = new RegExp(`(?:${NAME})$`, 'i');
const SCHEME = /(?:bearer|basic|token|api-?key|digest|negotiate|ntlm|splunk|geniekey|aws4-hmac-sha256)\s+(?=\S)/iy;
const OPENING = /(\\*)["'`]/y;
const UNQUOTED = /[^\s"'&,;}\])\\]+/y;
/** After a scheme that is not in the list. */
const LONG_WORD = /\s+[\w.~+/=-]{16,}/y;
/** An object has names of its own. */
const NO_VALUE = /\{|(?:null|true|false)(?![\w-])/y;
/** What messages say after a colon: `token: 401 Unauthorized`, `password: Secret "login" not found`. */
const PROSE =
  /(?:the|an?|is|was|has|no|not|none|only|must|may|cannot|could|should|invalid|missing|required|unknown|(?:un)?expected|expired|failed|error|empty|malformed|refused|rejected|denied|auth(?:entication|orization)?|signature|unauthori[sz]ed|forbidden)(?=[.,;:!]?(?:\s|$))|[45]\d\d(?= [A-Z])|(?:Secret|ConfigMap|Get|Post|Put|Head)(?= \\*")/iy;
const MAX_URL = 200;
const PORT = /\d{1,5}(?![\w.-])/y;

/** Whether a field of this name has a secret as its value, even if it is a number. */
export function namesSecret(name: string): boolean {
  return SECRET_NAME.test(name);
}

export function hideNamedValues(text: string, hidden: string): string {
  let shown = '';
  let from = 0;
  NAMED.lastIndex = 0;
  for (let named = NAMED.exec(text); named !== null; named = NAMED.exec(text)) {
    const value = valueAt(text, named);
    if (value === undefined) continue;
    shown += text.slice(from, value.start) + hidden;
    from = value.end;
    NAMED.lastIndex = value.end;
  }
  return shown + text.slice(from);
}

interface Range {
  readonly start: number;
  readonly end: number;
}

function valueAt(text: string, named: RegExpExecArray): Range | undefined {
  const [all, name = '', separator, space] = named;
  const first = named.index + all.length;
  const followsUrl = separator === ':' && isInUrl(text, named.index);
  if (followsUrl && (space !== '' || endOf(PORT, text, first) !== undefined)) return undefined;
  const afterScheme = endOf(SCHEME, text, first);
  const start = afterScheme ?? first;
  const isProse = separator === ':' && space !== '' && endOf(PROSE, text, start) !== undefined;
  if (isProse || endOf(NO_VALUE, text, start) !== undefined) return undefined;
  const opened = endOf(OPENING, text, start);
  if (opened !== undefined) return { start: opened, end: closingOf(text, start, opened) };
  const end = endOf(UNQUOTED, text, start);
  if (end === undefined) return undefined;
  const isHeader = /authori[sz]ation$/i.test(name) && afterScheme === undefined;
  return { start, end: (isHeader ? endOf(LONG_WORD, text, end) : undefined) ?? end };
}

/** Whether a name is the host, or the end of the path, of a URL: `Post "https://idp/token": EOF`. */
function isInUrl(text: string, at: number): boolean {
  if (text.charAt(at - 1) !== '/') return false;
  const before = text.slice(Math.max(0, at - MAX_URL), at);
  const scheme = before.lastIndexOf('://');
  return scheme >= 0 && !/[\s"'`]/.test(before.slice(scheme));
}

function endOf(sticky: RegExp, text: string, at: number): number | undefined {
  sticky.lastIndex = at;
  return sticky.test(text) ? sticky.lastIndex : undefined;
}

/** Where the quoted text ends that begins at `opened`; without a closing quote it goes to the end. A quote may be escaped, in JSON inside JSON. */
function closingOf(text: string, start: number, opened: number): number {
  const quote = text.charAt(opened - 1);
  const depth = opened - 1 - start;
  for (let at = text.indexOf(quote, opened); at >= 0; at = text.indexOf(quote, at + 1)) {
    let escapes = 0;
    while (at - escapes > opened && text.charAt(at - escapes - 1) === '\\') escapes += 1;
    if (escapes <= depth || (escapes - depth) % (2 * (depth + 1)) === 0) return at - Math.min(escapes, depth);
  }
  return text.length;
}
