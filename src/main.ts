// The entry point of the program: maps the arguments to a command, and errors to exit codes. The commands are in cli/.

import type { RunEngine } from './cli/job.ts';
import { leaveUndiciUnloaded } from './telemetry/light-builtins.ts';

// A static import would load node:http before this line.
leaveUndiciUnloaded();
const [{ describeUnexpected, runCommandLine }, { EXIT }, { processIo }, { SYSTEM_CLOCK: systemClock }] =
  await Promise.all([
    import('./cli/command-line.ts'),
    import('./cli/exit-codes.ts'),
    import('./cli/io.ts'),
    import('./telemetry/clock.ts'),
  ]);

const ARGV = process.argv.slice(2);

for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, (error: unknown) => {
    process.stderr.write(`${process.stderr.isTTY ? '\r\u001b[K' : ''}${describeUnexpected(error, ARGV)}`);
    process.exit(EXIT.failed);
  });
}

// Loaded only when a command runs: --help and --version do not need it.
async function loadEngine(): Promise<RunEngine> {
  const [{ loadManifests }, { compilePlan }, { migrate }, { verify }] = await Promise.all([
    import('./api/manifest.ts'),
    import('./migration/plan/plan.ts'),
    import('./migration/migrate.ts'),
    import('./migration/verify-copy.ts'),
  ]);
  return {
    prepare(files, secretsDir) {
      const loaded = loadManifests(files, secretsDir);
      return 'problems' in loaded ? loaded : compilePlan(loaded.migration, loaded.secrets);
    },
    migrate,
    verify,
  };
}

process.exit(await runCommandLine(ARGV, processIo(systemClock), loadEngine));
