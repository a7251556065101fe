// `$1`, `${1}` and `${name}` in the target label and the replacement of a relabel rule, as Go's regexp.Expand reads them.

import type { RE2JS, Matcher as RegexMatch } from 're2js';

/** Literal text, and the numbers of the groups between. */
export type Template = readonly (string | number)[];

/**
 * Go's rules, which differ from JavaScript's: a name extends over all following letters, digits and underscores, so `$1x` is the group named
 * `1x` (which does not exist, so it is empty) and not group 1; `$$` is a dollar; a dollar that starts neither is literal.
 */
export function compileTemplate(template: string, regex: RE2JS): Template {
  const parts: (string | number)[] = [];
  let literal = '';
  let rest = template;
  for (let dollar = rest.indexOf('$'); dollar >= 0; dollar = rest.indexOf('$')) {
    literal += rest.slice(0, dollar);
    rest = rest.slice(dollar + 1);
    if (rest.startsWith('$')) {
      literal += '$';
      rest = rest.slice(1);
      continue;
    }
    const reference = /^(?:([\p{L}\p{Nd}_]+)|\{([\p{L}\p{Nd}_]+)\})/u.exec(rest);
    if (reference === null) {
      literal += '$';
      continue;
    }
    const group = groupNumber(reference[1] ?? reference[2] ?? '', regex);
    if (group !== undefined) {
      parts.push(literal, group);
      literal = '';
    }
    rest = rest.slice(reference[0].length);
  }
  parts.push(literal + rest);
  return parts.filter((part) => part !== '');
}

/** A group that did not participate in the match is empty. */
export function expandTemplate(template: Template, match: RegexMatch): string {
  let text = '';
  for (const part of template) text += typeof part === 'string' ? part : (match.group(part) ?? '');
  return text;
}

/** Undefined if there is no such group. It then expands to nothing. */
function groupNumber(name: string, regex: RE2JS): number | undefined {
  if (/^(?:0|[1-9][0-9]{0,8})$/.test(name)) {
    return Number(name) <= regex.groupCount() ? Number(name) : undefined;
  }
  const groups = regex.namedGroups();
  return Object.hasOwn(groups, name) ? groups[name] : undefined;
}
