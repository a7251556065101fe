// The text of the CustomResourceDefinition. The build replaces this module with one that has the text in it.

import { readFileSync } from 'node:fs';
import { CRD_FILE } from './crd.ts';

export const CRD_TEXT = readFileSync(CRD_FILE, 'utf8');
