// Native histograms as the kernel decodes them: the messages one after the other in its memory, no object for each. They ascend in time.

/** In front of each message in `bytes`: the tag of field 4 of a TimeSeries, and the message's length. */
export interface PackedHistograms {
  /** The columns' address in the kernel's memory. */
  readonly address: number;
  readonly timesMs: Float64Array;
  /** Where each field ends in `bytes`. The first one begins at 0. */
  readonly ends: Uint32Array;
  readonly bytes: Uint8Array;
}

export function fieldStart({ ends }: PackedHistograms, index: number): number {
  return index === 0 ? 0 : (ends[index - 1] as number);
}

/** The messages of the first `count` histograms, in memory of their own. */
export function unpacked({ ends, bytes }: PackedHistograms, count: number): Uint8Array[] {
  const copy = bytes.slice(0, count === 0 ? 0 : ends[count - 1]);
  const messages: Uint8Array[] = [];
  let start = 0;
  for (let i = 0; i < count; i++) {
    const end = ends[i] as number;
    // The length is a varint, the last byte of which is below 0x80.
    let at = start + 1;
    while ((copy[at] as number) >= 0x80) at++;
    messages.push(copy.subarray(at + 1, end));
    start = end;
  }
  return messages;
}
