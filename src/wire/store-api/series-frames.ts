// Collects the series of Thanos' StoreAPI as frames of a streamed remote_read response, in memory that the caller provides.

import { SeriesWriter } from './series-writer.ts';

const EMPTY = new Uint8Array(0);

/** A frame whose series differs from the one before it. */
interface Border {
  /** In the last block. */
  readonly start: number;
  readonly end: number;
}

export class SeriesFrames {
  readonly #writer: SeriesWriter;
  /** Full blocks. */
  #blocks: Uint8Array[] = [];
  #fullBytes = 0;
  #block: Uint8Array = EMPTY;
  #used = 0;
  #lastLabels: Uint8Array = EMPTY;
  #hasSeries = false;
  /** The last frame, if it is a border. */
  #border: Border | undefined;

  /** @param dropped names of labels to leave out */
  constructor(dropped: readonly string[]) {
    this.#writer = new SeriesWriter(dropped);
  }

  get bytes(): number {
    return this.#fullBytes + this.#used;
  }

  get hasSeries(): boolean {
    return this.#hasSeries;
  }

  /** As of SeriesWriter. */
  get withoutSamples(): SeriesWriter['withoutSamples'] {
    return this.#writer.withoutSamples;
  }

  /** Frames, as ChunkedCursor reads them. */
  get segments(): readonly Uint8Array[] {
    return this.#used === 0 ? this.#blocks : [...this.#blocks, this.#block.subarray(0, this.#used)];
  }

  /** The memory to provide before a series of `bytes` can be added; 0 if there is room. */
  wantedBytes(bytes: number): number {
    const needed = SeriesWriter.frameBytes(bytes);
    return needed <= this.#block.length - this.#used ? 0 : needed;
  }

  provide(block: Uint8Array): void {
    if (this.#used > 0) this.#blocks.push(this.#block.subarray(0, this.#used));
    this.#fullBytes += this.#used;
    this.#block = block;
    this.#used = 0;
  }

  /** Adds the series `bytes[start, end)`. @throws WireError */
  add(bytes: Uint8Array, start: number, end: number): void {
    const frameStart = this.#used;
    const writer = this.#writer;
    this.#used = writer.write(bytes, start, end, this.#block, frameStart);
    // A server that does not leave out the labels of replicas has sorted the series with them: equal ones may be far apart.
    const mayBeBorder = this.#hasSeries && !writer.hasDropped;
    const isBorder = mayBeBorder && Buffer.compare(writer.labels, this.#lastLabels) !== 0;
    this.#border = isBorder ? { start: frameStart, end: this.#used } : undefined;
    this.#hasSeries = true;
    this.#lastLabels = writer.labels;
  }

  /** The size of the last frame if the series before it are complete: `cut` can be called. 0 if not. */
  get borderBytes(): number {
    return this.#border === undefined ? 0 : this.#border.end - this.#border.start;
  }

  /**
   * Gives up the frames before the last one, which moves to `memory`, of at least `borderBytes`.
   * @returns their segments
   */
  cut(memory: Uint8Array): readonly Uint8Array[] {
    if (this.#border === undefined) throw new RangeError('the last series is not complete');
    const { start, end } = this.#border;
    memory.set(this.#block.subarray(start, end));
    this.#used = start;
    const before = this.segments;
    const labelsStart = this.#lastLabels.byteOffset - this.#block.byteOffset - start;
    this.#blocks = [];
    this.#fullBytes = 0;
    this.#block = memory;
    this.#used = end - start;
    this.#lastLabels = memory.subarray(labelsStart, labelsStart + this.#lastLabels.length);
    this.#border = undefined;
    return before;
  }

  /** The labels of the last series as the server sent them, but for those left out. */
  get lastLabels(): Uint8Array {
    return this.#lastLabels;
  }
}
