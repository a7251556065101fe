// The progress on a terminal: redrawn in place, with log lines above it. What it says is decided in progress-line.ts.

import type { Output } from './io.ts';
import { type BarStyle, renderProgress } from './progress-line.ts';
import type { ProgressView } from './progress-view.ts';

export class ProgressBar {
  readonly #output: Output;
  readonly #style: BarStyle;
  #line = '';

  constructor(output: Output, style: BarStyle) {
    this.#output = output;
    this.#style = style;
  }

  draw(view: ProgressView): void {
    // The last column stays free: a full line would wrap on some terminals and could not be redrawn in place.
    this.#line = renderProgress(view, this.#output.columns() - 1, this.#style);
    this.#output.write(`\r${this.#line}\u001b[K`);
  }

  /** Writes a log line above the progress line. */
  printAbove(line: string): void {
    this.#output.write(this.#line === '' ? `${line}\n` : `\r\u001b[K${line}\n${this.#line}`);
  }

  /** Removes the progress line. `draw` shows it again. */
  clear(): void {
    if (this.#line === '') return;
    this.#line = '';
    this.#output.write('\r\u001b[K');
  }
}
