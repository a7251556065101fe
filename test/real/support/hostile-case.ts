// A test case with a hostile server: its responses, and the migration that uses it.

import type { HostileSides } from './hostile-server.ts';
import type { MigrationSpec } from './migration.ts';

export interface HostileCase {
  readonly title: string;
  readonly sides: HostileSides;
  readonly protocol?: 'PromQL' | 'RemoteRead';
  readonly readMode?: 'Samples';
  readonly relabelled?: true;
  readonly rejectedSamples?: 'Skip';
  /** Values of `limits.memory` to measure. */
  readonly memoryMebibytes?: readonly number[];
  /** The log must match, which proves that the attack happened. */
  readonly says: RegExp;
}

export const MEBIBYTE = 2 ** 20;
export const PROGRESS_METRIC = 'prom_migrator_progress';

/** The manifest of a case with the URL of the server. */
export function specOf(hostile: HostileCase, url: string, memoryMebibytes: number): MigrationSpec {
  const { protocol = 'None', readMode, relabelled, rejectedSamples } = hostile;
  const progressUrl = { RemoteRead: `${url}/destination/read`, PromQL: `${url}/destination`, None: undefined }[
    protocol
  ];
  const relabeling = { action: 'replace', sourceLabels: ['v'], targetLabel: 'w', regex: 'no(.*)', replacement: '$1' };
  return {
    source: { url: `${url}/source/read`, ...(readMode && { readMode }) },
    destination: {
      url: `${url}/destination/write`,
      progress: { protocol, ...(progressUrl !== undefined && { url: progressUrl }) },
    },
    timeRange: { start: '2025-01-01T00:00:00Z', end: '2025-01-01T04:00:00Z' },
    limits: { memory: `${memoryMebibytes}Mi` },
    ...(relabelled && { relabelings: [relabeling] }),
    ...(rejectedSamples && { rejectedSamples }),
  };
}
