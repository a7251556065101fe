// The framing of a streamed remote_read response: uvarint length, big-endian CRC-32C of the payload, payload, until the body ends.
// FrameCollector takes the body as it arrives; FrameCursor (frame-cursor.ts) walks the frames.

import { crc32c } from './crc32c.ts';
import { ErrorText } from './error-text.ts';
import { WireError, type WireErrorCode } from '../errors.ts';
import { KERNEL, type Kernel } from '../kernel/kernel.ts';

const MAX_VARINT_BYTES = 10;
export const CHECKSUM_BYTES = 4;

/** A call of the kernel costs as much as the checksum of some hundred bytes. */
const MIN_KERNEL_BYTES = 512;

/** Stand-ins for the size of a frame: not yet known, or impossible. */
const INCOMPLETE = -1;
const BROKEN = -2;

/** A place between two frames. */
export interface FramePlace {
  /** The number of the segment. */
  readonly segment: number;
  /** In the segment. */
  readonly at: number;
}

/**
 * Collects and verifies the frames of one response as its bytes arrive, and keeps them as they are: Prometheus' chunks are the most compact
 * form for the samples of a waiting window. After a WireError the collector cannot be used any more. The caller provides the memory for a
 * frame that crosses a push, and may have to wait for it: a declared length costs a server nothing.
 *
 * Prometheus cannot take back its 200 when a read fails half way, and appends a plain error text where a frame should begin. Such a text
 * (printable, at most its first 1 KiB) becomes the message of a WireError 'server-error-text'.
 */
export class FrameCollector {
  readonly #maxFrameBytes: number;
  readonly #kernel: Kernel | null;
  readonly #segments: Uint8Array[] = [];
  #bytes = 0;
  #frames = 0;
  /** A frame that crosses pushes: `#straddling[0, #straddled)`. Until its length is known, the few bytes of `#head`. */
  readonly #head = new Uint8Array(MAX_VARINT_BYTES + 1);
  #straddling: Uint8Array = this.#head;
  #straddled = 0;
  /** The pushed bytes of the frame that waits for memory. They follow the bytes in `#straddling`. */
  #pending: Uint8Array = this.#head.subarray(0, 0);
  #wantedBytes = 0;
  #allocatedBytes = 0;
  #suspicion: ErrorText | undefined;

  /** `maxFrameBytes`: the longest payload that is accepted. Prometheus' own client accepts 50 MB. */
  constructor(options: { maxFrameBytes: number }, kernel: Kernel | null = KERNEL) {
    this.#maxFrameBytes = options.maxFrameBytes;
    this.#kernel = kernel;
  }

  /** Runs of whole, verified frames in the order of the response. */
  get segments(): readonly Uint8Array[] {
    return this.#segments;
  }

  /** The number of bytes held: whole frames and the incomplete one. */
  get bytes(): number {
    return this.#bytes + this.#straddled + this.#pending.length;
  }

  /** The size of a frame that continues beyond the pushed bytes: call `provide` before the next `push`. 0 if no memory is needed. */
  get wantedBytes(): number {
    return this.#wantedBytes;
  }

  /** Bytes that were allocated here, for frames that begin in one push and end in the next. */
  get allocatedBytes(): number {
    return this.#allocatedBytes;
  }

  /**
   * Takes the next bytes of the body. Whole frames are kept in place: the caller must then not change the bytes.
   * @returns whether a frame in these bytes is kept in place. If not, the bytes are not used after the wanted memory was provided
   *
   * Throws WireError 'too-large' for a frame over the limit, 'corrupt' for a wrong checksum or length, 'server-error-text' if 1 KiB of text
   * is in the place of a frame.
   */
  push(bytes: Uint8Array): boolean {
    if (this.#suspicion !== undefined) {
      this.#suspect(bytes, 0);
      return false;
    }
    let at = this.#straddled === 0 ? 0 : this.#continueStraddling(bytes);
    if (at === BROKEN) return false;
    const runStart = at;
    if (this.#kernel !== null) {
      const verified = this.#kernel.verifyFrames(bytes, at, this.#maxFrameBytes);
      at = verified.end;
      this.#frames += verified.frames;
    }
    let size = INCOMPLETE;
    while (at < bytes.length) {
      size = this.#frameSize(bytes, at, bytes.length);
      if (size < 0 || size > bytes.length - at) break;
      if (!this.#verify(bytes, at, at + size)) {
        size = BROKEN;
        break;
      }
      at += size;
      this.#frames++;
    }
    const keeps = at > runStart;
    if (keeps) this.#keep(bytes.subarray(runStart, at));
    if (size === BROKEN) this.#suspect(bytes, at);
    else if (at < bytes.length) this.#straddle(bytes.subarray(at), size);
    return keeps;
  }

  /** @param memory at least `wantedBytes`; it is in use for as long as the frames are */
  provide(memory: Uint8Array): void {
    memory.set(this.#straddling.subarray(0, this.#straddled));
    this.#straddling = memory;
    this.#wantedBytes = 0;
    this.#append(this.#pending);
    this.#pending = this.#head.subarray(0, 0);
  }

  /** The provided memory of a frame that is not whole yet. */
  get straddling(): Uint8Array | undefined {
    return this.#straddling === this.#head ? undefined : this.#straddling;
  }

  /** How many bytes are collected behind a place between two frames, without the incomplete frame. */
  bytesBehind({ segment, at }: FramePlace): number {
    return this.#segments.slice(segment).reduce((sum, { length }) => sum + length, -at);
  }

  /**
   * Gives up the frames before a place. Those behind it are moved to `memory`, of at least `bytesBehind` bytes.
   * @returns the segments before that place
   */
  cut({ segment, at }: FramePlace, memory: Uint8Array): readonly Uint8Array[] {
    const before = this.#segments.splice(0);
    const [divided, ...behind] = before.splice(segment);
    if (divided === undefined) throw new RangeError('there is no such segment');
    if (at > 0) before.push(divided.subarray(0, at));
    let size = 0;
    for (const rest of [divided.subarray(at), ...behind]) {
      memory.set(rest, size);
      size += rest.length;
    }
    this.#bytes = 0;
    this.#keep(memory.subarray(0, size));
    return before;
  }

  /**
   * Marks the clean end of the body, according to HTTP. Throws WireError 'truncated' if it ended inside a frame, and 'server-error-text' or
   * the postponed error if it ended with text.
   */
  end(): void {
    if (this.#suspicion === undefined) {
      if (this.#straddled === 0) return;
      this.#fail(
        'truncated',
        `the streamed response ends inside a frame: ${this.#straddled} bytes after ${this.#frames} whole frames`,
      );
      this.#suspect(this.#straddling.subarray(0, this.#straddled), 0);
    }
    throw this.#suspicion?.verdict();
  }

  #keep(segment: Uint8Array): void {
    this.#segments.push(segment);
    this.#bytes += segment.length;
  }

  /** Continues the frame that earlier pushes began. Returns how many of `bytes` belong to it, or BROKEN. */
  #continueStraddling(bytes: Uint8Array): number {
    let at = 0;
    let size = this.#frameSize(this.#straddling, 0, this.#straddled);
    while (size === INCOMPLETE && at < bytes.length) {
      this.#append(bytes.subarray(at, at + 1));
      at++;
      size = this.#frameSize(this.#straddling, 0, this.#straddled);
    }
    if (size === INCOMPLETE) return at;
    if (size !== BROKEN) {
      const rest = bytes.subarray(at, at + size - this.#straddled);
      const whole = this.#straddled + rest.length === size;
      at += rest.length;
      if (this.#straddling !== this.#head) this.#append(rest);
      else if (whole) this.#assemble(size, rest);
      else this.#straddle(rest, size);
      if (!whole) return at;
      if (this.#verify(this.#straddling, 0, size)) {
        this.#keep(this.#straddling.subarray(0, size));
        this.#frames++;
        this.#straddling = this.#head;
        this.#straddled = 0;
        return at;
      }
    }
    const begun = this.#straddling.subarray(0, this.#straddled);
    this.#straddled = 0;
    this.#suspect(begun, 0);
    this.#suspect(bytes, at);
    return BROKEN;
  }

  /** Begins or continues a frame that reaches beyond the pushed bytes. `size` is INCOMPLETE until its length is known. */
  #straddle(bytes: Uint8Array, size: number): void {
    if (size === INCOMPLETE) {
      this.#append(bytes);
      return;
    }
    this.#wantedBytes = size;
    this.#pending = bytes;
  }

  /** For a frame whose head was in one push and whose rest is in the next, and no longer than that one. */
  #assemble(size: number, rest: Uint8Array): void {
    const frame = new Uint8Array(size);
    frame.set(this.#head.subarray(0, this.#straddled));
    this.#straddling = frame;
    this.#allocatedBytes += size;
    this.#append(rest);
  }

  #append(bytes: Uint8Array): void {
    this.#straddling.set(bytes, this.#straddled);
    this.#straddled += bytes.length;
  }

  /** The size of the frame at `start`, header included. INCOMPLETE if its length has not arrived, or BROKEN. */
  #frameSize(bytes: Uint8Array, start: number, end: number): number {
    let length = 0;
    let scale = 1;
    for (let index = 0; index < MAX_VARINT_BYTES; index++) {
      if (start + index >= end) return INCOMPLETE;
      const byte = bytes[start + index] as number;
      length += (byte & 0x7f) * scale;
      scale *= 0x80;
      if (byte >= 0x80) continue;
      if (length > this.#maxFrameBytes) {
        return this.#fail('too-large', `a frame of ${length} bytes is over the limit of ${this.#maxFrameBytes}`);
      }
      return index + 1 + CHECKSUM_BYTES + length;
    }
    return this.#fail('corrupt', `the length of frame ${this.#frames + 1} takes more than ${MAX_VARINT_BYTES} bytes`);
  }

  #verify(bytes: Uint8Array, start: number, end: number): boolean {
    const checksumStart = payloadStart(bytes, start) - CHECKSUM_BYTES;
    const expected =
      (((bytes[checksumStart] as number) << 24) |
        ((bytes[checksumStart + 1] as number) << 16) |
        ((bytes[checksumStart + 2] as number) << 8) |
        (bytes[checksumStart + 3] as number)) >>>
      0;
    const actual = this.#checksum(bytes, checksumStart + CHECKSUM_BYTES, end);
    if (actual === expected) return true;
    this.#fail('corrupt', `frame ${this.#frames + 1} has the checksum ${hex(actual)} instead of ${hex(expected)}`);
    return false;
  }

  #checksum(bytes: Uint8Array, start: number, end: number): number {
    if (this.#kernel === null || end - start < MIN_KERNEL_BYTES) return crc32c(bytes, start, end);
    return this.#kernel.crc32c(bytes, start, end);
  }

  /** Records the error, unless the bytes turn out to be text. The caller then passes the bytes from that place on to `#suspect`. */
  #fail(code: WireErrorCode, message: string): number {
    this.#suspicion = new ErrorText(new WireError(code, message));
    return BROKEN;
  }

  #suspect(bytes: Uint8Array, start: number): void {
    this.#suspicion?.add(bytes.subarray(start));
  }
}

function payloadStart(bytes: Uint8Array, frameStart: number): number {
  let at = frameStart;
  while ((bytes[at] as number) >= 0x80) at++;
  return at + 1 + CHECKSUM_BYTES;
}

function hex(checksum: number): string {
  return checksum.toString(16).padStart(8, '0');
}
