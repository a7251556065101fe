// A value that must never be printed. Code that needs the value calls `reveal`. Everything that turns values into text (templates, JSON,
// util.inspect, the logger) sees `***`.

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
    return '***';
  }

  [inspect.custom](): string {
    return '***';
  }
}

/** A URL in a form that can be shown: no userinfo, and every query value as `***` (InfluxDB takes its password as `?p=`). */
export function redactUrl(url: string): string {
  const parsed = URL.parse(url);
  if (parsed === null) return '(not a URL)';
  const query = [...parsed.searchParams.keys()].map((name) => `${name}=***`).join('&');
  return `${parsed.protocol}//${parsed.host}${parsed.pathname}${query === '' ? '' : `?${query}`}`;
}
