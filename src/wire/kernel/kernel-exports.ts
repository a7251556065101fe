// The functions of the kernel, as kernel/kernel.ts exports them.

export interface KernelExports {
  readonly memory: WebAssembly.Memory;
  updateCrc(state: number, from: number, to: number): number;
  verifyFrames(from: number, to: number, maxFrameBytes: number): number;
  decodeChunks(
    from: number,
    to: number,
    fromMs: number,
    toMs: number,
    times: number,
    bits: number,
    used: number,
    capacity: number,
    histograms: number,
    usedHistograms: number,
  ): number;
  measureSeries(from: number, items: number, to: number): number;
  decodeSamples(
    from: number,
    to: number,
    fromMs: number,
    toMs: number,
    times: number,
    bits: number,
    used: number,
    capacity: number,
  ): number;
  decodeBlock(
    from: number,
    to: number,
    content: number,
    timesBytes: number,
    valuesBytes: number,
    fromMs: number,
    toMs: number,
    times: number,
    bits: number,
    capacity: number,
  ): number;
  countBlock(
    from: number,
    to: number,
    content: number,
    timesBytes: number,
    fromMs: number,
    toMs: number,
    times: number,
    capacity: number,
  ): number;
  writeLabels(from: number, to: number): number;
  compareFloats(
    times: number,
    bits: number,
    otherTimes: number,
    otherBits: number,
    count: number,
    precision: number,
  ): number;
  encodeFloats(ring: number, start: number, times: number, bits: number, from: number, to: number): number;
  encodeHistograms(columns: number, from: number, to: number): number;
  expandElements(bytes: number, before: number, most: number): number;
}
