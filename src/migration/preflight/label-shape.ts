// How large the labels of the series are that a copy writes, and which of them all series have: what a destination's limits are compared with.

import { decodeLabels, type LabelBytes } from '../../wire/labels.ts';
import { mixed } from './series-sketch.ts';

export interface LabelShape {
  /** Of one series, its name included. */
  readonly mostLabels: number;
  /** In bytes. */
  readonly longestName: number;
  readonly longestValue: number;
  /** Of the series with the most labels, and of the one with the longest value. Equal ones are given once. */
  readonly examples: readonly LabelBytes[];
  /** In every series that was looked at, with the same value: mostly external labels of the source. */
  readonly common: Readonly<Record<string, string>>;
}

/** Series whose labels are compared with each other: the first ones, and one in so many of the others. */
const COMPARED_FIRST = 64;
const COMPARED_SHARE = 64;
/** A request with a longer example would be none of a usual size. */
const MAX_EXAMPLE_BYTES = 64 * 1024;

interface Example {
  readonly size: number;
  readonly labels: LabelBytes | undefined;
}

const NO_EXAMPLE: Example = { size: 0, labels: undefined };

export class LabelShapes {
  #longestName = 0;
  #most: Example = NO_EXAMPLE;
  #longest: Example = NO_EXAMPLE;
  #common: Map<string, string> | undefined;
  #seen = 0;

  /** @param labels canonical; they are copied if they are kept */
  add(labels: LabelBytes, hash: number): void {
    let count = 0;
    let longestValue = 0;
    // Every length is in its shortest form, and nearly always one byte. This runs for every series: nothing is allocated.
    for (let at = 0; at < labels.length; count++) {
      const entryStart = at + 1 + sizeAt(labels, at + 1);
      const nameStart = entryStart + 1 + sizeAt(labels, entryStart + 1);
      const nameBytes = lengthAt(labels, entryStart + 1);
      const valueBytes = lengthAt(labels, nameStart + nameBytes + 1);
      if (nameBytes > this.#longestName) this.#longestName = nameBytes;
      if (valueBytes > longestValue) longestValue = valueBytes;
      at = entryStart + lengthAt(labels, at + 1);
    }
    if (count > this.#most.size) this.#most = exampleOf(count, labels);
    if (longestValue > this.#longest.size) this.#longest = exampleOf(longestValue, labels);
    if (this.#seen++ < COMPARED_FIRST || mixed(hash) % COMPARED_SHARE === 0) this.#compare(labels);
  }

  /** @returns undefined without a series */
  shape(): LabelShape | undefined {
    if (this.#seen === 0) return undefined;
    const examples = new Set([this.#most.labels, this.#longest.labels].filter((labels) => labels !== undefined));
    return {
      mostLabels: this.#most.size,
      longestName: this.#longestName,
      longestValue: this.#longest.size,
      examples: [...examples].filter(
        (labels, index, all) => index === 0 || Buffer.compare(labels, all[0] ?? labels) !== 0,
      ),
      common: Object.fromEntries(this.#common ?? []),
    };
  }

  #compare(labels: LabelBytes): void {
    if (this.#common?.size === 0) return;
    const pairs = new Map(decodeLabels(labels).filter(([name]) => name !== '__name__'));
    if (this.#common === undefined) this.#common = pairs;
    else for (const [name, value] of this.#common) if (pairs.get(name) !== value) this.#common.delete(name);
  }
}

function exampleOf(size: number, labels: LabelBytes): Example {
  return { size, labels: labels.length <= MAX_EXAMPLE_BYTES ? labels.slice() : undefined };
}

function lengthAt(bytes: LabelBytes, at: number): number {
  let length = 0;
  let shift = 0;
  for (let next = at; ; next++) {
    const byte = bytes[next] as number;
    length |= (byte & 0x7f) << shift;
    if (byte < 0x80) return length;
    shift += 7;
  }
}

/** How many bytes a length takes. */
function sizeAt(bytes: LabelBytes, at: number): number {
  let next = at;
  while ((bytes[next] as number) >= 0x80) next++;
  return next + 1 - at;
}
