// Which parts of the range an earlier run has copied, and which parts are not copied. In stretches, both may be anywhere. Pure.

import type { ReportModel } from './model.ts';

export interface Area {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Areas {
  readonly earlier: readonly Area[];
  readonly left: readonly Area[];
}

export function areasOf({ progress, record: { spans, division } }: Pick<ReportModel, 'progress' | 'record'>): Areas {
  const { startMs, endMs, resumedFromMs, watermarkMs } = progress;
  if (division === undefined) {
    return {
      earlier: withoutEmpty([{ fromMs: startMs, toMs: Math.min(resumedFromMs ?? startMs, endMs) }]),
      left: withoutEmpty([{ fromMs: Math.max(watermarkMs, startMs), toMs: endMs }]),
    };
  }
  const { remaining } = division;
  const present = without([{ fromMs: startMs, toMs: endMs }], remaining);
  return { earlier: without(present, spans), left: without(remaining, spans) };
}

/** What remains of the areas; both lists are in the order of time. */
function without(areas: readonly Area[], removed: readonly Area[]): Area[] {
  return areas.flatMap(({ fromMs, toMs }) => {
    const rest: Area[] = [];
    let atMs = fromMs;
    for (const gone of removed) {
      if (gone.toMs <= atMs || gone.fromMs >= toMs) continue;
      rest.push({ fromMs: atMs, toMs: gone.fromMs });
      atMs = gone.toMs;
    }
    return withoutEmpty([...rest, { fromMs: atMs, toMs }]);
  });
}

function withoutEmpty(areas: readonly Area[]): Area[] {
  return areas.filter(({ fromMs, toMs }) => toMs > fromMs);
}
