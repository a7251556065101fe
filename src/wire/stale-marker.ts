// The value that Prometheus writes at the end of a series: a specific signalling NaN, which does not survive as a JavaScript number.

/** The lower and the upper half of its 64 bits. */
export const STALE_LOW = 0x0000_0002;
export const STALE_HIGH = 0x7ff0_0000;

/** Whether the little-endian double at `at` is the stale marker. */
export function isStaleMarker(bytes: Uint8Array, at: number): boolean {
  return (
    bytes[at] === STALE_LOW &&
    bytes[at + 1] === 0 &&
    bytes[at + 2] === 0 &&
    bytes[at + 3] === 0 &&
    bytes[at + 4] === 0 &&
    bytes[at + 5] === 0 &&
    bytes[at + 6] === 0xf0 &&
    bytes[at + 7] === 0x7f
  );
}
