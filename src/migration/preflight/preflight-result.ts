// What `plan` finds out, as data.

import type { Side } from '../../remote/meaning/side.ts';
import type { ServerReport } from '../../remote/server-report.ts';
import { FINDING_CODES, type FindingCode, type Grade } from './finding-codes.ts';

export interface Finding {
  readonly code: FindingCode;
  readonly grade: Grade;
  readonly side: Side | undefined;
  /** What the side has. */
  readonly has: string;
  /** What the migration needs. */
  readonly needs: string;
  /** The name of the setting to change, as the system or the manifest spells it. */
  readonly setting: string | undefined;
  readonly cure: string;
}

export interface FindingDetails {
  readonly side?: Side;
  readonly has: string;
  readonly needs: string;
  readonly setting?: string;
  readonly cure?: string;
  readonly grade?: Grade;
}

export function finding(code: FindingCode, { side, setting, cure, grade, has, needs }: FindingDetails): Finding {
  const text = FINDING_CODES[code];
  return { code, grade: grade ?? text.grade, side, has, needs, setting, cure: cure ?? text.cure };
}

/** A side that did not say enough to be judged. */
export interface Unjudged {
  readonly side: Side;
  readonly code: string;
  readonly message: string;
  readonly hint: string | undefined;
}

/** A number, and the range that it most likely is in. */
export interface Banded {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

export interface LargestName {
  readonly name: string;
  readonly samples: number;
  readonly series: number;
}

export interface Estimate {
  readonly startMs: number;
  readonly endMs: number;
  readonly series: Banded;
  readonly samples: Banded;
  readonly histograms: number;
  readonly bytesRead: Banded;
  readonly bytesWritten: Banded;
  readonly windows: Banded;
  /** At the rate at which the source was read. */
  readonly durationMs: Banded;
  /** At the rates of spec.limits; undefined without any. */
  readonly limitedDurationMs: Banded | undefined;
  readonly peakMemoryBytes: Banded;
  readonly bytesPerSecondRead: number;
  readonly largestNames: readonly LargestName[];
  /** Samples per second of time in the data, in equal parts of the range. */
  readonly overTime: readonly number[];
  readonly probes: number;
  /** The part of the range that was read, 0 to 1. */
  readonly probed: number;
}

export interface Recommended {
  readonly ordering: 'InOrder' | 'Any';
  readonly parallelism: number;
  readonly memoryBytes: number;
  readonly inFlightWrites: number;
  /** Undefined: no limit. */
  readonly samplesPerSecond: number | undefined;
  readonly samplesPerWrite?: number;
}

export interface PreflightResult {
  readonly migration: string;
  readonly findings: readonly Finding[];
  readonly unjudged: readonly Unjudged[];
  readonly servers: { readonly [side in Side]?: Pick<ServerReport, 'product' | 'version' | 'store'> };
  readonly estimate: Estimate | undefined;
  readonly recommended: Recommended | undefined;
}

export type Verdict = 'ready' | 'blocked' | 'not-judged';

/** What blocks is certain, even if something else could not be judged. */
export function verdictOf({ findings, unjudged }: Pick<PreflightResult, 'findings' | 'unjudged'>): Verdict {
  if (findings.some(({ grade }) => grade === 'blocks')) return 'blocked';
  return unjudged.length > 0 ? 'not-judged' : 'ready';
}
