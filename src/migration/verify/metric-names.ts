// Which metrics of the source become which in the destination. Relabelings may merge series of different metrics. If a window is read in parts by
// metric name, such a series arrives in several of them, and none of them can be compared with what the destination has. Pure.

import { type LabelBytes, metricName } from '../../wire/labels.ts';
import { hasName, isAllNames, type NamePartition } from '../series/name-partition.ts';

export class MetricNames {
  /** By the name in the destination. */
  readonly #sources = new Map<string, Set<string>>();
  #version = 0;

  /** Increases when a metric of the destination is found to have series of another metric of the source. */
  get version(): number {
    return this.#version;
  }

  learn(source: string, written: string): void {
    const sources = this.#sources.get(written);
    if (sources === undefined) {
      this.#sources.set(written, new Set([source]));
    } else if (!sources.has(source)) {
      sources.add(source);
      this.#version++;
    }
  }

  /** The metrics of the source whose series may become one of this metric. */
  sourcesOf(written: string): ReadonlySet<string> {
    return this.#sources.get(written) ?? new Set();
  }

  /** What is known of a part of a window; undefined if it has all names. */
  part(partition: NamePartition): PartOfNames | undefined {
    return isAllNames(partition) ? undefined : new PartOfNames(this, partition);
  }
}

/** The metrics of the source in one part of a window. */
export class PartOfNames {
  readonly #names: MetricNames;
  readonly #partition: NamePartition;
  /** That of the names when the part was read. */
  readonly version: number;

  constructor(names: MetricNames, partition: NamePartition) {
    this.#names = names;
    this.#partition = partition;
    this.version = names.version;
  }

  /** Whether other parts may have samples of the series. @param written its labels in the destination */
  lacks(written: LabelBytes): boolean {
    for (const source of this.#names.sourcesOf(metricName(written))) {
      if (!hasName(this.#partition, source)) return true;
    }
    return false;
  }
}
