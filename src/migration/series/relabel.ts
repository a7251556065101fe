// External labels and relabel rules, applied to a series' labels before they are written: Prometheus' write_relabel_configs, rule for rule as
// model/relabel of Prometheus 3 does it (RE2 regexes anchored as `^(?s:…)$`, UTF-8 label names). Rules are compiled once and run once per
// series.

import { createHash } from 'node:crypto';
import { RE2JS } from 're2js';
import type { RelabelRule } from '../plan/migration-plan.ts';
import { compileTemplate, expandTemplate, type Template } from './relabel-template.ts';

export type LabelPair = readonly [name: string, value: string];

/** The labels to write, sorted by name, without empty ones; undefined: a rule dropped the series. */
export type LabelTransform = (pairs: readonly LabelPair[]) => [string, string][] | undefined;

const NAME_LABEL = '__name__';
const DEFAULTS = { separator: ';', modulus: 0, targetLabel: '', replacement: '$1', regex: '(.*)' };

/**
 * Undefined if there is nothing to do. External labels come first, each unless the series already has it, then the rules in their order. A
 * series with a duplicate label name is returned unchanged, so that `labelProblem` finds it: what a rule means for it is undefined.
 * @throws TypeError for a rule in which `relabelRuleProblem` finds a problem
 */
export function compileLabelTransform(options: {
  readonly relabelings: readonly RelabelRule[];
  readonly externalLabels: Readonly<Record<string, string>>;
}): LabelTransform | undefined {
  const externalLabels = Object.entries(options.externalLabels).filter(([, value]) => value !== '');
  externalLabels.sort(([a], [b]) => compareNames(a, b));
  const rules = options.relabelings.map((rule, index) => {
    const problem = relabelRuleProblem(rule);
    if (problem !== undefined) throw new TypeError(`relabelings[${index}]: ${problem}`);
    return compileRule(rule);
  });
  if (externalLabels.length === 0 && rules.length === 0) return undefined;

  return (pairs) => {
    if (hasDuplicates(pairs)) return pairs.map(([name, value]) => [name, value]);
    const labels = new LabelSet(pairs);
    for (const [name, value] of externalLabels) {
      if (labels.get(name) === '') labels.set(name, value);
    }
    for (const rule of rules) {
      if (!rule(labels)) return undefined;
    }
    return labels.sorted();
  };
}

/**
 * Why no receiver could store a series with these labels; undefined if nothing is wrong. Prometheus' receiver skips such a series but still
 * returns 204, so it has to be detected here and counted as rejected.
 */
export function labelProblem(pairs: readonly LabelPair[]): string | undefined {
  if (pairs.length === 0) return 'the series has no labels';
  const names = new Set<string>();
  for (const [name, value] of pairs) {
    if (name === '') return 'a label has an empty name';
    if (names.has(name)) return `label "${shown(name)}" appears twice`;
    names.add(name);
    if (!name.isWellFormed()) return `label name ${JSON.stringify(shown(name))} is not valid UTF-8`;
    if (!value.isWellFormed()) return `the value of label "${shown(name)}" is not valid UTF-8`;
    if (name === NAME_LABEL && value === '') return `label "${NAME_LABEL}" is empty`;
  }
  return names.has(NAME_LABEL) ? undefined : `the series has no label "${NAME_LABEL}"`;
}

const SHOWN_CHARS = 200;

/** A name for a message, shortened: some names are as long as values. */
function shown(name: string): string {
  return name.length > SHOWN_CHARS ? `${name.slice(0, SHOWN_CHARS)}…` : name;
}

/** Why Prometheus would refuse a rule when it loads its configuration; undefined if it would accept it. */
export function relabelRuleProblem(rule: RelabelRule): string | undefined {
  const { action, targetLabel } = rule;
  try {
    // Compiled unanchored too: `a)|(b` would compile once it is anchored, but would not be anchored any more.
    RE2JS.compile(rule.regex);
    anchored(rule.regex);
  } catch (error) {
    return `regex ${JSON.stringify(rule.regex)} is not an RE2 regex: ${error instanceof Error ? error.message : error}`;
  }

  if (action === 'hashmod' && !(Number.isSafeInteger(rule.modulus) && rule.modulus > 0)) {
    return `action hashmod needs a modulus that is a positive integer, not ${rule.modulus}`;
  }
  if (action === 'labelmap' && !isLabelName(rule.replacement)) {
    return `replacement ${JSON.stringify(rule.replacement)} of action labelmap is not a label name`;
  }
  if (action === 'labeldrop' || action === 'labelkeep') {
    if (rule.sourceLabels.length > 0) return `action ${action} takes only a regex: remove sourceLabels`;
    return extraField(rule, ['targetLabel', 'modulus', 'separator', 'replacement']);
  }
  if (action === 'keep' || action === 'drop' || action === 'labelmap') return undefined;

  if (targetLabel === '') return `action ${action} needs a targetLabel`;
  if (!isLabelName(targetLabel)) return `targetLabel ${JSON.stringify(targetLabel)} is not a label name`;
  if (action === 'lowercase' || action === 'uppercase') return extraField(rule, ['replacement']);
  if (action === 'keepequal' || action === 'dropequal')
    return extraField(rule, ['regex', 'modulus', 'separator', 'replacement']);
  return undefined;
}

function extraField(rule: RelabelRule, fields: (keyof typeof DEFAULTS)[]): string | undefined {
  const extra = fields.find((field) => rule[field] !== DEFAULTS[field]);
  return extra === undefined ? undefined : `action ${rule.action} does not use ${extra}: remove it`;
}

/** Changes the labels. @returns false if the series is dropped */
type CompiledRule = (labels: LabelSet) => boolean;

function compileRule(rule: RelabelRule): CompiledRule {
  const { sourceLabels, separator, targetLabel } = rule;
  const regex = anchored(rule.regex);
  const source = (labels: LabelSet) => sourceLabels.map((name) => labels.get(name)).join(separator);
  const setTarget = (value: (source: string) => string): CompiledRule => {
    return (labels) => {
      labels.set(targetLabel, value(source(labels)));
      return true;
    };
  };

  switch (rule.action) {
    case 'keep':
      return (labels) => regex.test(source(labels));
    case 'drop':
      return (labels) => !regex.test(source(labels));
    case 'keepequal':
      return (labels) => labels.get(targetLabel) === source(labels);
    case 'dropequal':
      return (labels) => labels.get(targetLabel) !== source(labels);
    case 'lowercase':
      return setTarget(lowercase);
    case 'uppercase':
      return setTarget(uppercase);
    case 'hashmod':
      return setTarget((value) => hashModulus(value, rule.modulus));
    case 'replace':
      return compileReplace(
        regex,
        source,
        compileTemplate(targetLabel, regex),
        compileTemplate(rule.replacement, regex),
      );
    case 'labelmap':
      return compileLabelMap(regex, compileTemplate(rule.replacement, regex));
    case 'labeldrop':
      return deleteNames((name) => regex.test(name));
    case 'labelkeep':
      return deleteNames((name) => !regex.test(name));
  }
}

function compileReplace(
  regex: RE2JS,
  source: (labels: LabelSet) => string,
  target: Template,
  replacement: Template,
): CompiledRule {
  return (labels) => {
    const match = regex.matcher(source(labels));
    if (!match.find()) return true;
    const name = expandTemplate(target, match);
    if (isLabelName(name)) labels.set(name, expandTemplate(replacement, match));
    return true;
  };
}

function compileLabelMap(regex: RE2JS, replacement: Template): CompiledRule {
  return (labels) => {
    for (const [name, value] of labels.entries()) {
      const match = regex.matcher(name);
      if (match.find()) labels.set(expandTemplate(replacement, match), value);
    }
    return true;
  };
}

function deleteNames(isDeleted: (name: string) => boolean): CompiledRule {
  return (labels) => {
    for (const [name] of labels.entries()) {
      if (isDeleted(name)) labels.set(name, '');
    }
    return true;
  };
}

/**
 * The labels of one series during relabelling. Like Prometheus' builder, it separates the labels of the series from those that rules have set:
 * if `labelmap` maps two labels to one name, the order of `entries` decides which one stays.
 */
class LabelSet {
  readonly #original: Map<string, string>;
  readonly #added = new Map<string, string>();

  constructor(pairs: readonly LabelPair[]) {
    const present = pairs.filter(([, value]) => value !== '');
    this.#original = new Map(present.sort(([a], [b]) => compareNames(a, b)));
  }

  /** '' if there is no such label. */
  get(name: string): string {
    return this.#added.get(name) ?? this.#original.get(name) ?? '';
  }

  /** An empty value deletes the label. */
  set(name: string, value: string): void {
    this.#original.delete(name);
    if (value === '') this.#added.delete(name);
    else this.#added.set(name, value);
  }

  entries(): [string, string][] {
    return [...this.#original, ...this.#added];
  }

  sorted(): [string, string][] {
    return this.entries().sort(([a], [b]) => compareNames(a, b));
  }
}

function anchored(regex: string): RE2JS {
  return RE2JS.compile(`^(?s:${regex})$`);
}

function isLabelName(name: string): boolean {
  return name !== '' && name.isWellFormed();
}

function hasDuplicates(pairs: readonly LabelPair[]): boolean {
  return new Set(pairs.map(([name]) => name)).size < pairs.length;
}

/** Compares in the order of UTF-8 bytes, which is code point order. `<` compares UTF-16 units and differs above U+FFFF. */
function compareNames(a: string, b: string): number {
  if (a === b) return 0;
  if (isAscii(a) || isAscii(b)) return a < b ? -1 : 1;
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    if (text.charCodeAt(index) > 0x7f) return false;
  }
  return true;
}

function hashModulus(value: string, modulus: number): string {
  // Prometheus reads the last 8 of MD5's 16 bytes as one big-endian number.
  const hash = createHash('md5').update(value, 'utf8').digest().readBigUInt64BE(8);
  return String(hash % BigInt(modulus));
}

/** Go maps each character to one character; JavaScript also handles final sigma, ß → SS and more. */
function lowercase(text: string): string {
  return Array.from(text, (character) => {
    const lower = character.toLowerCase();
    if (isOneCharacter(lower)) return lower;
    return character === 'İ' ? 'i' : character;
  }).join('');
}

function uppercase(text: string): string {
  return Array.from(text, (character) => {
    const upper = character.toUpperCase();
    return isOneCharacter(upper) ? upper : (GREEK_IOTA_CAPITALS.get(character) ?? character);
  }).join('');
}

function isOneCharacter(text: string): boolean {
  return text.length === 1 || (text.length === 2 && (text.codePointAt(0) ?? 0) > 0xffff);
}

/** Small Greek letters with a subscript iota: JavaScript writes the capital as two letters, Unicode's simple mapping as one. */
const GREEK_IOTA_CAPITALS = new Map<string, string>(
  [
    ...Array.from({ length: 24 }, (_, index) => {
      const small = 0x1f80 + (index >> 3) * 16 + (index & 7);
      return [small, small + 8];
    }),
    [0x1fb3, 0x1fbc],
    [0x1fc3, 0x1fcc],
    [0x1ff3, 0x1ffc],
  ].map(([small = 0, capital = 0]) => [String.fromCodePoint(small), String.fromCodePoint(capital)]),
);
