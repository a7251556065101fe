// `npm run docs`: makes src/api/prom-migration*.ts (the types) and docs/manifest.md (the reference) from the CRD, and the tables of
// docs/errors.md from src/. A test fails if one of them is out of date.

import { writeFileSync } from 'node:fs';
import { COMPILED_CRD } from '../src/api/compiled-crd.ts';
import { referenceFile } from './docs-manifest.ts';
import { endpointTypesFile, executionTypesFile, sidesTypesFile, statusTypesFile, typesFile } from './docs-types.ts';

export const typesPath = new URL('../src/api/prom-migration.ts', import.meta.url);
export const endpointTypesPath = new URL('../src/api/prom-migration-endpoint.ts', import.meta.url);
export const executionTypesPath = new URL('../src/api/prom-migration-execution.ts', import.meta.url);
export const sidesTypesPath = new URL('../src/api/prom-migration-sides.ts', import.meta.url);
export const statusTypesPath = new URL('../src/api/prom-migration-status.ts', import.meta.url);
export const referencePath = new URL('../docs/manifest.md', import.meta.url);

if (import.meta.main) {
  const { schema, apiVersion } = COMPILED_CRD.resource;
  writeFileSync(typesPath, typesFile(schema, apiVersion));
  writeFileSync(endpointTypesPath, endpointTypesFile(schema));
  writeFileSync(executionTypesPath, executionTypesFile(schema));
  writeFileSync(sidesTypesPath, sidesTypesFile(schema));
  writeFileSync(statusTypesPath, statusTypesFile(schema));
  writeFileSync(referencePath, referenceFile(schema, apiVersion));
  await import('./docs-errors.ts');
}
