// A terminal that does what the progress bar asks for: carriage return, line feed, cursor up, erase to the end of the line and of the screen.
// When it becomes narrower it wraps the lines that no longer fit, as most terminals do.

import assert from 'node:assert/strict';
import type { Output } from '../../src/cli/io.ts';

export class FakeTerminal implements Output {
  readonly isTTY = true;
  #columns: number;
  #height: number;
  #rows: string[] = [''];
  #row = 0;
  #column = 0;

  constructor(columns: number, rows: number) {
    this.#columns = columns;
    this.#height = rows;
  }

  /** All rows, also those that were scrolled off. */
  get screen(): readonly string[] {
    return this.#rows;
  }

  columns(): number {
    return this.#columns;
  }

  rows(): number {
    return this.#height;
  }

  flushed(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  resize(columns: number, rows: number): void {
    const wrapped = this.#rows.map((text) => text.match(new RegExp(`.{1,${columns}}`, 'gu')) ?? ['']);
    const cursorRow = wrapped.slice(0, this.#row + 1).flat();
    this.#rows = wrapped.flat();
    this.#row = cursorRow.length - 1;
    this.#column = (cursorRow.at(-1) ?? '').length;
    [this.#columns, this.#height] = [columns, rows];
  }

  write(text: string): void {
    for (const [part, up, erase] of text.matchAll(/\p{Cc}\[(?:(\d+)A|([KJ]))|./gsu)) {
      if (up !== undefined) this.#row = Math.max(0, this.#rows.length - this.#height, this.#row - Number(up));
      else if (erase !== undefined) this.#erase(erase);
      else if (part === '\r') this.#column = 0;
      else if (part === '\n') this.#feed();
      else this.#put(part);
    }
  }

  #feed(): void {
    this.#row++;
    this.#column = 0;
    if (this.#row === this.#rows.length) this.#rows.push('');
  }

  #put(character: string): void {
    assert.ok(!/\p{Cc}/u.test(character), 'a control character that this terminal does not know');
    if (this.#column === this.#columns) this.#feed();
    const row = (this.#rows[this.#row] ?? '').padEnd(this.#column);
    this.#rows[this.#row] = row.slice(0, this.#column) + character + row.slice(this.#column + 1);
    this.#column++;
  }

  #erase(what: string): void {
    this.#rows[this.#row] = (this.#rows[this.#row] ?? '').slice(0, this.#column);
    if (what === 'J') this.#rows.splice(this.#row + 1);
  }
}
