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
  measureChunks(from: number, to: number): number;
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
  encodeFloats(ring: number, start: number, times: number, bits: number, from: number, to: number): number;
  encodeHistograms(columns: number, from: number, to: number): number;
  expandElements(bytes: number, before: number, most: number): number;
}
