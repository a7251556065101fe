// Where a checkout keeps the compiled kernel, and whether it is up to date. bootstrap.mjs needs it on Node 20, without TypeScript.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** src/wire/kernel/compiled-kernel.ts reads this file. */
export function kernelFile(root) {
  return join(root, 'node_modules', '.cache', 'prom-migrator', 'kernel.wasm');
}

/** A hash of everything that the compiled kernel depends on. */
export function kernelStamp(root) {
  const hash = createHash('sha256');
  const sources = readdirSync(join(root, 'kernel')).map((name) => join('kernel', name));
  const others = ['scripts/compile-kernel.ts', 'node_modules/assemblyscript/package.json'];
  for (const path of [...sources.sort(), ...others]) hash.update(readFileSync(join(root, path))).update('\0');
  return hash.digest('hex');
}

export function kernelIsCurrent(root) {
  try {
    return readFileSync(`${kernelFile(root)}.stamp`, 'utf8') === kernelStamp(root);
  } catch {
    return false;
  }
}
