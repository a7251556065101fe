import assert from 'node:assert/strict';
import { encodeReadRequest } from '../../src/wire/messages.ts';
import { decodeMessage } from './support/oracle.ts';

describe('encodeReadRequest', () => {
  it('writes one query with matchers of all types, the accepted types in order, and no hints', () => {
    const bytes = encodeReadRequest({
      startMs: 1_700_000_000_000,
      endMs: 1_700_000_059_999,
      matchers: [
        { kind: '=', name: 'job', value: 'node' },
        { kind: '!=', name: 'dc', value: '' },
        { kind: '=~', name: '__name__', value: '.+' },
        { kind: '!~', name: 'zone', value: 'é|b' },
      ],
      accept: ['STREAMED_XOR_CHUNKS', 'SAMPLES'],
    });
    assert.deepEqual(decodeMessage('ReadRequest', bytes), {
      queries: [
        {
          startTimestampMs: 1_700_000_000_000,
          endTimestampMs: 1_700_000_059_999,
          matchers: [
            { type: 'EQ', name: 'job', value: 'node' },
            { type: 'NEQ', name: 'dc', value: '' },
            { type: 'RE', name: '__name__', value: '.+' },
            { type: 'NRE', name: 'zone', value: 'é|b' },
          ],
          hints: null,
        },
      ],
      acceptedResponseTypes: ['STREAMED_XOR_CHUNKS', 'SAMPLES'],
    });
  });

  it('writes the bytes that the schema prescribes, written out by hand', () => {
    const bytes = encodeReadRequest({
      startMs: -1,
      endMs: 300,
      matchers: [{ kind: '=~', name: 'a', value: 'b' }],
      accept: ['STREAMED_XOR_CHUNKS', 'SAMPLES'],
    });
    const query = '08ffffffffffffffffff01 10ac02 1a08 0802 120161 1a0162';
    assert.equal(Buffer.from(bytes).toString('hex'), `0a18 ${query} 12020100`.replaceAll(' ', ''));
  });

  it('preserves negative and large times', () => {
    for (const [startMs, endMs] of [
      [-62_135_596_800_000, -1],
      [0, 0],
      [-(2 ** 53) + 1, 2 ** 53 - 1],
    ] as const) {
      const decoded = decodeMessage('ReadRequest', encodeReadRequest({ startMs, endMs, matchers: [], accept: [] }));
      assert.equal(decoded['queries'][0].startTimestampMs, startMs);
      assert.equal(decoded['queries'][0].endTimestampMs, endMs);
      assert.deepEqual(decoded['acceptedResponseTypes'], []);
    }
  });
});
