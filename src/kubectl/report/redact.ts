// Takes secrets out of what a report contains. No Secret is ever read: this is about values in places where they do not belong, such as the
// password in a URL, or a token in the message of a server. Pure.

import { escapeControl, isSecretName, presentableText } from '../../telemetry/log-text.ts';

const HIDDEN = '***';
const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/gs, HIDDEN],
  [/\b(Bearer|Basic)(\s+|%20|\+)[\w.~+/=-]+/gi, `$1 ${HIDDEN}`],
  [/\beyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)?/g, HIDDEN],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g, HIDDEN],
  // A digest follows the tag of an image: `name:tag@sha256:…`.
  [/[^\s"'/@:]+:[^\s"'/@]+@(?!sha256:)(?=[\w[])/g, `${HIDDEN}@`],
  [/([?&][\w.%[\]-]+=)[^&\s"'<>\\]+/g, `$1${HIDDEN}`],
  [
    /\b([\w-]*(?:passw(?:or)?d|passphrase|secret|token|credentials?|api[-_]?key|access[-_]?key)\\?["']?\s*=\s*\\?["']?)[^\s"'&,;}\\]+/gi,
    `$1${HIDDEN}`,
  ],
  [
    /(\\?["'][\w-]*(?:passw(?:or)?d|passphrase|secret|token|credentials?|api[-_]?key|access[-_]?key)\\?["']\s*:\s*\\?["'])[^"'\\]+/gi,
    `$1${HIDDEN}`,
  ],
];

/** The text without what looks like a secret; a very long one is cut. */
export function redactText(text: string): string {
  const urls = presentableText(text);
  return escapeControl(PATTERNS.reduce((redacted, [pattern, shown]) => redacted.replace(pattern, shown), urls));
}

/** Maps whose values may be anything. */
const OPAQUE = new Set(['headers', 'endpointParams', 'env', 'data', 'binaryData', 'stringData']);
const OWN_ANNOTATION = /^(?:[\w-]+\.)*prom-migrator\.io\//;

/** An object of Kubernetes, or a part of it. References to Secrets stay: their names are no secrets. */
export function redactObject(value: unknown, name = ''): unknown {
  if (typeof value === 'string') return isSecretName(name) && !/url$/i.test(name) ? HIDDEN : redactText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return OPAQUE.has(name) ? HIDDEN : value.map((entry) => redactObject(entry, name));
  const entries = Object.entries(value).filter(([key]) => key !== 'managedFields');
  return Object.fromEntries(
    entries.map(([key, entry]) => {
      const hides = OPAQUE.has(name) || (name === 'annotations' && !OWN_ANNOTATION.test(key));
      return [key, hides ? HIDDEN : redactObject(entry, key)];
    }),
  );
}
