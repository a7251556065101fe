// How one time range is copied by several engines at once. This file alone knows how they are started.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from '../process-usage.ts';
import { asInTheImage, type CommandPlace, type Sides } from '../tools.ts';
import { BLOCK_MS, type Range } from './synthetic.ts';

/** `limits.memory` of each engine. */
const MEMORY_MEBIBYTES = 32;

export interface ScaleCopy extends Sides {
  readonly range: Range;
  /** `spec.execution.stretch`. */
  readonly stretchHours: number;
  readonly samplesPerWrite: number;
  /** `spec.window`. */
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

/** `threads`: one process with `spec.execution.parallelism`. `processes`: a process for each part, with a manifest of its own. */
export type Way = 'threads' | 'processes';

/** The commands that copy the range with this many engines at once, when run at the same time. */
export async function commandsOf(
  copy: ScaleCopy,
  { way, engines }: { readonly way: Way; readonly engines: number },
  { scratch, dist }: CommandPlace,
): Promise<Command[]> {
  const launcher = join(dist, '..', 'bin', 'prom-migrator.mjs');
  const parts = way === 'threads' ? [copy.range] : divide(copy.range, engines);
  const atOnce = way === 'threads' ? engines : 1;
  return await Promise.all(
    parts.map(async (part, number) => {
      const file = join(scratch, `scale-${way}-${engines}-${number}.json`);
      await writeFile(file, JSON.stringify(manifestOf(copy, { part, name: `scale-${number}`, atOnce }), undefined, 2));
      return asInTheImage([launcher, 'run', '-f', file, '--output', 'json']);
    }),
  );
}

function manifestOf(
  { sourceUrl, destinationUrl, samplesPerWrite, window, stretchHours }: ScaleCopy,
  { part, name, atOnce }: { readonly part: Range; readonly name: string; readonly atOnce: number },
) {
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
      timeRange: { start: new Date(part.fromMs).toISOString(), end: new Date(part.toMs).toISOString() },
      execution: { parallelism: atOnce, stretch: `${stretchHours}h` },
      window,
      // The stretches under way share the limits: one write at a time for each.
      limits: { samplesPerWrite, inFlightWrites: atOnce, memory: `${MEMORY_MEBIBYTES * atOnce}Mi` },
    },
  };
}
