// `npm run storm`: runs migrations between real servers through proxies that inject faults, kills and restarts the migrations, and compares
// both sides. See CONTRIBUTING.md.

import { parseStormArguments, type StormArguments, USAGE } from './arguments.ts';
import { hasFailed, seedLines, stormTable } from './report.ts';
import { runStorm } from './storm.ts';

function argumentsOrExit(): StormArguments {
  try {
    return parseStormArguments(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n${USAGE}\n`);
    process.exit(2);
  }
}

const { seeds, firstSeed, pair, kinds, selection, verbose } = argumentsOrExit();
const print = (text: string) => process.stdout.write(`${text}\n`);
const interruption = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    if (interruption.signal.aborted) process.exit(130);
    process.stderr.write(`\n${name}: finishing the seeds in progress; send the signal again to exit immediately\n`);
    interruption.abort();
  });
}

const ends = await runStorm({
  seeds: Array.from({ length: seeds }, (_, i) => firstSeed + i),
  pair,
  kinds,
  signal: interruption.signal,
  onSeed: (end) => print(seedLines(end, selection)),
  ...(verbose && { onStep: (seed, text) => print(`  seed ${seed} ${text}`) }),
});
print(`\n${stormTable(ends)}`);
const failed = ends.filter(hasFailed);
if (failed.length > 0) {
  print('\nfailing seeds:');
  for (const end of failed) print(seedLines(end, selection));
}
process.exitCode = failed.length > 0 || ends.length < seeds ? 1 : 0;
