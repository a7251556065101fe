// What may appear in a log line, and in which form: values are first made printable and free of secrets, then written as text (logfmt) or
// JSON. Pure.

import { redactUrl, Secret } from './secret.ts';

export type LogFields = Readonly<Record<string, unknown>>;

/** A server may respond with a whole page. A log line keeps only its beginning. */
const MAX_VALUE_LENGTH = 2_000;
const MAX_DEPTH = 4;
const MAX_ENTRIES = 100;

const SECRET_NAME =
  /authori[sz]ation|passw(or)?d|passphrase|secret|token|credential|cookie|api[-_]?key|private[-_]?key/i;

/** Whether a field of this name may have a secret as its value. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

/**
 * A scheme alone (`http://, https://`) is not a URL. It is tried only where a run of its characters starts: a text of megabytes takes linear time.
 */
const URL_IN_TEXT = /(?<![a-z0-9+.-])([0-9+.-]*)([a-z][a-z0-9+.-]*:\/\/(?![,;](?:\s|$))[^\s"'<>`]+)/gi;
const AFTER_URL = '.,;:!)]}';
const NAMED_ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

// Includes the invisible characters that reorder or break a line: with them, a label value could imitate another log line.
function isUnprintable(codePoint: number): boolean {
  return (
    codePoint < 0x20 ||
    (codePoint >= 0x7f && codePoint <= 0x9f) ||
    codePoint === 0x200e ||
    codePoint === 0x200f ||
    (codePoint >= 0x2028 && codePoint <= 0x202e) ||
    (codePoint >= 0x2066 && codePoint <= 0x2069) ||
    codePoint === 0xfeff
  );
}

function replaceUnprintable(text: string, replacement: (character: string, codePoint: number) => string): string {
  let result = '';
  let from = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (!isUnprintable(code)) continue;
    result += text.slice(from, index) + replacement(text.charAt(index), code);
    from = index + 1;
  }
  return from === 0 ? text : result + text.slice(from);
}

/** The text with every control, line-breaking and text-reordering character as a visible escape. */
export function escapeControl(text: string): string {
  return replaceUnprintable(
    text,
    (character, code) => NAMED_ESCAPES[character] ?? `\\u${code.toString(16).padStart(4, '0')}`,
  );
}

/** The text with userinfo and query values of every URL replaced by `***`. Other URLs stay unchanged. */
function redactUrls(text: string): string {
  return text.replace(URL_IN_TEXT, (_match, before: string, found: string) => {
    let end = found.length;
    while (AFTER_URL.includes(found.charAt(end - 1))) end -= 1;
    const url = found.slice(0, end);
    const after = found.slice(end);
    const shown = /[@?]/.test(url) || URL.parse(url) === null ? redactUrl(url) : url;
    return before + shown + after;
  });
}

function shorten(text: string): string {
  if (text.length <= MAX_VALUE_LENGTH) return text;
  return `${text.slice(0, MAX_VALUE_LENGTH)}… (${text.length - MAX_VALUE_LENGTH} more characters)`;
}

/** The text in a form that can be shown: URLs without secrets, limited length. Control characters are still in it. */
export function presentableText(text: string): string {
  return shorten(redactUrls(text));
}

type Presentable = string | number | boolean | null | Presentable[] | { [name: string]: Presentable };

function presentableError(error: Error): Presentable {
  const code =
    'code' in error && (typeof error.code === 'string' || typeof error.code === 'number') ? error.code : null;
  const message = presentableText(error.message);
  return code === null ? { message } : { code, message };
}

/**
 * A value in a form that can be shown. A Secret, or a value whose name suggests a secret, becomes `***`, an Error becomes its message and
 * code, URLs are redacted, texts and depth are limited. `undefined` means: omit the field.
 */
function presentable(value: unknown, name = '', depth = 0): Presentable | undefined {
  if (value === undefined || typeof value === 'function' || typeof value === 'symbol') return undefined;
  if (value !== null && SECRET_NAME.test(name)) return '***';
  if (value instanceof Secret) return value.toString();
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'string') return presentableText(value);
  if (value instanceof Error) return presentableError(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'invalid time' : value.toISOString();
  if (value instanceof URL) return redactUrl(value.href);
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`;
  if (depth >= MAX_DEPTH) return '…';
  if (Array.isArray(value) || value instanceof Set) {
    return [...value].slice(0, MAX_ENTRIES).map((entry) => presentable(entry, '', depth + 1) ?? null);
  }
  const entries = value instanceof Map ? [...value] : Object.entries(value as object);
  const result: { [name: string]: Presentable } = {};
  for (const [key, entry] of entries.slice(0, MAX_ENTRIES)) {
    const shown = presentable(entry, String(key), depth + 1);
    if (shown !== undefined) result[String(key)] = shown;
  }
  return result;
}

/** JSON in one line. Characters that JSON leaves unescaped are escaped too: C1 controls can control a terminal. */
export function printableJson(value: unknown): string {
  return replaceUnprintable(JSON.stringify(value), (_character, code) => `\\u${code.toString(16).padStart(4, '0')}`);
}

function toLogfmtValue(value: Presentable): string {
  if (typeof value === 'object' && value !== null) {
    if (!Array.isArray(value) && typeof value['message'] === 'string' && Object.keys(value).length <= 2) {
      // An error: its message is easier to read than an object that contains it.
      const code = value['code'];
      if (Object.keys(value).length === 1) return toLogfmtValue(value['message']);
      if (code !== undefined) return toLogfmtValue(`${String(code)}: ${value['message']}`);
    }
    return toLogfmtValue(printableJson(value));
  }
  const text = String(value);
  if (text !== '' && !/[\s"=\\]/.test(text) && escapeControl(text) === text) return text;
  return `"${escapeControl(text.replaceAll('\\', '\\\\').replaceAll('"', '\\"'))}"`;
}

/** A line whose message and fields can be shown. */
export interface PresentableLine {
  readonly timestamp: string;
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, Presentable>>;
}

/** The fields in a form that can be shown; see `presentable`. */
export function presentableFields(fields: LogFields): Record<string, Presentable> {
  const shown: Record<string, Presentable> = {};
  for (const [name, value] of Object.entries(fields)) {
    const field = presentable(value, name);
    if (field !== undefined) shown[name] = field;
  }
  return shown;
}

/**
 * `2026-01-02T03:04:05.678Z info  message key=value other="two words"`
 * @param level as shown: padded, possibly coloured
 */
export function formatTextLine({ timestamp, message, fields }: PresentableLine, level: string): string {
  let line = `${timestamp} ${level} ${escapeControl(message)}`;
  for (const [name, value] of Object.entries(fields)) {
    line += ` ${escapeControl(name).replaceAll(/[\s="]/g, '_')}=${toLogfmtValue(value)}`;
  }
  return line;
}

/** One JSON object with `time`, `level`, `message` and the fields. A field with one of these names gets a `_` suffix. */
export function formatJsonLine({ timestamp, level, message, fields }: PresentableLine): string {
  const line: { [name: string]: Presentable } = { time: timestamp, level, message };
  for (const [name, value] of Object.entries(fields)) {
    line[['time', 'level', 'message'].includes(name) ? `${name}_` : name] = value;
  }
  return printableJson(line);
}
