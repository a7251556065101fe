// Two neighbouring spans of the range as one. Pure.

import type { Span } from './page/model.ts';

export function merged(a: Span, b: Span): Span {
  return {
    fromMs: Math.min(a.fromMs, b.fromMs),
    toMs: Math.max(a.toMs, b.toMs),
    windows: a.windows + b.windows,
    samplesRead: a.samplesRead + b.samplesRead,
    samplesWritten: a.samplesWritten + b.samplesWritten,
  };
}
