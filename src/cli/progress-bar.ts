// The progress on a terminal: redrawn in place, with log lines above it. What it says is decided in progress-line.ts.

import stringWidth from 'string-width';
import type { Output } from './io.ts';
import { type BarStyle, renderProgress, renderStretches } from './progress-line.ts';
import type { ProgressView } from './progress-view.ts';

export class ProgressBar {
  readonly #output: Output;
  readonly #style: BarStyle;
  #view: ProgressView | undefined;
  /** What is on the terminal: the progress line and those of the stretches. The cursor is at the end of the last one. */
  #lines: readonly string[] = [];

  constructor(output: Output, style: BarStyle) {
    this.#output = output;
    this.#style = style;
  }

  draw(view: ProgressView): void {
    const lines = this.#render(view);
    const above = this.#rowsAbove();
    // Drawn over the earlier lines, because erasing them first flickers. There may have been more of them.
    const rest = above > 0 ? '\u001b[J' : '';
    this.#output.write(`${up(above)}\r${lines.join('\u001b[K\n')}\u001b[K${rest}`);
    this.#view = view;
    this.#lines = lines;
  }

  /** Writes a log line above the progress. */
  printAbove(line: string): void {
    if (this.#view === undefined) {
      this.#output.write(`${line}\n`);
      return;
    }
    const erased = this.#erased();
    this.#lines = this.#render(this.#view);
    this.#output.write(`${erased}${line}\n${this.#lines.join('\n')}`);
  }

  /** Removes the progress. `draw` shows it again. */
  clear(): void {
    if (this.#view === undefined) return;
    this.#output.write(this.#erased());
    this.#view = undefined;
    this.#lines = [];
  }

  #render(view: ProgressView): string[] {
    // The last column stays free: a full line would wrap on some terminals and could not be redrawn in place.
    const width = this.#output.columns() - 1;
    // Lines that have left the screen at the top could not be redrawn either. One row stays for the log.
    const size = { width, height: this.#output.rows() - 2 };
    const stretches = renderStretches(view.stretches?.running ?? [], size, this.#style);
    return [renderProgress(view, width, this.#style), ...stretches];
  }

  /** Moves the cursor to where the progress began, and removes it. */
  #erased(): string {
    const above = this.#rowsAbove();
    return `${up(above)}\r\u001b[${above > 0 ? 'J' : 'K'}`;
  }

  /**
   * How many rows of the terminal the progress takes above the cursor. A terminal that has become narrower since has wrapped the lines that
   * no longer fit.
   */
  #rowsAbove(): number {
    if (this.#lines.length <= 1) return 0;
    const columns = Math.max(1, this.#output.columns());
    return this.#lines.reduce((rows, line) => rows + Math.max(1, Math.ceil(stringWidth(line) / columns)), -1);
  }
}

function up(rows: number): string {
  return rows > 0 ? `\u001b[${rows}A` : '';
}
