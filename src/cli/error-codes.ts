// The tables of docs/errors.md: every code that `run` can end with or warn about, from the catalogues beside the code that uses them. A
// test fails if the page differs.

import { findingTable } from '../migration/preflight/finding-codes.ts';
import { MIGRATION_CODES, WARNING_CODES } from '../migration/report/migration-codes.ts';
import { RESPONSE_CODES } from '../remote/meaning/response-codes.ts';

interface Code {
  readonly meaning: string;
  readonly cure: string;
}

/** Codes of `run` itself, before a migration exists. */
export const COMMAND_CODES = {
  'bad-manifest': {
    meaning:
      'the manifest, an object that it refers to, or the file of --stretches is invalid; one problem per line (exit code 2)',
    cure: 'each line names file, field, value and what is allowed: correct it there; [manifest.md](manifest.md) lists every field',
  },
  'bad-usage': {
    meaning:
      'the command line is wrong, or a file or an address in it cannot be used; only in the file of --termination-log',
    cure: 'see the message: it names the flag and what it takes',
  },
} as const satisfies Record<string, Code>;

export type CommandCode = keyof typeof COMMAND_CODES;

/** The tables, keyed by their place in docs/errors.md. */
function errorTables(): Readonly<Record<string, string>> {
  return {
    command: table(COMMAND_CODES),
    migration: table(MIGRATION_CODES),
    responses: table(RESPONSE_CODES),
    warnings: table(WARNING_CODES),
  };
}

/** The page with the content between each `<!-- NAME -->` and `<!-- end of NAME -->` replaced by the generated table. */
export function withErrorTables(page: string): string {
  return Object.entries(errorTables()).reduce((text, [name, rows]) => withTable(text, name, rows), page);
}

/** docs/guides/plan.md with the current table of findings. */
export function withFindings(page: string): string {
  return withTable(page, 'findings', findingTable());
}

function withTable(text: string, name: string, rows: string): string {
  const [start, end] = [`<!-- ${name} -->\n`, `<!-- end of ${name} -->`];
  const from = text.indexOf(start);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error(`the page has no place for the table ${name}`);
  return `${text.slice(0, from + start.length)}${rows}\n${text.slice(to)}`;
}

function table(codes: Readonly<Record<string, Code>>): string {
  const rows = Object.entries(codes).map(
    ([code, { meaning, cure }]) => `| \`${code}\` | ${cell(meaning)} | ${cell(cure)} |`,
  );
  return ['| code | meaning | cure |', '|---|---|---|', ...rows].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('spec.SIDE', 'spec.*SIDE*').replaceAll('|', '\\|').replaceAll('<', '&lt;');
}
