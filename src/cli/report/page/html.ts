// HTML and SVG as tagged templates. Every value is escaped, unless it is Html itself: no text of a server, a label or a manifest can become
// markup. Pure.

import { escapeControl } from '../../../telemetry/log-text.ts';

export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type HtmlValue = Html | string | number | undefined | readonly HtmlValue[];

/** Values are escaped for element content and for attributes in double quotes. `undefined` is empty, lists are joined. */
export function html(literals: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  let text = literals[0] ?? '';
  values.forEach((value, index) => {
    text += rendered(value) + (literals[index + 1] ?? '');
  });
  return new Html(text);
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function rendered(value: HtmlValue): string {
  if (value === undefined) return '';
  if (value instanceof Html) return value.text;
  if (typeof value === 'object') return value.map(rendered).join('');
  // Control characters and those that reorder text become visible escapes. A lone surrogate cannot be encoded.
  return escapeControl(String(value).toWellFormed()).replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}

/** Text from outside: a label, a URL, a message. Right-to-left letters in it do not reorder the text around it. */
export function outside(text: string): Html {
  return html`<bdi>${text}</bdi>`;
}

/** Outside text in a fixed-width font. */
export function code(text: string): Html {
  return html`<code><bdi>${text}</bdi></code>`;
}

export interface Column {
  readonly title: string;
  /** Right-aligned, with digits of equal width. */
  readonly isNumber?: boolean;
}

/** A table with a caption for screen readers. It scrolls by itself when it is wider than the page. The first cell of a row is its header. */
export function table(caption: string, columns: readonly Column[], rows: readonly (readonly HtmlValue[])[]): Html {
  const head = columns.map(({ title, isNumber }) => html`<th scope="col"${numberClass(isNumber)}>${title}</th>`);
  const body = rows.map((cells) => {
    const [first, ...rest] = cells;
    const others = rest.map((cell, index) => html`<td${numberClass(columns[index + 1]?.isNumber)}>${cell}</td>`);
    return html`<tr><th scope="row"${numberClass(columns[0]?.isNumber)}>${first}</th>${others}</tr>\n`;
  });
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table>
<caption>${caption}</caption>
<thead><tr>${head}</tr></thead>
<tbody>
${body}</tbody>
</table></div>`;
}

function numberClass(isNumber: boolean | undefined): Html | undefined {
  return isNumber === true ? new Html(' class="number"') : undefined;
}

/** Names and values. Rows without a value are left out. */
export function facts(rows: readonly (readonly [name: string | Html, value: HtmlValue])[]): Html {
  const shown = rows.filter(([, value]) => value !== undefined && value !== '');
  return html`<dl>${shown.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>\n`)}</dl>`;
}
