// Both ways of decoding and encoding, for tests that run with each.

import { type Kernel, openKernel } from '../../../src/wire/kernel/kernel.ts';

export const CODECS: readonly { readonly codec: string; readonly kernel: Kernel | null }[] = [
  { codec: 'JavaScript', kernel: null },
  { codec: 'kernel', kernel: openKernel() },
];
