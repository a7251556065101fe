// The module that the bundle has in place of src/api/compiled-crd.ts: ajv's standalone code for the schema, and the rules as data.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { _ } from 'ajv';
import { CRD_FILE } from '../src/api/crd.ts';
import { compileCrd, createAjv, toAjv } from '../src/api/crd-compiler.ts';
import { shareJson } from '../src/api/shared-json.ts';

// It is a CommonJS module with itself in `default`, and cannot be imported with its types.
const standaloneCode = createRequire(import.meta.url)('ajv/dist/standalone') as (
  ajv: ReturnType<typeof createAjv>,
  validate: ReturnType<ReturnType<typeof createAjv>['compile']>,
) => string;

/** The text of the module. It imports `./schema-formats.ts` and `./shared-json.ts` next to it, and requires the small part of ajv that its code uses at run time. */
export function compiledCrdModule(): string {
  const { resource, expressions } = compileCrd(readFileSync(CRD_FILE, 'utf8'));
  const ajv = createAjv({ source: true, esm: true, formats: _`FORMATS` });
  const validate = standaloneCode(ajv, ajv.compile(toAjv(resource.schema)));
  return `// Made by scripts/compile-crd.ts.
import { FORMATS } from './schema-formats.ts';
import { unshareJson } from './shared-json.ts';
${validate}
export const COMPILED_CRD = {
  resource: unshareJson(${jsonModule(shareJson(resource))}),
  expressions: unshareJson(${jsonModule(shareJson(expressions))}),
  schemaErrors: (value) => (validate(value) ? [] : (validate.errors ?? [])),
};
`;
}

/** Parsing text as JSON is several times faster than parsing it as JavaScript. */
function jsonModule(value: unknown): string {
  return `JSON.parse(${JSON.stringify(JSON.stringify(value))})`;
}
