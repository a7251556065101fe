// `node scripts/bootstrap.mjs bench/scale/simulate.ts`: prints what a migration of 10^12 samples would take. docs/scale.md explains it.

import { table } from '../report.ts';
import { DESTINATION_CORES, LARGE_MIGRATION } from './large-migration.ts';
import { ledgerSeconds, type SimulationInputs, simulate } from './simulation.ts';

const CASES: readonly (readonly [name: string, change: Partial<SimulationInputs>])[] = [
  ['as described', {}],
  ['without kills', { killEveryS: 0 }],
  ['a kill every minute', { killEveryS: 60 }],
  ['1 pod', { pods: 1 }],
  ['8 pods', { pods: 8 }],
  ['16 pods', { pods: 16 }],
  ['64 pods', { pods: 64 }],
  ['256 pods', { pods: 256 }],
  [`destination of ${DESTINATION_CORES / 4} cores`, { destinationRate: LARGE_MIGRATION.destinationRate / 4 }],
  [`destination of ${DESTINATION_CORES * 4} cores`, { destinationRate: LARGE_MIGRATION.destinationRate * 4 }],
  ['200 ms away', { roundTripS: LARGE_MIGRATION.roundTripS + 0.18 }],
  ['32 stretches', { stretches: 32 }],
  ['windows of 1 M samples', { windowSamples: 1_000_000 }],
];
const MARKS = [1e4, 1e5, 1e6, 1e7];

const million = (value: number, digits: number) => (value / 1e6).toFixed(digits);

const rows = CASES.map(([name, change]) => {
  const result = simulate({ ...LARGE_MIGRATION, ...change });
  return [
    name,
    result.hours.toFixed(2),
    million(result.samplesCopied / result.hours / 3600, 0),
    `${result.kills}`,
    million(result.samplesReadAgain, 0),
    result.podHoursLost.toFixed(2),
    million(result.sourceReads, 2),
    million(result.destinationWrites, 1),
    `${result.destinationReads}`,
    result.apiWritesPerMinute.toFixed(0),
    `${result.marks}`,
    result.resumeS.toFixed(1),
  ];
});
const speed = ['', 'hours', 'M samples/s', 'kills', 'M read again', 'pod hours lost'];
const requests = [
  'M reads of the source',
  'M writes',
  'reads of the destination',
  'API writes/min',
  'marks',
  'resume s',
];
process.stdout.write(`${table([[...speed, ...requests], ...rows])}\n\n`);
const ledger = MARKS.map((marks) => [`${marks} marks`, `${ledgerSeconds(marks, LARGE_MIGRATION).toFixed(2)} s`]);
process.stdout.write(`${table([['reading the ledger', ''], ...ledger])}\n`);
