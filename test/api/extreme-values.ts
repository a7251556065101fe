// Numbers, quantities, times and durations at and beyond their limits, written as YAML. The unit tests check what `run` does with each; the
// tests on a real API server check that the CRD agrees.

import { documents, smallest } from './manifests.ts';

export interface ExtremeValues {
  /** Relative to `spec`. */
  readonly path: string;
  readonly accepted: readonly string[];
  readonly refused: readonly string[];
}

const zeros = '0'.repeat(28);
const digits = '123456789012345678901234567890';

const notIntegers = [
  '1.5',
  '1e-7',
  '.5',
  '1e21',
  '1e400',
  digits,
  '.inf',
  '-.inf',
  '.nan',
  '"5"',
  'true',
  'yes',
  '1:30',
];

const notQuantities = [
  '"1e21"',
  '"1e99999"',
  '"1e-99999"',
  '"1e2147483648"',
  `"${digits}"`,
  `"1${'0'.repeat(300)}"`,
  '"9223372036854775807"',
  '"9223372036854775808"',
  '"8Ei"',
  '"-64Mi"',
  '"-0"',
  '"0"',
  '"1e-7"',
  '"64mi"',
  '"64MiB"',
  '"64K"',
  '"64 Mi"',
  '" 64Mi"',
  '"64Mi\\n"',
  '"64,5Mi"',
  '"0x4000000"',
  '"1_000_000_000"',
  '"٦٤Mi"',
  '"1e8Mi"',
  '"."',
  '""',
  '"NaN"',
  '"Infinity"',
  // Numbers without quotes: the API server does not accept them as quantities.
  '1e21',
  '67108864',
  '-0',
  '9223372036854775808',
  digits,
  '67_108_864',
  '0400000000',
];
const goodQuantities = [
  '"64Mi"',
  '64Mi',
  '"67108864"',
  '"064Mi"',
  '"+64Mi"',
  '".5Gi"',
  '"5.e7"',
  '"1e8"',
  '"1E8"',
  '"1e+008"',
  '"65536k"',
  '"67108864000m"',
  '"67108864.000000001"',
];

const goodTimes = [
  '"2024-01-02T00:00:00Z"',
  '2024-01-02T00:00:00Z',
  '"2024-01-02T00:00:00.5Z"',
  '"2024-01-02T00:00:00.123Z"',
  '"2024-01-02T00:00:00+23:59"',
  '"2024-01-02T00:00:00-23:59"',
  '"2024-01-02T00:00:00-00:00"',
  '"2024-02-29T00:00:00Z"',
];
const badTimes = [
  '"2024-01-02T00:00:00,5Z"',
  '"2024-01-02T00:00:00,123Z"',
  '"2024-01-02T00:00:00.1234567890Z"',
  '"2024-01-02T00:00:00.1230Z"',
  '"2024-01-02T00:00:00.Z"',
  '"2016-12-31T23:59:60Z"',
  '"2024-01-02T24:00:00Z"',
  '"2024-01-02T23:60:00Z"',
  '"2024-01-02T00:00:00+24:00"',
  '"2024-01-02T00:00:00+00:60"',
  '"2024-01-02T00:00:00+0100"',
  '"2024-01-02T00:00:00+01"',
  '"2024-01-02T00:00:00"',
  '"2024-01-02 00:00:00Z"',
  '"2024-01-02t00:00:00z"',
  '"2024-1-2T00:00:00Z"',
  '"2023-02-29T00:00:00Z"',
  '"10000-01-01T00:00:00Z"',
  '"+10000-01-01T00:00:00Z"',
  '"-0001-01-01T00:00:00Z"',
  '" 2024-01-02T00:00:00Z"',
  '"2024-01-02T00:00:00Z\\n"',
  '"٢٠٢٤-01-02T00:00:00Z"',
  '2024-01-02',
  '1704067200',
];

const notDurations = [
  '"00"',
  '"1.5h"',
  '"1e3s"',
  '"-5m"',
  '"+5m"',
  '"5M"',
  '"5 m"',
  '"5m\\n"',
  '"5us"',
  '"1m1m"',
  '"٥m"',
  '"5"',
  '5',
];

export const extremeValues: readonly ExtremeValues[] = [
  {
    path: 'limits.samplesPerSecond',
    accepted: ['1', '1e3', '1.0', '0x10', '0o17', '010', '08', '1_000', '0b11', '+5', '9007199254740991'],
    refused: [...notIntegers, '0', '-0', '-1', '9007199254740992', '9223372036854775808'],
  },
  {
    path: 'limits.inFlightWrites',
    accepted: ['1', '64', '010', '0100'],
    refused: ['0', '65', '100', '0101', '1_000', '2147483648', ...notIntegers],
  },
  { path: 'limits.samplesPerWrite', accepted: ['100000', '1e5'], refused: ['100001', '1e6', '1e21'] },
  { path: 'window.targetSamples', accepted: ['1000', '1e8'], refused: ['999', '100000001', '1e21'] },
  { path: 'progressDeadlineSeconds', accepted: ['30', '2147483647'], refused: ['29', '2147483648', '1e21', '"60"'] },
  { path: 'activeDeadlineSeconds', accepted: ['1', '2147483647'], refused: ['0', '-0', '2147483648', '1e21'] },
  { path: 'ttlSecondsAfterFinished', accepted: ['0', '-0', '00', '2147483647'], refused: ['-1', '2147483648', '1e21'] },
  {
    path: 'execution.parallelism',
    accepted: ['1', '1.0', '0x1'],
    refused: ['0', '-0', '-1', '1025', '2147483648', ...notIntegers],
  },
  {
    path: 'execution.job.resources',
    accepted: [
      '{ limits: { cpu: 2, memory: 1Gi }, requests: { cpu: "2", memory: "1e9" } }',
      '{ limits: { cpu: ".5" } }',
      '{ limits: { cpu: 0, memory: 500m, nvidia.com/gpu: 9007199254740991 } }',
    ],
    refused: [
      '{ limits: { cpu: 0.5 } }',
      '{ limits: { cpu: -1 } }',
      '{ limits: { cpu: "-1" } }',
      '{ limits: { cpu: 1e400 } }',
      '{ limits: { cpu: 1e21 } }',
      '{ limits: { cpu: 9007199254740992 } }',
      '{ limits: { memory: "1e100" } }',
      '{ limits: { memory: 1GB } }',
      '{ limits: { memory: "" } }',
      '{ limits: { memory: "1Gi\\n" } }',
      '{ limits: { cpu: true } }',
      '{ limits: { cpu: [1] } }',
      '{ limits: [] }',
    ],
  },
  {
    path: 'limits.memory',
    accepted: ['32Mi', '1Ti', '1e12', ...goodQuantities].map(quoted),
    refused: ['"33554431.999999999"', '"1099511627776.000000001"', '"2Ti"', ...notQuantities],
  },
  {
    path: 'limits.bytesPerSecond',
    accepted: ['1Ki', '1Ti', ...goodQuantities].map(quoted),
    refused: ['"1023"', '"1k"', '"2Ti"', ...notQuantities],
  },
  {
    path: 'source.maxFrameBytes',
    accepted: ['1Mi', '1Gi', ...goodQuantities].map(quoted),
    refused: ['"1M"', '"1073741824.0000000001"', '"2Gi"', ...notQuantities],
  },
  {
    path: 'timeRange.start',
    accepted: [...goodTimes, '"0000-01-01T00:00:00Z"', '"0001-01-01T00:00:00+23:59"', '"1969-12-31T23:59:59.999Z"'],
    refused: badTimes,
  },
  { path: 'timeRange.end', accepted: goodTimes, refused: [...badTimes, '"0000-01-01T00:00:00Z"'] },
  {
    path: 'timeRange',
    accepted: [
      '{ start: "0000-01-01T00:00:00Z", end: "2024-01-01T00:00:00Z" }',
      '{ start: "0001-01-01T00:00:00+23:59", end: "0001-01-01T00:00:00Z" }',
      '{ start: "0000-01-01T00:00:00+23:59", end: "0000-01-01T00:00:00Z" }',
      '{ start: "2024-01-01T00:00:00+00:01", end: "2024-01-01T00:00:00Z" }',
    ],
    refused: [
      '{ start: "2024-01-01T00:00:00Z", end: "2024-01-01T00:00:00Z" }',
      '{ start: "2024-01-01T00:00:00Z", end: "2024-01-01T00:00:00+00:01" }',
      '{ start: "0000-01-01T00:00:00Z", end: "0000-01-01T00:00:00+23:59" }',
    ],
  },
  {
    path: 'timeRange.lag',
    accepted: ['"0"', '"0ms"', `"${zeros}5m"`, '"1d12h"', '"1y"'],
    refused: [
      ...notDurations,
      `"${digits}s"`,
      '"9007199254740992ms"',
      '"9223372036854775807ms"',
      '"99999999999y"',
      '"292277y"',
      '"153722867280912930m"',
    ],
  },
  {
    path: 'window.min',
    accepted: ['"1s"', '"1000ms"', '"30m"', '"05m"', '"0h0m90s"'],
    refused: [...notDurations, '"0"', '"999ms"', '"1801s"', `"${digits}ms"`, '"9223372036854775807ms"', '"1d"'],
  },
  {
    path: 'source.timeouts.connect',
    accepted: ['"100ms"', '"10m"', `"${zeros}5m"`],
    refused: [...notDurations, '"99ms"', '"600001ms"', `"${digits}ms"`, '"9223372036854775807ms"', '"106752h"'],
  },
  {
    path: 'verification.settle',
    accepted: ['"0s"', '"1h"', '"0h0m90s"', '"3600000ms"'],
    refused: [...notDurations, '"0"', '"60m1ms"', `"${digits}ms"`, '"9223372036854775807ms"'],
  },
  { path: 'verification.mode', accepted: ['"Off"', 'Full'], refused: ['Off', 'off', 'no', '"off"', 'on', '0'] },
  { path: 'suspend', accepted: ['true', 'True', 'yes', 'on', 'y', 'no', 'off'], refused: ['1', '"true"', '0'] },
  {
    path: 'externalLabels.a',
    accepted: ['"yes"', '1:30', '2024-01-01'],
    refused: ['5', 'yes', 'on', 'n', '1_000', '1e3', '010'],
  },
];

function quoted(text: string): string {
  return text.startsWith('"') ? text : `"${text}"`;
}

/** The smallest manifest with this text at this path, as YAML. */
export function extremeManifest(path: string, text: string): string {
  const manifest = smallest();
  const placeholder = 'PLACEHOLDER';
  const names = path.split('.');
  let parent = manifest['spec'] as Record<string, unknown>;
  for (const name of names.slice(0, -1)) {
    parent[name] ??= {};
    parent = parent[name] as Record<string, unknown>;
  }
  parent[names.at(-1)!] = placeholder;
  return documents(manifest).replace(`"${placeholder}"`, text);
}
