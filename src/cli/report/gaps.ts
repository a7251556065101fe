// The parts of a range in which no window had samples: how many, how long, and the longest, whatever the order in which windows finish. Pure.

import type { RunRecord, Span } from './page/model.ts';
import { merged } from './merged-span.ts';

const MAX_GAPS = 10;

/** Finished windows that follow one another without a hole. Only a gap at its edge can still become longer. */
interface Island {
  readonly fromMs: number;
  readonly toMs: number;
  /** The gap that it begins with. */
  readonly head: Span | undefined;
  /** The gap that it ends with; the same as `head` if there is nothing else. */
  readonly tail: Span | undefined;
}

export class Gaps {
  /** In the order of time. As many as there are stretches under way, and a few more. */
  #islands: Island[] = [];
  #closed: Span[] = [];
  #count = 0;
  #totalMs = 0;

  /** A finished window. No two windows overlap. */
  add(window: Span): void {
    const gap = window.samplesRead > 0 ? undefined : window;
    if (gap !== undefined) {
      this.#count++;
      this.#totalMs += gap.toMs - gap.fromMs;
    }
    let index = this.#islands.findLastIndex(({ fromMs }) => fromMs <= window.fromMs) + 1;
    this.#islands.splice(index, 0, { fromMs: window.fromMs, toMs: window.toMs, head: gap, tail: gap });
    if (this.#touchesNext(index)) this.#joinNext(index);
    if (this.#touchesNext(index - 1)) this.#joinNext(--index);
  }

  get all(): RunRecord['gaps'] {
    const open = new Set(this.#islands.flatMap(({ head, tail }) => [head ?? [], tail ?? []].flat()));
    return { count: this.#count, totalMs: this.#totalMs, longest: longest([...this.#closed, ...open]) };
  }

  #touchesNext(index: number): boolean {
    const next = this.#islands[index + 1];
    return next !== undefined && this.#islands[index]?.toMs === next.fromMs;
  }

  #joinNext(index: number): void {
    const [left, right] = this.#islands.slice(index, index + 2) as [Island, Island];
    const between = [left.tail ?? [], right.head ?? []].flat();
    if (between.length === 2) this.#count--;
    const gap = between.length === 0 ? undefined : between.reduce(merged);
    // What is nothing but a gap ends where the gap ends.
    const head = isGap(left) ? gap : left.head;
    const tail = isGap(right) ? gap : right.tail;
    if (gap !== undefined && gap !== head && gap !== tail) this.#closed = longest([...this.#closed, gap]);
    this.#islands.splice(index, 2, { fromMs: left.fromMs, toMs: right.toMs, head, tail });
  }
}

function isGap({ fromMs, toMs, head }: Island): boolean {
  return head !== undefined && head.fromMs === fromMs && head.toMs === toMs;
}

function longest(gaps: readonly Span[]): Span[] {
  const all = [...gaps].sort((a, b) => b.toMs - b.fromMs - (a.toMs - a.fromMs) || a.fromMs - b.fromMs);
  return all.slice(0, MAX_GAPS);
}
