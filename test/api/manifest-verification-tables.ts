// Manifests with a verification that is not right, and all that is said about each; part of the tables of manifest-tables.ts.

import type { Changes } from './manifests.ts';

export const badVerifications: readonly (readonly [Changes, readonly string[]])[] = [
  [
    { 'spec.verification': { mode: 'full', onDifference: 'Delete', onExtra: 'Fail' } },
    [
      'spec.verification.mode: "full": must be one of Off, Full; did you mean Full?',
      'spec.verification.onDifference: "Delete": must be one of Fail, Report, Repair',
      'spec.verification.onExtra: "Fail": must be one of Ignore, Report',
    ],
  ],
  // In YAML, the bare word Off is this.
  [
    { 'spec.verification.mode': false },
    [
      'spec.verification.mode: false: must be a string; put it in quotes',
      'spec.verification.mode: false: must be one of Off, Full',
    ],
  ],
  [
    { 'spec.verification.settle': '61m' },
    ['spec.verification.settle: "61m": must be a duration from 0s to 1h, such as 90s or 1h30m (units h, m, s, ms)'],
  ],
  [
    { 'spec.verification.when': 'now' },
    ['spec.verification.when: unknown field; known fields: mode, onDifference, onExtra, settle'],
  ],
  [
    { 'spec.verification.mode': 'Full', 'spec.destination.progress': { protocol: 'None' } },
    [
      'spec.verification.mode: "Full": must be Off with destination.progress.protocol None: a verification reads the destination; ' +
        'set destination.progress.protocol to RemoteRead or PromQL, and destination.progress.url',
    ],
  ],
];
