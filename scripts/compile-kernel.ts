// Compiles kernel/ (AssemblyScript) to WebAssembly. `npm run build` puts the result into dist/; scripts/bootstrap.mjs runs this file before
// anything is run from a checkout, if the sources have changed since.

import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';
import { kernelFile, kernelStamp } from './kernel-stamp.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const PAGES = '88';

const OPTIONS = [
  ['--optimizeLevel', '3', '--shrinkLevel', '0', '--converge', '--noAssert'],
  ['--runtime', 'stub', '--enable', 'bulk-memory,sign-extension,nontrapping-f2i,simd'],
  ['--initialMemory', PAGES, '--maximumMemory', PAGES],
  // The names of the functions, for the stack of a trap.
  ['--debug'],
].flat();

/** @throws Error with the compiler's messages */
export async function compileKernel(): Promise<Uint8Array> {
  let wasm: Uint8Array | undefined;
  const files = ['kernel.ts', '--baseDir', join(root, 'kernel'), '--outFile', 'kernel.wasm'];
  const { error, stderr } = await asc.main([...files, ...OPTIONS], {
    writeFile: (_, contents) => {
      if (typeof contents !== 'string') wasm = contents;
    },
  });
  if (error !== null || wasm === undefined)
    throw new Error(`the kernel does not compile: ${error}\n${stderr.toString()}`);
  return wasm;
}

/** The text of the module that the build puts in place of src/wire/kernel/compiled-kernel.ts. */
export async function compiledKernelModule(): Promise<string> {
  const text = Buffer.from(await compileKernel()).toString('base64');
  return `// Made by scripts/compile-kernel.ts.
export const readKernel = () => Buffer.from('${text}', 'base64');
`;
}

if (import.meta.main) {
  const stamp = kernelStamp(root);
  const file = kernelFile(root);
  mkdirSync(dirname(file), { recursive: true });
  for (const [name, contents] of [
    [file, await compileKernel()],
    [`${file}.stamp`, stamp],
  ] as const) {
    // Two programs may start at once.
    const draft = join(dirname(file), `${process.pid}.tmp`);
    writeFileSync(draft, contents);
    renameSync(draft, name);
  }
}
