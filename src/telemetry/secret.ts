// A value that must never be printed. Code that needs the value calls `reveal`. Everything that turns values into text (templates, JSON,
// util.inspect, the logger) sees `***`, or a redacted URL.

import { inspect } from 'node:util';

export class Secret<T = string> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  /** The value itself, only for the wire. */
  reveal(): T {
    return this.#value;
  }

  toString(): string {
    return '***';
  }

  toJSON(): string {
    return this.toString();
  }

  [inspect.custom](): string {
    return this.toString();
  }
}

/** The content of a file, which may be replaced while the program runs (secret-file.ts). */
export class FileSecret extends Secret {
  readonly path: string;

  constructor(value: string, path: string) {
    super(value);
    this.path = path;
  }
}

/** A URL that may have credentials in its query or userinfo. It is printed without them. */
export class SecretUrl extends Secret {
  override toString(): string {
    return redactUrl(this.reveal());
  }
}

/** A URL in a form that can be shown: no userinfo, and every query value as `***` (InfluxDB takes its password as `?p=`). */
export function redactUrl(url: string): string {
  const parsed = URL.parse(url);
  if (parsed === null) return '(not a URL)';
  const query = [...parsed.searchParams.keys()].map((name) => `${name}=***`).join('&');
  return `${parsed.protocol}//${parsed.host}${parsed.pathname}${query === '' ? '' : `?${query}`}`;
}
