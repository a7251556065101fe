// The CustomResourceDefinition that comes with this package, ready for use. The build puts a module with the same exports in place of this one,
// so that an installed program compiles nothing at start and loads none of the libraries for it.

import { readFileSync } from 'node:fs';
import { CRD_FILE } from './crd.ts';
import { type CompiledCrd, compileCrd } from './crd-compiler.ts';

export const COMPILED_CRD: CompiledCrd = compileCrd(readFileSync(CRD_FILE, 'utf8'));
