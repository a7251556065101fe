// The kernel's labels of a metric name are those of the JavaScript path, with their hash, or it leaves the name to it, and stays inside its memory.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { WireError } from '../../../src/wire/errors.ts';
import { openKernel } from '../../../src/wire/kernel/kernel.ts';
import { hashLabels } from '../../../src/wire/label-hash.ts';
import { MetricNames } from '../../../src/wire/native-export/metric-name.ts';
import { MemoryWatch } from '../support/kernel-memory.ts';

const kernel = openKernel();

/** Parts of a name, mostly names that repeat or begin alike. */
const part = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('a', 'aa', 'ab', 'job', '__name__', '__nam', '__name__a', 'é') },
  fc.string({ maxLength: 300 }),
  fc.constantFrom('x'.repeat(127), 'x'.repeat(128), 'x'.repeat(16_383), 'x'.repeat(16_384)),
);
/** Also with an odd number of parts, and with bytes that are no escape sequence. */
const anyName = fc
  .array(part, { maxLength: 150 })
  .chain((parts) =>
    fc.constantFrom(`${parts.join('\u0001')}\u0001`, parts.join('\u0001'), parts.join('\u00001\u0001\u00002')),
  )
  .map((text) => Buffer.from(text));

/** VictoriaMetrics escapes the three bytes that have a meaning. */
function escapedByte(character: string): string {
  return character < '\u0003' ? `\0${character.charCodeAt(0)}` : character;
}

const inJavaScript = new MetricNames(null);

/** @returns undefined if the bytes are no name */
function oracle(name: Uint8Array): Uint8Array | undefined {
  try {
    return inJavaScript.labelsOf(name).slice();
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

function inKernel(name: Uint8Array): Uint8Array | undefined {
  const out = new Uint8Array(1024 * 1024);
  const bytes = kernel.blocks.labels(name, out);
  return bytes < 0 ? undefined : out.subarray(0, bytes);
}

describe('BlockKernel.labels', () => {
  it('gives the labels of the JavaScript path and their hash, or nothing', () => {
    let given = 0;
    fc.assert(
      fc.property(anyName, (name) => {
        const labels = inKernel(name);
        if (labels === undefined) return;
        given++;
        const expected = oracle(name);
        assert.ok(expected !== undefined);
        assert.equal(Buffer.compare(labels, expected), 0);
        assert.equal(kernel.blocks.labelsHash, hashLabels(expected));
      }),
      { numRuns: 2000 },
    );
    assert.ok(given > 100, `${given} names`);
  });

  it('leaves no usual name to JavaScript', () => {
    const text = fc.string({ minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(fc.uniqueArray(text, { maxLength: 60 }), text, (names, metric) => {
        const others = names.filter((name) => name !== '__name__');
        const parts = [metric, ...others.flatMap((name) => [name, `${name} value`])];
        const escaped = parts.map((one) => Array.from(one, escapedByte).join(''));
        const name = Buffer.from(`${escaped.join('\u0001')}\u0001`);
        assert.deepEqual(inKernel(name), oracle(name));
      }),
    );
  });

  it('writes to its input, its output and its spans only', () => {
    const { OUTPUT, OUTPUT_BYTES, HISTOGRAM_STATE, BLOCK_COLUMNS } = kernel.layout;
    const { BLOCK_COLUMNS_SAMPLES, BLOCK_COLUMNS_SLOTS } = kernel.layout;
    const spans = BLOCK_COLUMNS + BLOCK_COLUMNS_SLOTS * BLOCK_COLUMNS_SAMPLES * 16;
    const watch = new MemoryWatch(kernel, [
      { start: OUTPUT, end: OUTPUT + OUTPUT_BYTES },
      { start: spans, end: HISTOGRAM_STATE },
    ]);
    fc.assert(
      fc.property(anyName, (name) => {
        inKernel(name);
        watch.check();
      }),
      { numRuns: 50 },
    );
    inKernel(Buffer.from(`a\u0001${'n\u0001v\u0001'.repeat(20_000)}`));
    inKernel(Buffer.from(Array.from({ length: 70 }, (_, i) => `${i}\u0001${'v'.repeat(3000)}\u0001`).join('')));
    watch.checkAll();
  });
});
