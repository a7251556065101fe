// Takes secrets out of what a report contains. No Secret is ever read: this is about values in places where they do not belong, such as the
// password in a URL, or a token in the message of a server. Pure.

import { escapeControl, isSecretName, presentableText } from '../../telemetry/log-text.ts';
import { hideNamedValues, namesSecret } from './named-values.ts';

const HIDDEN = '***';
/** A text may be a hostile one of megabytes. None of these is tried again and again over the same characters. */
const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/gs, HIDDEN],
  // `Basic authentication failed` is no credential.
  [
    /\b(Bearer|Basic)(\s+|%20|\+)(?!(?:auth(?:entication|orization)|credentials?|password)(?![\w~+/=-]))[\w.~+/=-]{8,}/gi,
    `$1$2${HIDDEN}`,
  ],
  // Base64 of `{"`: a JWT, or a key of Grafana Cloud.
  [/\beyJ[\w-]{5,}(?:\.[\w-]*){0,4}/g, HIDDEN],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g, HIDDEN],
  // Grafana, GitHub, GitLab, Slack, Vault, npm, Docker Hub, Stripe, Google.
  [
    /(?<![A-Za-z0-9])(?:gl(?:sa|c)_|glpat-|gh[opsur]_|github_pat_|xox[abeprs]-|hv[bsr]\.|npm_(?=[A-Za-z0-9]{30})|dckr_pat_|sk_(?:live|test)_|AIza|ya29\.)[\w.+/=-]{6,}/g,
    HIDDEN,
  ],
  // A digest follows the tag of an image: `name:tag@sha256:…`.
  [/(?<![^\s"'/@]):*[^\s"'/@:]+:[^\s"'/@]+@(?!sha256:)(?=[\w[])/g, `${HIDDEN}@`],
  [/([?&][\w.%[\]-]+=)[^&\s"'<>\\]+/g, `$1${HIDDEN}`],
];

/** The text without what looks like a secret; a very long one is cut. */
export function redactText(text: string): string {
  const redacted = PATTERNS.reduce((shown, [pattern, replacement]) => shown.replace(pattern, replacement), text);
  // It is cut last: of a secret that is cut, the beginning would not be recognized.
  return escapeControl(presentableText(hideNamedValues(redacted, HIDDEN)));
}

/** Maps whose values may be anything. */
const OPAQUE = new Set(['headers', 'endpointParams', 'env', 'data', 'binaryData', 'stringData']);
const OWN_ANNOTATION = /^(?:[\w-]+\.)*prom-migrator\.io\//;

/** An object of Kubernetes, or a part of it. References to Secrets stay: their names are no secrets. */
export function redactObject(value: unknown, name = ''): unknown {
  if (typeof value === 'string') return isSecretName(name) && !/url$/i.test(name) ? HIDDEN : redactText(value);
  if (typeof value === 'number' && namesSecret(name)) return HIDDEN;
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
