// The request for a slice to the source, together with what the companion reads of it.

import type { SlicePart, SliceRequest } from './slice-request.ts';
import type { Companion, CompanionParts, Held } from './window-part.ts';

/** What the source has of a slice, or of a part of it, and what the companion has. */
export type PairedPart<C extends Held> = SlicePart & { readonly companion?: C };

export class PairedRequest<C extends Held> {
  readonly request: SliceRequest;
  readonly #companion: Companion<C> | undefined;
  readonly #parts: CompanionParts<C> | undefined;
  /** Reads at the same time as the source is read. */
  #early: Promise<C> | undefined;

  /** @param inParts whether the response may be handed on in parts */
  constructor(request: SliceRequest, companion: Companion<C> | undefined, inParts: boolean) {
    this.request = request;
    this.#companion = companion;
    if (companion === undefined) return;
    const { slice, signal } = request;
    if (inParts) this.#parts = companion.open?.(slice, signal);
    else if (!companion.needsSource) this.#early = companion.read(slice, undefined, signal);
    this.#early?.catch(() => undefined);
  }

  /** Whether the source has to be known before the companion reads. Until then, the source could read something else. */
  get readsInTurn(): boolean {
    return this.#companion !== undefined && this.#parts === undefined && this.#early === undefined;
  }

  /**
   * The first part. The caller releases it.
   * @param received gets the source's part before the companion reads
   * @throws what SliceRequest.first and the companion reject with
   */
  async first(received: (part: SlicePart) => void): Promise<PairedPart<C>> {
    const { request } = this;
    const part = await request.first;
    request.signal.throwIfAborted();
    received(part);
    const companion = await this.#companionOf(part);
    request.taken();
    return companion === undefined ? part : { ...part, companion };
  }

  /** The part after one that was not the last. The caller releases it. @throws as SliceRequest.next; what the companion rejects with */
  async next(): Promise<PairedPart<C>> {
    const part = await this.request.next();
    const companion = await this.#parts?.next(part);
    this.request.taken();
    return companion === undefined ? part : { ...part, companion };
  }

  /** Ends the requests, and releases what was not handed over. */
  async drop(reason: unknown): Promise<void> {
    await this.request.drop(reason);
    await this.#parts?.close();
    await this.#early?.then(
      (held) => held.reservation.release(),
      () => undefined,
    );
  }

  async #companionOf(part: SlicePart): Promise<C | undefined> {
    if (this.#parts !== undefined) return this.#parts.next(part);
    const held = await (this.#early ?? this.#companion?.read(this.request.slice, part, this.request.signal));
    this.#early = undefined;
    return held;
  }
}
