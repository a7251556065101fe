// The CustomResourceDefinition of this package, compiled. The build replaces this module with one that has the same exports, so that an
// installed program compiles nothing at startup and loads none of the compiler's libraries.

import { readFileSync } from 'node:fs';
import { CRD_FILE } from './crd.ts';
import { type CompiledCrd, compileCrd } from './crd-compiler.ts';

export const COMPILED_CRD: CompiledCrd = compileCrd(readFileSync(CRD_FILE, 'utf8'));
