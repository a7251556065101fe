import assert from 'node:assert/strict';
import { WireError } from '../../../src/wire/errors.ts';
import { SeriesResponse } from '../../../src/wire/store-api/series-response.ts';
import { encodeStoreMessage, type StoreSeries } from '../../support/thanos-store.ts';

const seriesOf = (name: string): StoreSeries => ({ labels: [{ name: '__name__', value: name }], chunks: [] });

/** The series of a message, as bytes. */
function seriesIn(response: SeriesResponse, bytes: Uint8Array): string[] {
  response.read(bytes);
  const found: string[] = [];
  while (response.next())
    found.push(Buffer.from(response.bytes.subarray(response.start, response.end)).toString('latin1'));
  return found;
}

describe('a message of the StoreAPI', () => {
  it('has one series, or a batch of them', () => {
    const response = new SeriesResponse();
    const [one] = seriesIn(response, encodeStoreMessage({ series: seriesOf('one') }));
    assert.match(one ?? '', /__name__.*one/s);
    const batch = { batch: { series: [seriesOf('one'), seriesOf('two')] } };
    const found = seriesIn(response, encodeStoreMessage(batch));
    assert.equal(found.length, 2);
    assert.equal(found[0], one);
    assert.match(found[1] ?? '', /two/);
  });

  it('is a warning, also an empty one, or a hint', () => {
    const response = new SeriesResponse();
    assert.deepEqual(response.read(encodeStoreMessage({ warning: 'store-1 failed' })), {
      kind: 'warning',
      text: 'store-1 failed',
    });
    assert.equal(response.next(), false);
    const hints = { hints: { type_url: 'x', value: new Uint8Array([1, 2]) } };
    assert.deepEqual(response.read(encodeStoreMessage(hints)), { kind: 'hints' });
    assert.equal(response.next(), false);
    assert.deepEqual(response.read(new Uint8Array(0)), { kind: 'hints' });
  });

  it('is corrupt if nothing of it is known, since it may have samples', () => {
    const unknown = new Uint8Array([0x3a, 0x01, 0x00]);
    assert.throws(
      () => new SeriesResponse().read(unknown),
      (error: unknown) => error instanceof WireError && error.code === 'corrupt',
    );
  });

  it('is truncated if its bytes end inside a value', () => {
    const whole = encodeStoreMessage({ series: seriesOf('one') });
    for (let length = 1; length < whole.length; length++) {
      assert.throws(() => new SeriesResponse().read(whole.subarray(0, length)), WireError, `${length} bytes`);
    }
  });
});
