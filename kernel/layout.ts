// The kernel's linear memory. Its size is fixed: growing would detach the views that JavaScript holds. src/wire/kernel/kernel.ts reads these
// addresses from the module's exports.

/** Below it are the module's own data. */
export const CRC_TABLES: usize = 0x1000;
/** Sixteen tables of 256 entries of four bytes. */
const CRC_TABLES_BYTES: usize = 16 * 256 * 4;

/** What a call returns beside its result: `RESULT_FIELDS` numbers of four bytes. */
export const RESULT: usize = CRC_TABLES + CRC_TABLES_BYTES;
const RESULT_BYTES: usize = 64;

/** No code reads more than this past the end of its input or writes more past the end of its output. */
const PADDING_BYTES: usize = 256;

/** The bytes that a call works on. */
export const INPUT: usize = RESULT + RESULT_BYTES + PADDING_BYTES;
export const INPUT_BYTES: u32 = 256 * 1024;

/** Elements of a snappy block. */
export const OUTPUT: usize = INPUT + INPUT_BYTES + PADDING_BYTES;
export const OUTPUT_BYTES: u32 = 128 * 1024;

/** Sample columns: for each slot the times (float64), then the values' bits (64 each). */
export const COLUMNS: usize = OUTPUT + OUTPUT_BYTES + PADDING_BYTES;
export const COLUMNS_SLOTS: u32 = 2;
export const COLUMNS_SAMPLES: u32 = 65_536;
const COLUMNS_BYTES: u32 = COLUMNS_SLOTS * COLUMNS_SAMPLES * 16;

/** The earlier series of the requests that are being filled (src/wire/requests/earlier-series.ts). */
export const RINGS: usize = COLUMNS + COLUMNS_BYTES + PADDING_BYTES;
export const RING_BYTES: u32 = 71_744;
export const RING_SLOTS: u32 = 16;

/** Histogram columns, one for each slot: the times (float64), where each message ends (uint32), the messages. */
const RINGS_BYTES: u32 = RING_SLOTS * RING_BYTES;
export const HISTOGRAMS: usize = RINGS + RINGS_BYTES + PADDING_BYTES;
export const HISTOGRAMS_CAPACITY: u32 = 4096;
export const HISTOGRAM_MESSAGES_BYTES: u32 = 512 * 1024;
export const HISTOGRAMS_BYTES: u32 = HISTOGRAMS_CAPACITY * 12 + HISTOGRAM_MESSAGES_BYTES + <u32>PADDING_BYTES;
const ALL_HISTOGRAMS_BYTES: u32 = COLUMNS_SLOTS * HISTOGRAMS_BYTES;

/** Columns of floats for one block of a store's native export, or for one series to compare with it: as COLUMNS. */
export const BLOCK_COLUMNS: usize = HISTOGRAMS + ALL_HISTOGRAMS_BYTES;
export const BLOCK_COLUMNS_SLOTS: u32 = 3;
export const BLOCK_COLUMNS_SAMPLES: u32 = 16_384;
const BLOCK_COLUMNS_BYTES: u32 = BLOCK_COLUMNS_SLOTS * BLOCK_COLUMNS_SAMPLES * 16;

/** The labels of a metric name that is being read: four numbers of four bytes for each. */
export const SPANS: usize = BLOCK_COLUMNS + BLOCK_COLUMNS_BYTES;
export const SPANS_CAPACITY: u32 = 64;
const SPANS_BYTES: u32 = SPANS_CAPACITY * 16;

/** The chunk of histograms that is being decoded: the encoded layout, and the numbers of the current histogram. */
export const HISTOGRAM_STATE: usize = SPANS + SPANS_BYTES;

/** The memory's size in pages of 64 KiB, as scripts/compile-kernel.ts declares it. */
export const PAGES: u32 = 88;
