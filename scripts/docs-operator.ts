// Writes the operator's parts of docs/conditions.md and docs/metrics.md from the catalogues in src/operator: `node
// scripts/docs-operator.ts`. A test fails if a page is out of date.

import { readFileSync, writeFileSync } from 'node:fs';
import { conditionTables } from '../src/operator/judge/conditions.ts';
import { EVENT_REASONS } from '../src/operator/judge/migration-events.ts';
import { operatorMetricsTable } from '../src/operator/operator-metrics.ts';

/** The generated parts, by page and by the name of their placeholder. */
const PARTS: Readonly<Record<string, Readonly<Record<string, () => string>>>> = {
  'conditions.md': { conditions: reasonTables, events: eventsTable },
  'metrics.md': { operator: operatorMetricsTable },
};

export const operatorPages = Object.keys(PARTS);

export const pagePath = (page: string) => new URL(`../docs/${page}`, import.meta.url);

/** Without the reasons that Succeeded inherits from other conditions while it is Unknown: the page explains them in a sentence. */
function reasonTables(): string {
  const lines = conditionTables().split('\n');
  return lines.filter((line) => !line.includes('| Unknown: as for ')).join('\n');
}

function eventsTable(): string {
  const rows = Object.entries(EVENT_REASONS).map(([reason, meaning]) => `| \`${reason}\` | ${meaning} |`);
  return ['| reason | type and meaning |', '|---|---|', ...rows].join('\n');
}

/** The page with the content between each `<!-- NAME -->` and `<!-- end of NAME -->` regenerated. */
export function withOperatorParts(page: string, text: string): string {
  return Object.entries(PARTS[page] ?? {}).reduce((whole, [name, made]) => {
    const [start, end] = [`<!-- ${name} -->\n`, `<!-- end of ${name} -->`];
    const from = whole.indexOf(start);
    const to = whole.indexOf(end);
    if (from < 0 || to < from) throw new Error(`docs/${page} has no place for the part ${name}`);
    return `${whole.slice(0, from + start.length)}${made()}\n${whole.slice(to)}`;
  }, text);
}

if (import.meta.main) {
  for (const page of operatorPages) {
    const path = pagePath(page);
    writeFileSync(path, withOperatorParts(page, readFileSync(path, 'utf8')));
  }
}
