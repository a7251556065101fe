// The Node binary that came along as an optional dependency, for a machine whose own Node is too old.
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { isatty } from 'node:tty';

/** The path of the binary, if one is installed below the package and runs here. */
export function findOwnNode(root) {
  const binary = installedNode(root);
  // Also a binary that is there may not run here: those of npm are linked against glibc, and Alpine has none.
  return binary !== undefined && spawnSync(binary, ['--version'], { stdio: 'ignore' }).status === 0
    ? binary
    : undefined;
}

function installedNode(root) {
  const require = createRequire(import.meta.url);
  const { optionalDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  for (const name of Object.keys(optionalDependencies ?? {})) {
    if (!name.endsWith(`-${process.platform}-${process.arch}`)) continue;
    try {
      return join(dirname(require.resolve(`${name}/package.json`)), 'bin', 'node');
    } catch {
      // Not installed: npm leaves optional dependencies of other platforms out, and all of them with --omit=optional.
    }
  }
  return undefined;
}

/** Where a process cannot be replaced: runs the program in a child, and ends as the child does. */
export function runInChild(binary, args, env, onError) {
  const child = spawn(binary, args, { stdio: 'inherit', env });
  child.on('error', onError);
  // A terminal sends its signals to the child as well; only what is sent to this process alone must be handed on.
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  process.on('SIGINT', () => {
    if (![0, 1, 2].some((fd) => isatty(fd))) child.kill('SIGINT');
  });
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}
