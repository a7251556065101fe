// The series that are already in a request, in the memory that src/wire/requests/earlier-series.ts describes and uses too.

const RING_SAMPLES: u32 = 4096;
const MASK: u32 = RING_SAMPLES - 1;
const MIN_SHARED: u32 = 4;
const REACH_BYTES: f64 = 65_536;

/** Where the parts of a ring begin, in bytes. */
const TIMES: usize = 0;
const BITS: usize = TIMES + RING_SAMPLES * 8;
const FIRST_TIMES: usize = BITS + RING_SAMPLES * 8;
const STARTS: usize = FIRST_TIMES + 256 * 8;
const SLOTS: usize = STARTS + 256 * 8;
const COUNTS: usize = SLOTS + 256 * 4;
const NEXT: usize = COUNTS + 256 * 4;

let slot: u32 = 0;
let distance: u32 = 0;

/** Of the series that `find` found: the ring position of its first sample. */
export function foundSlot(): u32 {
  return slot;
}

/** The distance in bytes between the samples of that series and the new ones. */
export function foundDistance(): u32 {
  return distance;
}

/** The bits of the sample at a ring position. */
export function earlierBits(ring: usize, position: u32): u64 {
  return load<u64>(ring + ((position & MASK) << 3), BITS);
}

function entryOf(firstMs: f64): u32 {
  return (<u32>(<i64>firstMs) * 0x9e37_79b1) >>> 24;
}

/** @returns how many of the times at [times, times + 8 · count) an earlier series has, from the first on */
export function find(ring: usize, start: f64, times: usize, count: u32): u32 {
  const firstMs = load<f64>(times);
  const entry = entryOf(firstMs);
  if (load<f64>(ring + (entry << 3), FIRST_TIMES) !== firstMs) return 0;
  const bytes = start - load<f64>(ring + (entry << 3), STARTS);
  if (bytes >= REACH_BYTES) return 0;
  const first = load<u32>(ring + (entry << 2), SLOTS);
  const most = min<u32>(count, load<u32>(ring + (entry << 2), COUNTS));
  let shared: u32 = 1;
  while (shared < most) {
    if (load<f64>(ring + (((first + shared) & MASK) << 3), TIMES) !== load<f64>(times + (shared << 3))) break;
    shared++;
  }
  if (shared < min<u32>(MIN_SHARED, count)) return 0;
  slot = first;
  distance = <u32>bytes;
  return shared;
}

/** Records the samples, written at `start` of the message. */
export function add(ring: usize, start: f64, times: usize, bits: usize, count: u32): void {
  if (count > RING_SAMPLES) return;
  const next = load<u32>(ring, NEXT) & MASK;
  const head = min<u32>(count, RING_SAMPLES - next);
  memory.copy(ring + TIMES + (next << 3), times, head << 3);
  memory.copy(ring + BITS + (next << 3), bits, head << 3);
  if (head < count) {
    memory.copy(ring + TIMES, times + (head << 3), (count - head) << 3);
    memory.copy(ring + BITS, bits + (head << 3), (count - head) << 3);
  }
  store<u32>(ring, (next + count) & MASK, NEXT);
  const entry = entryOf(load<f64>(times));
  store<f64>(ring + (entry << 3), load<f64>(times), FIRST_TIMES);
  store<f64>(ring + (entry << 3), start, STARTS);
  store<u32>(ring + (entry << 2), next, SLOTS);
  store<u32>(ring + (entry << 2), count, COUNTS);
}
