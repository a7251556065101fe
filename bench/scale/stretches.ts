// How one time range is copied by several processes at once. This file alone knows how they are started.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from '../process-usage.ts';
import { asInTheImage, type CommandPlace, type Sides } from '../tools.ts';
import { BLOCK_MS, type Range } from './synthetic.ts';

export interface ScaleCopy extends Sides {
  readonly range: Range;
  /** `spec.limits` and `spec.window`. */
  readonly limits: Readonly<Record<string, unknown>>;
  readonly window: Readonly<Record<string, unknown>>;
}

/** The range in this many parts of about the same length, which begin and end at borders of two hours. */
export function divide({ fromMs, toMs }: Range, parts: number): Range[] {
  const blocks = (toMs - fromMs) / BLOCK_MS;
  if (!Number.isInteger(blocks) || fromMs % BLOCK_MS !== 0)
    throw new RangeError('the range does not begin and end at borders of two hours');
  if (blocks < parts) throw new RangeError(`${blocks} blocks are too few for ${parts} processes`);
  const border = (part: number) => fromMs + Math.round((blocks * part) / parts) * BLOCK_MS;
  return Array.from({ length: parts }, (_, part) => ({ fromMs: border(part), toMs: border(part + 1) }));
}

/** The commands that together copy the range, when run at the same time: for each part a manifest and a process. */
export async function commandsOf(
  copy: ScaleCopy,
  processes: number,
  { scratch, dist }: CommandPlace,
): Promise<Command[]> {
  const launcher = join(dist, '..', 'bin', 'prom-migrator.mjs');
  return await Promise.all(
    divide(copy.range, processes).map(async (part, number) => {
      const file = join(scratch, `scale-${processes}-${number}.json`);
      await writeFile(file, JSON.stringify(manifestOf(copy, part, `scale-${number}`), undefined, 2));
      return asInTheImage([launcher, 'run', '-f', file, '--output', 'json']);
    }),
  );
}

function manifestOf({ sourceUrl, destinationUrl, limits, window }: ScaleCopy, { fromMs, toMs }: Range, name: string) {
  return {
    apiVersion: 'prom-migrator.io/v1alpha1',
    kind: 'PromMigration',
    metadata: { name },
    spec: {
      source: { url: `${sourceUrl}/api/v1/read` },
      destination: {
        url: `${destinationUrl}/api/v1/write`,
        ordering: 'Any',
        progress: { protocol: 'RemoteRead', url: `${destinationUrl}/api/v1/read` },
      },
      timeRange: { start: new Date(fromMs).toISOString(), end: new Date(toMs).toISOString() },
      window,
      limits,
    },
  };
}
