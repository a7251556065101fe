import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ProtoReader } from '../../../src/wire/proto-reader.ts';
import { ChunkHeader } from '../../../src/wire/responses/series-entry.ts';
import { field } from '../support/read-responses.ts';
import { uvarint } from '../../migration/support/remote-messages.ts';

const varintField = (number: number, value: bigint) =>
  Buffer.concat([Buffer.of(number << 3), uvarint(BigInt.asUintN(64, value))]);

/** The field by field reading of proto3: the last of each counts. */
function expected(message: Uint8Array) {
  const header = { minMs: Number.NaN, maxMs: Number.NaN, encoding: 0, data: [] as number[] };
  const reader = new ProtoReader(message);
  while (reader.nextField()) {
    if (reader.field === 1) header.minMs = reader.int64();
    else if (reader.field === 2) header.maxMs = reader.int64();
    else if (reader.field === 3) header.encoding = reader.int64();
    else if (reader.field === 4) {
      reader.delimited();
      header.data = [...message.subarray(reader.valueStart, reader.valueEnd)];
    } else reader.skip();
  }
  return header;
}

/** Read in place: other bytes are before and after it. */
function actual(message: Uint8Array) {
  const bytes = new Uint8Array([0xff, ...message, 0x08, 0xff, 0xff]);
  const parent = new ProtoReader(bytes);
  parent.valueStart = 1;
  parent.valueEnd = 1 + message.length;
  const header = new ChunkHeader();
  header.read(parent);
  const { minMs, maxMs, encoding, dataStart, dataEnd } = header;
  return { minMs, maxMs, encoding, data: [...bytes.subarray(dataStart, dataEnd)] };
}

const time = fc.oneof(
  fc.bigInt({ min: 2n ** 34n, max: 2n ** 43n }),
  fc.constantFrom(0n, 127n, 128n, 2n ** 35n - 1n, 2n ** 35n, 2n ** 42n - 1n, 2n ** 42n, -1n, -(2n ** 63n), 2n ** 53n),
);
const usual = fc
  .record({
    min: time,
    max: time,
    encoding: fc.constantFrom(0n, 1n, 2n, 6n, 127n, 128n, 300n),
    size: fc.constantFrom(0, 1, 126, 127, 128, 129, 300, 16_383, 16_384),
  })
  .map(({ min, max, encoding, size }) => [
    varintField(1, min),
    varintField(2, max),
    varintField(3, encoding),
    Buffer.from(field(4, new Uint8Array(size).fill(7))),
  ]);

function outcome(read: (message: Uint8Array) => unknown, message: Uint8Array): unknown {
  try {
    return read(message);
  } catch (error) {
    return { code: (error as { code?: string }).code };
  }
}

describe('the header of a chunk', () => {
  it('is read as proto3 defines it, whatever values it has', () => {
    fc.assert(
      fc.property(usual, (fields) => {
        const message = Buffer.concat(fields);
        assert.deepEqual(actual(message), expected(message));
      }),
      { numRuns: 2000 },
    );
  });

  it('is read with fields that are missing, repeated, unknown or in another order', () => {
    const others = fc.constantFrom(varintField(9, 5n), Buffer.from(field(4, Buffer.of(1))), varintField(1, 2n ** 40n));
    const any = fc
      .tuple(usual, fc.array(others, { maxLength: 2 }))
      .chain(([fields, more]) => fc.shuffledSubarray([...fields, ...more]));
    fc.assert(
      fc.property(any, (fields) => {
        const message = Buffer.concat(fields);
        assert.deepEqual(actual(message), expected(message));
      }),
      { numRuns: 2000 },
    );
  });

  it('is refused, or read, as the field by field reading does when it is cut or damaged', () => {
    fc.assert(
      fc.property(usual, fc.nat(), fc.nat(255), fc.boolean(), (fields, place, byte, isCut) => {
        const message = Uint8Array.from(Buffer.concat(fields));
        const at = place % message.length;
        const damaged = isCut ? message.subarray(0, at) : message.with(Math.min(at, 24) % message.length, byte);
        assert.deepEqual(outcome(actual, damaged), outcome(expected, damaged));
      }),
      { numRuns: 5000 },
    );
  });
});
