// The codec's hot loops, in AssemblyScript. JavaScript copies bytes into INPUT and calls once for a block, a series or a request. What is
// unusual or wrong is left to the JavaScript path in src/wire/, which decides what it means.

import { buildTables } from './crc32c';

export {
  BLOCK_COLUMNS,
  BLOCK_COLUMNS_SAMPLES,
  BLOCK_COLUMNS_SLOTS,
  COLUMNS,
  COLUMNS_SAMPLES,
  COLUMNS_SLOTS,
  HISTOGRAMS,
  HISTOGRAMS_BYTES,
  HISTOGRAMS_CAPACITY,
  HISTOGRAM_MESSAGES_BYTES,
  HISTOGRAM_STATE,
  INPUT,
  INPUT_BYTES,
  OUTPUT,
  OUTPUT_BYTES,
  PAGES,
  RESULT,
  RINGS,
  RING_BYTES,
  RING_SLOTS,
} from './layout';
export { decodeChunks, measureSeries } from './chunks';
export { compareFloats } from './comparison';
export { writeLabels } from './metric-names';
export { countBlock, decodeBlock } from './stored-block';
export { encodeFloats } from './elements';
export { encodeHistograms } from './histogram-elements';
export { expandElements } from './expansion';
export { decodeSamples } from './samples';
export { updateCrc, verifyFrames } from './crc32c';

buildTables();
