// The series of a response that is handed on in parts, by the hash of their labels after relabelling. Samples of one series must not be in two
// parts: a part is merged and put into order by itself.

import type { Reservation } from '../limits/reservation.ts';
import type { MigrationPlan } from '../plan/migration-plan.ts';
import { BYTES_PER_SERIES, SeriesHashes } from '../series/series-hashes.ts';

/** The response cannot be handled in parts. */
export class Indivisible extends Error {
  override readonly name: string = 'Indivisible';
}

/**
 * The parts of a response cannot be written separately: they have a series in common. The source does not sort its series, or relabelling
 * merges series that are far apart.
 */
export class SeriesInTwoParts extends Indivisible {
  override readonly name = 'SeriesInTwoParts';

  constructor() {
    super('a series is in two parts of the response');
  }
}

/**
 * Whether the parts of a response may be written one after the other. In a stream, all chunks of a series are adjacent; that is part of the
 * protocol. But relabelling may merge a series with one of a later part, whose samples may be older: a destination that takes samples only in
 * order would refuse them, although nothing is wrong with them.
 */
export function isDivisible(plan: Pick<MigrationPlan, 'selectors' | 'relabelings' | 'externalLabels' | 'destination'>) {
  return plan.selectors.length === 1 && (keepsLabels(plan) || plan.destination.ordering === 'Any');
}

/** Whether series are written with the labels that they have in the source. */
export function keepsLabels({ relabelings, externalLabels }: Pick<MigrationPlan, 'relabelings' | 'externalLabels'>) {
  return relabelings.length === 0 && Object.keys(externalLabels).length === 0;
}

/**
 * Whether series of different metric names stay different series. Only then may names be read separately without need: what relabelling merges
 * would be written one after the other, and compared in another read.
 */
export function keepsNames({ relabelings }: Pick<MigrationPlan, 'relabelings'>): boolean {
  return relabelings.length === 0;
}

const FIRST_ROOM = 4096;

export class EarlierSeries {
  readonly #hashes = new SeriesHashes(0);
  #room = 0;
  #size = 0;

  /** Reserved for it. */
  get bytes(): number {
    return this.#room * BYTES_PER_SERIES;
  }

  /** Makes room for this many more series. @throws DoesNotFit; the signal's reason */
  async makeRoom(
    series: number,
    reservation: Pick<Reservation, 'grow' | 'shrink'>,
    signal: AbortSignal,
  ): Promise<void> {
    const before = this.#room;
    if (this.#size + series <= before) return;
    const room = Math.max(FIRST_ROOM, 2 * before, this.#size + series);
    // While the data is copied, the old memory is still in use.
    await reservation.grow(room * BYTES_PER_SERIES, signal);
    this.#hashes.grow(room);
    this.#room = room;
    reservation.shrink(before * BYTES_PER_SERIES);
  }

  /** Call it once for each series of a part. @throws SeriesInTwoParts */
  add(hash: number): void {
    if (!this.#hashes.add(hash)) throw new SeriesInTwoParts();
    this.#size++;
  }

  /** Frees the memory. The caller gives back what is reserved. */
  free(): void {
    this.#hashes.free();
    this.#room = 0;
    this.#size = 0;
  }
}
